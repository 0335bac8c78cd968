import { monitorEventLoopDelay } from 'node:perf_hooks';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LINE_LIMIT, lineSplitter } from '../../../adapters/irc/transport/lines.ts';

function split(chunks: readonly Buffer[]): readonly string[] {
  const lines: string[] = [];
  const push = lineSplitter((line) => lines.push(line));
  for (const chunk of chunks) push(chunk);
  return lines;
}

test('lines come out the same however the bytes are cut', () => {
  const text = 'PING :a\r\n:n!u@h PRIVMSG #ä :привет 👩‍👩‍👧 שלום 你好\r\nPRIVMSG x :y\n\r\n';
  const bytes = Buffer.from(text);
  const whole = split([bytes]);
  expect(whole).toEqual(['PING :a', ':n!u@h PRIVMSG #ä :привет 👩‍👩‍👧 שלום 你好', 'PRIVMSG x :y', '']);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const chunks = at.slice(1).map((to, index) => bytes.subarray(at[index], to));
      expect(split(chunks)).toEqual(whole);
    }),
  );
});

test('a line that is not UTF-8 is read as latin-1, and its neighbours are not', () => {
  const bytes = Buffer.concat([
    Buffer.from('PRIVMSG a :é\r\n'),
    Buffer.from('PRIVMSG a :é\r\n', 'latin1'),
    Buffer.from('x :ü\n'),
  ]);
  expect(split([bytes])).toEqual(['PRIVMSG a :é', 'PRIVMSG a :é', 'x :ü']);
  expect(split([bytes.subarray(0, 20), bytes.subarray(20)])).toEqual(['PRIVMSG a :é', 'PRIVMSG a :é', 'x :ü']);
});

test('I4 a line over the limit of tags and text is dropped as a whole, and the next one is read', () => {
  const fits = 'x'.repeat(LINE_LIMIT - 1);
  const over = 'y'.repeat(LINE_LIMIT + 1);
  expect(split([Buffer.from(`${fits}\r\n${over}\r\nnext\r\n`)])).toEqual([fits, 'next']);
  expect(split([Buffer.from('a\r\nyyy'), Buffer.from(over), Buffer.from(`${over}\nnext\r\n`)])).toEqual(['a', 'next']);
});

test('L16 I4 a line of 60 MiB without an end costs no memory and holds nobody up for 200 ms', async () => {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  const lines: string[] = [];
  const push = lineSplitter((line) => lines.push(line));
  const chunk = Buffer.alloc(65_536, 0x78);
  const memory = process.memoryUsage().rss;
  delay.enable();
  for (let sent = 0; sent < 60 * 1024 * 1024; sent += chunk.length) {
    push(chunk);
    await new Promise((resolve) => setImmediate(resolve));
  }
  push(Buffer.from('\r\nPING :after\r\n'));
  delay.disable();
  expect(lines).toEqual(['PING :after']);
  expect(delay.max / 1e6).toBeLessThan(200);
  expect(process.memoryUsage().rss - memory).toBeLessThan(64 * 1024 * 1024);
});
