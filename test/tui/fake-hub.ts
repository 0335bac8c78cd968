import type { Limits } from '../../adapters/contract.ts';
import type { LinkClient, LinkEvents } from '../../src/link/client.ts';
import type {
  Ability,
  AccountView,
  Change,
  ContactView,
  ConversationKey,
  MessageView,
  Method,
  Methods,
  NetworkView,
  Params,
  Result,
  Snapshot,
} from '../../src/link/messages.ts';

/** A hub of three networks in memory: enough of the link to run the screen on, with a record of what it asked for. */
export interface FakeHub {
  /** What `openScreen` connects with. */
  connect(): Promise<LinkClient>;
  readonly calls: { readonly method: Method; readonly params: unknown }[];
  readonly snapshot: Snapshot;
  /** Tells every front. */
  tell(...changes: Change[]): void;
  /** A message from the contact; counts it as unread. */
  say(key: ConversationKey, text: string, more?: Partial<MessageView>): MessageView;
  keyOf(target: string): ConversationKey;
  /** Breaks every link; the next connect works again after `downFor` more failures. */
  drop(downFor?: number): void;
  resync(): void;
  /** Answers of methods that a test wants otherwise. */
  readonly answers: Partial<{ [M in Method]: (params: Params<M>) => Promise<Result<M>> | Result<M> }>;
}

const key = (text: string): ConversationKey => text as ConversationKey;
const LIMITS: Limits = { textBytes: 10_000 };
const ALL: readonly Ability[] = [
  'contacts',
  'presence',
  'rooms',
  'typing',
  'reading',
  'edits',
  'reactions',
  'retractions',
  'files',
];

export function account(name: string, network: string, more: Partial<AccountView> = {}): AccountView {
  return {
    account: name,
    network,
    id: `me@${network}`,
    state: 'online',
    enabled: true,
    presence: 'online',
    abilities: ALL,
    ...more,
  };
}

export function contact(of: AccountView, id: string, name: string, more: Partial<ContactView> = {}): ContactView {
  return {
    conversation: key(`${of.account}/${id}`),
    account: of.account,
    network: of.network,
    id,
    target: `${of.account}:${id}`,
    name,
    kind: 'person',
    groups: [],
    presence: 'offline',
    listed: true,
    unread: 0,
    mentions: 0,
    ...more,
  };
}

export function wonderland(): Snapshot {
  const work = account('work', 'xmpp');
  const libera = account('libera', 'irc', { abilities: ['rooms', 'contacts'] });
  const tg = account('tg', 'telegram', { abilities: ['typing', 'edits', 'files'] });
  return {
    accounts: [work, libera, tg],
    contacts: [
      contact(work, 'alice@example.org', 'Alice Liddell', {
        groups: ['Friends'],
        presence: 'online',
        status: 'in the garden',
        unread: 2,
        last: '2026-11-20T14:07:00Z',
      }),
      contact(work, 'bob@example.org', 'Bob', { groups: ['Friends'], presence: 'away' }),
      contact(work, 'carol@gg', 'Carol', { groups: ['Friends'], via: 'gg' }),
      contact(libera, '#imux', '#imux', {
        kind: 'room',
        topic: 'one list, one screen',
        unread: 1,
        mentions: 1,
        last: '2026-11-20T14:06:00Z',
      }),
      contact(libera, 'dormouse', 'dormouse'),
      contact(tg, '@bob', 'Bob', { presence: 'unknown' }),
      contact(tg, '-100', 'Tea party', { kind: 'room' }),
    ],
    requests: [],
    prompts: [],
  };
}

export const NETWORKS: readonly NetworkView[] = [
  {
    network: 'xmpp',
    title: 'XMPP (Jabber)',
    addressExample: 'alice@example.org',
    can: ['rooms', 'receipts'],
    cannot: [],
    fields: [
      { key: 'jid', label: 'Address', hint: 'you@example.org' },
      { key: 'password', label: 'Password', secret: true },
      { key: 'server', label: 'Server', optional: true, hint: 'host:port' },
    ],
  },
  {
    network: 'irc',
    title: 'IRC',
    addressExample: '#imux',
    can: ['rooms'],
    cannot: ['receipts'],
    fields: [
      { key: 'server', label: 'Server', preset: 'irc.libera.chat:6697' },
      { key: 'nick', label: 'Nick' },
      { key: 'password', label: 'Password', secret: true, optional: true },
    ],
  },
];

