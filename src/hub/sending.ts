import { randomUUID } from 'node:crypto';
import type { FileId, MessageId, Nonce } from '../../adapters/contract.ts';
import type { Outgoing, Row } from '../archive/types.ts';
import { Fault } from '../core/fault.ts';
import { fits, split } from '../core/split.ts';
import { type Entry, targetOf } from '../core/state.ts';
import { messageView, unreadOf } from '../core/views.ts';
import type { Params, Receipt, Result, Wait } from '../link/messages.ts';
import type { Accounts, Running } from './accounts.ts';
import { fileToSend } from './files.ts';
import type { HubParts } from './parts.ts';
import { receiptOf } from './receipts.ts';
import { type Resolving, whyNever } from './resolving.ts';

export interface Sending {
  send(params: Params<'send'>): Promise<Receipt>;
  sendFile(params: Params<'files.send'>): Promise<Receipt>;
  /** What became of messages that were sent before. */
  receipt(params: Params<'receipt'>): Promise<Receipt>;
  edit(params: Params<'outbox.edit'>): Promise<Result<'outbox.edit'>>;
}

const longestSeconds = 7 * 24 * 60 * 60;

/** Texts and files on their way in: refused at once, or on record before anybody is told that they were taken. */
export function createSending(parts: HubParts, accounts: Accounts, resolving: Resolving): Sending {
  const { archive, core, outbox } = parts;

  const enqueue = (entry: Entry, message: Omit<Outgoing, 'key' | 'nonce' | 'at'>): Row => {
    const at = parts.clock.now();
    const { row, fresh } = archive.enqueue({ ...message, key: entry.key, nonce: randomUUID() as Nonce, at });
    if (!fresh) return row;
    if (at > entry.last) entry.last = at;
    parts.publish([{ type: 'message', message: messageView(core, row), live: true }, unreadOf(entry)]);
    outbox.add(row);
    return row;
  };

  const receipt = async (entry: Entry, rows: readonly Row[], wait: Wait, timeout: AbortSignal): Promise<Receipt> => {
    const gone = new AbortController();
    const off = accounts.onStatus((account) => {
      if (account === entry.account && whyNever(account)) gone.abort();
    });
    try {
      const signal = AbortSignal.any([timeout, gone.signal]);
      const now = await Promise.all(rows.map((row) => outbox.settled(row.row, wait, signal)));
      return receiptOf(entry, now, wait);
    } finally {
      off();
    }
  };

  return {
    async send(params) {
      const timeout = timeoutOf(params.timeout);
      refuseBadWait(params.wait);
      const text = clean(params.text);
      const entry = await resolving.destination(params, timeout);
      const running = refuseHopeless(accounts.of(entry));
      refuseVainWait(running, entry, params.wait);
      const texts = partsOf(running, entry, text, params.split ?? false);
      const replyTo = answered(parts, entry, params.replyTo);
      const orders = texts.map((part, at) => ({
        text: part,
        ...(replyTo === undefined || at > 0 ? {} : { replyTo }),
        ...(params.key === undefined ? {} : { scriptKey: at === 0 ? params.key : `${params.key}#${at + 1}` }),
      }));
      for (const order of orders) refuseOtherText(parts, entry, order);
      return await receipt(
        entry,
        orders.map((order) => enqueue(entry, order)),
        params.wait,
        timeout,
      );
    },
    async sendFile(params) {
      const timeout = timeoutOf(params.timeout);
      refuseBadWait(params.wait);
      const file = fileToSend(params.path);
      const entry = await resolving.destination(params, timeout);
      const running = refuseHopeless(accounts.of(entry));
      const { account } = running;
      refuseVainWait(running, entry, params.wait);
      if (!account.facets.has('files'))
        throw new Fault('unsupported', `${account.network} cannot send files here (${targetOf(entry)})`);
      const most = account.limits(entry.chat).fileBytes;
      if (most !== undefined && file.bytes > most)
        throw new Fault('too-long', `${file.name} has ${file.bytes} bytes; ${account.name} takes at most ${most}`);
      // Until the network has given the file its id, the path stands for it.
      const files = [{ ...file, id: params.path as FileId }];
      const order = {
        text: '',
        path: params.path,
        files,
        ...(params.key === undefined ? {} : { scriptKey: params.key }),
      };
      refuseOtherText(parts, entry, order);
      return await receipt(entry, [enqueue(entry, order)], params.wait, timeout);
    },
    async receipt(params) {
      refuseBadWait(params.wait);
      const rows = params.messages.map((message) => ownRow(parts, message));
      const [first] = rows;
      if (!first || rows.some(({ key }) => key !== first.key))
        throw new Fault('bad-data', 'a receipt is of messages of one conversation');
      return await receipt(resolving.entry(first.key), rows, params.wait, timeoutOf(params.timeout));
    },
    async edit({ message, text }) {
      const row = ownRow(parts, message);
      const entry = resolving.entry(row.key);
      const [only = '', ...more] = partsOf(accounts.of(entry), entry, clean(text), false);
      if (only === '' || more.length > 0)
        throw new Fault('bad-data', 'the text is empty; imux outbox discard drops it');
      if (row.files.length > 0) throw new Fault('bad-data', `message ${message} is a file, which has no text`);
      const view = messageView(core, outbox.edit(row.row, only));
      parts.publish([{ type: 'message-changed', message: view, what: 'edited' }]);
      return { message: view };
    },
  };
}

