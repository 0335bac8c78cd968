import { type Element, xml } from '@xmpp/xml';
import type { Chat } from '../contract.ts';
import { AdapterError, asAdapterError } from '../errors.ts';
import { type Bookmark, fetchBookmarks, publishBookmark } from './bookmarks.ts';
import type { CatchUp } from './catch-up.ts';
import type { Disco } from './disco.ts';
import { resource } from './jid.ts';
import type { Presences } from './presence.ts';
import { unavailable } from './presence.ts';
import {
  entry,
  members,
  newRoom,
  type Occupant,
  type Room,
  readOccupant,
  statuses,
  toChat,
  whyLeft,
  whyRefused,
} from './room.ts';
import { readError } from './stanza-error.ts';
import { chatId, type Wire } from './wire.ts';
import { child, NS } from './xml.ts';

/** The rooms of the account: entering, being in, leaving (XEP-0045). */
export interface Rooms {
  /** Every room that the account ever was in, by its bare JID. */
  get(jid: string): Room | undefined;
  /** Own address in each room we are in. */
  addresses(): Iterable<string>;
  /** What stands in the list from the start: the rooms to be entered again. */
  expected(): readonly Chat[];
  /** Enters the rooms of last time, and those that the account's other devices marked for it. */
  enterAll(): Promise<void>;
  presence(room: Room, stanza: Element): void;
  /** The server says that we are not in the room. */
  lost(room: Room): void;
  join(jid: string, options?: { readonly nick?: string; readonly password?: string }): Promise<Chat>;
  leave(jid: string): Promise<void>;
  /** @throws AdapterError `refused` when we are not in it. */
  entered(jid: string): Room;
}

interface Entering {
  tries: number;
  readonly nick: string;
  resolve(): void;
  reject(error: AdapterError): void;
}

const kept = 'rooms';
const timeoutMs = 30_000;
const mostNicks = 4;

export interface RoomNeeds {
  readonly disco: Disco;
  readonly announce: Presences['announce'];
  readonly catchUp: () => CatchUp;
}

