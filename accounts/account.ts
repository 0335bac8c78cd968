import type {
  Adapter,
  Chat,
  ChatId,
  Clock,
  Limits,
  MessageId,
  Nonce,
  SendOptions,
  Session,
} from '../adapters/contract.ts';
import { AdapterError, asAdapterError } from '../adapters/errors.ts';
import type { AccountConfig, AccountName, AccountSink, SecretRef, Status } from './config.ts';
import { endOf, LeftBehind } from './ending.ts';
import { bindHost, idleHost } from './host.ts';
import type { Pace, Wake } from './pace.ts';
import type { Vault } from './secrets/ladder.ts';
import { createScrubber } from './secrets/scrub.ts';
import { refuseSecrets } from './settings-format.ts';
import { createSupervisor, type Ended } from './supervisor.ts';

export type { AccountConfig, AccountName, AccountSink, SecretRef, Status };

export type Facet = Exclude<
  { [K in keyof Session]-?: undefined extends Session[K] ? K : never }[keyof Session],
  undefined | 'woke'
>;

/** A configured account: settings, session and supervisor. The only holder of a Session. */
export interface Account {
  readonly name: AccountName;
  readonly network: string;
  readonly status: Status;
  /** Begins to connect, and again after each loss, by the supervisor's policy. */
  start(): void;
  /** Connects now rather than at the next try; also after `failed`. */
  retry(): void;
  /** Signs out and resolves when every resource is released. */
  stop(): Promise<void>;
  /** @throws AdapterError `unreachable` while there is no session. */
  send(chat: ChatId, text: string, nonce: Nonce, options?: SendOptions): Promise<MessageId>;
  resolve(address: string, signal: AbortSignal, look?: boolean): Promise<Chat>;
  limits(chat: ChatId): Limits;
  /** The facets of the network, known before it is online. */
  readonly facets: ReadonlySet<Facet>;
  /** @throws AdapterError `unsupported` where the network lacks it, `unreachable` while there is no session. */
  facet<F extends Facet>(facet: F): NonNullable<Session[F]>;
}

export interface AccountParts {
  /** An Error where the network is unknown or its code cannot be loaded: the account then shows `failed` with it. */
  readonly adapter: Adapter | Error;
  readonly sink: AccountSink;
  readonly vault: Vault;
  readonly clock: Clock;
  /** Shared by all accounts of a hub, as `wake`. */
  readonly pace?: Pace;
  readonly wake?: Wake;
  /** In [0, 1). */
  readonly random?: () => number;
}

/** After a session's end its calls settle by themselves; what does not is settled after that time. */
const SETTLE_MS = 1_000;

const FACETS: Readonly<Record<Facet, true>> = {
  contacts: true,
  presence: true,
  rooms: true,
  typing: true,
  reading: true,
  history: true,
  edits: true,
  retractions: true,
  reactions: true,
  files: true,
  profiles: true,
  people: true,
  lookup: true,
};

const offline = (): AdapterError => new AdapterError('unreachable', 'the account is not online');

