import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeLine, LineTooLong, splitLines } from '../../src/link/frames.ts';

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...chunks, bytes.subarray(at)];
}

describe('lines on the socket', () => {
  it('are the same however the stream is cut, inside a character too', () => {
    const line = fc.string({ unit: 'binary', maxLength: 30 }).map((text) => encodeLine({ text }));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 10 }), fc.array(fc.nat(7), { maxLength: 40 }), (lines, sizes) => {
        const seen: string[] = [];
        const split = splitLines((each) => seen.push(each), 10_000);
        for (const chunk of cut(Buffer.from(lines.join('')), sizes)) split(chunk);
        expect(seen.map((each) => `${each}\n`)).toEqual(lines.map((each) => Buffer.from(each).toString()));
      }),
    );
  });

  it('a line feed in a text does not end its line', () => {
    expect(encodeLine({ text: 'a\nb' })).toBe('{"text":"a\\nb"}\n');
  });

  it('U3 a line over the limit is refused before it is held', () => {
    const split = splitLines(() => {}, 100);
    split(Buffer.alloc(100, 'x'));
    expect(() => split(Buffer.alloc(1, 'x'))).toThrow(LineTooLong);
    expect(() => splitLines(() => {}, 100)(Buffer.from(`${'x'.repeat(101)}\n`))).toThrow(LineTooLong);
  });

  it('a line of 8 MB in small chunks costs time in proportion to its length', () => {
    let length = 0;
    const split = splitLines(
      (line) => {
        length = line.length;
      },
      10 * 1024 * 1024,
    );
    const began = process.cpuUsage().user;
    for (let n = 0; n < 8_192; n += 1) split(Buffer.alloc(1024, 'x'));
    split(Buffer.from('\n'));
    expect(length).toBe(8 * 1024 * 1024);
    expect((process.cpuUsage().user - began) / 1000).toBeLessThan(500);
  });
});
