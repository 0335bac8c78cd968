import type { LinkClient } from '../link/client.ts';
import type { Change, ChangeType, ContactView } from '../link/messages.ts';
import { exit } from './exit.ts';
import { VerbError } from './verb.ts';

/**
 * What happens, in order and from one moment on. Of messages none is lost and none comes twice, however slow the reader:
 * what the hub dropped for it is fetched from the archive. Other changes of such a while are gone.
 */
export interface Live extends AsyncIterable<Change> {
  /** By conversation, as they stood when the change that was read last was made, or later. */
  readonly contacts: ReadonlyMap<string, ContactView>;
  /** The newest message when it began. */
  readonly begin: number;
  /** The message that was read last. */
  last(): number;
}

export interface LiveOptions {
  /** Messages of the archive after this id come first. */
  readonly since?: number;
  readonly only?: readonly ChangeType[];
  readonly signal: AbortSignal;
}

/** More changes than this wait here only until the reader has taken some: the hub is not read meanwhile. */
const HELD = 2_000;
/** So many while the archive is read, and they are let go: the archive has the messages among them. */
const DROPPED = 20_000;
const PAGE = 500;

/** Subscribes; what happens from now on is kept until it is read. @throws LinkFailure */
export async function openLive(link: LinkClient, options: LiveOptions): Promise<Live> {
  const contacts = new Map<string, ContactView>();
  const feed = createFeed(link, options.signal);
  const subscribe = async (): Promise<number> => {
    const params = options.only === undefined ? {} : { only: options.only, snapshot: false };
    const snapshot = await feed.ask(() => link.call('subscribe', params, options.signal));
    for (const contact of snapshot.contacts) contacts.set(contact.conversation, contact);
    return Number(snapshot.last ?? 0);
  };
  const begin = await subscribe();
  // An id that was never given, of another archive perhaps, must not hide what comes.
  let last = Math.min(options.since ?? begin, begin);

  async function* archived(): AsyncGenerator<Change> {
    for (;;) {
      const page = await feed.ask(() =>
        link.call('messages.since', { after: String(last), limit: PAGE }, options.signal),
      );
      for (const message of page.messages) {
        last = Number(message.id);
        yield { type: 'message', message, live: true };
      }
      if (page.messages.length < PAGE) return;
    }
  }

  async function* changes(): AsyncGenerator<Change> {
    if (last < begin) yield* archived();
    for (;;) {
      const next = await feed.next();
      if (next === 'end') return;
      if (next === 'gap') {
        await subscribe();
        yield* archived();
        continue;
      }
      if (next.type === 'contact') contacts.set(next.contact.conversation, next.contact);
      if (next.type === 'message') {
        if (Number(next.message.id) <= last) continue;
        last = Number(next.message.id);
      }
      yield next;
    }
  }

  return { contacts, begin, last: () => last, [Symbol.asyncIterator]: changes };
}

interface Feed {
  /** `gap`: changes were dropped; `end`: the signal aborted. @throws VerbError where the hub has gone. */
  next(): Promise<Change | 'gap' | 'end'>;
  /** Nothing is held back while an answer is waited for, which would be held back with it. */
  ask<T>(call: () => Promise<T>): Promise<T>;
}

function createFeed(link: LinkClient, signal: AbortSignal): Feed {
  let waiting: (Change | 'gap')[] = [];
  let asking = false;
  let closed = false;
  let wake = (): void => {};

  link.on('changes', (changes) => {
    waiting.push(...changes);
    if (asking && waiting.length > DROPPED) waiting = ['gap'];
    if (!asking && waiting.length > HELD) link.pause();
    wake();
  });
  link.on('resync', () => {
    waiting.push('gap');
    wake();
  });
  link.on('closed', () => {
    closed = true;
    wake();
  });
  signal.addEventListener('abort', () => wake(), { once: true });

  return {
    async next() {
      for (;;) {
        if (signal.aborted) return 'end';
        const next = waiting.shift();
        if (next !== undefined) {
          if (waiting.length === 0) link.resume();
          return next;
        }
        if (closed) throw new VerbError(exit.unavailable, 'the hub has gone');
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async ask(call) {
      asking = true;
      link.resume();
      try {
        return await call();
      } finally {
        asking = false;
      }
    },
  };
}