export function fakeHub(snapshot: Snapshot = wonderland(), stored: readonly MessageView[] = []): FakeHub {
  const accounts = new Map(snapshot.accounts.map((one) => [one.account, one]));
  const contacts = new Map(snapshot.contacts.map((one) => [one.conversation, one]));
  const messages = new Map<ConversationKey, MessageView[]>();
  const fronts = new Set<{ [E in keyof LinkEvents]?: (...args: LinkEvents[E]) => void }>();
  const calls: FakeHub['calls'] = [];
  let ids = 0;
  let failures = 0;
  for (const message of stored) listOf(message.conversation).push({ ...message, id: String(++ids) });

  function listOf(conversation: ConversationKey): MessageView[] {
    const known = messages.get(conversation) ?? [];
    messages.set(conversation, known);
    return known;
  }
  function tell(...changes: Change[]): void {
    for (const front of fronts) front.changes?.(changes);
  }
  function add(of: ContactView, from: MessageView['from'], text: string, more: Partial<MessageView> = {}): MessageView {
    const { conversation, network, target, kind } = of;
    const at = new Date().toISOString();
    const message = {
      id: String(++ids),
      conversation,
      account: of.account,
      network,
      target,
      kind,
      from,
      at,
      text,
      ...more,
    };
    listOf(conversation).push(message);
    return message;
  }
  function contactOf(conversation: ConversationKey): ContactView {
    const found = contacts.get(conversation);
    if (!found) throw new Error(`no conversation ${conversation}`);
    return found;
  }
  function setUnread(conversation: ConversationKey, unread: number, mentions: number): void {
    contacts.set(conversation, { ...contactOf(conversation), unread, mentions });
    tell({ type: 'unread', conversation, unread, mentions });
  }

  const handlers: Partial<{ [M in Method]: (params: Methods[M]['params']) => Methods[M]['result'] }> = {
    subscribe: () => ({ ...snapshot, accounts: [...accounts.values()], contacts: [...contacts.values()] }),
    'messages.page': ({ conversation, before, limit }) => {
      const all = listOf(conversation);
      const end = before === undefined ? all.length : all.findIndex((one) => one.id === before);
      const start = Math.max(0, end - limit);
      const first = all[start];
      return { messages: all.slice(start, end), ...(start > 0 && first ? { before: first.id } : {}) };
    },
    send: (params) => {
      const to = 'conversation' in params ? contactOf(params.conversation) : undefined;
      if (!to) throw new Error('no such target');
      const message = add(to, { id: 'me', name: 'me', self: true }, params.text, { state: 'queued' });
      tell({ type: 'message', message, live: true });
      const { target, network } = to;
      return { target, network, account: to.account, id: message.id, state: 'queued' };
    },
    read: ({ conversation }) => {
      setUnread(conversation, 0, 0);
      return {};
    },
    typing: () => ({}),
    resolve: ({ target }) => {
      const found = [...contacts.values()].find((one) => one.target === target || one.name === target);
      if (!found) throw new Error(`nobody is called ${target}`);
      return { contact: found, limits: LIMITS };
    },
    search: ({ query }) => ({
      messages: [...messages.values()]
        .flat()
        .filter((one) => one.text.includes(query))
        .reverse(),
    }),
    networks: () => ({ networks: NETWORKS }),
    'accounts.add': (input) => {
      const fresh = account(input.name, input.network, { state: 'connecting' });
      accounts.set(fresh.account, fresh);
      tell({ type: 'account', account: fresh });
      return { account: fresh, kept: { password: 'keychain' } };
    },
    'accounts.check': () => ({ ok: true, steps: [{ step: 'sign in', ok: true, text: 'as alice' }] }),
    'accounts.remove': ({ account: name }) => {
      accounts.delete(name);
      tell({ type: 'account-removed', account: name });
      return {};
    },
    'accounts.enable': ({ account: name, enabled }) => {
      const old = accounts.get(name);
      if (!old) throw new Error(`no account ${name}`);
      const next: AccountView = { ...old, enabled, state: enabled ? 'online' : 'offline' };
      accounts.set(name, next);
      tell({ type: 'account', account: next });
      return { account: next };
    },
    'rooms.members': () => ({ members: [] }),
    'requests.answer': () => ({}),
    'prompts.answer': () => ({}),
    edit: () => ({}),
    'hub.status': () => ({
      pid: 1,
      imux: '0',
      startedAt: '',
      fronts: fronts.size,
      accounts: [...accounts.values()],
      memoryBytes: 0,
      queued: 0,
      kept: false,
    }),
    'hub.stop': () => ({}),
  };

  const hub: FakeHub = {
    calls,
    snapshot,
    answers: {},
    tell,
    keyOf(target) {
      const found = [...contacts.values()].find((one) => one.target === target);
      if (!found) throw new Error(`no contact ${target}`);
      return found.conversation;
    },
    say(conversation, text, more = {}) {
      const of = contactOf(conversation);
      const message = add(of, { id: of.id, name: of.name.split(' ')[0] ?? of.name, self: false }, text, more);
      tell({ type: 'message', message, live: true });
      setUnread(conversation, of.unread + 1, of.mentions + (more.mention ? 1 : 0));
      return message;
    },
    drop(downFor = 0) {
      failures = downFor;
      const old = [...fronts];
      fronts.clear();
      for (const front of old) front.closed?.(new Error('the hub has gone'));
    },
    resync() {
      for (const front of fronts) front.resync?.();
    },
    async connect() {
      if (failures-- > 0) throw new Error('no hub is running');
      const front: { [E in keyof LinkEvents]?: (...args: LinkEvents[E]) => void } = {};
      fronts.add(front);
      return {
        hub: { version: 1, imux: '0', pid: 1, startedAt: '' },
        async call<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
          calls.push({ method, params });
          const handler = hub.answers[method] ?? handlers[method];
          if (!handler) throw new Error(`the fake hub has no ${method}`);
          return handler(params);
        },
        on(event, listener) {
          front[event] = listener as never;
        },
        pause: () => {},
        resume: () => {},
        close: () => void fronts.delete(front),
      };
    },
  };
  return hub;
}

