import { statSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import type { LinkClient } from '../link/client.ts';
import type { Wait } from '../link/messages.ts';
import { type Content, conclude, type Delivery, deliver, failureOf, type Outcome, tell } from './deliver.ts';
import { exit, worst } from './exit.ts';
import { jsonLine } from './json.ts';
import { readText, refuseBad } from './stdin.ts';
import { type Io, readArgs, readSeconds, usage, VerbError } from './verb.ts';

export const help = `Usage: imux send [OPTIONS] TARGET [TARGET…] [-- TEXT…]

Sends TEXT, or standard input where there is no TEXT, to each target.
A target is ACCOUNT:ADDRESS (work:alice@example.org, libera:#imux, tg:@name), or the
name of a contact, where only one account has it; imux contacts and imux chats show them.

  -m, --message TEXT   the text, instead of -- TEXT
      --lines          a message for each line of standard input, as it comes
      --file PATH      a file, where the network can; - is standard input
      --name NAME      what to call the file of standard input (default stdin.txt)
      --wait STATE     queued | accepted (by the server; default) | delivered (to the contact)
      --timeout SEC    how long to wait for that (default 30)
      --id KEY         the same KEY and text never goes out twice
      --split          a text over the network's limit goes out in parts
      --allow-empty    do not refuse an empty text
      --fail-fast      stop at the first target, or line, that fails
      --dry-run        say what would be sent, by which account, to whom; nothing is
                       sent and no room entered
      --json           a receipt for each target, one JSON object a line

What "accepted" means: XMPP: the server has it (XEP-0198, or an answer to a ping sent
after it), a room has sent it back; IRC: the server has shown it (echo-message) or has
answered a PING sent after it without an error; Telegram: the Bot API said ok.
"delivered": the contact's client says so (XEP-0184). Where a network never tells, as in
rooms, on IRC and Telegram, nothing is sent (64).

--lines reads the next line when the one before was accepted, so a fast pipe is held
back to what the network takes; a line that fails is told, and the next one is sent.

Ctrl-C before the message is in the outbox: nothing is sent. After that it goes its way,
and its id is told. Exit codes: 0 done · 64 usage · 65 bad text or target · 67 no such
contact or room · 68 host unknown · 69 account or hub down · 74 disk · 75 not now, or
outcome unknown · 76 protocol or TLS · 77 wrong credentials or forbidden · 78 accounts
file · 130 Ctrl-C · 143 SIGTERM. Several targets: the worst, 75 where any may still go out.

Examples:
  echo hello | imux send work:alice@example.org
  imux send libera:#ops -- the build is green
  tail -f app.log | imux send --lines libera:#ops
  imux send --wait delivered --id "backup-$(date +%F)" work:me@example.org -m 'backup done'
  dmesg | imux send --file - --name dmesg.txt work:alice@example.org
`;

const options = {
  message: { type: 'string', short: 'm' },
  lines: { type: 'boolean' },
  file: { type: 'string' },
  name: { type: 'string' },
  wait: { type: 'string', default: 'accepted' },
  timeout: { type: 'string', default: '30' },
  id: { type: 'string' },
  split: { type: 'boolean' },
  'allow-empty': { type: 'boolean' },
  'fail-fast': { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

interface Order {
  readonly targets: readonly string[];
  readonly text: string | undefined;
  readonly lines: boolean;
  readonly file: string | undefined;
  readonly name: string;
  readonly wait: Wait;
  /** Seconds. */
  readonly timeout: number;
  readonly key: string | undefined;
  readonly split: boolean;
  readonly allowEmpty: boolean;
  readonly failFast: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

export async function run(args: readonly string[], io: Io): Promise<number> {
  const order = readOrder(args);
  if (order.lines) {
    const { sendLines } = await import('./lines.ts');
    const link = await io.hub();
    return await sendLines(order, (content, key) => sendAll(link, order, content, key, io), io).finally(link.close);
  }
  if (order.file !== undefined) return await sendFile(order, order.file, io);
  if (order.text === undefined && io.stdin.isTTY)
    throw usage('no text: give it after -- or -m, or pipe it in (what stands before -- are targets)');
  const text = order.text ?? (await readText(io.stdin, io.signal));
  if (order.text === undefined && text === '' && !order.allowEmpty) refuseTextAsTarget(order.targets);
  refuseBad(text, order.allowEmpty);
  return (await send({ text, split: order.split }, order, io)).code;
}

/** Without `--` every word is a target, and the first mistake of most people. @throws VerbError */
function refuseTextAsTarget([, ...more]: readonly string[]): void {
  const last = more.at(-1);
  if (last === undefined || last.includes(':')) return;
  throw usage(`"${last}" is taken for a target, and there is no text; a text stands after -- or -m`);
}

function readOrder(args: readonly string[]): Order {
  const { values, positionals, tokens } = readArgs(args, options);
  const end = tokens.find((token) => token.kind === 'option-terminator')?.index ?? Number.POSITIVE_INFINITY;
  const before = tokens.filter((token) => token.kind === 'positional' && token.index < end).length;
  const targets = positionals.slice(0, before);
  const words = positionals.slice(before);
  if (targets.length === 0) throw usage('no target; imux send --help shows how');
  const texts = [values.message, words.length > 0 ? words.join(' ') : undefined].filter((text) => text !== undefined);
  if (texts.length > 1) throw usage('the text is given twice, by -m and after --');
  if (texts.length > 0 && (values.lines || values.file !== undefined)) throw usage('--lines and --file take no text');
  if (values.lines && values.file !== undefined) throw usage('--lines and --file do not go together');
  if (values.lines && values['dry-run']) throw usage('--lines and --dry-run do not go together');
  if (values.name !== undefined && values.file !== '-') throw usage('--name is for --file -');
  if (values.id === '') throw usage('--id is empty');
  return {
    targets,
    text: texts[0],
    lines: values.lines ?? false,
    file: values.file,
    name: values.name ?? 'stdin.txt',
    wait: readWait(values.wait),
    timeout: readSeconds(values.timeout),
    key: values.id,
    split: values.split ?? false,
    allowEmpty: values['allow-empty'] ?? false,
    failFast: values['fail-fast'] ?? false,
    dryRun: values['dry-run'] ?? false,
    json: values.json ?? false,
  };
}

function readWait(value: string): Wait {
  if (value === 'queued' || value === 'accepted' || value === 'delivered') return value;
  throw usage(`--wait ${value}: it is queued, accepted or delivered`);
}

interface Sent {
  readonly code: number;
  readonly outcomes: readonly Outcome[];
}

async function send(content: Content, order: Order, io: Io): Promise<Sent> {
  const link = await io.hub();
  try {
    if (order.dryRun) return { code: await rehearse(link, order, content, io), outcomes: [] };
    return await sendAll(link, order, content, order.key, io);
  } finally {
    link.close();
  }
}

async function rehearse(link: LinkClient, order: Order, content: Content, io: Io): Promise<number> {
  const codes: number[] = [];
  const bytes = 'path' in content ? statSync(content.path).size : Buffer.byteLength(content.text);
  for (const target of order.targets) {
    try {
      const { place, limits } = await link.call('look', { target, timeout: order.timeout }, io.signal);
      const tooLong =
        'path' in content
          ? bytes > (limits.fileBytes ?? Number.POSITIVE_INFINITY)
          : bytes > limits.textBytes || content.text.length > (limits.textChars ?? Number.POSITIVE_INFINITY);
      const inParts = tooLong && 'split' in content && content.split;
      if (tooLong && !inParts) throw new VerbError(exit.data, `${place.target}: ${bytes} bytes are too long there`);
      const { account, network, name, kind, id } = place;
      const dry = { v: 1, type: 'dry-run', target: place.target, account, network, name, kind, bytes };
      const what = `${'path' in content ? content.path : `${bytes} bytes`}${inParts ? ' in parts' : ''}`;
      const line = `would send ${what} by ${account} (${network}) to ${name} <${id}>`;
      await io.print(order.json ? jsonLine({ ...dry, ...(inParts && { split: true }) }) : line);
      codes.push(exit.ok);
    } catch (error) {
      if (error instanceof VerbError) io.say(error.message);
      codes.push(error instanceof VerbError ? error.exitCode : tell(failureOf(error), io));
    }
  }
  return worst(codes);
}

/** To all targets at once, in their order; the hub keeps the order within each conversation. */
async function sendAll(
  link: LinkClient,
  order: Order,
  content: Content,
  key: string | undefined,
  io: Io,
): Promise<Sent> {
  const { wait, timeout } = order;
  const delivery: Delivery = { content, wait, timeout, key };
  const codes: number[] = [];
  const outcomes: Outcome[] = [];
  const begin = (target: string): Promise<Outcome> => deliver(link, delivery, target, io.signal);
  const under = order.failFast ? [] : order.targets.map(begin);
  for (const [at, target] of order.targets.entries()) {
    const outcome = await (under[at] ?? begin(target));
    outcomes.push(outcome);
    const code = await conclude(outcome, order, io);
    codes.push(code);
    if (code !== exit.ok && order.failFast) break;
  }
  return { code: io.signal.aborted ? Math.max(...codes) : worst(codes), outcomes };
}

async function sendFile(order: Order, file: string, io: Io): Promise<number> {
  if (file !== '-') {
    const path = resolvePath(file);
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found?.isFile()) throw new VerbError(exit.data, `${file} is not a file that can be read`);
    return (await send({ path }, order, io)).code;
  }
  if (io.stdin.isTTY) throw usage('--file -: pipe the file in');
  // A file made anew each time has another path each time, and the key is for the same file.
  if (order.key !== undefined) throw usage('--id and --file - do not go together');
  const { spool } = await import('./spool.ts');
  const spooled = await spool(io, order.name);
  const { code, outcomes } = await send({ path: spooled.path }, order, io);
  const needed = outcomes.some((outcome) => outcome.kind === 'receipt' && mayGoOut(outcome.receipt.state));
  if (!needed) await spooled.done();
  return code;
}

const mayGoOut = (state: string): boolean => state === 'queued' || state === 'sent' || state === 'unknown';
