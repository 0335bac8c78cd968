import { resolve as resolvePath } from 'node:path';
import type { LinkClient } from '../link/client.ts';
import { LinkFailure } from '../link/client.ts';
import type { LinkError, MessageState, Receipt, Wait } from '../link/messages.ts';
import { exit, exitCodeOf, exitCodeOfState, worst } from './exit.ts';
import { jsonLine, receiptJson } from './json.ts';
import { readLines, readText } from './stdin.ts';
import { describe, type Io, readArgs, usage, VerbError } from './verb.ts';

export const help = `Usage: imux send [OPTIONS] TARGET [TARGET…] [-- TEXT…]

Sends TEXT, or standard input where there is no TEXT, to each target.
A target is ACCOUNT:ADDRESS (work:alice@example.org, libera:#imux, tg:@name), or the
name of a contact, where only one account has it.

  -m, --message TEXT   the text, instead of -- TEXT
      --lines          a message for each line of standard input, as it comes
      --file PATH      a file, where the network can
      --wait STATE     queued | accepted (by the server; default) | delivered (to the contact)
      --timeout SEC    how long to wait for that (default 30)
      --id KEY         the same KEY and text never goes out twice
      --split          a text over the network's limit goes out in parts
      --allow-empty    do not refuse an empty text
      --fail-fast      stop at the first target that fails
      --dry-run        say what would be sent, by which account, to whom
      --json           a receipt for each target, one JSON object a line

Exit codes: 0 done · 64 usage · 65 bad text or target · 67 no such contact or room ·
68 host unknown · 69 account or hub down · 74 disk · 75 not now, or outcome unknown ·
76 protocol or TLS · 77 wrong credentials or forbidden. Several targets: the worst, 75
where any may still go out.

Examples:
  echo hello | imux send work:alice@example.org
  imux send libera:#ops -- the build is green
  tail -f app.log | imux send --lines libera:#ops
  imux send --wait delivered --id "backup-$(date +%F)" work:me@example.org -m 'backup done'
`;

