import type { ChatId, MessageId, Nonce } from '../../adapters/contract.ts';
import { AdapterError, asAdapterError } from '../../adapters/errors.ts';
import type { Archive, Row, StoredError } from '../archive/types.ts';
import type { ConversationKey, MessageState } from '../link/messages.ts';
import { storedError } from './fault.ts';

/** One account's way out, bound to it. */
export interface Line {
  online(): boolean;
  /** Counts connections, so that a message on which one dies is told from one that merely waited. */
  epoch(): number;
  send(chat: ChatId, message: ToSend, signal: AbortSignal): Promise<MessageId>;
  /** Absent where the network cannot be asked whether a message arrived. */
  readonly lookup?: (chat: ChatId, nonce: Nonce) => Promise<MessageId | undefined>;
}

export interface ToSend {
  readonly text: string;
  readonly nonce: Nonce;
  readonly replyTo?: MessageId;
  /** A file in place of a text. */
  readonly path?: string;
}

export interface OutboxPort {
  readonly store: Pick<
    Archive,
    'settle' | 'requeue' | 'tried' | 'discard' | 'rewrite' | 'outbox' | 'get' | 'row' | 'pathOf'
  >;
  line(account: string): Line | undefined;
  /** A message's state changed: the fronts are to know. */
  changed(row: Row): void;
  /** Calls back after that many milliseconds; the result stops it. */
  after(ms: number, call: () => void): () => void;
}

/** A message under way. */
export interface Item {
  readonly row: number;
  readonly key: ConversationKey;
  readonly nonce: Nonce;
  text: string;
  readonly replyTo: MessageId | undefined;
  /** It may have gone out: the network is asked before it is sent again. */
  uncertain: boolean;
  /** The connection in which the last try failed for want of one. */
  failedIn: number | undefined;
  /** How many connections ended while it was being sent. */
  deaths: number;
  retries: number;
  /** Known, but perhaps not yet on disk. */
  outcome: Outcome | undefined;
}

export interface Outcome {
  readonly state: MessageState;
  readonly id?: MessageId;
  readonly error?: StoredError;
}

/** What a try ended in: settled for good, or to be tried again. `firm`: not before, even if the account reconnects. */
export type Next = 'settled' | { readonly afterMs: number; readonly firm: boolean };

export interface Attempts extends OutboxPort {
  tell(row: Row | undefined): void;
}

const deathLimit = 2;
const sendTimeoutMs = 120_000;
const firstRetryMs = 1_000;
const lastRetryMs = 5 * 60_000;

/** One try to bring a message to its network, on record before and after. */
export async function attempt(port: Attempts, line: Line, item: Item): Promise<Next> {
  try {
    if (item.outcome) return conclude(port, item, item.outcome);
    countDeath(port, line, item);
    if (item.uncertain) {
      const next = await lookUp(port, line, item);
      if (next) return next;
    }
    if (item.deaths >= deathLimit) return conclude(port, item, { state: 'failed', error: poisoned });
    return await send(port, line, item);
  } catch (error) {
    // The disk refused the new state. The message stays where it is: nothing is sent that is not on record.
    if (!(error instanceof Error && error.name === 'ArchiveError'))
      item.outcome ??= { state: 'unknown', error: storedError(asAdapterError(error)) };
    return later(item);
  }
}

async function send(port: Attempts, line: Line, item: Item): Promise<Next> {
  const conversation = port.store.get(item.key);
  if (!conversation) return conclude(port, item, { state: 'failed', error: gone });
  const path = port.store.pathOf(item.row);
  port.tell(port.store.settle(item.row, 'sent'));
  const message: ToSend = {
    text: item.text,
    nonce: item.nonce,
    ...(item.replyTo === undefined ? {} : { replyTo: item.replyTo }),
    ...(path === undefined ? {} : { path }),
  };
  try {
    const id = await limited(port, (signal) => line.send(conversation.chat, message, signal));
    item.outcome = { state: 'accepted', id };
  } catch (thrown) {
    if (!item.outcome) return refused(port, line, item, asAdapterError(thrown));
  }
  return conclude(port, item, item.outcome);
}