/** @throws nothing: what is wrong with the settings or the network shows as the status `failed` once it is started. */
export function createAccount(config: AccountConfig, parts: AccountParts): Account {
  const { sink, clock } = parts;
  const prepared = prepare(config, parts);
  let current: Live | undefined;

  const attempt = async (signal: AbortSignal, online: (self: string) => void): Promise<Ended> => {
    if (prepared instanceof AdapterError) return { how: 'hopeless', error: prepared };
    const scrub = createScrubber();
    const broken = new AbortController();
    const bound = bindHost(config, { ...parts, scrub, online, lost: (error) => broken.abort(error) });
    const pending = new Set<(error: AdapterError) => void>();
    const ended = AbortSignal.any([signal, broken.signal]);
    let unsubscribe: (() => void) | undefined;
    try {
      const session = prepared.open(bound.host);
      unsubscribe = parts.wake?.on(() => session.woke?.());
      current = { session, pending, clean: scrub.error };
      await endOf(async () => session.run(ended), ended, clock);
      throw broken.signal.reason ?? new AdapterError('unreachable', 'the connection ended');
    } catch (error) {
      const clean = scrub.error(asAdapterError(error));
      if (signal.aborted && error instanceof LeftBehind) sink.log('warn', clean.message);
      return { how: error instanceof AdapterError ? 'loss' : 'fault', error: clean };
    } finally {
      unsubscribe?.();
      bound.close();
      current = undefined;
      settle(pending, clock);
    }
  };

  const supervisor = createSupervisor({ ...parts, attempt, status: (status) => sink.status(status) });

  const live = (): Live => {
    if (!current || supervisor.status.state !== 'online') throw offline();
    return current;
  };

  return {
    name: config.name,
    network: config.network,
    get status() {
      return supervisor.status;
    },
    start: supervisor.start,
    retry: supervisor.retry,
    stop: supervisor.stop,
    send: async (chat, text, nonce, options) =>
      await call(live(), (session) => session.send(chat, text, nonce, options), false),
    resolve: async (address, signal, look) =>
      await call(live(), (session) => session.resolve(address, signal, look), true),
    limits(chat) {
      if (prepared instanceof AdapterError) throw prepared;
      return (current?.session ?? prepared.idle).limits(chat);
    },
    facets: prepared instanceof AdapterError ? new Set() : facetsOf(prepared.idle),
    facet(facet) {
      if (prepared instanceof AdapterError) throw prepared;
      if (!prepared.idle[facet]) {
        throw new AdapterError('unsupported', `${config.network} has no ${facet}`);
      }
      const found = live().session[facet];
      if (!found) throw new AdapterError('unsupported', `this server has no ${facet}`);
      return found;
    },
  };
}

interface Live {
  readonly session: Session;
  /** How to end the calls that have not settled. */
  readonly pending: Set<(error: AdapterError) => void>;
  readonly clean: (error: AdapterError) => AdapterError;
}

interface Prepared {
  open(host: Parameters<Adapter['open']>[1]): Session;
  /** Opened, which does no I/O, and never run: it tells what the network has before it is online. */
  readonly idle: Session;
}

function prepare(config: AccountConfig, { adapter, sink, clock }: AccountParts): Prepared | AdapterError {
  if (adapter instanceof Error) return new AdapterError('unsupported', adapter.message, { cause: adapter });
  try {
    refuseSecrets(config.settings, adapter.about);
    const settings = adapter.parse(config.settings);
    const open = (host: Parameters<Adapter['open']>[1]): Session => adapter.open(settings, host);
    return { open, idle: open(idleHost(sink.memory, clock)) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new AdapterError('refused', `the settings of ${config.name} are not right: ${why}`, { cause });
  }
}

function facetsOf(session: Session): ReadonlySet<Facet> {
  const names = Object.keys(FACETS) as Facet[];
  return new Set(names.filter((facet) => session[facet] !== undefined));
}

/** Nobody waits for ever: a call that the session left unsettled ends soon after it, its outcome unknown. */
function settle(pending: Set<(error: AdapterError) => void>, clock: Clock): void {
  if (pending.size === 0) return;
  void clock.sleep(SETTLE_MS).then(() => {
    const error = new AdapterError('unreachable', 'the connection ended before the answer came', { certain: false });
    for (const reject of pending) reject(error);
  });
}

/** `certain`: whether a fault of the adapter leaves no doubt that nothing went out. */
function call<T>(live: Live, work: (session: Session) => Promise<T>, certain: boolean): Promise<T> {
  return new Promise((resolve, reject) => {
    live.pending.add(reject);
    const fail = (error: unknown): void => {
      live.pending.delete(reject);
      const known = error instanceof AdapterError ? error : undefined;
      const text = error instanceof Error ? error.message : String(error);
      reject(live.clean(known ?? new AdapterError('protocol', text, { cause: error, certain })));
    };
    try {
      work(live.session).then((value) => {
        live.pending.delete(reject);
        resolve(value);
      }, fail);
    } catch (error) {
      fail(error);
    }
  });
}