const options = {
  message: { type: 'string', short: 'm' },
  lines: { type: 'boolean' },
  file: { type: 'string' },
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
  if (order.lines) return await sendLines(order, io);
  if (order.file === undefined && order.text === undefined && io.stdin.isTTY) {
    throw usage('no text: give -- TEXT or -m TEXT, or pipe it in');
  }
  const text = order.file === undefined ? (order.text ?? (await readText(io.stdin))) : '';
  if (order.file === undefined) refuseBad(text, order.allowEmpty);
  const link = await io.hub();
  try {
    return order.dryRun ? await rehearse(link, order, text, io) : await sendAll(link, order, text, io);
  } finally {
    link.close();
  }
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
  return {
    targets,
    text: texts[0],
    lines: values.lines ?? false,
    file: values.file,
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

export function readSeconds(value: string): number {
  const seconds = Number(value);
  if (!/^\d+(\.\d+)?$/.test(value) || seconds > 86_400 * 7) throw usage(`"${value}" is not a number of seconds`);
  return seconds;
}

function refuseBad(text: string, allowEmpty: boolean): void {
  if (text === '' && !allowEmpty)
    throw new VerbError(exit.data, 'the text is empty (--allow-empty sends it all the same)');
  if (text.includes('\0')) throw new VerbError(exit.data, 'the text holds a NUL character');
}

async function rehearse(link: LinkClient, order: Order, text: string, io: Io): Promise<number> {
  const codes: number[] = [];
  for (const target of order.targets) {
    try {
      const { contact } = await link.call('resolve', { target }, io.signal);
      const what = order.file === undefined ? `${Buffer.byteLength(text)} bytes` : order.file;
      const dry = { v: 1, type: 'dry-run', target: contact.target, account: contact.account, network: contact.network };
      await io.print(
        order.json
          ? jsonLine(dry)
          : `would send ${what} by ${contact.account} (${contact.network}) to ${contact.name} <${contact.id}>`,
      );
      codes.push(exit.ok);
    } catch (error) {
      codes.push(tell(failureOf(error), io));
    }
  }
  return worst(codes);
}

async function sendAll(link: LinkClient, order: Order, text: string, io: Io): Promise<number> {
  const codes: number[] = [];
  if (order.failFast) {
    for (const target of order.targets) {
      const code = await conclude(await sendOne(link, order, target, text, io), order, io);
      codes.push(code);
      if (code !== exit.ok) break;
    }
    return worst(codes);
  }
  const receipts = order.targets.map((target) => sendOne(link, order, target, text, io));
  for (const receipt of receipts) codes.push(await conclude(await receipt, order, io));
  return worst(codes);
}

/** What became of one target: the hub's receipt, or why it took none. */
type Outcome = { readonly receipt: Receipt } | { readonly target: string; readonly error: LinkError };

async function sendOne(link: LinkClient, order: Order, target: string, text: string, io: Io): Promise<Outcome> {
  const { wait, timeout, key, split } = order;
  try {
    const receipt =
      order.file === undefined
        ? await link.call('send', { target, text, wait, timeout, split, ...(key !== undefined && { key }) }, io.signal)
        : await link.call('files.send', { target, path: resolvePath(order.file), wait, timeout }, io.signal);
    return { receipt };
  } catch (error) {
    return { target, error: failureOf(error) };
  }
}

function failureOf(error: unknown): LinkError {
  if (error instanceof LinkFailure) return error.detail;
  throw error;
}

/** Says what became of it and gives the exit code. */
async function conclude(outcome: Outcome, order: Order, io: Io): Promise<number> {
  if ('error' in outcome) {
    const [account = '', ...rest] = outcome.target.split(':');
    const named = rest.length > 0 ? account : '';
    const receipt = {
      target: outcome.target,
      account: named,
      network: '',
      state: 'failed' as const,
      error: outcome.error,
    };
    if (order.json) await io.print(jsonLine(receiptJson(receipt)));
    return tell(outcome.error, io);
  }
  const { receipt } = outcome;
  if (order.json) await io.print(jsonLine(receiptJson(receipt)));
  if (hasReached(receipt.state, order.wait)) return exit.ok;
  io.say(`${receipt.target}: ${receipt.error ? describe(receipt.error) : unfinished(receipt.state)}`);
  return exitCodeOfState(receipt.state, false, receipt.error?.code);
}

function tell(error: LinkError, io: Io): number {
  io.say(describe(error));
  return exitCodeOf(error.code);
}

const rank: Readonly<Record<MessageState, number>> = {
  failed: -2,
  unknown: -1,
  queued: 0,
  sent: 1,
  accepted: 2,
  delivered: 3,
  read: 4,
};

function hasReached(state: MessageState, wait: Wait): boolean {
  return rank[state] >= rank[wait];
}

function unfinished(state: MessageState): string {
  switch (state) {
    case 'queued':
      return 'not sent yet; it is queued and goes out as soon as it can';
    case 'sent':
    case 'unknown':
      return 'sent, but nobody knows whether it arrived; it is not sent again by itself';
    case 'accepted':
    case 'delivered':
    case 'read':
      return 'accepted by the server, but not yet delivered to the contact';
    case 'failed':
      return 'failed';
  }
}

/** A message for each line; the next line is read only when the one before is done, so a fast pipe is held back. */
async function sendLines(order: Order, io: Io): Promise<number> {
  if (order.dryRun) throw usage('--lines and --dry-run do not go together');
  const link = await io.hub();
  const codes: number[] = [];
  try {
    let count = 0;
    for await (const line of readLines(io.stdin)) {
      if (io.signal.aborted) break;
      if (line === '' && !order.allowEmpty) continue;
      refuseBad(line, order.allowEmpty);
      count += 1;
      const keyed = order.key === undefined ? order : { ...order, key: `${order.key}-${count}` };
      const code = await sendAll(link, keyed, line, io);
      if (!codes.includes(code)) codes.push(code);
      if (code !== exit.ok && order.failFast) break;
    }
    return worst(codes);
  } finally {
    link.close();
  }
}
