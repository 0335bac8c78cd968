import type { HubProcess } from './hub.ts';

/** Asks the hub without a pause; what the longest answer took, in ms, bounds how long its event loop stood. */
export async function watchLoop(
  hub: HubProcess,
): Promise<{ stop(): Promise<number>; readonly all: readonly number[] }> {
  const link = await hub.front('loop');
  const all: number[] = [];
  let going = true;
  const done = (async () => {
    while (going) {
      const from = performance.now();
      await link.call('accounts.list', {});
      all.push(performance.now() - from);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    link.close();
  })();
  return {
    all,
    async stop() {
      going = false;
      await done;
      return Math.max(...all);
    },
  };
}

/** The value below which that share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
