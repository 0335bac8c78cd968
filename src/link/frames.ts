/** How JSON-RPC messages stand on the socket: one a line, UTF-8, ended by a line feed; JSON never holds a bare one. */

const lineFeed = 0x0a;

/** What a front may send in one line before it is dropped, in bytes: a pasted book fits, a flood does not. */
export const frontLineLimit = 4 * 1024 * 1024;
/** What a front takes from its hub in one line: the snapshot of 100,000 contacts is about 40 MB. */
export const hubLineLimit = 256 * 1024 * 1024;

/** A line grew over the limit: the other end is broken or hostile, and the connection is of no more use. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong';
}

/**
 * Cuts a byte stream into lines, whatever its chunks; decodes a line as a whole, so that a character may straddle chunks.
 * Holds no more than `limit` bytes. Empty lines are left out.
 * @throws LineTooLong out of the returned function; it must not be called again after that.
 */
export function splitLines(onLine: (line: string) => void, limit: number | (() => number)): (chunk: Buffer) => void {
  const check = (bytes: number): void => {
    const most = typeof limit === 'number' ? limit : limit();
    if (bytes > most) throw new LineTooLong(`a line of more than ${most} bytes`);
  };
  let held: Buffer[] = [];
  let heldBytes = 0;
  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      check(heldBytes + end - start);
      const line = heldBytes === 0 ? chunk.toString('utf8', start, end) : joined(held, chunk.subarray(start, end));
      held = [];
      heldBytes = 0;
      start = end + 1;
      if (line !== '') onLine(line);
    }
    if (start === chunk.length) return;
    heldBytes += chunk.length - start;
    check(heldBytes);
    held.push(start === 0 ? chunk : chunk.subarray(start));
  };
}

const joined = (held: readonly Buffer[], rest: Buffer): string => Buffer.concat([...held, rest]).toString('utf8');

/** One message as its line. `JSON.stringify` escapes line feeds, so none stands inside. */
export function encodeLine(message: unknown): string {
  return `${JSON.stringify(message)}\n`;
}