/** What to do after a try that did not succeed. */
function refused(port: Attempts, line: Line, item: Item, error: AdapterError): Next {
  if (error.code === 'unreachable' || error.code === 'protocol') item.failedIn = line.epoch();
  if (!error.certain) {
    if (!line.lookup) return conclude(port, item, { state: 'unknown', error: storedError(error) });
    item.uncertain = true;
    return later(item, error.retryAfter);
  }
  switch (error.code) {
    case 'unreachable':
    case 'rate-limited':
      putBack(port, item, storedError(error));
      return later(item, error.retryAfter);
    case 'auth':
    case 'refused':
    case 'host-unknown':
    case 'not-found':
    case 'bad-data':
    case 'too-long':
    case 'unsupported':
    case 'protocol':
      return conclude(port, item, { state: 'failed', error: storedError(error) });
  }
}

/** Asks the network; undefined where the message did not arrive and may be sent again. */
async function lookUp(port: Attempts, line: Line, item: Item): Promise<Next | undefined> {
  const { lookup } = line;
  const conversation = port.store.get(item.key);
  if (!lookup || !conversation) return conclude(port, item, { state: 'unknown', error: unsure });
  try {
    const id = await limited(port, () => lookup(conversation.chat, item.nonce));
    if (id !== undefined) item.outcome = { state: 'accepted', id };
  } catch (thrown) {
    const error = asAdapterError(thrown);
    if (error.code === 'unreachable' || error.code === 'rate-limited') return later(item, error.retryAfter);
    item.outcome ??= { state: 'unknown', error: unsure };
  }
  if (item.outcome) return conclude(port, item, item.outcome);
  item.uncertain = false;
  putBack(port, item, unsure);
  return undefined;
}

/** From `sent` back to `queued`, with the reason; on record as failed in between, told to nobody. */
function putBack(port: Attempts, item: Item, error: StoredError): void {
  port.store.settle(item.row, 'failed', { error });
  port.tell(port.store.requeue(item.row, error === unsure ? undefined : error));
}

/** A connection that ended on the message counts against it, once the next one is up. */
function countDeath(port: Attempts, line: Line, item: Item): void {
  if (item.failedIn === undefined || item.failedIn === line.epoch()) return;
  item.failedIn = undefined;
  item.deaths = port.store.tried(item.row);
}

function conclude(port: Attempts, item: Item, outcome: Outcome): Next {
  item.outcome = outcome;
  const { state, ...details } = outcome;
  port.tell(port.store.settle(item.row, state, details));
  return 'settled';
}

/** After the network's own figure where it gave one, else doubling from 1 s to 5 min. */
function later(item: Item, retryAfterSeconds?: number): Next {
  const ms = Math.min(lastRetryMs, firstRetryMs * 2 ** item.retries);
  item.retries += 1;
  return retryAfterSeconds === undefined
    ? { afterMs: ms, firm: false }
    : { afterMs: retryAfterSeconds * 1000, firm: true };
}

/** An adapter that never answers must not hold its conversation for ever. */
async function limited<T>(port: Attempts, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const late = Promise.withResolvers<never>();
  const stop = port.after(sendTimeoutMs, () => {
    const error = new AdapterError('unreachable', 'the network did not answer in time', { certain: false });
    late.reject(error);
    controller.abort(error);
  });
  try {
    return await Promise.race([call(controller.signal), late.promise]);
  } finally {
    stop();
  }
}

const poisoned: StoredError = {
  code: 'refused',
  message: 'the connection broke twice while this was being sent, so it is held back; retry it by hand',
};
const gone: StoredError = { code: 'not-found', message: 'the conversation is gone' };
const unsure: StoredError = {
  code: 'unreachable',
  message: 'the connection was lost while this was being sent, and the network cannot be asked whether it arrived',
  certain: false,
};
