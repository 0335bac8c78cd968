import type { Clock } from '../../contract.ts';
import { AdapterError } from '../../errors.ts';

/** Calls for one chat go out one after another, each waiting for the answer before; chats do not wait for each other. */
export interface Lanes {
  /** @throws AdapterError `rate-limited` where the network asks for a longer wait than we hold a call for. */
  run<T>(lane: string, call: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Everything that has not begun fails with that error. */
  close(error: AdapterError): void;
}

interface Job {
  readonly call: () => Promise<void>;
  readonly fail: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
}

/** Seconds: a longer wait is the outbox's matter. */
const LONGEST_WAIT = 60;

export function lanes(clock: Clock): Lanes {
  const waiting = new Map<string, Job[]>();
  /** Milliseconds since the epoch before which a lane takes nothing: a later message must not overtake a refused one. */
  const blocked = new Map<string, number>();
  const closing = new AbortController();

  /** Ends early when it is no longer wanted; the loop then sees why. */
  const rest = async (ms: number, signal: AbortSignal): Promise<void> => {
    try {
      await clock.sleep(ms, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };

  const drain = async (lane: string, jobs: Job[]): Promise<void> => {
    for (let job = jobs[0]; job; job = jobs[0]) {
      try {
        await oneJob(job, lane);
      } catch (error) {
        job.fail(error);
      }
      jobs.shift();
    }
    waiting.delete(lane);
  };

  const oneJob = async (job: Job, lane: string): Promise<void> => {
    for (;;) {
      if (closing.signal.aborted) throw closing.signal.reason;
      if (job.signal?.aborted) throw new AdapterError('unreachable', 'cancelled before it was sent');
      const wait = Math.ceil(((blocked.get(lane) ?? 0) - clock.now()) / 1000);
      if (wait > 0) throw new AdapterError('rate-limited', `Telegram asks to wait ${wait} s`, { retryAfter: wait });
      try {
        await job.call();
        return;
      } catch (error) {
        const seconds = error instanceof AdapterError && error.code === 'rate-limited' ? error.retryAfter : undefined;
        if (seconds === undefined) throw error;
        if (seconds > LONGEST_WAIT) blocked.set(lane, clock.now() + seconds * 1000);
        if (seconds > LONGEST_WAIT) throw error;
        await rest(seconds * 1000, job.signal ? AbortSignal.any([job.signal, closing.signal]) : closing.signal);
      }
    }
  };

  return {
    run: (lane, call, signal) =>
      new Promise((resolve, reject) => {
        const job = { call: async () => resolve(await call()), fail: reject, signal };
        const jobs = waiting.get(lane);
        if (jobs) {
          jobs.push(job);
          return;
        }
        const first = [job];
        waiting.set(lane, first);
        void drain(lane, first);
      }),
    close: (error) => closing.abort(error),
  };
}