/** Aborts after that many seconds, a week at most. */
export function timeoutOf(seconds: number): AbortSignal {
  return AbortSignal.timeout(Math.round(Math.min(Math.max(seconds, 0), longestSeconds) * 1000));
}

function refuseBadWait(wait: Wait): void {
  if (wait !== 'queued' && wait !== 'accepted' && wait !== 'delivered')
    throw new Fault('usage', `wait is queued, accepted or delivered, not "${String(wait)}"`);
}

/** Nobody waits for what the network never tells. */
function refuseVainWait({ account }: Running, entry: Entry, wait: Wait): void {
  if (wait !== 'delivered' || account.limits(entry.chat).receipts) return;
  const why = `${account.network} does not tell when a message reaches ${targetOf(entry)}; wait for accepted`;
  throw new Fault('unsupported', why);
}

/** CR LF is one line's end; other control characters would break a network's wire or the terminal that shows them. */
function clean(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n');
  const bad = /[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]/.exec(lines);
  if (bad) {
    const code = (bad[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    throw new Fault('bad-data', `the text holds the control character U+${code} (at ${bad.index}); take it out`);
  }
  if (!lines.isWellFormed()) throw new Fault('bad-data', 'the text is not valid Unicode: half of a surrogate pair');
  return lines;
}

function refuseHopeless(running: Running): Running {
  const why = whyNever(running.entry);
  if (why) throw why;
  return running;
}

function partsOf({ account }: Running, entry: Entry, text: string, mayCut: boolean): readonly string[] {
  const limits = account.limits(entry.chat);
  if (fits(text, limits)) return [text];
  if (mayCut) return split(text, limits);
  const most = limits.textChars === undefined ? `${limits.textBytes} bytes` : `${limits.textChars} characters`;
  throw new Fault(
    'too-long',
    `the text is too long for ${targetOf(entry)}: at most ${most}; --split sends it in parts`,
  );
}

function answered({ archive }: HubParts, entry: Entry, replyTo: string | undefined): MessageId | undefined {
  if (replyTo === undefined) return undefined;
  const row = archive.row(rowNumber(replyTo));
  if (row?.key !== entry.key || row.id === undefined)
    throw new Fault('not-found', `no message ${replyTo} to answer in ${targetOf(entry)}`);
  return row.id;
}

/** Ids of messages are decimal rows of the archive. @throws Fault `not-found` */
export function rowNumber(id: string): number {
  if (!/^\d{1,15}$/.test(id)) throw new Fault('not-found', `"${id}" is no message's id`);
  return Number(id);
}

function ownRow({ archive }: HubParts, message: string): Row {
  const row = archive.row(rowNumber(message));
  if (row?.state === undefined) throw new Fault('not-found', `no message ${message} of your own`);
  return row;
}

/** The same key means the same message: to another conversation or with another text it is a mistake. */
function refuseOtherText(
  { archive }: HubParts,
  entry: Entry,
  order: { readonly text: string; readonly path?: string; readonly scriptKey?: string },
): void {
  if (order.scriptKey === undefined) return;
  const before = archive.byScriptKey(order.scriptKey);
  const same = before?.text === order.text && (before && archive.pathOf(before.row)) === order.path;
  if (!before || (before.key === entry.key && same)) return;
  const what = before.key !== entry.key ? 'another target' : order.path === undefined ? 'another text' : 'another file';
  throw new Fault('bad-data', `the id "${order.scriptKey}" was used before, for ${what}`);
}
