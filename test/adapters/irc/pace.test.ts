import { expect, test } from 'vitest';
import type { Clock } from '../../../adapters/contract.ts';
import { pacedQueue } from '../../../adapters/irc/transport/pace.ts';

function fakeClock(): Clock & { advance(ms: number): Promise<void> } {
  let now = 0;
  const sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        sleepers.push({ at: now + ms, wake: resolve });
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
    async advance(ms) {
      const end = now + ms;
      while (now < end) {
        now++;
        for (const sleeper of sleepers.filter(({ at }) => at === now)) sleeper.wake();
        await Promise.resolve();
        await Promise.resolve();
      }
    },
  };
}

test('a burst goes out at once, the rest one by one, in order', async () => {
  const clock = fakeClock();
  const out: string[] = [];
  const queue = pacedQueue((line) => out.push(`${clock.now()} ${line}`), { burst: 5, everyMs: 2_000 }, clock);
  for (let count = 1; count <= 8; count++) queue.push(`l${count}`);
  expect(out).toEqual(['0 l1', '0 l2', '0 l3', '0 l4', '0 l5']);
  await clock.advance(6_000);
  expect(out.slice(5)).toEqual(['2000 l6', '4000 l7', '6000 l8']);
  await clock.advance(20_000);
  for (let count = 1; count <= 6; count++) queue.push(`m${count}`);
  expect(out.slice(8)).toHaveLength(5);
});

test('a free line keeps its place and costs nothing', async () => {
  const clock = fakeClock();
  const out: string[] = [];
  const queue = pacedQueue((line) => out.push(line), { burst: 1, everyMs: 1_000 }, clock);
  queue.push('a');
  queue.push('b');
  queue.push('PING', { free: true });
  expect(out).toEqual(['a']);
  await clock.advance(1_000);
  expect(out).toEqual(['a', 'b', 'PING']);
});

test('an aborted line is dropped while it waits, and the lines behind it go on', async () => {
  const clock = fakeClock();
  const out: string[] = [];
  const queue = pacedQueue((line) => out.push(line), { burst: 1, everyMs: 1_000 }, clock);
  const abort = new AbortController();
  const dropped: unknown[] = [];
  queue.push('a');
  queue.push('b', { signal: abort.signal, dropped: (reason) => dropped.push(reason) });
  queue.push('c', { dropped: (reason) => dropped.push(reason) });
  abort.abort('enough');
  await clock.advance(1_000);
  expect([out, dropped]).toEqual([['a', 'c'], ['enough']]);
  queue.push('d', { dropped: () => dropped.push('closed') });
  queue.close();
  expect(dropped).toEqual(['enough', 'closed']);
});
