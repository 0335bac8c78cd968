import { exit } from './exit.ts';
import {
  type Format,
  filesBelow,
  formats,
  headOf,
  inOrder,
  linesOf,
  linesOfFile,
  readerFor,
  type Source,
} from './import/files.ts';
import type { Entry, Log } from './import/log.ts';
import { owners, ownNames } from './import/owners.ts';
import { emptyTally, type Tally, tallyText } from './import/tally.ts';
import { writer } from './import/writer.ts';
import { jsonLine } from './json.ts';
import { type Io, readArgs, usage, VerbError } from './verb.ts';

export const help = `Usage: imux import [--format FORMAT] [--account NAME] [--me NICK]… FILE…|-

Reads messages of other programs, or what imux export wrote, into the archive. They are
read, announced to nobody, and stand where their times belong. What is there already
stays as it is, so the same can be read again. Of a folder all files are read.

Formats, known by their content:
  imux        what imux export wrote; accounts that are missing are added, switched off
  weechat     irc.SERVER.CHANNEL.weechatlog
  irssi       irclogs/NETWORK/CHANNEL.log
  profanity   chatlog.db, and the text logs of older versions
  pidgin      logs/PROTOCOL/ACCOUNT/CONTACT/DATE.html or .txt, also Finch's
  telegram    result.json of Telegram Desktop

      --format FORMAT  one of these, where it is not to be guessed
      --account NAME   whose messages these are; else told from the log or its path
      --chat ADDRESS   the person or room, where no path tells (standard input)
      --me NICK        a name of your own in the logs; those of your accounts are known
      --json           the outcome as one JSON object

Lines that cannot be understood are told with their numbers, and the exit code is 65.

Examples:
  imux import --account libera --me kim ~/.local/share/weechat/logs/irc.libera.*
  imux import ~/irclogs
  zstd -dc imux.ndjson.zst | imux import -
`;

const options = {
  format: { type: 'string' },
  account: { type: 'string' },
  chat: { type: 'string' },
  me: { type: 'string', multiple: true },
  json: { type: 'boolean' },
} as const;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = readArgs(args, options);
  if (positionals.length === 0) throw usage('which file? - is standard input');
  const format = formatIn(values.format ?? 'auto');
  const link = await io.hub();
  try {
    const accounts = await owners(link, values.account);
    const me = await ownNames(link, values.me ?? []);
    const tally = emptyTally();
    const given = { me, ...(values.chat === undefined ? {} : { chat: values.chat }) };
    const sources = await open(pathsIn(positionals), format, given, tally, io);
    const write = writer(link, io, tally, accounts);
    const progress = showProgress(tally);
    try {
      for await (const { source, entry } of inOrder(sources)) {
        if (io.signal.aborted) break;
        await take(entry, source.log.path, write, tally, io);
      }
      await write.end();
    } finally {
      progress.end();
    }
    accounts.tell(io);
    if (values.json) await io.print(jsonLine({ v: 1, type: 'import', ...tally }));
    else io.say(tallyText(tally));
    if (io.signal.aborted) return io.signal.reason === 'SIGTERM' ? exit.terminated : exit.interrupted;
    return tally.odd > 0 ? exit.data : exit.ok;
  } finally {
    link.close();
  }
}

function formatIn(text: string): Format | 'auto' {
  const found = formats.find((format) => format === text);
  if (found || text === 'auto') return found ?? 'auto';
  throw usage(`--format ${text}: it is ${formats.join(', ')} or auto`);
}

function pathsIn(given: readonly string[]): readonly string[] {
  try {
    return filesBelow(given);
  } catch (cause) {
    throw new VerbError(exit.io, cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** What is no log that is known is told and counted; of what was named alone it is an error. */
async function open(
  paths: readonly string[],
  format: Format | 'auto',
  given: Pick<Log, 'me' | 'chat'>,
  tally: Tally,
  io: Io,
): Promise<readonly Source[]> {
  const found: Source[] = [];
  for (const path of paths) {
    const input = path === '-' ? await standardInput(io) : { head: headOf(path), lines: () => linesOfFile(path) };
    const reader = readerFor(input.head, format);
    if (reader) found.push({ reader, log: { path, lines: input.lines, ...given } });
    else if (input.head.length > 0) {
      tally.odd += 1;
      io.say(`${path}: not a log that imux knows; --format names one`);
    }
  }
  return found;
}

async function standardInput({ stdin }: Io): Promise<{ head: Buffer; lines: () => AsyncIterable<string> }> {
  const chunks = (stdin as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  const first = await chunks.next();
  const head = first.done ? Buffer.alloc(0) : first.value;
  const all = async function* (): AsyncIterable<Buffer> {
    yield head;
    for (let more = await chunks.next(); !more.done; more = await chunks.next()) yield more.value;
  };
  return { head, lines: () => linesOf(all()) };
}

async function take(entry: Entry, path: string, write: ReturnType<typeof writer>, tally: Tally, io: Io): Promise<void> {
  switch (entry.kind) {
    case 'message':
      return await write.message(entry.chat, entry.message, path);
    case 'chat':
      return write.chat(entry.chat, path);
    case 'account':
      return await write.account(entry.account);
    case 'event':
      tally.events += 1;
      return;
    case 'odd':
      tally.odd += 1;
      io.say(`${path}:${entry.line}: not understood: ${JSON.stringify(entry.text.slice(0, 120))}`);
  }
}

/** A moment later, where somebody looks on. */
function showProgress(tally: Tally): { end(): void } {
  if (!process.stderr.isTTY) return { end: () => {} };
  let shown = false;
  const show = (): void => {
    shown = true;
    process.stderr.write(`\r\x1b[Kimux: ${(tally.stored + tally.known).toLocaleString('en')} messages …`);
  };
  const timer = setInterval(show, 300);
  return {
    end: () => {
      clearInterval(timer);
      if (shown) process.stderr.write('\r\x1b[K');
    },
  };
}