/** A little talk to look at, at fixed hours of the reader's zone. */
export function smallTalk(snapshot: Snapshot = wonderland()): MessageView[] {
  const of = (target: string): ContactView => {
    const found = snapshot.contacts.find((one) => one.target === target);
    if (!found) throw new Error(target);
    return found;
  };
  const at = (hour: number, minute: number): string => new Date(2026, 10, 20, hour, minute).toISOString();
  const line = (
    target: string,
    name: string,
    when: string,
    text: string,
    more: Partial<MessageView> = {},
  ): MessageView => {
    const to = of(target);
    return {
      id: '',
      conversation: to.conversation,
      account: to.account,
      network: to.network,
      target,
      kind: to.kind,
      from: { id: name, name, self: name === 'me' },
      at: when,
      text,
      ...more,
    };
  };
  return [
    line('work:alice@example.org', 'Alice', at(13, 58), 'have you seen the rabbit?'),
    line('work:alice@example.org', 'me', at(13, 59), 'twice today', { state: 'delivered' }),
    line('work:alice@example.org', 'Alice', at(14, 2), 'then he is late again', { replyTo: '2' }),
    line('work:alice@example.org', 'Alice', at(14, 6), '', { files: [{ id: 'f', name: 'watch.png', bytes: 212_000 }] }),
    line('work:alice@example.org', 'Alice', at(14, 7), 'and you?'),
    line('libera:#imux', 'rabbit', at(14, 6), 'you: can you look at the gate?', { mention: true }),
    line('tg:@bob', 'Bob', at(12, 0), 'see you at six then'),
  ];
}
