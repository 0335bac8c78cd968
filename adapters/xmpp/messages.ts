import type { Element } from '@xmpp/xml';
import type { ChatId } from '../contract.ts';
import type { Archives } from './archive.ts';
import { ownText, type Reading, readMessage } from './inbound.ts';
import { readMediated } from './invitations.ts';
import { bare, resource } from './jid.ts';
import { directPlace, roomPlace } from './place.ts';
import type { Receipts } from './receipts.ts';
import type { Requests } from './requests.ts';
import { type Room, toChat } from './room.ts';
import type { Rooms } from './rooms.ts';
import type { Roster } from './roster.ts';
import type { Sending } from './sending.ts';
import { readError } from './stanza-error.ts';
import type { Timeline } from './timeline.ts';
import type { Typing } from './typing.ts';
import { chatId, isAside, messageId, userId, type Wire } from './wire.ts';
import { child, NS } from './xml.ts';

export interface MessageNeeds {
  readonly roster: Roster;
  readonly rooms: Rooms;
  readonly timeline: Timeline;
  readonly sending: Sending;
  readonly receipts: Receipts;
  readonly typing: Typing;
  readonly requests: Requests;
  readonly archives: Archives;
}

/** Where messages go to and come from in one-to-one chats. */
export interface Direct {
  /** The device that answers a chat: where its next message must go, if not to the bare JID. */
  device(chat: ChatId): string | undefined;
}

/** Takes every message stanza to whom it concerns. */
export function messages(wire: Wire, needs: MessageNeeds): Direct & { take(stanza: Element): void } {
  const { roster, rooms, timeline, sending, receipts, typing, requests, archives } = needs;
  const introduced = new Set<string>();
  const devices = new Map<string, string>();

  /** A chat that is not in the contact list is made known before its first message. */
  const introduce = (chat: ChatId): void => {
    if (introduced.has(chat)) return;
    introduced.add(chat);
    const room = rooms.get(bare(chat));
    if (!room && roster.item(chat)) return;
    const title = room ? `${resource(chat)} (${room.title})` : chat;
    wire.host.emit({ type: 'chat', chat: { id: chat, kind: 'direct', address: chat, title } });
  };

  /** A private message in a room belongs to room/nick, never to the person behind it (XEP-0045 7.5). */
  const chatWith = (peer: string, reading: Reading): ChatId => {
    const address = bare(peer);
    const inRoom = rooms.get(address) || (reading.mucUser && !roster.item(address));
    return chatId(inRoom ? peer : address);
  };

  const direct = (reading: Reading, sent: boolean): void => {
    const peer = sent ? reading.to : reading.from;
    const own = sent || bare(reading.from) === wire.self;
    const chat = chatWith(own && !sent ? reading.to || wire.self : peer, reading);
    if (reading.received !== undefined && !own) receipts.delivered(chat, reading.received);
    if (reading.displayed !== undefined) receipts.displayed(chat, reading.displayed, own);
    if (reading.state && !own) typing.heard(chat, userId(chat), reading.state, reading.body !== undefined);
    const changes = reading.body ?? reading.retracts ?? reading.reactions;
    if (changes === undefined) return;
    introduce(chat);
    const place = directPlace(wire, chat, own, roster.item(chat)?.name);
    timeline.apply(reading, place);
    if (own) return;
    devices.set(chat, resource(reading.from));
    if (reading.wantsReceipt && reading.id && !sent) receipts.confirm(reading.from, reading.id);
  };

  const carbon = (reading: Reading, { sent, message }: NonNullable<Reading['carbon']>): void => {
    // XEP-0280 section 11: anyone else could put words into any mouth. What fails here is dropped as a whole.
    if (reading.from !== wire.self) return;
    const inner = readMessage(message);
    if (inner.carbon || inner.archived || inner.type === 'groupchat' || inner.type === 'error') return;
    if (sent ? bare(inner.from) !== wire.self : inner.from === '') return;
    direct(inner, sent);
  };

  const inRoom = (reading: Reading, room: Room): void => {
    const name = resource(reading.from);
    const self = name === room.nick && name !== '';
    if (reading.subject !== undefined && reading.body === undefined) {
      room.live = true;
      if ((reading.subject || undefined) === room.topic) return;
      room.topic = reading.subject || undefined;
      if (room.state === 'in') wire.host.emit({ type: 'chat', chat: toChat(room) });
      return;
    }
    if (reading.state && !self && name) {
      typing.heard(chatId(room.jid), userId(reading.from), reading.state, reading.body !== undefined);
    }
    const place = roomPlace(room, reading, name);
    if (room.state !== 'in') return;
    const message = timeline.apply(reading, place);
    if (self && message && reading.id) sending.reflected(reading.id, message.id);
  };

  const failed = (stanza: Element, reading: Reading): void => {
    if (sending.failed(stanza)) return;
    const room = rooms.get(bare(reading.from));
    if (room && readError(stanza).condition === 'not-acceptable') rooms.lost(room);
    if (!reading.id || isAside(reading.id) || !reading.from) return;
    const chat = room ? chatId(reading.from) : chatId(bare(reading.from));
    const { code, text } = readError(stanza);
    wire.host.emit({ type: 'bounced', chat, id: messageId(reading.id), code, text });
  };

  const single = (stanza: Element, reading: Reading): void => {
    const from = bare(reading.from);
    const byRoom = !resource(reading.from) && reading.mucUser;
    const mediated = byRoom ? readMediated(from, byRoom) : undefined;
    const { jid, reason, password } = reading.invite?.attrs ?? {};
    if (mediated) requests.invited(mediated);
    else if (jid) requests.invited({ room: bare(jid), from, reason, password });
    else if (rooms.get(from) && !resource(reading.from)) {
      // What a room itself says of its settings (status codes) is no message of a person.
    } else if (!child(stanza, 'event', NS.pubsubEvent)) direct(reading, false);
  };

  const take = (stanza: Element): void => {
    const reading = readMessage(stanza);
    const from = bare(reading.from);
    if (reading.type === 'error') failed(stanza, reading);
    else if (reading.archived) archives.result(reading.from, reading.archived);
    else if (reading.carbon) carbon(reading, reading.carbon);
    else if (from === '' || from === wire.domain) {
      if (reading.body) wire.host.emit({ type: 'notice', text: ownText(reading) });
    } else if (reading.type === 'groupchat') {
      const room = rooms.get(from);
      if (room) inRoom(reading, room);
    } else single(stanza, reading);
  };

  return { take, device: (chat) => devices.get(chat) };
}
