import type { Clock } from '../../../adapters/contract.ts';

export interface FakeClock extends Clock {
  advance(ms: number): void;
  /** Lengths of the sleeps under way. */
  readonly asleep: readonly number[];
}

/** Time stands still until it is told to go on. */
export function fakeClock(): FakeClock {
  let now = 1_800_000_000_000;
  const sleeps = new Set<{ readonly due: number; readonly ms: number; readonly wake: () => void }>();
  return {
    now: () => now,
    get asleep() {
      return [...sleeps].map(({ ms }) => ms);
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const sleep = { due: now + ms, ms, wake: resolve };
        sleeps.add(sleep);
        signal?.addEventListener('abort', () => {
          sleeps.delete(sleep);
          reject(signal.reason);
        });
      }),
    advance(ms) {
      now += ms;
      for (const sleep of sleeps) {
        if (sleep.due > now) continue;
        sleeps.delete(sleep);
        sleep.wake();
      }
    },
  };
}
