import type { Limits } from '../../adapters/contract.ts';

/** Whether a text goes out as one message here. */
export function fits(text: string, limits: Limits): boolean {
  if (limits.textChars !== undefined && text.length > limits.textChars) return false;
  // Three bytes are the most that one UTF-16 unit takes, so most texts need no counting.
  return text.length * 3 <= limits.textBytes || Buffer.byteLength(text) <= limits.textBytes;
}

/**
 * Cuts a text into parts that fit, never inside a grapheme (https://unicode.org/reports/tr29/), and at a line's or a
 * word's end where one lies in the latter half of the part. A grapheme that alone is over the limit is cut between code
 * points. Joined, the parts are the text but for the white space at the cuts.
 */
export function split(text: string, limits: Limits): readonly string[] {
  if (fits(text, limits)) return [text];
  const parts: string[] = [];
  let part = '';
  for (const piece of pieces(text, limits)) {
    if (part !== '' && !fits(part + piece, limits)) {
      const cut = cutPoint(part);
      parts.push(part.slice(0, cut).trimEnd());
      part = part.slice(cut).trimStart();
    }
    part += piece;
  }
  parts.push(part);
  return parts.filter((each) => each.trim() !== '');
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

function* pieces(text: string, limits: Limits): Generator<string> {
  for (const { segment } of graphemes.segment(text)) {
    if (fits(segment, limits)) yield segment;
    else yield* segment;
  }
}

function cutPoint(part: string): number {
  const half = part.length / 2;
  const line = part.lastIndexOf('\n');
  if (line > half) return line + 1;
  const word = part.lastIndexOf(' ');
  return word > half ? word + 1 : part.length;
}
