import type { Clock } from '../../adapters/contract.ts';

export interface FakeClock extends Clock {
  /** Lets that much time pass, waking sleepers in order. */
  advance(ms: number): Promise<void>;
  /** The machine sleeps: the time of day goes on, timers stand still. */
  suspend(ms: number): void;
  /** How many sleep now. */
  readonly sleepers: number;
}

interface Sleeper {
  left: number;
  wake(): void;
}

export function fakeClock(start = Date.UTC(2026, 0, 1)): FakeClock {
  let now = start;
  const sleeping = new Set<Sleeper>();
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const sleeper: Sleeper = {
          left: ms,
          wake() {
            sleeping.delete(sleeper);
            signal?.removeEventListener('abort', stopped);
            resolve();
          },
        };
        const stopped = (): void => {
          sleeping.delete(sleeper);
          reject(signal?.reason);
        };
        signal?.addEventListener('abort', stopped, { once: true });
        sleeping.add(sleeper);
      }),
    async advance(ms) {
      let left = ms;
      for (;;) {
        await settle();
        const next = [...sleeping].sort((a, b) => a.left - b.left)[0];
        const step = Math.min(left, next ? Math.max(0, next.left) : left);
        now += step;
        left -= step;
        for (const sleeper of sleeping) sleeper.left -= step;
        if (!next || next.left > 0) return;
        next.wake();
      }
    },
    suspend(ms) {
      now += ms;
    },
    get sleepers() {
      return sleeping.size;
    },
  };
}

/** Lets everything that can go on without time go on. */
export async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
