/** mIRC's formatting codes (https://modern.ircdocs.horse/formatting): colours with their numbers, and toggles. */
const CODES =
  /[\x02\x0f\x11\x16\x1d\x1e\x1f]|\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[0-9a-fA-F]{6}(?:,[0-9a-fA-F]{6})?)?/g;
const ANY_CODE = /[\x02-\x04\x0f\x11\x16\x1d-\x1f]/;

export function stripFormatting(text: string): string {
  return ANY_CODE.test(text) ? text.replace(CODES, '') : text;
}

let segmenter: Intl.Segmenter | undefined;

/**
 * The lines that carry a text: one for each line of it, empty ones left out, and long ones cut so that none is over
 * `limit` bytes of UTF-8. Cuts fall before a blank where they can (some servers
 * trim the end of a line), else between graphemes; joined, the pieces are the text again.
 */
export function splitText(text: string, limit: number): readonly string[] {
  return text
    .split(/\r\n|\r|\n/)
    .filter((line) => line !== '')
    .flatMap((line) => (Buffer.byteLength(line) <= limit ? [line] : cutLine(line, limit)));
}

function cutLine(line: string, limit: number): readonly string[] {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  const cuts: string[] = [];
  let current = '';
  let bytes = 0;
  let lastSpace = 0;
  for (const piece of pieces(segmenter.segment(line), limit)) {
    const size = Buffer.byteLength(piece);
    if (bytes + size > limit) {
      const at = lastSpace > current.length / 2 ? lastSpace : current.length;
      cuts.push(current.slice(0, at));
      current = current.slice(at);
      bytes = Buffer.byteLength(current);
      lastSpace = 0;
    }
    if (piece === ' ') lastSpace = current.length;
    current += piece;
    bytes += size;
  }
  if (current !== '') cuts.push(current);
  return cuts;
}

/** Graphemes; one that is over the limit by itself (hundreds of combining marks) in code points. */
function* pieces(segments: Intl.Segments, limit: number): Generator<string> {
  for (const { segment } of segments) {
    if (segment.length * 3 > limit && Buffer.byteLength(segment) > limit) yield* segment;
    else yield segment;
  }
}
