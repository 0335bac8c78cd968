import { randomUUID } from 'node:crypto';
import { type Element, xml } from '@xmpp/xml';

const MUC = 'http://jabber.org/protocol/muc';
const USER = `${MUC}#user`;
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas';

interface Room {
  readonly jid: string;
  subject: string;
  /** Full JID of a client by nick; empty: someone who lives here. */
  readonly occupants: Map<string, string>;
  readonly history: Element[];
}

const mostHistory = 20;

/** Rooms as far as a demo needs them (XEP-0045): entering, speaking, subject, leaving. */
export interface DemoRooms {
  readonly service: string;
  stanza(stanza: Element): void;
  /** Someone who lives in the room speaks; they enter if they were not there. */
  say(room: string, nick: string, body: string): void;
  subject(room: string, nick: string, text: string): void;
  /** A client is gone from everywhere. */
  gone(jid: string): void;
  names(): readonly string[];
}

export function demoRooms(service: string, deliver: (to: string, stanza: Element) => void): DemoRooms {
  const rooms = new Map<string, Room>();
  const open = (jid: string): Room => {
    const room = rooms.get(jid) ?? { jid, subject: '', occupants: new Map(), history: [] };
    rooms.set(jid, room);
    return room;
  };
  const toAll = (room: Room, make: (to: string, nick: string) => Element): void => {
    for (const [nick, to] of room.occupants) if (to) deliver(to, make(to, nick));
  };
  const presence = (
    room: Room,
    nick: string,
    to: string,
    self: boolean,
    type?: string,
    ...codes: string[]
  ): Element => {
    const item = xml('item', { affiliation: 'member', role: type ? 'none' : 'participant' });
    const status = [...(self ? ['110'] : []), ...codes].map((code) => xml('status', { code }));
    return xml('presence', { from: `${room.jid}/${nick}`, to, type }, xml('x', { xmlns: USER }, item, ...status));
  };
  const speak = (room: Room, nick: string, body: string, id: string, extra: readonly Element[]): void => {
    const stanza = (to: string, ...more: readonly Element[]): Element =>
      xml(
        'message',
        { from: `${room.jid}/${nick}`, to, type: 'groupchat', id },
        xml('body', {}, body),
        ...extra,
        ...more,
      );
    const stamped = xml('stanza-id', { xmlns: 'urn:xmpp:sid:0', by: room.jid, id: randomUUID() });
    toAll(room, (to) => stanza(to, stamped));
    const delay = xml('delay', { xmlns: 'urn:xmpp:delay', from: room.jid, stamp: new Date().toISOString() });
    room.history.push(stanza('', stamped, delay));
    if (room.history.length > mostHistory) room.history.shift();
  };
  const subjectStanza = (room: Room, nick: string, to: string): Element => {
    const node = xml('subject', {});
    if (room.subject) node.t(room.subject);
    const from = nick ? `${room.jid}/${nick}` : room.jid;
    return xml('message', { from, to, type: 'groupchat' }, node);
  };
  const enter = (room: Room, nick: string, who: string): void => {
    const there = room.occupants.get(nick);
    if (there !== undefined && there !== who) {
      const error = xml('error', { type: 'cancel' }, xml('conflict', { xmlns: STANZAS }));
      return deliver(who, xml('presence', { from: `${room.jid}/${nick}`, to: who, type: 'error' }, error));
    }
    for (const other of room.occupants.keys()) if (other !== nick) deliver(who, presence(room, other, who, false));
    room.occupants.set(nick, who);
    toAll(room, (to) => presence(room, nick, to, to === who));
    for (const said of room.history) {
      said.attrs.to = who;
      deliver(who, said);
    }
    deliver(who, subjectStanza(room, '', who));
  };
  const leave = (room: Room, who: string): void => {
    for (const [nick, jid] of room.occupants) {
      if (jid !== who) continue;
      toAll(room, (to) => presence(room, nick, to, to === who, 'unavailable'));
      room.occupants.delete(nick);
    }
  };
  const settle = (room: Room, nick: string): void => {
    if (room.occupants.has(nick)) return;
    room.occupants.set(nick, '');
    toAll(room, (to) => presence(room, nick, to, false));
  };
  const nickOf = (room: Room, who: string): string | undefined =>
    [...room.occupants].find(([, jid]) => jid === who)?.[0];

  return {
    service,
    names: () => [...rooms.keys()],
    say(jid, nick, body) {
      const room = open(jid);
      settle(room, nick);
      speak(room, nick, body, randomUUID(), []);
    },
    subject(jid, nick, text) {
      const room = open(jid);
      settle(room, nick);
      room.subject = text;
      toAll(room, (to) => subjectStanza(room, nick, to));
    },
    gone(jid) {
      for (const room of rooms.values()) leave(room, jid);
    },
    stanza(stanza) {
      const { to = '', from = '', type, id = randomUUID() } = stanza.attrs;
      const [jid = '', ...rest] = to.split('/');
      const nick = rest.join('/');
      const room = open(jid);
      if (stanza.name === 'presence') {
        if (type === 'unavailable') leave(room, from);
        else if (type === undefined && nick) enter(room, nick, from);
        return;
      }
      const speaker = nickOf(room, from);
      if (stanza.name !== 'message' || speaker === undefined) {
        const error = xml('error', { type: 'cancel' }, xml('not-acceptable', { xmlns: STANZAS }));
        return deliver(from, xml(stanza.name, { from: to, to: from, type: 'error', id }, error));
      }
      const subject = stanza.getChild('subject');
      const body = stanza.getChildText('body');
      if (subject && body === null) {
        room.subject = subject.getText();
        toAll(room, (one) => subjectStanza(room, speaker, one));
      } else if (type === 'groupchat') {
        speak(
          room,
          speaker,
          body ?? '',
          id,
          stanza.getChildElements().filter((part) => part.name !== 'body'),
        );
      } else {
        const private_ = xml('message', { from: `${jid}/${speaker}`, type: 'chat', id }, ...stanza.children);
        deliver(room.occupants.get(nick) ?? '', private_);
      }
    },
  };
}

export { MUC };
