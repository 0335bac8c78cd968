import { exit } from './exit.ts';
import { VerbError } from './verb.ts';

/** More than any network takes in one message, and little enough to hold. */
const TEXT_LIMIT = 16 * 1024 * 1024;

/** All of standard input as text, one trailing newline removed. @throws VerbError 65 on bad UTF-8 or far too much. */
export async function readText(stdin: NodeJS.ReadStream): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > TEXT_LIMIT) throw new VerbError(exit.data, `the text is over ${TEXT_LIMIT / 1024 / 1024} MiB`);
    chunks.push(chunk);
  }
  return decode(Buffer.concat(chunks)).replace(/\r?\n$/, '');
}

/** Each line as it comes, without its ending. @throws VerbError 65 on bad UTF-8. */
export async function* readLines(stdin: NodeJS.ReadStream): AsyncIterable<string> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield decode(Buffer.concat([rest, chunk.subarray(from, end)])).replace(/\r$/, '');
      rest = Buffer.alloc(0);
      from = end + 1;
    }
    rest = Buffer.concat([rest, chunk.subarray(from)]);
    if (rest.length > TEXT_LIMIT) throw new VerbError(exit.data, `a line is over ${TEXT_LIMIT / 1024 / 1024} MiB`);
  }
  if (rest.length > 0) yield decode(rest);
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new VerbError(exit.data, 'the text is not valid UTF-8', { cause });
  }
}
