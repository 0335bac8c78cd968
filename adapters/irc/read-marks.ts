import type { ChatId, MessageId } from '../contract.ts';
import { AdapterError } from '../errors.ts';
import type { Connection } from './connection.ts';
import { type History, isText, messageOf, timestamp } from './history.ts';
import type { Reading } from './reading.ts';
import type { Rooms } from './rooms.ts';
import type { Talk } from './talk.ts';
import { type IrcLine, tag } from './transport/message.ts';

/** A message of a chat by its id and its time; no id: none was told yet, at that time. */
export interface Mark {
  readonly id: string;
  readonly at: number;
}

/** How far each chat was read, as the clients of an account tell each other: https://ircv3.net/specs/extensions/read-marker */
export interface ReadMarks {
  /** A message was told. */
  remember(chat: ChatId, mark: Mark): void;
  /** Whether what was said then was read, as far as is known: where nobody told, it was. */
  covers(chat: ChatId, at: number): boolean;
  chats(): Iterable<ChatId>;
  /** Tells of the mark of a chat, once what it speaks of was told. */
  apply(chat: ChatId): void;
  marked(line: IrcLine): void;
  /** @throws AdapterError `unsupported`, `not-found` */
  mark(chat: ChatId, upTo: MessageId): Promise<void>;
}

export interface ReadMarksParts {
  readonly connection: Connection;
  readonly talk: Talk;
  readonly rooms: Rooms;
  readonly reading: Reading;
  readonly history: History;
  /** Whether messages of that chat wait for what was missed before them. */
  waits(chat: ChatId): boolean;
}

const mostRecent = 500;

export function readMarker({ connection, talk, rooms, reading, history, waits }: ReadMarksParts): ReadMarks {
  const { host, isChannel } = connection;
  /** The latest messages of each chat: a mark names a time, and we need the id of what was said then. */
  const recent = new Map<ChatId, Mark[]>();
  const marks = new Map<ChatId, number>();

  const idAt = async (chat: ChatId, at: number): Promise<string | undefined> => {
    if (!history.has()) return undefined;
    const lines = await history.fetch(chat, { how: 'BEFORE', from: timestamp(at + 1), limit: 1 });
    return lines.flatMap((line) => messageOf(line, reading)?.id ?? []).at(-1);
  };
  const timeOf = async (chat: ChatId, id: MessageId): Promise<number | undefined> => {
    const known = recent.get(chat)?.findLast((one) => one.id === id);
    if (known) return known.at;
    if (!history.has()) return undefined;
    const lines = await history.fetch(chat, { how: 'AROUND', from: `msgid=${id}`, limit: 1 });
    const found = lines.find((line) => isText(line) && tag(line, 'msgid') === id);
    return found ? Date.parse(tag(found, 'time') ?? '') || undefined : undefined;
  };

  const tell = async (chat: ChatId): Promise<void> => {
    const at = marks.get(chat);
    if (at === undefined || waits(chat)) return;
    const known = recent.get(chat)?.findLast((one) => one.at <= at);
    const upTo = known?.id ?? (await idAt(chat, at));
    if (upTo) host.emit({ type: 'read-elsewhere', chat, upTo: upTo as MessageId });
  };
  const apply = (chat: ChatId): void => {
    tell(chat).catch((error: unknown) => host.log('debug', `${chat}: read mark not told: ${String(error)}`));
  };

  return {
    remember(chat, mark) {
      const list = recent.get(chat) ?? [];
      list.push(mark);
      if (list.length > 2 * mostRecent) list.splice(0, mostRecent);
      recent.set(chat, list);
    },
    covers: (chat, at) => at <= (marks.get(chat) ?? at),
    chats: () => marks.keys(),
    apply,
    marked({ params: [target = '', value = ''] }) {
      const at = Date.parse(value.replace(/^timestamp=/, ''));
      if (Number.isNaN(at)) return;
      const chat = isChannel(target) ? rooms.idOf(target) : talk.people.chat(target);
      marks.set(chat, at);
      apply(chat);
    },
    async mark(chat, upTo) {
      if (!connection.caps.has('draft/read-marker'))
        throw new AdapterError('unsupported', 'this server does not keep what was read');
      const at = await timeOf(chat, upTo);
      if (at === undefined) throw new AdapterError('not-found', 'the server does not know that message');
      const name = isChannel(chat) ? rooms.nameOf(chat) : talk.people.nick(chat);
      marks.set(chat, at);
      await connection.ask([{ command: 'MARKREAD', params: [name, timestamp(at)] }]);
    },
  };
}
