import type { LinkClient } from '../link/client.ts';
import { LinkFailure } from '../link/client.ts';
import type { ContactView, ConversationKey, LinkError, MessageState, Receipt, Wait } from '../link/messages.ts';
import { exit, exitCodeOf, exitCodeOfState } from './exit.ts';
import { jsonLine, receiptJson } from './json.ts';
import { describe, type Io, stoppedCode } from './verb.ts';

export type Content = { readonly text: string; readonly split: boolean } | { readonly path: string };

export interface Delivery {
  readonly content: Content;
  readonly wait: Wait;
  /** Seconds. */
  readonly timeout: number;
  /** Under the same key the same goes out once. */
  readonly key: string | undefined;
}

/** What became of one target: the hub's receipt, or why it took nothing. `stopped`: a signal ended the wait. */
export type Outcome =
  | { readonly kind: 'receipt'; readonly receipt: Receipt; readonly stopped: boolean }
  | { readonly kind: 'refused'; readonly target: string; readonly error: LinkError };

/**
 * Sends to one target and waits. A signal before the message is in the outbox means that nothing is sent; after that it
 * goes its way, and what is known of it is told.
 */
export async function deliver(
  link: LinkClient,
  order: Delivery,
  target: string,
  signal: AbortSignal,
): Promise<Outcome> {
  // Not performance.now(), which a process that is over in a moment would have to load first.
  const start = process.uptime();
  const left = (): number => Math.max(0, order.timeout - (process.uptime() - start));
  try {
    const { contact, limits } = await link.call('resolve', { target, timeout: order.timeout }, signal);
    if (order.wait === 'delivered' && !limits.receipts) return { kind: 'refused', target, error: neverTold(contact) };
    const queued = await enqueue(link, order, contact.conversation);
    if (order.wait === 'queued') return { kind: 'receipt', receipt: queued, stopped: false };
    return await settle(link, order.wait, queued, left(), signal);
  } catch (error) {
    return { kind: 'refused', target, error: failureOf(error) };
  }
}

const neverTold = ({ network, target }: ContactView): LinkError => ({
  code: 'unsupported',
  message: `${network} does not tell when a message reaches ${target}; --wait accepted is what it can`,
});

async function enqueue(link: LinkClient, order: Delivery, conversation: ConversationKey): Promise<Receipt> {
  const { content, key } = order;
  const common = { conversation, wait: 'queued', timeout: order.timeout, ...(key !== undefined && { key }) } as const;
  return 'path' in content
    ? await link.call('files.send', { ...common, path: content.path })
    : await link.call('send', { ...common, text: content.text, split: content.split });
}

async function settle(
  link: LinkClient,
  wait: Wait,
  queued: Receipt,
  timeout: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const messages = queued.parts?.map(({ id }) => id) ?? (queued.id === undefined ? [] : [queued.id]);
  const now = (within: number): Promise<Receipt> => link.call('receipt', { messages, wait, timeout: within });
  try {
    const waiting = link.call('receipt', { messages, wait, timeout }, signal);
    return { kind: 'receipt', receipt: await waiting, stopped: false };
  } catch (error) {
    if (signal.aborted) return { kind: 'receipt', receipt: await now(0).catch(() => queued), stopped: true };
    const { code, message } = failureOf(error);
    // The hub took it and is gone: its next one goes on with it.
    const gone: LinkError = { code, message: `${message}; the message is in the outbox`, certain: false };
    return { kind: 'receipt', receipt: { ...queued, error: gone }, stopped: false };
  }
}

export function failureOf(error: unknown): LinkError {
  if (error instanceof LinkFailure) return error.detail;
  throw error;
}

/** Prints the receipt (`json`), says what is not as asked, and gives the exit code. */
export async function conclude(
  outcome: Outcome,
  { wait, json }: { readonly wait: Wait; readonly json: boolean },
  io: Io,
): Promise<number> {
  if (outcome.kind === 'refused') {
    const { target, error } = outcome;
    const account = target.includes(':') ? target.slice(0, target.indexOf(':')) : '';
    if (json) await io.print(jsonLine(receiptJson({ target, account, network: '', state: 'failed', error })));
    return tell(error, io, target);
  }
  const { receipt, stopped } = outcome;
  if (json) await io.print(jsonLine(receiptJson(receipt)));
  if (hasReached(receipt.state, wait)) return exit.ok;
  const { target, id, error, state } = receipt;
  if (stopped) {
    io.say(`${target}: stopped waiting for message ${id ?? ''}, ${howItStands(state)}`);
    return stoppedCode(io.signal);
  }
  io.say(`${target}: ${error ? describe(error) : howItStands(state)}`);
  if (state === 'queued' && id !== undefined) io.say(`${target}: message ${id} stays in the outbox (imux outbox)`);
  return exitCodeOfState(state, false, error?.code);
}

/** Says why, and of which target where the words do not name it, and gives the exit code. */
export function tell(error: LinkError, io: Io, target?: string): number {
  if (error.code === 'cancelled' && io.signal.aborted) {
    io.say('stopped; nothing was sent');
    return stoppedCode(io.signal);
  }
  const named = target === undefined || error.message.includes(target);
  io.say(named ? describe(error) : `${target}: ${describe(error)}`);
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

function howItStands(state: MessageState): string {
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
