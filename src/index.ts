/**
 * imux for programs: `import { connect } from 'imux'`. A typed connection to the hub, the same that the screen and the
 * verbs use; the hub is started where none runs.
 */
import { resolve } from 'node:path';
import { attach, type LinkClient, LinkFailure } from './link/client.ts';
import type {
  Change,
  ChangeType,
  ContactView,
  MessageView,
  Method,
  Params,
  Receipt,
  Result,
  Wait,
} from './link/messages.ts';
import { attachOrStart } from './link/start.ts';
import { findPaths } from './paths.ts';

export type { Delivery, Field, Limits, Member, Presence, Profile, Prompt } from '../adapters/contract.ts';
export type * from './link/messages.ts';
/** What every call fails with; `detail.code` tells what kind of failure it is. */
export { LinkFailure as ImuxError };

export interface ConnectOptions {
  /** As IMUX_HOME: holds `config/`, `data/` and `run/`. Without it the environment counts, then the XDG folders. */
  readonly home?: string;
  /** As `--profile`. */
  readonly profile?: string;
  /** False: fail with the code `hub` where none runs. */
  readonly start?: boolean;
  /** How this program is called in the hub's log. */
  readonly name?: string;
}

export interface SendOptions {
  /** What to wait for; `accepted` by the network's server where nothing is said. */
  readonly wait?: Wait;
  /** Seconds to wait for that, 30 where nothing is said. The text stays queued after it. */
  readonly timeout?: number;
  /** The same key and text never goes out twice, whoever sends it. */
  readonly key?: string;
  /** In parts where the text is over the network's limit. */
  readonly split?: boolean;
  /** The id of the message that this one answers. */
  readonly replyTo?: string;
  /** Stops the waiting; what is queued goes out all the same. */
  readonly signal?: AbortSignal;
}

export interface EventOptions {
  /** Only these kinds; `message` alone where nothing is said. */
  readonly only?: readonly ChangeType[];
  /** Ends the events. */
  readonly signal?: AbortSignal;
}

export interface AskOptions {
  /** Seconds to wait for the answer, 300 where nothing is said. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** One connection to a hub. All failures are ImuxErrors. */
export interface ImuxClient extends AsyncDisposable {
  /** Version, process id and start of the hub at the other end. */
  readonly hub: Result<'hello'>;
  /**
   * Sends a text to ACCOUNT:ADDRESS, or to a name that one account alone has.
   * @returns what became of it within the time; look at `state` and `error`.
   * @throws ImuxError `ambiguous` (with `candidates`), `not-found`, `too-long`, `unsupported` and others: nothing went out.
   */
  send(target: string, text: string, options?: SendOptions): Promise<Receipt>;
  /**
   * Sends a text and waits for the contact's next message in that conversation.
   * @throws ImuxError `timeout` where none came
   */
  ask(target: string, text: string, options?: AskOptions): Promise<MessageView>;
  /** The merged list: contacts, rooms and conversations of all accounts, or of one. */
  contacts(account?: string): Promise<readonly ContactView[]>;
  /** The latest messages of a conversation, oldest first. `limit`: 50 where nothing is said. */
  history(target: string, limit?: number): Promise<readonly MessageView[]>;
  /**
   * What happens from now on, until the signal or the end of the hub. Back-fill comes as `message` with `live` false.
   * @throws ImuxError `hub` in the loop when the hub has gone
   */
  events(options?: EventOptions): AsyncIterable<Change>;
  /** Any method of the link; `Methods` lists them with their params and results. */
  call<M extends Method>(method: M, params: Params<M>, signal?: AbortSignal): Promise<Result<M>>;
  close(): void;
}

/**
 * Connects to the hub of this person, and starts it where none runs.
 * @throws ImuxError `hub` where it does not come up, or another user's socket stands in its place
 */
export async function connect(options: ConnectOptions = {}): Promise<ImuxClient> {
  const { home, profile = process.env.IMUX_PROFILE ?? '', start = true, name = 'library' } = options;
  const env = { ...process.env, IMUX_PROFILE: profile, ...(home !== undefined && { IMUX_HOME: resolve(home) }) };
  const paths = findPaths(env, profile);
  const link = start ? await attachOrStart(paths, name, env) : await attach(paths, name);
  return clientOf(link, () => attach(paths, name));
}

function clientOf(link: LinkClient, another: () => Promise<LinkClient>): ImuxClient {
  const client: ImuxClient = {
    hub: link.hub,
    call: link.call,
    async send(target, text, { wait = 'accepted', timeout = 30, key, split, replyTo, signal } = {}) {
      const more = {
        ...(key !== undefined && { key }),
        ...(split !== undefined && { split }),
        ...(replyTo !== undefined && { replyTo }),
      };
      return await link.call('send', { target, text, wait, timeout, ...more }, signal);
    },
    async ask(target, text, { timeout = 300, signal } = {}) {
      const limit = AbortSignal.timeout(timeout * 1000);
      const over = signal ? AbortSignal.any([signal, limit]) : limit;
      const { contact } = await link.call('resolve', { target }, signal);
      // The ears open before the question goes out.
      const ears = await listen(another, { only: ['message'], signal: over });
      try {
        await client.send(target, text, { timeout, ...(signal && { signal }) });
        for await (const change of ears.changes()) {
          if (change.type === 'message' && change.live && isFrom(change.message, contact)) return change.message;
        }
      } finally {
        ears.close();
      }
      throw new LinkFailure(
        limit.aborted
          ? { code: 'timeout', message: `no answer within ${timeout} s` }
          : { code: 'cancelled', message: 'stopped waiting for an answer' },
      );
    },
    contacts: async (account) =>
      (await link.call('contacts', account === undefined ? {} : { account })).contacts.filter(({ listed }) => listed),
    async history(target, limit = 50) {
      const { contact } = await link.call('resolve', { target });
      return (await link.call('messages.page', { conversation: contact.conversation, limit })).messages;
    },
    async *events(wish = {}) {
      const ears = await listen(another, wish);
      try {
        yield* ears.changes();
      } finally {
        ears.close();
      }
    },
    close: link.close,
    [Symbol.asyncDispose]: async () => link.close(),
  };
  return client;
}

const isFrom = ({ conversation, from }: MessageView, contact: ContactView): boolean =>
  conversation === contact.conversation && !from.self;

interface Ears {
  changes(): AsyncIterable<Change>;
  close(): void;
}

/** A program that takes no events must not hold them all. */
const MOST_WAITING = 100_000;

/** Resolves once the hub sends what happens. Each has a connection of its own: what one wishes for is not another's. */
async function listen(another: () => Promise<LinkClient>, { only = ['message'], signal }: EventOptions): Promise<Ears> {
  const link = await another();
  const waiting: Change[] = [];
  let lost: string | undefined;
  let wake = (): void => {};
  const end = (why: string): void => {
    lost ??= why;
    wake();
  };
  const subscribe = async (): Promise<void> => void (await link.call('subscribe', { only, snapshot: false }));
  link.on('changes', (changes) => {
    waiting.push(...changes);
    if (waiting.length > MOST_WAITING) end('events came faster than they were taken');
    wake();
  });
  link.on('resync', () => void subscribe().catch(() => end('the hub has gone')));
  link.on('closed', () => end('the hub has gone'));
  await subscribe();
  async function* changes(): AsyncIterable<Change> {
    const stop = (): void => wake();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      while (!signal?.aborted) {
        const change = waiting.shift();
        if (change) yield change;
        else if (lost !== undefined) throw new LinkFailure({ code: 'hub', message: lost });
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }
  return { changes, close: link.close };
}
