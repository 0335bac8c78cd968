import type {
  Adapter,
  AdapterEvent,
  Chat,
  ChatId,
  Contact,
  Host,
  Limits,
  Message,
  MessageId,
  Nonce,
  Session,
  UserId,
} from '../../adapters/contract.ts';
import { AdapterError } from '../../adapters/errors.ts';

/** A network inside the test: what it is sent stands in a ledger, what it says is what the test says. */
export interface TestNetwork {
  readonly adapter: Adapter;
  /** Texts that arrived, by the own id of the account that sent them. */
  readonly ledger: { readonly self: string; readonly chat: ChatId; readonly text: string; readonly nonce: Nonce }[];
  /** The session that is online for that account; throws where none is. */
  on(self: string): TestSession;
  isOnline(self: string): boolean;
  /** Decides the fate of each text; in place it arrives and is accepted. */
  onSend: ((self: string, text: string, chat: ChatId) => Promise<void>) | undefined;
  /** In place of signing in. */
  onSignIn: ((self: string, host: Host) => Promise<void>) | undefined;
  /** What each account has in its list. */
  roster: { contacts: readonly Contact[]; chats: readonly Chat[] };
  limits: Limits;
  /** What the network was told as read. */
  readonly marked: { readonly chat: ChatId; readonly upTo: MessageId }[];
  /** Addresses that were resolved by more than a look, as a room would be entered. */
  readonly entered: string[];
}

export interface TestSession {
  readonly host: Host;
  emit(event: AdapterEvent): void;
  drop(error?: AdapterError): void;
}

export const chatId = (id: string): ChatId => id as ChatId;
export const userId = (id: string): UserId => id as UserId;
export const messageId = (id: string): MessageId => id as MessageId;

export function contactOf(name: string, more: Partial<Contact> = {}): Contact {
  const address = `${name.toLowerCase()}@test`;
  return { id: userId(address), chat: chatId(address), address, name, groups: [], subscription: 'both', ...more };
}

export const roomOf = (name: string): Chat => ({ id: chatId(name), kind: 'room', address: name, title: name });

let counter = 0;
export function messageOf(chat: string, text: string, more: Partial<Message> = {}): Message {
  counter += 1;
  return {
    id: messageId(`m${counter}`),
    chat: chatId(chat),
    from: userId(chat),
    at: new Date(1_700_000_000_000 + counter),
    text,
    ...more,
  };
}

export interface TestNetworkOptions {
  /** What the network keeps of each chat, oldest first; pages of ten are told from it. */
  readonly kept?: ReadonlyMap<string, readonly Message[]>;
  readonly lookup?: boolean;
}

export function testNetwork(options: TestNetworkOptions = {}): TestNetwork {
  const online = new Map<string, TestSession>();
  const network: TestNetwork = {
    ledger: [],
    marked: [],
    entered: [],
    onSend: undefined,
    onSignIn: undefined,
    roster: { contacts: [contactOf('Alice'), contactOf('Bob')], chats: [roomOf('#imux')] },
    limits: { textBytes: 1_000 },
    on(self) {
      const session = online.get(self);
      if (!session) throw new Error(`${self} is not online`);
      return session;
    },
    isOnline: (self) => online.has(self),
    adapter: {
      network: 'test',
      about: {
        title: 'Test',
        fields: [
          { key: 'self', label: 'Own address' },
          { key: 'password', label: 'Password', secret: true, optional: true },
        ],
        can: ['text'],
        cannot: [],
        addressExample: 'alice@test',
      },
      parse(raw) {
        const self: unknown = typeof raw === 'object' && raw !== null ? Reflect.get(raw, 'self') : undefined;
        if (typeof self !== 'string' || self === '') throw new Error('"self" is missing');
        return { self };
      },
      open: (settings, host) => openSession((settings as { self: string }).self, host),
    },
  };

  const openSession = (self: string, host: Host): Session => {
    const end = Promise.withResolvers<void>();
    const session: TestSession = {
      host,
      emit: host.emit,
      drop: (error = new AdapterError('unreachable', 'the connection was cut')) => end.reject(error),
    };
    const gone = (): never => {
      throw new AdapterError('unreachable', 'not online');
    };
    return {
      async run(signal) {
        signal.addEventListener('abort', () => end.resolve());
        if (signal.aborted) end.resolve();
        await network.onSignIn?.(self, host);
        online.set(self, session);
        host.emit({ type: 'online', self: userId(self), name: self.split('@')[0] ?? self });
        host.emit({ type: 'roster', ...network.roster });
        try {
          await end.promise;
        } finally {
          online.delete(self);
        }
      },
      async send(chat, text, nonce) {
        if (online.get(self) !== session) gone();
        await network.onSend?.(self, text, chat);
        network.ledger.push({ self, chat, text, nonce });
        return messageId(`sent-${network.ledger.length}`);
      },
      async resolve(address, _signal, look = false) {
        if (address.startsWith('nobody')) throw new AdapterError('not-found', `there is no ${address}`);
        if (!look) network.entered.push(address);
        return { id: chatId(address), kind: address.startsWith('#') ? 'room' : 'direct', address, title: address };
      },
      limits: () => network.limits,
      contacts: {
        add: async () => {},
        remove: async () => {},
        rename: async () => {},
        group: async () => {},
        answer: async () => {},
        block: async () => {},
      },
      ...(options.kept
        ? {
            history: {
              page: async (chat: ChatId, before?: string) => {
                const all = options.kept?.get(chat) ?? [];
                const end = before === undefined ? all.length : Number(before);
                const start = Math.max(0, end - 10);
                return { messages: all.slice(start, end), ...(start > 0 ? { before: String(start) } : {}) };
              },
            },
            reading: {
              mark: async (chat: ChatId, upTo: MessageId) => void network.marked.push({ chat, upTo }),
            },
          }
        : {}),
      ...(options.lookup
        ? {
            lookup: {
              find: async (_chat: ChatId, nonce: Nonce) => {
                const at = network.ledger.findIndex((entry) => entry.nonce === nonce);
                return at < 0 ? undefined : messageId(`sent-${at + 1}`);
              },
            },
          }
        : {}),
    };
  };
  return network;
}
