import { randomBytes } from 'node:crypto';
import type { ChatId, Message, MessageId } from '../contract.ts';
import { type Connection, isPlayback, type LineHandler } from './connection.ts';
import { ctcpAnswers } from './ctcp.ts';
import type { Rooms } from './rooms.ts';
import type { Roster } from './roster.ts';
import type { Talk } from './talk.ts';
import { stripFormatting } from './text.ts';
import type { Batch } from './transport/batches.ts';
import { type IrcLine, tag } from './transport/message.ts';

/** Milliseconds that a server's clock may be ahead before its times are not believed. */
const FUTURE = 24 * 3_600_000;

export interface InboundParts {
  readonly connection: Connection;
  readonly talk: Talk;
  readonly rooms: Rooms;
  readonly roster: Roster;
}

/**
 * Messages to events. The library never sees them: it would hold a batch back until its end, without a limit, answer
 * CTCP by itself, and take more time for events that nobody here hears than all the rest of a message's way.
 */
export function inbound({ connection, talk, rooms, roster }: InboundParts): LineHandler {
  const { host, isMe, client } = connection;
  const { clock } = host;
  const answer = ctcpAnswers(connection);
  const series = randomBytes(6).toString('base64url');
  let count = 0;

  /** The channel or private chat that a message belongs to; undefined: none that we know how to show. */
  const chatOf = (line: IrcLine, target: string, mine: boolean): ChatId | undefined => {
    const name = withoutStatus(target);
    if (connection.isChannel(name)) return rooms.idOf(name);
    if (target === '*' || target.startsWith('$')) return undefined;
    return talk.open(mine && !isMe(target) ? target : line.nick).id;
  };

  /** `@#channel` is for the operators of a channel (STATUSMSG). */
  const withoutStatus = (target: string): string => {
    const marks = client.network.supports('STATUSMSG');
    return Array.isArray(marks) && marks.includes(target[0]) ? target.slice(1) : target;
  };

  const timeOf = (line: IrcLine): Date => {
    const stamp = tag(line, 'time');
    const now = clock.now();
    // Date.parse takes more than ISO 8601, and reads a year into almost anything.
    const at = stamp?.[4] === '-' ? Date.parse(stamp) : now;
    return new Date(at >= 0 && at < now + FUTURE ? at : now);
  };

  const message = (line: IrcLine, batch: Batch | 'unknown' | undefined) => {
    const [target, text] = line.params;
    if (target === undefined || text === undefined) return;
    if (!line.source.includes('!')) {
      const isPerson = line.nick !== '' && !line.nick.includes('.') && line.command === 'PRIVMSG';
      if (!isPerson) return serverNotice(target, text);
    }
    const live = !(typeof batch === 'object' && isPlayback(batch));
    const mine = isMe(line.nick);
    const ctcp = text.startsWith('\x01') ? text.slice(1, text.endsWith('\x01') ? -1 : undefined) : undefined;
    const action = ctcp?.startsWith('ACTION ') ? ctcp.slice(7) : undefined;
    if (ctcp !== undefined && action === undefined) {
      if (live && !mine && line.command === 'PRIVMSG' && !roster.isBlocked(line.nick)) answer(line.nick, ctcp);
      return;
    }
    if (!mine && roster.isBlocked(line.nick)) return;
    const chat = chatOf(line, target, mine);
    if (chat === undefined) return serverNotice(target, text);
    const reply = line.rawTags.includes('reply') ? (tag(line, '+draft/reply') ?? tag(line, '+reply')) : undefined;
    const event: Message = {
      id: (tag(line, 'msgid') ?? `${series}.${++count}`) as MessageId,
      chat,
      from: mine && !isMe(target) ? 'self' : talk.people.id(line.nick),
      fromName: line.nick,
      at: timeOf(line),
      text: stripFormatting(action ?? text),
      ...(action !== undefined ? { style: 'action' } : line.command === 'NOTICE' ? { style: 'notice' } : {}),
      ...(reply === undefined ? {} : { replyTo: reply as MessageId }),
    };
    host.emit({ type: 'message', message: event, live });
  };

  const serverNotice = (target: string, text: string): void => {
    // What servers say before the sign-in is about looking up our name.
    if (target !== '*' && target !== 'AUTH') host.emit({ type: 'notice', text: stripFormatting(text) });
  };

  const typing = (line: IrcLine): void => {
    const [target = ''] = line.params;
    const state = tag(line, '+typing') ?? tag(line, '+draft/typing');
    if (state === undefined || isMe(line.nick) || roster.isBlocked(line.nick)) return;
    const name = withoutStatus(target);
    const chat = connection.isChannel(name) ? rooms.idOf(name) : talk.people.chat(line.nick);
    // A stranger's first keystroke opens no chat.
    if (!connection.isChannel(name) && !talk.isOpen(chat)) return;
    host.emit({ type: 'typing', chat, user: talk.people.id(line.nick), active: state === 'active' });
  };

  const redacted = (line: IrcLine): void => {
    const [target = '', id] = line.params;
    if (id === undefined) return;
    const mine = isMe(line.nick);
    const chat = chatOf(line, target, mine);
    if (chat)
      host.emit({ type: 'retracted', chat, id: id as MessageId, by: mine ? 'self' : talk.people.id(line.nick) });
  };

  return (line, batch) => {
    switch (line.command) {
      case 'PRIVMSG':
      case 'NOTICE':
        message(line, batch);
        return true;
      case 'TAGMSG':
        typing(line);
        return true;
      case 'REDACT':
        redacted(line);
        return true;
      case 'WARN':
      case 'NOTE':
        host.emit({ type: 'notice', text: stripFormatting(line.params.at(-1) ?? '') });
        return true;
      default:
        return rooms.handle(line) || roster.handle(line);
    }
  };
}
