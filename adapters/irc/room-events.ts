import type { ChatId } from '../contract.ts';
import type { Connection } from './connection.ts';
import { memberOf, type Room, type RoomMember } from './room.ts';
import type { Talk } from './talk.ts';
import { stripFormatting } from './text.ts';

export interface RoomEventsParts {
  readonly connection: Connection;
  readonly talk: Talk;
  /** By chat id; kept up to date here. */
  readonly joined: Map<string, Room>;
  entered(room: Room): void;
  changed(room: Room): void;
  /** Kicked: not to come back by itself. */
  thrownOut(room: Room): void;
}

/** Who is in which channel, from what the library makes of JOIN, PART, KICK, QUIT, NICK, MODE, NAMES and TOPIC. */
export function roomEvents({ connection, talk, joined, entered, changed, thrownOut }: RoomEventsParts): void {
  const { client, host, fold, isMe, self } = connection;
  const roomOf = (channel: string | undefined): Room | undefined =>
    channel === undefined ? undefined : joined.get(fold(channel));
  const tell = (room: Room, member: RoomMember, present: boolean): void =>
    host.emit({ type: 'member', chat: room.id, member: memberOf(member, talk), present });

  const gone = (room: Room, nick: string): void => {
    const member = room.members.get(fold(nick));
    if (!member) return;
    room.members.delete(fold(nick));
    tell(room, member, false);
  };

  const out = (room: Room, reason: string | undefined): void => {
    joined.delete(room.id);
    host.emit({ type: 'chat-left', chat: room.id, ...(reason ? { reason } : {}) });
  };

  client.on('join', ({ channel, nick, ident, hostname }) => {
    if (channel === undefined) return;
    if (isMe(nick)) {
      if (ident) self.user = ident;
      if (hostname) self.host = hostname;
      if (joined.has(fold(channel))) return;
      const room: Room = { id: fold(channel) as ChatId, name: channel, topic: '', members: new Map() };
      joined.set(room.id, room);
      entered(room);
      return;
    }
    const room = roomOf(channel);
    if (!room) return;
    const member: RoomMember = { nick, modes: new Set() };
    room.members.set(fold(nick), member);
    tell(room, member, true);
  });

  client.on('userlist', ({ channel, users }) => {
    const room = roomOf(channel);
    if (!room) return;
    room.members.clear();
    for (const { nick, modes } of users) room.members.set(fold(nick), { nick, modes: new Set(modes) });
    const members = [...room.members.values()].map((member) => memberOf(member, talk));
    host.emit({ type: 'members', chat: room.id, members });
  });

  client.on('part', ({ channel, nick, message }) => {
    const room = roomOf(channel);
    if (!room) return;
    if (isMe(nick)) out(room, message === channel ? undefined : stripFormatting(message));
    else gone(room, nick);
  });

  client.on('kick', ({ channel, kicked, nick, message }) => {
    const room = roomOf(channel);
    if (!room || kicked === undefined) return;
    if (!isMe(kicked)) return gone(room, kicked);
    thrownOut(room);
    out(room, `${nick} put you out: ${stripFormatting(message)}`);
  });

  client.on('quit', ({ nick }) => {
    for (const room of joined.values()) gone(room, nick);
    talk.left(nick);
  });

  client.on('nick', ({ nick, new_nick: next }) => {
    if (next === undefined) return;
    const before = talk.people.id(nick);
    if (!isMe(nick) && !isMe(next)) talk.renamed(nick, next);
    for (const room of joined.values()) {
      const member = room.members.get(fold(nick));
      if (!member) continue;
      room.members.delete(fold(nick));
      // Whoever keeps their id only changes the name; anybody else is one person gone and another come.
      if (talk.people.id(next) !== before) {
        host.emit({ type: 'member', chat: room.id, member: { ...memberOf(member, talk), id: before }, present: false });
      }
      member.nick = next;
      room.members.set(fold(next), member);
      tell(room, member, true);
    }
  });

  client.on('mode', ({ target, modes }) => {
    const room = roomOf(target);
    if (!room) return;
    const letters = new Set((client.network.options.PREFIX ?? []).map(({ mode }) => mode));
    for (const { mode, param } of modes) {
      const member = letters.has(mode.slice(1)) && param ? room.members.get(fold(param)) : undefined;
      if (!member) continue;
      if (mode.startsWith('+')) member.modes.add(mode.slice(1));
      else member.modes.delete(mode.slice(1));
      tell(room, member, true);
    }
  });

  client.on('topic', ({ channel, topic = '' }) => {
    const room = roomOf(channel);
    if (!room) return;
    room.topic = stripFormatting(topic);
    changed(room);
  });
}
