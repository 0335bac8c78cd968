import type { AdapterEvent, Clock, Host, Memory, Prompt } from '../../adapters/contract.ts';
import { AdapterError } from '../../adapters/errors.ts';
import { waitFor } from '../servers/process.ts';

export type EventOf<T extends AdapterEvent['type']> = Extract<AdapterEvent, { type: T }>;

export interface TestHost extends Host {
  readonly events: readonly AdapterEvent[];
  readonly logs: readonly string[];
  readonly memory: Memory & { readonly entries: Map<string, string> };
  /** The first event of that type (after `from`, an index into `events`) that passes; waits for it. */
  next<T extends AdapterEvent['type']>(
    type: T,
    passes?: (event: EventOf<T>) => boolean,
    from?: number,
  ): Promise<EventOf<T>>;
  /** Holds `saved()` back until the returned function is called. */
  holdSaves(): () => void;
}

export interface TestHostOptions {
  readonly secrets?: Readonly<Record<string, string>>;
  /** Kept over sessions, as the archive keeps it over restarts. */
  readonly memory?: Map<string, string>;
  readonly clock?: Clock;
  readonly answer?: (prompt: Prompt) => string | undefined;
}

export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const done = (): void => {
        signal?.removeEventListener('abort', stopped);
        resolve();
      };
      const timer = setTimeout(done, ms);
      const stopped = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', stopped, { once: true });
    }),
};

/** A Host for driving one Session without accounts, core or archive. */
export function testHost(options: TestHostOptions = {}): TestHost {
  const events: AdapterEvent[] = [];
  const logs: string[] = [];
  const entries = options.memory ?? new Map<string, string>();
  let held: Promise<void> | undefined;
  return {
    events,
    logs,
    emit: (event) => void events.push(event),
    saved: () => held ?? Promise.resolve(),
    ask: async (prompt) => {
      const answer = options.answer?.(prompt);
      if (answer === undefined) throw new AdapterError('auth', 'nobody is here to answer');
      return answer;
    },
    secret: async (key) => options.secrets?.[key],
    memory: {
      entries,
      get: (key) => entries.get(key),
      set: (key, value) => {
        if (value === undefined) entries.delete(key);
        else entries.set(key, value);
      },
    },
    clock: options.clock ?? realClock,
    log: (level, text) => void logs.push(`${level} ${text}`),
    next: (type, passes, from = 0) =>
      waitFor(
        () =>
          events.slice(from).find((event): event is EventOf<typeof type> => {
            return event.type === type && (passes?.(event as EventOf<typeof type>) ?? true);
          }),
        { what: `event ${type}; had ${events.map((event) => event.type).join(' ')}`, timeoutMs: 15_000 },
      ),
    holdSaves: () => {
      let release = (): void => {};
      held = new Promise((resolve) => {
        release = () => {
          held = undefined;
          resolve();
        };
      });
      return release;
    },
  };
}
