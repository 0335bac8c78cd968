import type { Clock } from '../adapters/contract.ts';
import { AdapterError } from '../adapters/errors.ts';
import type { Status } from './config.ts';
import type { Pace, Wake } from './pace.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** A connection that held this long was a good one: the next loss is the first. */
const STEADY_MS = MINUTE;
const LONGEST_MS = 5 * MINUTE;
/** A connection lost so soon after a wake died while the machine slept: nothing speaks for waiting. */
const JUST_WOKEN_MS = 10 * SECOND;
const LONGEST_REFUSED_MS = 60 * MINUTE;
const FAULTS_A_MINUTE = 5;

/** How one try ended: the connection was lost or refused, the adapter threw what is no AdapterError, or no try can help. */
export interface Ended {
  readonly how: 'loss' | 'fault' | 'hopeless';
  readonly error: AdapterError;
}

export interface History {
  /** Losses since the last steady connection. */
  readonly losses: number;
  /** When faults happened, of the last minute. */
  readonly faults: readonly number[];
}

export const noHistory: History = { losses: 0, faults: [] };

export type Verdict =
  | { readonly next: 'wait'; readonly ms: number; readonly history: History }
  | { readonly next: 'stop'; readonly error: AdapterError; readonly history: History };

/**
 * The policy, for all networks: whether to try again after a try that ended so, and when. Full jitter over a back-off
 * that doubles (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), never below a second.
 * `upMs`: how long it was online; `random`: in [0, 1).
 */
export function judge(
  history: History,
  ended: Ended & { readonly upMs: number },
  now: number,
  random: number,
): Verdict {
  const losses = (ended.upMs >= STEADY_MS ? 0 : history.losses) + 1;
  const faults = [...history.faults, ...(ended.how === 'fault' ? [now] : [])].filter(
    (at) => Math.abs(now - at) < MINUTE,
  );
  const next = { losses, faults };
  if (faults.length > FAULTS_A_MINUTE) {
    const text = `stopped after ${faults.length} faults in a minute, the last: ${ended.error.message}`;
    return { next: 'stop', history: noHistory, error: new AdapterError('protocol', text, { cause: ended.error }) };
  }
  const range = ended.how === 'hopeless' ? undefined : rangeOf(ended.error, losses);
  if (!range) return { next: 'stop', error: ended.error, history: next };
  const asked = (ended.error.retryAfter ?? 0) * SECOND;
  const ms = range.least + random * (range.most - range.least);
  // What the network asked for is kept, and all that were asked the same do not come back in the same instant.
  return { next: 'wait', ms: Number.isFinite(asked) ? Math.max(ms, asked + random * SECOND) : ms, history: next };
}

/** Milliseconds; undefined: trying again cannot help, and could lock the person out. */
function rangeOf(error: AdapterError, losses: number): { least: number; most: number } | undefined {
  const doubled = (first: number, longest: number): number => Math.min(longest, first * 2 ** Math.min(losses - 1, 30));
  switch (error.code) {
    case 'auth':
      return undefined;
    case 'refused':
    case 'unsupported':
    case 'too-long':
      // The server said no: asking often only makes a ban longer, yet a restart of it may mend the matter.
      return { least: 30 * SECOND, most: doubled(MINUTE, LONGEST_REFUSED_MS) };
    case 'rate-limited':
      return { least: 5 * SECOND, most: doubled(30 * SECOND, LONGEST_MS) };
    default:
      return { least: SECOND, most: doubled(2 * SECOND, LONGEST_MS) };
  }
}

export interface SupervisorParts {
  /** One connection, from connecting to its end; never rejects, and ends soon after the signal aborts. */
  attempt(signal: AbortSignal, online: (self: string) => void): Promise<Ended>;
  /** Never throws. */
  status(status: Status): void;
  readonly clock: Clock;
  readonly pace?: Pace | undefined;
  readonly wake?: Wake | undefined;
  /** In [0, 1). */
  readonly random?: (() => number) | undefined;
}

export interface Supervisor {
  readonly status: Status;
  start(): void;
  retry(): void;
  stop(): Promise<void>;
}

/** The only retry loop, and the only writer of an account's status. */
export function createSupervisor(parts: SupervisorParts): Supervisor {
  const { clock, pace, wake, random = Math.random } = parts;
  let status: Status = { state: 'offline' };
  let running: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;
  let hurry: (() => void) | undefined;

  const set = (next: Status): void => {
    status = next;
    parts.status(next);
  };

  /** Resolves after that time, at once on `retry` or a wake from suspend. */
  const nap = async (ms: number, signal: AbortSignal): Promise<void> => {
    const up = new AbortController();
    hurry = () => up.abort();
    const unsubscribe = wake?.on(() => up.abort());
    try {
      await clock.sleep(ms, AbortSignal.any([signal, up.signal]));
    } catch {
      // Woken or stopped; the loop looks which.
    } finally {
      unsubscribe?.();
      hurry = undefined;
    }
  };

  const tryOnce = async (signal: AbortSignal): Promise<Ended & { upMs: number }> => {
    let onlineAt: number | undefined;
    const ended = await parts.attempt(signal, (self) => {
      if (signal.aborted) return;
      onlineAt ??= clock.now();
      if (status.state !== 'online' || status.self !== self) set({ state: 'online', self });
    });
    return { ...ended, upMs: onlineAt === undefined ? 0 : clock.now() - onlineAt };
  };

  const loop = async (signal: AbortSignal): Promise<void> => {
    let wokeAt = Number.NEGATIVE_INFINITY;
    const unsubscribe = wake?.on(() => {
      wokeAt = clock.now();
    });
    try {
      await tries(signal, (error) => {
        const soon = error.code === 'unreachable' && clock.now() - wokeAt < JUST_WOKEN_MS;
        wokeAt = Number.NEGATIVE_INFINITY;
        return soon;
      });
    } finally {
      unsubscribe?.();
    }
  };

  /** `soon`: whether there is to be no wait after that error. */
  const tries = async (signal: AbortSignal, soon: (error: AdapterError) => boolean): Promise<void> => {
    let history = noHistory;
    while (!signal.aborted) {
      set({ state: 'connecting' });
      await pace?.(signal);
      if (signal.aborted) return;
      const ended = await tryOnce(signal);
      if (signal.aborted) return;
      const verdict = judge(history, ended, clock.now(), random());
      history = verdict.history;
      if (verdict.next === 'stop') {
        set({ state: 'failed', error: verdict.error });
        return;
      }
      const ms = soon(ended.error) ? 0 : verdict.ms;
      set({ state: 'waiting', until: clock.now() + ms, error: ended.error });
      if (ms > 0) await nap(ms, signal);
    }
  };

  const start = (): void => {
    if (running && !running.stop.signal.aborted) return;
    const stop = new AbortController();
    const begin = (): Promise<void> => loop(stop.signal);
    // One that is just signing out must be gone first.
    const done = (running ? running.done.then(begin) : begin()).finally(() => {
      if (running?.stop === stop) running = undefined;
    });
    running = { stop, done };
  };

  return {
    get status() {
      return status;
    },
    start,
    retry() {
      if (running && !running.stop.signal.aborted) hurry?.();
      else start();
    },
    async stop() {
      const ending = running;
      ending?.stop.abort(new AdapterError('unreachable', 'the account was signed out'));
      await ending?.done;
      if (status.state !== 'offline' && !running) set({ state: 'offline' });
    },
  };
}
