import { createHash, randomBytes } from 'node:crypto';
import type { ChatId, Message, MessageId } from '../contract.ts';
import type { Connection } from './connection.ts';
import type { Rooms } from './rooms.ts';
import type { Talk } from './talk.ts';
import { stripFormatting } from './text.ts';
import { type IrcLine, tag } from './transport/message.ts';

/** What PRIVMSG and NOTICE say, whether they come now or from a history. */
export interface Reading {
  /** Undefined: no message of a chat. */
  message(line: IrcLine): Message | undefined;
  /** The channel or private chat that a message belongs to; undefined: none that we know how to show. */
  chatOf(line: IrcLine, target: string): ChatId | undefined;
  /** `@#channel` is for the operators of a channel (STATUSMSG). */
  withoutStatus(target: string): string;
  /** The same for the same message, each time it comes; undefined where the server gives nothing to know it by. */
  idOf(line: IrcLine): MessageId | undefined;
}

/** Milliseconds that a server's clock may be ahead before its times are not believed. */
const FUTURE = 24 * 3_600_000;
const MOST_TWINS = 10_000;

/** When the server says that it was said, in milliseconds since the epoch. */
export function stampOf(line: IrcLine, now: number): number | undefined {
  const stamp = tag(line, 'time');
  // Date.parse takes more than ISO 8601, and reads a year into almost anything.
  const at = stamp?.[4] === '-' ? Date.parse(stamp) : Number.NaN;
  return at >= 0 && at < now + FUTURE ? at : undefined;
}

/** The text between the marks of a CTCP; undefined where it is none. */
export function ctcpOf(text: string): string | undefined {
  return text.startsWith('\x01') ? text.slice(1, text.endsWith('\x01') ? -1 : undefined) : undefined;
}

export function reading({ host, isMe, isChannel, client }: Connection, talk: Talk, rooms: Rooms): Reading {
  const series = randomBytes(6).toString('base64url');
  let count = 0;
  /** By what each was said in the same millisecond, by the same person: how often, and in which pass through the past. */
  let twins = new Map<string, number>();

  const withoutStatus = (target: string): string => {
    const marks = client.network.supports('STATUSMSG');
    return Array.isArray(marks) && marks.includes(target[0]) ? target.slice(1) : target;
  };

  const chatOf = (line: IrcLine, target: string): ChatId | undefined => {
    const name = withoutStatus(target);
    if (isChannel(name)) return rooms.idOf(name);
    if (target === '*' || target.startsWith('$')) return undefined;
    return talk.open(isMe(line.nick) && !isMe(target) ? target : line.nick).id;
  };

  const idOf = (line: IrcLine): MessageId | undefined => {
    const given = tag(line, 'msgid');
    if (given) return given as MessageId;
    const time = tag(line, 'time');
    if (time === undefined) return undefined;
    // Without ids of its own a bouncer's playback is known by who said what, when.
    const parts = [time, line.nick, ...line.params].join('\0');
    return createHash('sha256').update(parts).digest('base64url').slice(0, 22) as MessageId;
  };

  /** Somebody may say the same twice in a millisecond; a playback has both again, in one go. */
  const told = (line: IrcLine): MessageId => {
    const id = idOf(line);
    if (id === undefined) return `${series}.${++count}` as MessageId;
    if (tag(line, 'msgid')) return id;
    const key = `${tag(line, 'batch') ?? ''} ${id}`;
    const before = twins.get(key) ?? 0;
    if (twins.size > MOST_TWINS) twins = new Map();
    twins.set(key, before + 1);
    return before === 0 ? id : (`${id}.${before}` as MessageId);
  };

  return {
    chatOf,
    withoutStatus,
    idOf,
    message(line) {
      const [target, text] = line.params;
      if (target === undefined || text === undefined) return undefined;
      const mine = isMe(line.nick);
      const ctcp = ctcpOf(text);
      const action = ctcp?.startsWith('ACTION ') ? ctcp.slice(7) : undefined;
      const chat = ctcp === undefined || action !== undefined ? chatOf(line, target) : undefined;
      if (chat === undefined) return undefined;
      const reply = line.rawTags.includes('reply') ? (tag(line, '+draft/reply') ?? tag(line, '+reply')) : undefined;
      const now = host.clock.now();
      return {
        id: told(line),
        chat,
        from: mine && !isMe(target) ? 'self' : talk.people.id(line.nick),
        fromName: line.nick,
        at: new Date(stampOf(line, now) ?? now),
        text: stripFormatting(action ?? text),
        ...(action !== undefined ? { style: 'action' } : line.command === 'NOTICE' ? { style: 'notice' } : {}),
        ...(reply === undefined ? {} : { replyTo: reply as MessageId }),
      };
    },
  };
}
