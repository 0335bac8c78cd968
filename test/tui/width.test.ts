import headless from '@xterm/headless';
import { describe, expect, it } from 'vitest';
import { fit, MARKS_SHOWN, tame, tameLine, truncate, widthOf, wrap, wrapRanges } from '../../src/tui/width.ts';
import { UnicodeGraphemesAddon } from '../e2e/graphemes.ts';
import { WIDTH_TABLE } from './widths.ts';

/** The column in which a terminal stands after a text. */
async function columnAfter(text: string): Promise<number> {
  const terminal = new headless.Terminal({ cols: 200, rows: 2, allowProposedApi: true });
  terminal.loadAddon(new UnicodeGraphemesAddon());
  await new Promise<void>((resolve) => terminal.write(text, resolve));
  const column = terminal.buffer.active.cursorX;
  terminal.dispose();
  return column;
}

/**
 * Where the terminal model used here (xterm.js) is alone: VTE, kitty, Ghostty, iTerm and xterm give spacing marks and
 * halfwidth sound marks a column of their own, and emoji of Unicode 14 two.
 */
const MODEL_IS_ALONE = /[\p{Mc}\u0e33\u0eb3\uff9e\uff9f\u0600🫠🥹]/u;

describe('the width of text', () => {
  it(`V8 agrees with the terminal on ${WIDTH_TABLE.length} strings that programs fall out over`, async () => {
    const asked = WIDTH_TABLE.filter((text) => !MODEL_IS_ALONE.test(text));
    expect(asked.length).toBeGreaterThanOrEqual(200);
    const wrong: string[] = [];
    for (const text of asked) {
      const shown = tameLine(text);
      const column = await columnAfter(shown);
      if (column !== widthOf(shown)) wrong.push(`${JSON.stringify(text)}: terminal ${column}, ours ${widthOf(shown)}`);
    }
    expect(wrong).toEqual([]);
  });

  it('V8 truncates and fits every one of them to exactly the columns asked for', () => {
    for (const text of WIDTH_TABLE) {
      for (const width of [1, 2, 3, 7]) {
        expect(widthOf(truncate(tameLine(text), width))).toBeLessThanOrEqual(width);
        expect(widthOf(fit(tameLine(text), width)), `${JSON.stringify(text)} in ${width}`).toBe(width);
      }
    }
  });

  it('V8 wraps them into rows that are not wider than asked, and loses nothing', () => {
    for (const text of WIDTH_TABLE) {
      const long = tame(`${text} `.repeat(8).trim());
      for (const row of wrap(long, 10)) expect(widthOf(row)).toBeLessThanOrEqual(10);
      expect(wrap(long, 10).join('').replace(/\s/g, '')).toBe(long.replace(/\s/g, ''));
    }
  });
});

describe('remote text when drawn', () => {
  it(`V7 keeps at most ${MARKS_SHOWN} marks on a character`, () => {
    const flood = `Z${'\u0301'.repeat(500)}algo`;
    expect([...tame(flood)].length).toBe(5 + MARKS_SHOWN);
    expect(tame(flood).startsWith('Z\u0301')).toBe(true);
  });

  it('V1 V2 V3 V9 leaves no control character of C0 or C1 but the line feed', () => {
    const hostile =
      '\x1b]0;title\x07 \x1b[8mhidden\x1b[0m \x1b]52;c;eA==\x1b\\ \x9b31m \u009d8;;http://x\u009c\x00\x08\x7f';
    expect(tame(hostile)).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
    expect(tame(hostile)).toContain('\u241b[8mhidden');
  });

  it('V5 drops what turns the direction of the neighbours', () => {
    expect(tame('a\u202eb\u2066c\u200fd')).toBe('abcd');
  });

  it('makes one line of names and topics', () => {
    expect(tameLine('Bob\nadmin\u2028x')).toBe('Bob admin x');
  });
});

describe('wrapping', () => {
  it('breaks at spaces, which may hang over the edge', () => {
    expect(wrap('the rabbit is late again', 10)).toEqual(['the rabbit', 'is late', 'again']);
  });

  it('cuts a word that is longer than a row', () => {
    expect(wrap('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij']);
  });

  it('keeps empty lines', () => {
    expect(wrap('a\n\nb', 10)).toEqual(['a', '', 'b']);
  });

  it('gives ranges that cover the text without overlap', () => {
    const text = 'one two three 你好世界 four';
    const ranges = wrapRanges(text, 6);
    expect(ranges.map(([start, end]) => text.slice(start, end)).join('')).toBe(text);
  });

  it('V7 stops at its limit, whatever the length', () => {
    const started = performance.now();
    expect(wrap('x'.repeat(1_000_000), 80, 200)).toHaveLength(200);
    expect(wrap('你'.repeat(1_000_000).slice(0, 20_000), 80, 200)).toHaveLength(200);
    expect(wrap('a\n'.repeat(100_000), 80, 200)).toHaveLength(200);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
