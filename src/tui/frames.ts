import type { Clocked } from './input.ts';

/** No more than 30 pictures a second for the person's own keys, and a dozen while much arrives. */
const KEY_GAP_MS = 34;
/** A key just behind a picture of data: time to take in what else has come. */
const KEY_BEHIND_DATA_MS = 10;
const CALM_GAP_MS = 40;
const BUSY_GAP_MS = 85;
/** Data within so long of the last data frame counts as much arriving. */
const BUSY_WITHIN_MS = 160;

export interface Frames {
  request(cause: 'key' | 'data'): void;
  /** Draws nothing any more. */
  end(): void;
}

/**
 * When to draw. The first key or message after a pause is drawn at once; what follows waits for its turn, so that a
 * flood costs a fixed number of pictures a second and a key is never behind more than one of them.
 */
export function makeFrames(paint: () => void, clock: Clocked & { now(): number }): Frames {
  let last = Number.NEGATIVE_INFINITY;
  let lastData = Number.NEGATIVE_INFINITY;
  let lastKey = Number.NEGATIVE_INFINITY;
  let due = Number.POSITIVE_INFINITY;
  let cause: 'key' | 'data' = 'data';
  let stop = (): void => {};
  let ended = false;

  const run = (): void => {
    due = Number.POSITIVE_INFINITY;
    last = clock.now();
    if (cause === 'data') lastData = last;
    else lastKey = last;
    cause = 'data';
    paint();
  };
  return {
    request(next) {
      if (ended) return;
      const now = clock.now();
      const gap = now - lastData < BUSY_WITHIN_MS ? BUSY_GAP_MS : CALM_GAP_MS;
      const soonest = next === 'key' ? Math.max(lastKey + KEY_GAP_MS, last + KEY_BEHIND_DATA_MS) : last + gap;
      const at = Math.max(now, soonest);
      if (next === 'key') cause = 'key';
      if (at >= due) return;
      stop();
      due = at;
      // Not within the event itself: what comes with it belongs to the same picture.
      stop = clock.setTimer(run, at - now);
    },
    end() {
      ended = true;
      stop();
    },
  };
}
