import type { Archive } from '../archive/types.ts';

/** Indexes what arrived for search while nothing else is to be done, and then tidies up. */
export interface Indexing {
  /** Something arrived, or was sent. */
  traffic(): void;
  stop(): void;
}

const quietMs = 500;
/** So often there may be something to tidy where nothing arrives. */
const tidyMs = 3_600_000;

export function createIndexing(
  archive: Archive,
  tidy: (signal: AbortSignal) => Promise<void>,
  failed: (error: unknown) => void,
): Indexing {
  let timer: NodeJS.Timeout | undefined;
  let running: AbortController | undefined;
  let last = 0;
  let stopped = false;

  const look = (): void => {
    const left = last + quietMs - performance.now();
    if (left > 0) timer = setTimeout(look, left);
    else void index();
  };
  const index = async (): Promise<void> => {
    timer = undefined;
    running = new AbortController();
    const { signal } = running;
    try {
      await archive.index(signal);
      if (!signal.aborted) await tidy(signal);
    } catch (error) {
      if (!stopped) failed(error);
    }
    running = undefined;
    if (signal.aborted && !stopped) timer = setTimeout(look, quietMs);
  };

  const traffic = (): void => {
    last = performance.now();
    running?.abort();
    if (timer === undefined && running === undefined) timer = setTimeout(look, quietMs);
  };
  const again = setInterval(traffic, tidyMs);
  // What was not indexed when imux ended.
  traffic();

  return {
    traffic,
    stop() {
      stopped = true;
      clearInterval(again);
      clearTimeout(timer);
      running?.abort();
    },
  };
}
