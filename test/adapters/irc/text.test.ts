import { expect, test } from 'vitest';
import { splitText, stripFormatting } from '../../../adapters/irc/text.ts';

test('I4 a long text of Cyrillic, Chinese and emoji is cut between graphemes and loses nothing', () => {
  const family = '👩‍👩‍👧‍👦';
  for (const text of ['ж'.repeat(600), '你'.repeat(500), family.repeat(60), `a${family.repeat(60)}`, 'é̀'.repeat(300)]) {
    const lines = splitText(text, 400);
    expect(lines.every((line) => Buffer.byteLength(line) <= 400)).toBe(true);
    expect(lines.join('')).toBe(text);
    const count = (value: string): number => [...new Intl.Segmenter().segment(value)].length;
    expect(lines.reduce((sum, line) => sum + count(line), 0)).toBe(count(text));
  }
});

test('cuts fall between words where there are any', () => {
  const text = Array.from({ length: 100 }, (_, at) => `word${at}`).join(' ');
  const lines = splitText(text, 100);
  expect(lines.join('')).toBe(text);
  expect(lines.slice(1).every((line) => line.startsWith(' '))).toBe(true);
});

test('a single grapheme over the limit is cut within', () => {
  const text = `a${'\u0301'.repeat(500)}`;
  expect(splitText(text, 100).join('')).toBe(text);
  expect(splitText(text, 100).every((line) => Buffer.byteLength(line) <= 100)).toBe(true);
});

test('each line of a text is a line of its own, empty ones left out', () => {
  expect(splitText('a\r\nb\n\n\rc', 400)).toEqual(['a', 'b', 'c']);
});

test('formatting codes are taken out, with the numbers of their colours', () => {
  expect(stripFormatting('\x02bold\x02 \x0304,12red\x03 \x04ff0000hex\x04 \x1d\x1f\x1e\x11\x16x\x0f 3,4')).toBe(
    'bold red hex x 3,4',
  );
});
