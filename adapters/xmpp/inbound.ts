import { createHash } from 'node:crypto';
import { Element } from '@xmpp/xml';
import { bare, full } from './jid.ts';
import { child, childText, elements, NS } from './xml.ts';

export type ChatState = 'active' | 'composing' | 'paused' | 'inactive' | 'gone';

/** What one message stanza says, gathered in one pass over its children. Addresses are canonical, times are not yet judged. */
export interface Reading {
  readonly type: string;
  /** Full address; empty where the stanza names none, which means our own server. */
  readonly from: string;
  readonly to: string;
  readonly id: string;
  body: string | undefined;
  subject: string | undefined;
  originId: string | undefined;
  /** XEP-0359 ids as written; only those by an entity that announces the feature may be believed. */
  stanzaIds: readonly { readonly by: string; readonly id: string }[];
  occupant: string | undefined;
  stamp: string | undefined;
  state: ChatState | undefined;
  wantsReceipt: boolean;
  markable: boolean;
  received: string | undefined;
  displayed: string | undefined;
  replaces: string | undefined;
  retracts: string | undefined;
  reactions: { readonly id: string; readonly emoji: readonly string[] } | undefined;
  reply: { readonly id: string; readonly to: string | undefined } | undefined;
  /** Code point ranges of the body that only repeat what `reply` says (XEP-0428). */
  quoted: readonly { readonly start: number; readonly end: number }[];
  url: string | undefined;
  /** A message of or about a room: in `chat` messages it marks a private one. */
  mucUser: Element | undefined;
  invite: Element | undefined;
  carbon: { readonly sent: boolean; readonly message: Element } | undefined;
  archived: Element | undefined;
}

const none: readonly never[] = [];

export function readMessage(stanza: Element): Reading {
  const { type = 'normal', from, to, id = '' } = stanza.attrs;
  const reading: Reading = {
    type,
    from: from ? full(from) : '',
    to: to ? full(to) : '',
    id: id.slice(0, 512),
    body: undefined,
    subject: undefined,
    originId: undefined,
    stanzaIds: none,
    occupant: undefined,
    stamp: undefined,
    state: undefined,
    wantsReceipt: false,
    markable: false,
    received: undefined,
    displayed: undefined,
    replaces: undefined,
    retracts: undefined,
    reactions: undefined,
    reply: undefined,
    quoted: none,
    url: undefined,
    mucUser: undefined,
    invite: undefined,
    carbon: undefined,
    archived: undefined,
  };
  for (const node of stanza.children) if (node instanceof Element) readPart(reading, node);
  return reading;
}

function readPart(reading: Reading, node: Element): void {
  const name = node.getName();
  switch (node.getNS()) {
    case undefined:
    case NS.client:
      if (name === 'body') reading.body ??= node.getText();
      else if (name === 'subject') reading.subject ??= node.getText();
      return;
    case NS.receipts:
      if (name === 'request') reading.wantsReceipt = true;
      else if (name === 'received') reading.received = node.attrs.id;
      return;
    case NS.markers:
      if (name === 'markable') reading.markable = true;
      else if (name === 'displayed') reading.displayed = node.attrs.id;
      return;
    case NS.chatStates:
      if (isChatState(name)) reading.state = name;
      return;
    case NS.sid:
      readStanzaId(reading, name, node);
      return;
    case NS.delay:
      reading.stamp ??= node.attrs.stamp;
      return;
    case NS.occupant:
      reading.occupant ??= node.attrs.id;
      return;
    case NS.carbons:
      if (name === 'sent' || name === 'received') reading.carbon ??= readCarbon(node, name === 'sent');
      return;
    default:
      readRare(reading, name, node);
  }
}

