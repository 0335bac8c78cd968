/** What all accounts of one hub share: a spacing between connects, and the news that the computer woke up. */
import { networkInterfaces } from 'node:os';
import type { Clock } from '../adapters/contract.ts';

/** Resolves when the caller may connect; also once the signal aborts. */
export type Pace = (signal: AbortSignal) => Promise<void>;

export interface PaceOptions {
  /** That many at once, the others one after another. */
  readonly burst?: number;
  readonly everyMs?: number;
}

/** Fifty accounts do not connect in the same instant: neither at start nor on a wake from suspend. */
export function createPace(clock: Clock, { burst = 4, everyMs = 150 }: PaceOptions = {}): Pace {
  let nextAt = Number.NEGATIVE_INFINITY;
  let queued = 0;
  return async (signal) => {
    const now = clock.now();
    // A clock that was set back must not hold anyone up.
    nextAt = Math.min(Math.max(nextAt, now), now + (queued + burst) * everyMs);
    const ms = nextAt - now - (burst - 1) * everyMs;
    nextAt += everyMs;
    if (ms <= 0) return;
    queued++;
    try {
      await clock.sleep(ms, signal);
    } catch {
      // Stopped: the caller looks at the signal.
    } finally {
      queued--;
    }
  };
}

export interface Wake {
  /** Called after a suspend or when the machine's addresses changed; returns the way to end it. */
  on(listener: () => void): () => void;
}

export interface WakeOptions {
  readonly everyMs?: number;
  /** So much later than due, and the machine slept. */
  readonly jumpMs?: number;
  /** The machine's addresses, in any form that changes when they do. */
  readonly addresses?: () => string;
}

/**
 * Timers stand still during a suspend while the time of day does not: a tick that comes far too late tells of one.
 * Looks only while somebody listens.
 */
export function watchWake(clock: Clock, options: WakeOptions = {}): Wake {
  const { everyMs = 2_000, jumpMs = 10_000, addresses = ownAddresses } = options;
  const listeners = new Set<() => void>();
  let watching: AbortController | undefined;

  const watch = async (signal: AbortSignal): Promise<void> => {
    let before = addresses();
    for (;;) {
      const due = clock.now() + everyMs;
      await clock.sleep(everyMs, signal);
      const now = addresses();
      const woke = clock.now() - due > jumpMs || (now !== before && now !== '');
      before = now;
      if (woke) for (const listener of [...listeners]) listener();
    }
  };

  return {
    on(listener) {
      // A wrapper of its own: the same function may listen twice.
      const mine = (): void => listener();
      listeners.add(mine);
      if (!watching) {
        watching = new AbortController();
        watch(watching.signal).catch(() => {});
      }
      return () => {
        listeners.delete(mine);
        if (listeners.size > 0) return;
        watching?.abort();
        watching = undefined;
      };
    },
  };
}

function ownAddresses(): string {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal }) => !internal)
    .map(({ cidr, address }) => cidr ?? address)
    .sort()
    .join(' ');
}
