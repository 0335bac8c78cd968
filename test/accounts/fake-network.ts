import type { AccountConfig, AccountSink, SecretRef, Status } from '../../accounts/account.ts';
import type { Vault } from '../../accounts/secrets/ladder.ts';
import { accountName } from '../../accounts/settings.ts';
import type {
  Adapter,
  AdapterEvent,
  Chat,
  ChatId,
  Field,
  Host,
  Memory,
  MessageId,
  Prompt,
  Session,
  UserId,
} from '../../adapters/contract.ts';
import { AdapterError } from '../../adapters/errors.ts';

/** Ids as this network mints them. */
export const chatId = (id: string): ChatId => id as ChatId;
export const userId = (id: string): UserId => id as UserId;
export const messageId = (id: string): MessageId => id as MessageId;

/** One try of an account, in the hands of the test. */
export interface Try {
  readonly host: Host;
  readonly signal: AbortSignal;
  readonly session: Session;
  online(self?: string): void;
  /** The connection ends with that. */
  fail(error: unknown): void;
  end(): void;
}

export interface FakeNetwork {
  readonly adapter: Adapter;
  /** Every run, the latest last. */
  readonly tries: readonly Try[];
  readonly last: Try;
  /** Sessions opened, the never-run one included. */
  readonly opened: number;
}

export interface FakeOptions {
  readonly fields?: readonly Field[];
  readonly session?: Partial<Session>;
  parse?(raw: unknown): unknown;
  /** Does not end when told to. */
  readonly stubborn?: boolean;
  /** Runs by itself at the beginning of each run. */
  onRun?(self: Try): void | Promise<void>;
}

export function fakeNetwork(options: FakeOptions = {}): FakeNetwork {
  const tries: Try[] = [];
  let opened = 0;
  const open = (_settings: unknown, host: Host): Session => {
    opened++;
    const session: Session = {
      run: (signal) => runOnce(session, host, signal, tries, options),
      send: async () => messageId('m1'),
      resolve: async (address) => ({ id: chatId(address), kind: 'direct', address, title: address }) satisfies Chat,
      limits: () => ({ textBytes: 1000 }),
      ...options.session,
    };
    return session;
  };
  return {
    adapter: {
      network: 'fake',
      about: { title: 'Fake', fields: options.fields ?? [], can: [], cannot: [], addressExample: 'bob' },
      parse: options.parse ?? ((raw) => raw),
      open,
    },
    tries,
    get last() {
      const found = tries.at(-1);
      if (!found) throw new Error('never tried');
      return found;
    },
    get opened() {
      return opened;
    },
  };
}

function runOnce(session: Session, host: Host, signal: AbortSignal, tries: Try[], options: FakeOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const self: Try = {
      host,
      signal,
      session,
      online: (name = 'me@fake') => host.emit({ type: 'online', self: userId(name) }),
      fail: reject,
      end: resolve,
    };
    tries.push(self);
    if (!options.stubborn) signal.addEventListener('abort', () => resolve(), { once: true });
    void Promise.resolve(options.onRun?.(self)).catch(reject);
  });
}

export interface FakeSink extends AccountSink {
  readonly events: AdapterEvent[];
  readonly statuses: Status[];
  readonly states: readonly string[];
  readonly logs: string[];
  readonly entries: Map<string, string>;
  readonly asked: Prompt[];
}

export function fakeSink(overrides: Partial<AccountSink> = {}): FakeSink {
  const entries = new Map<string, string>();
  const memory: Memory = {
    get: (key) => entries.get(key),
    set: (key, value) => void (value === undefined ? entries.delete(key) : entries.set(key, value)),
  };
  const statuses: Status[] = [];
  const events: AdapterEvent[] = [];
  const logs: string[] = [];
  const asked: Prompt[] = [];
  return {
    events,
    statuses,
    get states() {
      return statuses.map(({ state }) => state);
    },
    logs,
    entries,
    asked,
    event: (event) => void events.push(event),
    status: (status) => void statuses.push(status),
    saved: async () => {},
    ask: async (prompt) => {
      asked.push(prompt);
      throw new AdapterError('auth', 'nobody is here to answer');
    },
    memory,
    log: (level, text) => void logs.push(`${level} ${text}`),
    ...overrides,
  };
}

export const noVault: Vault = {
  read: async () => {
    throw new AdapterError('auth', 'no secret there');
  },
  keep: async () => {
    throw new Error('not in this test');
  },
  forget: async () => {},
  describe: (_account, _field, ref) => ref.kind,
};

export function config(parts: Partial<Omit<AccountConfig, 'name'>> & { readonly name?: string } = {}): AccountConfig {
  return {
    network: 'fake',
    enabled: true,
    settings: {},
    secrets: {},
    ...parts,
    name: accountName(parts.name ?? 'work'),
  };
}

export const inKeychain: Readonly<Record<string, SecretRef>> = { password: { kind: 'keychain' } };
