import type { Clock } from '../../contract.ts';

/** A token bucket: `burst` lines at once, then one each `everyMs`. undefined: no pacing. */
export interface Pace {
  readonly burst: number;
  readonly everyMs: number;
}

export interface PacedQueue {
  /**
   * `written` is called once the line is on its way, `dropped` where the signal aborts or the queue closes before.
   * A free line keeps its place but costs nothing.
   */
  push(line: string, options?: PushOptions): void;
  close(): void;
}

export interface PushOptions {
  readonly free?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly written?: () => void;
  readonly dropped?: (reason: unknown) => void;
}

/** Servers cut off who writes faster than they allow, so lines leave by a token bucket, in order. */
export function pacedQueue(write: (line: string) => void, pace: Pace | undefined, clock: Clock): PacedQueue {
  const waiting: { readonly line: string; readonly options: PushOptions }[] = [];
  const closing = new AbortController();
  let tokens = pace?.burst ?? 0;
  let filledAt = clock.now();
  let sleeping = false;

  const fill = (): void => {
    if (!pace) return;
    const gained = Math.floor((clock.now() - filledAt) / pace.everyMs);
    if (gained <= 0) return;
    filledAt += gained * pace.everyMs;
    tokens = Math.min(pace.burst, tokens + gained);
    if (tokens === pace.burst) filledAt = clock.now();
  };

  const drain = (): void => {
    fill();
    for (let next = waiting[0]; next; next = waiting[0]) {
      const { line, options } = next;
      if (options.signal?.aborted) {
        waiting.shift();
        options.dropped?.(options.signal.reason);
        continue;
      }
      if (pace && !options.free && tokens < 1) break;
      waiting.shift();
      if (pace && !options.free) {
        if (tokens === pace.burst) filledAt = clock.now();
        tokens--;
      }
      write(line);
      options.written?.();
    }
    if (waiting.length > 0) sleepOnce();
  };

  const sleepOnce = (): void => {
    if (sleeping || !pace) return;
    sleeping = true;
    const wait = Math.max(1, filledAt + pace.everyMs - clock.now());
    clock.sleep(wait, closing.signal).then(
      () => {
        sleeping = false;
        drain();
      },
      () => {},
    );
  };

  return {
    push(line, options = {}) {
      if (closing.signal.aborted) {
        options.dropped?.(closing.signal.reason);
        return;
      }
      waiting.push({ line, options });
      if (waiting.length === 1) drain();
    },
    close() {
      closing.abort(new Error('the connection ended'));
      for (const { options } of waiting.splice(0)) options.dropped?.(closing.signal.reason);
    },
  };
}
