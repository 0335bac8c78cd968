import { isUtf8 } from 'node:buffer';

/** Bytes of one line: 8191 for tags (https://ircv3.net/specs/extensions/message-tags#size-limit) and 512 for the rest. */
export const LINE_LIMIT = 8191 + 512;

const NEWLINE = 0x0a;

/**
 * Cuts a byte stream into lines, each byte looked at once however the stream is split. A line over `limit` bytes is
 * dropped as a whole. Text is UTF-8; a line that is not valid UTF-8 is read as latin-1, as older clients write it.
 */
export function lineSplitter(onLine: (line: string) => void, limit = LINE_LIMIT): (chunk: Buffer) => void {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let dropping = false;

  const keep = (piece: Buffer): void => {
    if (dropping || piece.length === 0) return;
    restBytes += piece.length;
    if (restBytes > limit) {
      dropping = true;
      rest = [];
      return;
    }
    rest.push(piece);
  };

  return (chunk) => {
    const first = chunk.indexOf(NEWLINE);
    if (first === -1) {
      keep(chunk);
      return;
    }
    const last = chunk.lastIndexOf(NEWLINE);
    keep(chunk.subarray(0, first));
    const head = dropping ? undefined : rest.length === 1 ? rest[0] : Buffer.concat(rest, restBytes);
    rest = [];
    restBytes = 0;
    dropping = false;
    if (head && head.length > 0) onLine(trimmed(decode(head)));
    if (last > first) whole(chunk.subarray(first + 1, last), limit, onLine);
    // The socket may reuse its buffer: what waits for the next chunk must be our own.
    keep(Buffer.from(chunk.subarray(last + 1)));
  };
}

/** Bytes between the first and the last newline of a chunk: decoded in one go where all of it is UTF-8. */
function whole(bytes: Buffer, limit: number, onLine: (line: string) => void): void {
  if (isUtf8(bytes)) {
    for (const line of bytes.toString('utf8').split('\n')) {
      if (line.length > limit / 3 && Buffer.byteLength(line) > limit) continue;
      if (line.length > 0) onLine(trimmed(line));
    }
    return;
  }
  for (let from = 0; from <= bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, from);
    const to = newline === -1 ? bytes.length : newline;
    if (to > from && to - from <= limit) onLine(trimmed(decode(bytes.subarray(from, to))));
    from = to + 1;
  }
}

function decode(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1');
}

function trimmed(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
