import type { Element } from '@xmpp/xml';
import type { ChatId } from '../contract.ts';
import type { CatchUp, Past } from './catch-up.ts';
import type { Displayed } from './displayed.ts';
import { isNews, ownText, type Reading, readMessage } from './inbound.ts';
import { readMediated } from './invitations.ts';
import { bare, resource } from './jid.ts';
import type { Mam } from './mam.ts';
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
import { child, elements, NS } from './xml.ts';

export interface MessageNeeds {
  readonly roster: Roster;
  readonly rooms: Rooms;
  readonly timeline: Timeline;
  readonly sending: Sending;
  readonly receipts: Receipts;
  readonly typing: Typing;
  readonly requests: Requests;
  readonly mam: Mam;
  readonly catchUp: () => CatchUp;
  readonly displayed: Displayed;
}

/** Where messages go to and come from in one-to-one chats. */
export interface Direct {
  /** The device that answers a chat: where its next message must go, if not to the bare JID. */
  device(chat: ChatId): string | undefined;
}

export interface Messages extends Direct {
  take(stanza: Element): void;
  /** A message of the archive of the account, or of that room. */
  past(reading: Reading, room: Room | undefined, past: Past): void;
  /** The archive's last message was told: whoever waits to hear that theirs arrived hears it. */
  filled(): void;
}

/** Takes every message stanza to whom it concerns. */
export function messages(wire: Wire, needs: MessageNeeds): Messages {
  const { roster, rooms, timeline, sending, receipts, typing, requests, mam, catchUp, displayed } = needs;
  /** Senders of missed messages that none of our devices has confirmed, by the message. */
  const unconfirmed = new Map<string, string>();
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
    const archived = reading.stanzaIds.find(({ by }) => by === wire.self)?.id;
    if (archived !== undefined && !catchUp().isNew(wire.self, archived)) return;
    told(reading, sent, undefined);
    if (archived !== undefined) catchUp().reached(wire.self, archived);
  };

  const told = (reading: Reading, sent: boolean, past: Past | undefined): void => {
    const peer = sent ? reading.to : reading.from;
    const own = sent || bare(reading.from) === wire.self;
    const chat = chatWith(own && !sent ? reading.to || wire.self : peer, reading);
    if (reading.received !== undefined && !own) receipts.delivered(chat, reading.received);
    if (reading.displayed !== undefined) receipts.displayed(chat, reading.displayed, own);
    if (reading.state && !own && !past) typing.heard(chat, userId(chat), reading.state, reading.body !== undefined);
    if (past && own && reading.received !== undefined) unconfirmed.delete(reading.received);
    const changes = reading.body ?? reading.retracts ?? reading.reactions;
    if (changes === undefined) return;
    introduce(chat);
    const place = directPlace(wire, chat, own, roster.item(chat)?.name);
    if (past) {
      timeline.apply(reading, { ...place, live: false, ...past });
      if (!own && !past.seen && reading.wantsReceipt && reading.id) unconfirmed.set(reading.id, bare(reading.from));
      return;
    }
    timeline.apply(reading, { ...place, live: isNews(reading, wire.host.clock.now()) });
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
    const archived = place.archive && reading.stanzaIds.find(({ by }) => by === place.archive)?.id;
    if (archived && !catchUp().isNew(room.jid, archived)) return;
    if (self && reading.displayed !== undefined) receipts.displayed(chatId(room.jid), reading.displayed, true);
    const message = timeline.apply(reading, place);
    if (archived) catchUp().reached(room.jid, archived);
    if (self && message && reading.id) sending.reflected(reading.id, message.id);
  };

  const past = (reading: Reading, room: Room | undefined, from: Past): void => {
    if (room === undefined) {
      if (reading.type !== 'groupchat' && reading.from !== '') told(reading, false, from);
      return;
    }
    if (bare(reading.from) !== room.jid || reading.type !== 'groupchat') return;
    const place = roomPlace({ ...room, live: false }, reading, resource(reading.from));
    if (place.by === 'self' && reading.displayed !== undefined)
      receipts.displayed(chatId(room.jid), reading.displayed, true);
    timeline.apply(reading, { ...place, live: false, ...from });
  };

  const filled = (): void => {
    for (const [id, to] of unconfirmed) receipts.confirm(to, id);
    unconfirmed.clear();
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
    } else event(stanza, from) || direct(reading, false);
  };

  /** News of a node that the account's devices share (XEP-0163); from others there is none that we asked for. */
  const event = (stanza: Element, from: string): boolean => {
    const news = child(stanza, 'event', NS.pubsubEvent);
    for (const items of news && from === wire.self ? elements(news) : []) {
      if (items.getName() === 'items' && items.attrs.node === NS.displayed) displayed.heard(items);
    }
    return news !== undefined;
  };

  const take = (stanza: Element): void => {
    const reading = readMessage(stanza);
    const from = bare(reading.from);
    if (reading.type === 'error') failed(stanza, reading);
    else if (reading.archived) mam.result(reading.from, reading.archived);
    else if (waits(stanza, reading, from)) return;
    else if (reading.carbon) carbon(reading, reading.carbon);
    else if (from === '' || from === wire.domain) {
      if (reading.body) wire.host.emit({ type: 'notice', text: ownText(reading) });
    } else if (reading.type === 'groupchat') {
      const room = rooms.get(from);
      if (room) inRoom(reading, room);
    } else single(stanza, reading);
  };

  /** What was missed comes first. */
  const waits = (stanza: Element, reading: Reading, from: string): boolean => {
    if (reading.type !== 'groupchat') return from !== '' && catchUp().holds(wire.self, stanza);
    // Its own playback is the past already; the subject ends the entering of the room.
    if (reading.stamp !== undefined && rooms.get(from)?.live === false) return false;
    return (reading.body !== undefined || reading.subject === undefined) && catchUp().holds(from, stanza);
  };

  return { take, past, filled, device: (chat) => devices.get(chat) };
}
