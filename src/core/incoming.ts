import type { Attachment, Message } from '../../adapters/contract.ts';
import type { Row } from '../archive/types.ts';
import type { Change } from '../link/messages.ts';
import { nameOfUser, setTyping } from './people.ts';
import { entryFor } from './roster.ts';
import { sanitise, sanitiseLine } from './sanitise.ts';
import type { AccountEntry, Core, Entry } from './state.ts';
import { messageView, unreadOf } from './views.ts';

/** A clock that runs this far ahead of ours is not believed, in milliseconds. */
const leadLimit = 24 * 60 * 60 * 1000;

/** How a message came: see the `message` event of the contract. */
interface Arrival {
  readonly live: boolean;
  /** Not as missed, but read already: not counted. */
  readonly seen?: boolean;
}

/** Stores a message once and tells the fronts; what was stored before changes nothing. */
export function takeMessage(
  core: Core,
  account: AccountEntry,
  message: Message,
  now: number,
  out: Change[],
  { live, seen = false }: Arrival,
): void {
  const given = message.fromName ? sanitiseLine(message.fromName) : '';
  const entry = entryFor(core, account, message.chat, given, out);
  const row = storeMessage(core, entry, message, given, now, { live, seen });
  if (!row) return;
  // Who writes has read what stands above: this was said on another device.
  if (row.from === 'self' && entry.unread > 0) markRead(core, entry, row.row, out);
  if (entry.typing && row.from !== 'self') setTyping(account, message.chat, row.from, false, out);
  out.push({ type: 'message', message: messageView(core, row), live });
  out.push(unreadOf(entry));
}

/** A page of older messages asked for by the person: stored as read. Returns how many were new. */
export function takeHistory(
  core: Core,
  entry: Entry,
  messages: readonly Message[],
  now: number,
  out: Change[],
): number {
  let stored = 0;
  for (const message of messages) {
    const given = message.fromName ? sanitiseLine(message.fromName) : '';
    const row = storeMessage(core, entry, message, given, now, { live: false, seen: true });
    if (!row) continue;
    stored += 1;
    out.push({ type: 'message', message: messageView(core, row), live: false });
  }
  return stored;
}

function storeMessage(
  core: Core,
  entry: Entry,
  message: Message,
  givenName: string,
  now: number,
  { live, seen = false }: Arrival,
): Row | undefined {
  const { account } = entry;
  const self = message.from === 'self' || message.from === account.self;
  const text = sanitise(message.text);
  const unread = !seen && !self;
  const mention = !self && entry.kind === 'room' && (account.mention?.test(text) ?? false);
  const at = timeOf(message.at, now);
  const row = core.store.receive({
    key: entry.key,
    id: message.id,
    ...(message.nonce === undefined ? {} : { nonce: message.nonce }),
    from: self ? 'self' : message.from,
    fromName: givenName || (self || message.from === 'self' ? account.name : nameOfUser(entry, message.from)),
    at,
    text,
    ...(message.style ? { style: message.style } : {}),
    ...(message.replyTo === undefined ? {} : { replyTo: message.replyTo }),
    ...(message.files && message.files.length > 0 ? { files: message.files.map(cleanFile) } : {}),
    mention,
    unread,
    ...(live ? {} : { filled: seen ? ('older' as const) : ('missed' as const) }),
  });
  if (!row) return undefined;
  if (unread) {
    entry.unread += 1;
    if (mention) entry.mentions += 1;
  }
  if (at > entry.last) entry.last = at;
  return row;
}

/** Everything that stands up to a row (ours) is read; the counts follow the archive's. */
export function markRead(core: Core, entry: Entry, upTo: number, out: Change[]): void {
  const now = core.store.markRead(entry.key, upTo);
  if (!now || (now.unread === entry.unread && now.mentions === entry.mentions)) return;
  entry.unread = now.unread;
  entry.mentions = now.mentions;
  out.push(unreadOf(entry));
}

/** A stamp that no calendar holds, or from the future, becomes the time of arrival. */
export function timeOf(stamp: Date, now: number): number {
  const at = stamp.getTime();
  return at >= 0 && at <= now + leadLimit ? at : now;
}

export function cleanFile(file: Attachment): Attachment {
  return {
    id: file.id,
    name: sanitiseLine(file.name),
    ...(file.mime === undefined ? {} : { mime: sanitiseLine(file.mime) }),
    ...(file.bytes === undefined ? {} : { bytes: file.bytes }),
  };
}
