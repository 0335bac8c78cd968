import { type Element, xml } from '@xmpp/xml';
import type { Chat, Member } from '../contract.ts';
import type { Info } from './disco.ts';
import { local } from './jid.ts';
import { chatId, userId } from './wire.ts';
import { child, elements, NS } from './xml.ts';

/** A room as far as we know it (XEP-0045). */
export interface Room {
  readonly jid: string;
  nick: string;
  password: string | undefined;
  title: string;
  topic: string | undefined;
  state: 'out' | 'joining' | 'in';
  /** The subject came, which ends the playback of what was said before (7.2.15). */
  live: boolean;
  /** Never entered before: what was said in it until now was not missed. */
  fresh: boolean;
  /** What its own disco#info says; undefined where it gave no answer. */
  info: Info | undefined;
  readonly occupants: Map<string, Occupant>;
  /** Counts occupants, so that a name that changed hands is not the same author. */
  arrivals: number;
}

export interface Occupant {
  readonly member: Member;
  /** Id of the person in this room that outlives the stay (XEP-0421), as it was written. */
  readonly stable: string | undefined;
  /** Our own name for this stay. */
  readonly stay: string;
}

export function newRoom(jid: string, nick: string): Room {
  return {
    jid,
    nick,
    password: undefined,
    title: local(jid) || jid,
    topic: undefined,
    state: 'out',
    live: false,
    fresh: false,
    info: undefined,
    occupants: new Map(),
    arrivals: 0,
  };
}

export function toChat(room: Room): Chat {
  const { jid, title, topic } = room;
  return { id: chatId(jid), kind: 'room', address: jid, title, ...(topic ? { topic } : undefined) };
}

export const members = (room: Room): readonly Member[] => Array.from(room.occupants.values(), ({ member }) => member);

/** Status codes of a presence or message of a room (section 15.6). */
export function statuses(user: Element | undefined): ReadonlySet<string> {
  const codes = new Set<string>();
  for (const part of user ? elements(user) : []) {
    if (part.getName() === 'status' && part.attrs.code) codes.add(part.attrs.code);
  }
  return codes;
}

export function readOccupant(room: Room, nick: string, stanza: Element, user: Element | undefined): Occupant {
  const item = user && child(user, 'item', NS.mucUser);
  const before = room.occupants.get(nick);
  const role = roleOf(item?.attrs.affiliation, item?.attrs.role);
  return {
    member: { id: userId(`${room.jid}/${nick}`), name: nick, ...(role ? { role } : undefined) },
    stable: child(stanza, 'occupant-id', NS.occupant)?.attrs.id,
    stay: before?.stay ?? `${nick}#${++room.arrivals}`,
  };
}

function roleOf(affiliation: string | undefined, role: string | undefined): Member['role'] {
  if (affiliation === 'owner' || affiliation === 'admin') return affiliation;
  if (role === 'moderator' || role === 'visitor') return role;
  return 'member';
}

/** Why we are no longer in a room, for a person (section 15.6). */
export function whyLeft(codes: ReadonlySet<string>, stanza: Element, user: Element | undefined): string | undefined {
  const item = user && child(user, 'item', NS.mucUser);
  const reason =
    item &&
    elements(item)
      .find((part) => part.getName() === 'reason')
      ?.getText();
  const because = reason ? `: ${reason}` : '';
  if (codes.has('301')) return `banned from the room${because}`;
  if (codes.has('307')) return `removed from the room${because}`;
  if (codes.has('321') || codes.has('322')) return 'the room is now for members only';
  if (codes.has('332')) return 'the room service shuts down';
  if (codes.has('333')) return 'the connection to the room failed';
  if (user && child(user, 'destroy', NS.mucUser)) return 'the room was closed';
  return stanza.attrs.type === 'error' ? 'the room is gone' : undefined;
}

/** What makes a presence a request to enter (7.2). `history`: how many messages of the past are wanted at most. */
export function entry(room: Room, history: number): Element {
  const password = room.password === undefined ? undefined : xml('password', {}, room.password);
  return xml('x', { xmlns: NS.muc }, xml('history', { maxstanzas: history }), password);
}

/** Section 7.2: what the conditions mean when entering. */
export function whyRefused(condition: string): string | undefined {
  switch (condition) {
    case 'not-authorized':
      return 'the room wants a password';
    case 'registration-required':
      return 'the room is for members only';
    case 'forbidden':
      return 'you are banned from the room';
    case 'service-unavailable':
      return 'the room is full';
    case 'conflict':
      return 'your name is taken in the room; give another';
    case 'not-allowed':
      return 'you may not make a new room there';
    default:
      return undefined;
  }
}
