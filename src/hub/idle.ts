/** When a hub that a front started ends by itself. */
export interface Idle {
  /** Fronts came or went, or it is to be kept. */
  look(): void;
  keep(keep: boolean): void;
  readonly kept: () => boolean;
  /** Someone asked the hub to end, or nobody needs it. */
  onEnd(end: () => void): void;
  end(): void;
  stopLooking(): void;
}

export interface IdleOptions {
  readonly onDemand: boolean;
  /** How long it stays after the last front. */
  seconds(): number;
  busy(): boolean;
}

export function createIdle({ onDemand, seconds, busy }: IdleOptions): Idle {
  let kept = !onDemand;
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  let onEnd = (): void => {};

  const stopLooking = (): void => {
    clearTimeout(timer);
    timer = undefined;
    over = true;
  };
  const look = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (over || kept) return;
    timer = setTimeout(() => (busy() ? look() : onEnd()), seconds() * 1000);
  };
  look();

  return {
    look,
    keep(keep) {
      kept = keep;
      look();
    },
    kept: () => kept,
    onEnd(end) {
      onEnd = end;
    },
    // A turn later, so that the answer to the one who asked is on its way.
    end: () => void setImmediate(() => onEnd()),
    stopLooking,
  };
}
