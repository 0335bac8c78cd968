import stringWidth from 'string-width';

/** Marks drawn on one base character; the stored text keeps them all. */
export const MARKS_SHOWN = 6;

/**
 * Drawn between the list and the conversation, one column wide; terminal.ts turns it into a move to that column. So a
 * name whose width the terminal sees differently cannot shift what stands beside it.
 */
export const COLUMN_MARK = '\uf8fe';

/**
 * Printable ASCII, Latin, Greek, Cyrillic, Armenian, and the letters of Hebrew and Arabic: one column each, and none of them
 * joins another to one character.
 */
const beyondPlain = /[^\x20-\x7e\xa1-\xac\xae-\u02ff\u0370-\u0482\u048a-\u058f\u05d0-\u05ea\u0620-\u064a]/;
let segmenter: Intl.Segmenter | undefined;

/** What a person calls characters, with their offsets. */
export function segments(text: string): Iterable<Intl.SegmentData> {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return segmenter.segment(text);
}

export function isPlain(text: string): boolean {
  return !beyondPlain.test(text);
}

/** Columns that a text without control characters takes in a terminal. */
export function widthOf(text: string): number {
  if (isPlain(text)) return text.length;
  if (text.length > 8) return stringWidth(text);
  let width = widths.get(text);
  if (width === undefined) {
    width = stringWidth(text);
    if (widths.size > 10_000) widths.clear();
    widths.set(text, width);
  }
  return width;
}

/** Of single characters, which wrapping asks for again and again. */
const widths = new Map<string, number>();

/**
 * Text from elsewhere, ready to be drawn. Core has cleaned it before; this is the second wall, and the place for what
 * concerns drawing alone: floods of combining marks, tabs, and characters on whose width terminals do not agree.
 */
export function tame(text: string): string {
  if (isPlain(text)) return text;
  return text
    .toWellFormed()
    .replace(/\t/g, '    ')
    .replace(/\r\n?|[\u2028\u2029\u0085]/g, '\n')
    .replace(/[\x00-\x09\x0b-\x1f]/g, (control) => String.fromCharCode(0x2400 + control.charCodeAt(0)))
    .replace(/[\x7f-\x9f]/g, '\u2421')
    .replace(/[\u00ad\u200b\u2060\ufeff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u{e0000}\u{e0001}]/gu, '')
    .replaceAll(COLUMN_MARK, '\ufffd')
    .replace(strayTags, '')
    .replace(strayVariation, '$1')
    .replace(/\p{Regional_Indicator}+/gu, wholeFlags)
    .replace(/(^|\n)(?=\p{M})/gu, '$1\u25cc')
    .replace(marksBeyond, '$1');
}

const marksBeyond = new RegExp(`([\\p{Mn}\\p{Me}]{${MARKS_SHOWN}})[\\p{Mn}\\p{Me}]+`, 'gu');
/** Tag characters belong behind the black flag only. */
const strayTags = /(?<!\u{1f3f4}[\u{e0020}-\u{e007f}]*)[\u{e0020}-\u{e007f}]+/gu;
/** A variation selector behind what is no emoji makes some terminals double its width. */
const strayVariation = /([^\p{Extended_Pictographic}\p{Emoji}]|^)\ufe0f/gu;

/** Half a flag is a letter: terminals do not agree on how wide the half is. */
function wholeFlags(run: string): string {
  const letters = [...run];
  if (letters.length % 2 === 0) return run;
  const last = letters.pop() ?? '';
  return letters.join('') + String.fromCharCode((last.codePointAt(0) ?? 0) - 0x1f1e6 + 0x41);
}

/** The same on one line, for names, topics and errors. */
export function tameLine(text: string): string {
  return isPlain(text) ? text : tame(text).replace(/\n+/g, ' ');
}

/** At most `width` columns; what does not fit ends in `…`. */
export function truncate(text: string, width: number): string {
  if (width <= 0) return '';
  if (isPlain(text)) return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
  // No character is narrower than nothing: far more units than columns never fit, and need not be measured.
  const near = text.length > width * 16 ? text.slice(0, width * 16) : text;
  if (near === text && widthOf(text) <= width) return text;
  let used = 0;
  for (const { segment, index } of segments(near)) {
    used += widthOf(segment);
    if (used > width - 1) return `${near.slice(0, index)}…`;
  }
  return `${near}…`;
}

/** Exactly `width` columns. */
export function fit(text: string, width: number): string {
  const shown = truncate(text, width);
  return shown + ' '.repeat(Math.max(0, width - widthOf(shown)));
}

/** Offsets into the text, end exclusive. */
export type Range = readonly [start: number, end: number];

/**
 * Breaks a text into rows of at most `width` columns, at spaces where it can; a space at the end of a row may hang over
 * its edge. Stops after `limit` rows.
 */
export function wrapRanges(text: string, width: number, limit = Number.POSITIVE_INFINITY): Range[] {
  const rows: Range[] = [];
  const columns = Math.max(2, width);
  let start = 0;
  while (rows.length < limit) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    const line = text.slice(start, end);
    if (line.length <= columns && isPlain(line)) rows.push([start, end]);
    else if (isPlain(line)) wrapPlain(line, start, columns, rows, limit);
    else wrapWide(line, start, columns, rows, limit);
    if (found < 0) break;
    start = end + 1;
  }
  return rows;
}

export function wrap(text: string, width: number, limit?: number): string[] {
  return wrapRanges(text, width, limit).map(([start, end]) => text.slice(start, end).trimEnd());
}

function wrapPlain(line: string, offset: number, width: number, rows: Range[], limit: number): void {
  let from = 0;
  while (line.length - from > width && rows.length < limit) {
    const space = line.lastIndexOf(' ', from + width);
    const cut = space > from ? space + 1 : from + width;
    rows.push([offset + from, offset + cut]);
    from = cut;
  }
  if (from < line.length && rows.length < limit) rows.push([offset + from, offset + line.length]);
}

function wrapWide(line: string, offset: number, width: number, rows: Range[], limit: number): void {
  let from = 0;
  let used = 0;
  let breakAt = 0;
  let usedAtBreak = 0;
  for (const { segment, index } of segments(line)) {
    const columns = widthOf(segment);
    if (used + columns > width && index > from && segment !== ' ') {
      const cut = breakAt > from ? breakAt : index;
      used = breakAt > from ? used - usedAtBreak : 0;
      rows.push([offset + from, offset + cut]);
      if (rows.length >= limit) return;
      from = cut;
    }
    used += columns;
    // Between ideographs a line may end anywhere.
    if (segment === ' ' || columns > 1) {
      breakAt = index + segment.length;
      usedAtBreak = used;
    }
  }
  rows.push([offset + from, offset + line.length]);
}