function readRare(reading: Reading, name: string, node: Element): void {
  switch (node.getNS()) {
    case NS.correct:
      if (name === 'replace') reading.replaces = node.attrs.id;
      return;
    case NS.retract:
      if (name === 'retract') reading.retracts = node.attrs.id;
      return;
    case NS.reactions:
      if (name === 'reactions' && node.attrs.id) reading.reactions = readReactions(node, node.attrs.id);
      return;
    case NS.reply:
      if (name === 'reply' && node.attrs.id) reading.reply = { id: node.attrs.id, to: node.attrs.to };
      return;
    case NS.fallback:
      if (node.attrs.for === NS.reply) reading.quoted = readRanges(node);
      return;
    case NS.oob:
      reading.url ??= childText(node, 'url');
      return;
    case NS.mucUser:
      reading.mucUser ??= node;
      return;
    case NS.conference:
      reading.invite ??= node;
      return;
    case NS.mam:
      if (name === 'result') reading.archived ??= node;
      return;
  }
}

function isChatState(name: string): name is ChatState {
  return name === 'active' || name === 'composing' || name === 'paused' || name === 'inactive' || name === 'gone';
}

function readStanzaId(reading: Reading, name: string, node: Element): void {
  const { id, by } = node.attrs;
  if (!id) return;
  if (name === 'origin-id') reading.originId ??= id;
  else if (name === 'stanza-id' && by) reading.stanzaIds = [...reading.stanzaIds, { by: bare(by), id }];
}

/** The stanza within `<forwarded/>` (XEP-0297), and when it was sent. */
export function readForwarded(wrapper: Element): { message: Element; stamp: string | undefined } | undefined {
  const forwarded = child(wrapper, 'forwarded', NS.forward);
  const message = forwarded && elements(forwarded).find((node) => node.getName() === 'message');
  if (!forwarded || !message) return undefined;
  return { message, stamp: child(forwarded, 'delay', NS.delay)?.attrs.stamp };
}

function readCarbon(node: Element, sent: boolean): Reading['carbon'] {
  const forwarded = readForwarded(node);
  return { sent, message: forwarded?.message ?? node };
}

function readReactions(node: Element, id: string): NonNullable<Reading['reactions']> {
  const emoji = elements(node).map((reaction) => reaction.getText().trim());
  return { id, emoji: [...new Set(emoji.filter((text) => text && text.length <= 64))].slice(0, 32) };
}

function readRanges(node: Element): Reading['quoted'] {
  return elements(node)
    .filter((part) => part.getName() === 'body')
    .map((part) => ({ start: Number(part.attrs.start ?? 0), end: Number(part.attrs.end ?? Number.MAX_SAFE_INTEGER) }))
    .filter(({ start, end }) => Number.isInteger(start) && Number.isInteger(end) && start >= 0 && end > start);
}

/** The body without what older clients need in place of `reply`; positions count code points (XEP-0428 section 3). */
export function ownText(reading: Reading): string {
  const body = reading.body ?? '';
  if (!reading.reply || reading.quoted.length === 0) return body;
  const points = [...body];
  const kept = points.filter((_, at) => !reading.quoted.some(({ start, end }) => at >= start && at < end));
  return kept.length > 0 ? kept.join('') : body;
}

const day = 86_400_000;
/** What was said longer ago than this before it came is no news, however it came. */
const newsMs = 5 * 60_000;

export const isNews = (reading: Reading, now: number): boolean =>
  reading.stamp === undefined || now - sentAt(reading.stamp, now).getTime() < newsMs;

/** When it was sent: what an honest delay stamp (XEP-0203) says, else now. Nothing comes from the future. */
export function sentAt(stamp: string | undefined, now: number): Date {
  // XEP-0082: anything else Date.parse reads by rules of its own.
  const at = stamp !== undefined && /^\d{4}-\d\d-\d\dT/.test(stamp) ? Date.parse(stamp) : Number.NaN;
  // XMPP began in 1999; an older stamp is a mistake or an attempt to hide a message.
  return new Date(Number.isNaN(at) || at > now + day || at < 915_148_800_000 ? now : Math.min(at, now));
}

/** The same message gets the same name each time it comes, where nobody gave it one. */
export function madeUpId(reading: Reading): string {
  const parts = [reading.from, reading.to, reading.stamp ?? '', reading.body ?? ''];
  return `imux-${createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32)}`;
}

/** XEP-0245: `/me` begins an action. */
export function readAction(text: string): { readonly text: string; readonly action: boolean } {
  return text.startsWith('/me ') ? { text: text.slice(4), action: true } : { text, action: false };
}
