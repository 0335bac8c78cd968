import { Element, xml } from '@xmpp/xml';
import type { Presence } from '../contract.ts';
import { NS } from './xml.ts';

export interface Outgoing {
  readonly to: string;
  readonly type: 'chat' | 'groupchat';
  readonly id: string;
  readonly text: string;
  /** A private message to someone in a room (XEP-0045 7.5). */
  readonly inRoom?: boolean;
  readonly reply?: { readonly id: string; readonly to?: string; readonly quoted?: string };
  readonly replaces?: string;
  /** The text is the address of an uploaded file (XEP-0066). */
  readonly url?: boolean;
}

/** A message with a body. `id` is the origin id as well, by which our copy pairs with an echo (XEP-0359). */
export function message(out: Outgoing): Element {
  const stanza = new Element('message', { to: out.to, type: out.type, id: out.id });
  const quote = out.reply?.quoted === undefined ? '' : quoteOf(out.reply.quoted);
  stanza.append(xml('body', {}, quote + out.text), xml('origin-id', { xmlns: NS.sid, id: out.id }));
  if (out.type === 'chat') {
    stanza.append(xml('request', { xmlns: NS.receipts }), xml('markable', { xmlns: NS.markers }));
    stanza.append(xml('active', { xmlns: NS.chatStates }));
  }
  if (out.inRoom) stanza.append(xml('x', { xmlns: NS.mucUser }));
  if (out.replaces) stanza.append(xml('replace', { xmlns: NS.correct, id: out.replaces }));
  if (out.reply) stanza.append(xml('reply', { xmlns: NS.reply, id: out.reply.id, to: out.reply.to }));
  if (quote) {
    const range = xml('body', { start: 0, end: [...quote].length });
    stanza.append(xml('fallback', { xmlns: NS.fallback, for: NS.reply }, range));
  }
  if (out.url) stanza.append(xml('x', { xmlns: NS.oob }, xml('url', {}, out.text)));
  return stanza;
}

/** What clients without XEP-0461 show of the message answered. */
function quoteOf(text: string): string {
  const lines = text.split('\n', 3).map((line) => `> ${line.slice(0, 160)}\n`);
  return lines.join('');
}

function bodiless(to: string, type: Outgoing['type'], id: string, ...parts: readonly Element[]): Element {
  const stanza = new Element('message', { to, type, id });
  stanza.append(...parts);
  return stanza;
}

const hint = (name: 'store' | 'no-store'): Element => xml(name, { xmlns: NS.hints });

export function typing(to: string, type: Outgoing['type'], id: string, active: boolean): Element {
  return bodiless(to, type, id, xml(active ? 'composing' : 'paused', { xmlns: NS.chatStates }), hint('no-store'));
}

export function receipt(to: string, id: string, of: string): Element {
  return bodiless(to, 'chat', id, xml('received', { xmlns: NS.receipts, id: of }), hint('store'));
}

export function displayed(to: string, type: Outgoing['type'], id: string, of: string): Element {
  return bodiless(to, type, id, xml('displayed', { xmlns: NS.markers, id: of }), hint('store'));
}

export function retraction(to: string, type: Outgoing['type'], id: string, of: string): Element {
  const parts = [
    xml('retract', { xmlns: NS.retract, id: of }),
    xml('fallback', { xmlns: NS.fallback, for: NS.retract }),
    xml('body', {}, '/me took back a message, which your client cannot remove.'),
    hint('store'),
  ];
  return bodiless(to, type, id, ...parts);
}

export function reactions(
  to: string,
  type: Outgoing['type'],
  id: string,
  of: string,
  emoji: readonly string[],
): Element {
  const all = emoji.map((text) => xml('reaction', {}, text));
  return bodiless(to, type, id, xml('reactions', { xmlns: NS.reactions, id: of }, ...all), hint('store'));
}

const shows = { online: undefined, away: 'away', busy: 'dnd' } as const;

export function presence(state: Exclude<Presence, 'offline' | 'unknown'>, note?: string, to?: string): Element {
  const show = shows[state];
  return xml('presence', { to }, show && xml('show', {}, show), note && xml('status', {}, note));
}

export function blocking(jid: string, blocked: boolean): Element {
  return xml(blocked ? 'block' : 'unblock', { xmlns: NS.blocking }, xml('item', { jid }));
}
