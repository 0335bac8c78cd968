import type { Clock } from '../../../../adapters/contract.ts';

export interface ManualClock extends Clock {
  /** Lets the time pass, and with it every sleep that ends by then, in order. */
  advance(ms: number): Promise<void>;
  /** Sleeps that have not ended. */
  readonly sleeping: () => number;
}

export function manualClock(): ManualClock {
  let now = 1_800_000_000_000;
  const sleepers = new Set<{ readonly at: number; wake(): void }>();
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const stop = (): void => {
          sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        const sleeper = {
          at: now + ms,
          wake: () => {
            sleepers.delete(sleeper);
            signal?.removeEventListener('abort', stop);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', stop, { once: true });
      }),
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        const due = [...sleepers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        now = due?.at ?? end;
        if (!due) return;
        due.wake();
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    sleeping: () => sleepers.size,
  };
}
