import { closeSync, createReadStream, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { imux, isImux } from './imux.ts';
import { irssi, isIrssi } from './irssi.ts';
import type { Entry, Log, Reader } from './log.ts';
import { isPidgin, pidgin } from './pidgin.ts';
import { isProfanity, profanityDatabase, profanityText } from './profanity.ts';
import { isTelegram, telegram } from './telegram.ts';
import { isWeechat, weechat } from './weechat.ts';

/** The programs whose logs can be read. */
const readers = { imux, weechat, irssi, profanity: profanityText, pidgin, telegram } satisfies Record<string, Reader>;
export type Format = keyof typeof readers;
const isFormat = (text: string): text is Format => Object.hasOwn(readers, text);
export const formats: readonly Format[] = Object.keys(readers).filter(isFormat);

const HEAD = 64 * 1024;
/** Lines that may stand before the first by which a log is known: the rest of a line, what another program added. */
const LOOKED_AT = 50;

/** Files as given, and all files below the folders as given. @throws the system's error where one is not there. */
export function filesBelow(paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => {
    if (path === '-' || !statSync(path).isDirectory()) return path;
    const found = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    return found.map((entry) => join(entry.parentPath, entry.name)).sort();
  });
}

/** What reads a log that begins so; undefined where no format is known by it. */
export function readerFor(head: Buffer, format: Format | 'auto'): Reader | undefined {
  const database = head.subarray(0, 15).toString('latin1') === 'SQLite format 3';
  if (format !== 'auto') return format === 'profanity' && database ? profanityDatabase : readers[format];
  if (database) return profanityDatabase;
  const text = head.toString('utf8').replace(/^\ufeff/, '');
  const lines = text.split(/\r?\n/).slice(0, LOOKED_AT);
  const first = lines.find((line) => line.trim() !== '') ?? '';
  if (isImux(first)) return imux;
  if (isTelegram(text)) return telegram;
  if (isPidgin(first)) return pidgin;
  if (lines.some(isIrssi)) return irssi;
  if (lines.some(isWeechat)) return weechat;
  return lines.some(isProfanity) ? profanityText : undefined;
}

/** The first bytes of a file. */
export function headOf(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(HEAD);
    return head.subarray(0, readSync(file, head, 0, HEAD, 0));
  } finally {
    closeSync(file);
  }
}

export const linesOfFile = (path: string): AsyncIterable<string> => linesOf(createReadStream(path));

/** Lines without their endings. What is not UTF-8 is read as Windows-1252, as older programs wrote it. */
export async function* linesOf(bytes: AsyncIterable<Buffer>): AsyncIterable<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const line = chunk.subarray(from, end);
      yield decode(rest.length > 0 ? Buffer.concat([rest, line]) : line);
      rest = Buffer.alloc(0);
      from = end + 1;
    }
    if (from < chunk.length) rest = Buffer.concat([rest, chunk.subarray(from)]);
  }
  if (rest.length > 0) yield decode(rest);
}

const strict = new TextDecoder('utf-8', { fatal: true });
const western = new TextDecoder('windows-1252');

function decode(line: Buffer): string {
  let text = line.toString('utf8');
  if (text.includes('\ufffd')) {
    try {
      text = strict.decode(line);
    } catch {
      text = western.decode(line);
    }
  }
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}

/** A log with what reads it. */
export interface Source {
  readonly log: Log;
  readonly reader: Reader;
}

/** One entry, and of which log it is. */
export interface Read {
  readonly source: Source;
  readonly entry: Entry;
}

/**
 * Several logs as one, in the order of time: so the archive has later messages in later rows, and searches it quickly. A
 * log is opened when its first message is due, and closed at its end.
 */
export async function* inOrder(sources: readonly Source[]): AsyncIterable<Read> {
  const waiting = await Promise.all(sources.map(async (source) => ({ source, begins: await beginOf(source) })));
  waiting.sort((a, b) => a.begins - b.begins);
  const open: { readonly source: Source; readonly rest: AsyncIterator<Entry>; next: Entry; at: number }[] = [];
  for (;;) {
    let earliest = 0;
    for (const [n, { at }] of open.entries()) if (at < (open[earliest]?.at ?? 0)) earliest = n;
    const due = open[earliest];
    const [first] = waiting;
    if (first && (!due || first.begins <= due.at)) {
      waiting.shift();
      const rest = first.source.reader(first.source.log)[Symbol.asyncIterator]();
      const begun = await rest.next();
      if (!begun.done) open.push({ source: first.source, rest, next: begun.value, at: first.begins });
      continue;
    }
    if (!due) return;
    yield { source: due.source, entry: due.next };
    const more = await due.rest.next();
    if (more.done) open.splice(earliest, 1);
    else {
      due.next = more.value;
      // What is no message is due at once.
      if (more.value.kind === 'message') due.at = more.value.message.at;
    }
  }
}

/** The time of the first message; standard input can be read only once and goes first. */
async function beginOf({ reader, log }: Source): Promise<number> {
  if (log.path === '-') return Number.NEGATIVE_INFINITY;
  for await (const entry of reader(log)) if (entry.kind === 'message') return entry.message.at;
  return Number.POSITIVE_INFINITY;
}
