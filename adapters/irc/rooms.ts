import type { Chat, ChatId, Member, UserId } from '../contract.ts';
import { AdapterError } from '../errors.ts';
import type { Connection } from './connection.ts';
import { refusal } from './numerics.ts';
import { memberOf, type Room } from './room.ts';
import { roomEvents } from './room-events.ts';
import type { Talk } from './talk.ts';
import type { IrcLine } from './transport/message.ts';

export interface Rooms {
  idOf(name: string): ChatId;
  /** How the channel is written, also one that we are not in. */
  nameOf(chat: ChatId): string;
  /** Reads what was kept; not before the server has told of its CASEMAPPING. */
  restore(): void;
  /** Channels that this account is in, or comes back to. */
  list(): readonly Chat[];
  /** Joins the channels of the settings, and those joined earlier. */
  rejoin(): void;
  handle(line: IrcLine): boolean;
  /** A channel of that name, whether or not we are in it. */
  at(name: string): Chat;
  join(name: string, password?: string): Promise<Chat>;
  leave(chat: ChatId): Promise<void>;
  topic(chat: ChatId, text: string): Promise<void>;
  invite(chat: ChatId, user: UserId): Promise<void>;
  members(chat: ChatId): readonly Member[];
}

const JOIN_REFUSALS: ReadonlySet<string> = new Set(
  '403 405 437 470 471 473 474 475 476 477 479 489 519 520'.split(' '),
);
/** Where the channels that were joined by hand are kept, each with its key. */
const KEPT = 'channels';
const GROUP = 8;

/** @param entered is told of each channel that we have come into. */
export function rooms(connection: Connection, talk: Talk, entered: (chat: ChatId) => void): Rooms {
  const { host, fold, settings } = connection;
  const joined = new Map<string, Room>();
  /** By folded name: the channels to come back to. */
  const wanted = new Map<string, { readonly name: string; readonly key?: string }>();
  const waiting = new Set<string>();

  const keep = (): void => {
    const byHand = [...wanted.values()].filter(({ name }) => !settings.join.some((entry) => entry.name === name));
    host.memory.set(KEPT, byHand.length === 0 ? undefined : JSON.stringify(byHand));
  };

  const chatOf = (name: string, topic?: string): Chat => ({
    id: fold(name) as ChatId,
    kind: 'room',
    address: name,
    title: name,
    ...(topic ? { topic } : {}),
  });

  const joinedRoom = (chat: ChatId): Room => {
    const room = joined.get(chat);
    if (!room) throw new AdapterError('refused', `you are not in ${chat}`);
    return room;
  };

  roomEvents({
    connection,
    talk,
    joined,
    entered: (room) => {
      waiting.delete(room.id);
      host.emit({ type: 'chat', chat: chatOf(room.name, room.topic) });
      entered(room.id);
    },
    changed: (room) => host.emit({ type: 'chat', chat: chatOf(room.name, room.topic) }),
    thrownOut: (room) => {
      wanted.delete(room.id);
      keep();
    },
  });

  return {
    idOf: (name) => fold(name) as ChatId,
    nameOf: (chat) => joined.get(chat)?.name ?? chat,
    restore() {
      for (const entry of [...settings.join, ...kept(host.memory.get(KEPT))]) wanted.set(fold(entry.name), entry);
    },
    list() {
      // A bouncer has us in channels before we say a word.
      const names = new Map([...wanted.values(), ...joined.values()].map(({ name }) => [fold(name), name]));
      return [...names].map(([folded, name]) => chatOf(name, joined.get(folded)?.topic));
    },
    rejoin() {
      // A key stands at the place of its channel, so those with keys come first.
      const entries = [...wanted.values()]
        .filter(({ name }) => !joined.has(fold(name)))
        .sort((a, b) => Number(b.key !== undefined) - Number(a.key !== undefined));
      for (let at = 0; at < entries.length; at += GROUP) {
        const group = entries.slice(at, at + GROUP);
        for (const { name } of group) waiting.add(fold(name));
        const keys = group.flatMap(({ key }) => (key === undefined ? [] : [key]));
        const names = group.map(({ name }) => name).join(',');
        connection.post('JOIN', keys.length === 0 ? [names] : [names, keys.join(',')]);
      }
    },
    handle(line) {
      if (!JOIN_REFUSALS.has(line.command)) return false;
      const chat = fold(line.params[1] ?? '') as ChatId;
      if (!waiting.delete(chat)) return false;
      const reason = refusal(line)?.message ?? 'the server did not let us in';
      host.emit({ type: 'chat-left', chat, reason });
      host.emit({ type: 'notice', text: `${line.params[1]}: ${reason}` });
      return false;
    },
    at(name) {
      const room = joined.get(fold(name));
      return room ? chatOf(room.name, room.topic) : chatOf(name);
    },
    async join(given, password) {
      const name = connection.isChannel(given) ? given : `#${given}`;
      if (/[\s,\x07]/.test(name)) throw new AdapterError('bad-data', `"${name}" is no name for a channel`);
      const room = joined.get(fold(name));
      if (room) return chatOf(room.name, room.topic);
      const params = password === undefined ? [name] : [name, password];
      await connection.ask([{ command: 'JOIN', params }]);
      const entered = joined.get(fold(name));
      if (!entered) throw new AdapterError('refused', `the server did not let us into ${name}`);
      wanted.set(fold(name), password === undefined ? { name: entered.name } : { name: entered.name, key: password });
      keep();
      return chatOf(entered.name, entered.topic);
    },
    async leave(chat) {
      const room = joined.get(chat);
      wanted.delete(chat);
      keep();
      if (room) await connection.ask([{ command: 'PART', params: [room.name] }]);
      else host.emit({ type: 'chat-left', chat });
    },
    async topic(chat, text) {
      await connection.ask([{ command: 'TOPIC', params: [joinedRoom(chat).name, text] }]);
    },
    async invite(chat, user) {
      await connection.ask([{ command: 'INVITE', params: [talk.people.nick(user), joinedRoom(chat).name] }]);
    },
    members: (chat) => [...joinedRoom(chat).members.values()].map((member) => memberOf(member, talk)),
  };
}

function kept(stored: string | undefined): readonly { readonly name: string; readonly key?: string }[] {
  if (stored === undefined) return [];
  const list: unknown = JSON.parse(stored);
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null || !('name' in entry) || typeof entry.name !== 'string') return [];
    return 'key' in entry && typeof entry.key === 'string'
      ? [{ name: entry.name, key: entry.key }]
      : [{ name: entry.name }];
  });
}
