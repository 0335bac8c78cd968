import { exit } from './exit.ts';
import { VerbError } from './verb.ts';

/** More than any network takes in one message, and little enough to hold. */
const TEXT_LIMIT = 16 * 1024 * 1024;

/**
 * All of standard input as text, one trailing newline removed. @throws VerbError 65 on bad UTF-8 or far too much;
 * where the signal aborted before its end, what it aborted with.
 */
export async function readText(stdin: NodeJS.ReadStream, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunksOf(stdin, signal)) {
    size += chunk.length;
    if (size > TEXT_LIMIT) throw new VerbError(exit.data, `the text is over ${TEXT_LIMIT / 1024 / 1024} MiB`);
    chunks.push(chunk);
  }
  signal.throwIfAborted();
  return decode(Buffer.concat(chunks)).replace(/\r?\n$/, '');
}

/** Each line as it comes, its bytes without their ending; ends early where the signal aborts, with no half line. */
export async function* readLines(stdin: NodeJS.ReadStream, signal: AbortSignal): AsyncIterable<Buffer> {
  let held: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunksOf(stdin, signal)) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...held, chunk.subarray(from, end)]);
      if (signal.aborted) return;
      held = [];
      size = 0;
      from = end + 1;
    }
    held.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > TEXT_LIMIT) throw new VerbError(exit.data, `a line is over ${TEXT_LIMIT / 1024 / 1024} MiB`);
  }
  if (size > 0 && !signal.aborted) yield Buffer.concat(held);
}

/** @throws VerbError 65 on bad UTF-8. */
export const decodeLine = (bytes: Buffer): string => decode(bytes).replace(/\r$/, '');

/** What comes in, until its end or the signal. */
export async function* chunksOf(stdin: NodeJS.ReadStream, signal: AbortSignal): AsyncIterable<Buffer> {
  const stop = (): void => void stdin.destroy();
  if (signal.aborted) return;
  signal.addEventListener('abort', stop, { once: true });
  try {
    yield* stdin as AsyncIterable<Buffer>;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** @throws VerbError 65 */
export function refuseBad(text: string, allowEmpty: boolean): void {
  if (text === '' && !allowEmpty)
    throw new VerbError(exit.data, 'the text is empty (--allow-empty sends it all the same)');
  if (text.includes('\0')) throw new VerbError(exit.data, 'the text holds a NUL character');
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new VerbError(exit.data, 'the text is not valid UTF-8', { cause });
  }
}