export function rooms(wire: Wire, nick: string, { disco: services, announce, catchUp }: RoomNeeds): Rooms {
  const all = new Map<string, Room>();
  const entering = new Map<string, Entering>();
  const leaving = new Map<string, () => void>();
  const wanted = readWanted(wire.host.memory.get(kept));
  for (const one of wanted) {
    const room = newRoom(one.jid, one.nick);
    room.title = one.title;
    all.set(one.jid, room);
  }
  const joined = new Set(wanted.filter((one) => one.joined).map((one) => one.jid));

  const remember = (): void => {
    const list = Array.from(all.values(), ({ jid, nick, title }) => ({ jid, nick, title, joined: joined.has(jid) }));
    wire.host.memory.set(kept, JSON.stringify(list));
  };
  const out = (room: Room, reason: string | undefined): void => {
    room.state = 'out';
    room.live = false;
    room.occupants.clear();
    wire.host.emit({ type: 'chat-left', chat: chatId(room.jid), ...(reason ? { reason } : undefined) });
  };

  const enter = async (room: Room, as: string): Promise<void> => {
    // Before entering: whether the room's own ids can be believed must be known when its first message comes.
    room.info = await services.info(room.jid).catch(() => undefined);
    const name = room.info?.identities.find(({ category }) => category === 'conference')?.name;
    if (name) room.title = name;
    room.nick = as;
    room.state = 'joining';
    room.live = false;
    room.occupants.clear();
    const over = new AbortController();
    const done = new Promise<void>((resolve, reject) => {
      entering.set(room.jid, { tries: 1, nick: as, resolve, reject });
    });
    const playback = catchUp().opens(room);
    announce(`${room.jid}/${as}`, entry(room, playback));
    const late = wire.host.clock.sleep(timeoutMs, AbortSignal.any([over.signal, wire.ended])).then(
      () => Promise.reject(new AdapterError('unreachable', `${room.jid} does not answer`)),
      () => (over.signal.aborted ? undefined : Promise.reject(new AdapterError('unreachable', 'the connection ended'))),
    );
    try {
      await Promise.race([done, late]);
      // A room that is made by entering could not be asked before.
      room.info ??= await services.info(room.jid).catch(() => undefined);
      catchUp()
        .room(room)
        .catch(() => undefined);
    } catch (error) {
      catchUp().gaveUp(room);
      room.state = 'out';
      throw error;
    } finally {
      over.abort();
      late.catch(() => undefined);
      entering.delete(room.jid);
    }
  };

  const entered = (room: Room, codes: ReadonlySet<string>): void => {
    room.state = 'in';
    joined.add(room.jid);
    remember();
    wire.host.emit({ type: 'chat', chat: toChat(room) });
    wire.host.emit({ type: 'members', chat: chatId(room.jid), members: members(room) });
    // 10.1.2: a room just made is locked until its maker takes the usual settings.
    if (codes.has('201')) {
      const form = xml('x', { xmlns: NS.data, type: 'submit' });
      wire.set(room.jid, xml('query', { xmlns: NS.mucOwner }, form)).catch((error: unknown) => {
        wire.host.log('warn', `${room.jid} stays locked: ${asAdapterError(error).message}`);
      });
    }
    entering.get(room.jid)?.resolve();
  };

  const refused = (room: Room, stanza: Element): void => {
    const attempt = entering.get(room.jid);
    if (!attempt) {
      if (room.state === 'in') out(room, readError(stanza).text);
      return;
    }
    const error = readError(stanza);
    if (error.condition === 'conflict' && attempt.tries < mostNicks) {
      room.nick = attempt.nick + '_'.repeat(attempt.tries++);
      announce(`${room.jid}/${room.nick}`, entry(room, catchUp().opens(room)));
      return;
    }
    attempt.reject(new AdapterError(error.code, `${room.jid}: ${whyRefused(error.condition) ?? error.text}`));
  };

  const gone = (room: Room, name: string, stanza: Element, user: Element | undefined): void => {
    const codes = statuses(user);
    const occupant = room.occupants.get(name);
    const self = codes.has('110') || name === room.nick;
    room.occupants.delete(name);
    const renamed = codes.has('303') ? user && child(user, 'item', NS.mucUser)?.attrs.nick : undefined;
    if (self && renamed) room.nick = renamed;
    else if (self) {
      leaving.get(room.jid)?.();
      if (room.state === 'in' && !leaving.has(room.jid)) out(room, whyLeft(codes, stanza, user));
      return;
    }
    if (room.state === 'in' && occupant) tellMember(room, occupant, false);
  };

  const tellMember = (room: Room, { member }: Occupant, present: boolean): void =>
    wire.host.emit({ type: 'member', chat: chatId(room.jid), member, present });

  const find = (jid: string): Room | undefined => all.get(jid);
  const bookmark = (mark: Bookmark): void => {
    publishBookmark(wire, mark).catch((error: unknown) => {
      wire.host.log('info', `${mark.jid} is not kept as a bookmark: ${asAdapterError(error).message}`);
    });
  };

  return {
    get: find,
    *addresses() {
      for (const room of all.values()) if (room.state === 'in') yield `${room.jid}/${room.nick}`;
    },
    expected: () => Array.from(joined, find).flatMap((room) => (room ? [toChat(room)] : [])),
    async enterAll() {
      const marks = await fetchBookmarks(wire).catch(() => []);
      for (const mark of marks) {
        const room = all.get(mark.jid) ?? newRoom(mark.jid, mark.nick || nick);
        room.password = mark.password;
        room.title = mark.name || room.title;
        if (mark.autojoin || all.has(mark.jid)) all.set(mark.jid, room);
        if (mark.autojoin) joined.add(mark.jid);
      }
      const attempts = Array.from(joined, async (jid) => {
        const room = find(jid);
        if (room?.state !== 'out') return;
        await enter(room, room.nick).catch((error: unknown) => out(room, asAdapterError(error).message));
      });
      await Promise.all(attempts);
    },
    presence(room, stanza) {
      const name = resource(stanza.attrs.from ?? '');
      if (stanza.attrs.type === 'error') return refused(room, stanza);
      const user = child(stanza, 'x', NS.mucUser);
      if (!name) return;
      if (stanza.attrs.type === 'unavailable') return gone(room, name, stanza, user);
      if (stanza.attrs.type !== undefined) return;
      const before = room.occupants.get(name);
      const occupant = readOccupant(room, name, stanza, user);
      room.occupants.set(name, occupant);
      const codes = statuses(user);
      // 7.2.2: our own presence (110) is the last of the list; the service may have changed our name (210). The name
      // alone proves nothing: where it is taken, whoever has it may be listed before the conflict is reported.
      if (room.state === 'joining' && codes.has('110')) {
        room.nick = name;
        entered(room, codes);
      } else if (room.state === 'in' && before?.member.role !== occupant.member.role) tellMember(room, occupant, true);
    },
    lost(room) {
      if (room.state !== 'in') return;
      room.state = 'out';
      enter(room, room.nick).catch((error: unknown) => out(room, asAdapterError(error).message));
    },
    async join(jid, options = {}) {
      const room = all.get(jid) ?? newRoom(jid, nick);
      if (room.state === 'in') return toChat(room);
      if (room.state === 'joining') throw new AdapterError('refused', `${jid} is being entered already`);
      if (options.password !== undefined) room.password = options.password;
      all.set(jid, room);
      try {
        await enter(room, options.nick ?? room.nick);
      } catch (error) {
        if (!joined.has(jid)) all.delete(jid);
        throw error;
      }
      bookmark({ jid, autojoin: true, name: room.title, nick: room.nick, password: room.password });
      return toChat(room);
    },
    async leave(jid) {
      const room = find(jid);
      if (!room || !joined.delete(jid)) throw new AdapterError('not-found', `you are not in ${jid}`);
      remember();
      if (room.state !== 'out') {
        const over = new AbortController();
        const left = new Promise<void>((resolve) => leaving.set(jid, resolve));
        wire.stream.send(unavailable(`${jid}/${room.nick}`));
        const late = wire.host.clock.sleep(5_000, AbortSignal.any([over.signal, wire.ended])).catch(() => undefined);
        await Promise.race([left, late]);
        over.abort();
        leaving.delete(jid);
      }
      out(room, undefined);
      bookmark({ jid, autojoin: false, name: room.title, nick: room.nick, password: room.password });
    },
    entered(jid) {
      const room = find(jid);
      if (room?.state !== 'in') throw new AdapterError('refused', `you are not in ${jid}: join it first`);
      return room;
    },
  };
}

interface Wanted {
  readonly jid: string;
  readonly nick: string;
  readonly title: string;
  readonly joined: boolean;
}

function readWanted(text: string | undefined): readonly Wanted[] {
  try {
    const all: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(all) ? all : [];
  } catch {
    return [];
  }
}
