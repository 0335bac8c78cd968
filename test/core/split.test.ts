import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fits, split } from '../../src/core/split.ts';

const family = '👩‍👩‍👧‍👦';

describe('split', () => {
  it('a text that fits stays whole', () => {
    expect(split('hello', { textBytes: 5 })).toEqual(['hello']);
    expect(split('жж', { textBytes: 4 })).toEqual(['жж']);
  });

  it('I4 no grapheme is cut: a family of emoji stays together', () => {
    const parts = split(family.repeat(5), { textBytes: 60 });
    expect(parts.join('')).toBe(family.repeat(5));
    for (const part of parts) expect(part.length % family.length).toBe(0);
  });

  it('cuts between words where it can', () => {
    expect(split('the quick brown fox', { textBytes: 11 })).toEqual(['the quick', 'brown fox']);
  });

  it('counts UTF-16 units where the network does', () => {
    expect(split('a'.repeat(10), { textBytes: 1_000, textChars: 4 })).toEqual(['aaaa', 'aaaa', 'aa']);
  });

  it('a grapheme that alone is too long is cut between code points', () => {
    const flood = `e${'\u0301'.repeat(20)}`;
    const parts = split(flood, { textBytes: 10 });
    expect(parts.join('')).toBe(flood);
  });

  it('every part fits and nothing but white space at the cuts is lost', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 200 }),
        fc.integer({ min: 8, max: 60 }),
        (text, textBytes) => {
          const limits = { textBytes };
          const parts = split(text, limits);
          if (!fits(text, limits)) for (const part of parts) expect(fits(part, limits)).toBe(true);
          expect(parts.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
        },
      ),
    );
  });
});
