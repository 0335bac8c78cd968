import type { MessageId } from '../contract.ts';
import { type Connection, isPlayback, type LineHandler } from './connection.ts';
import { ctcpAnswers } from './ctcp.ts';
import type { Missed } from './missed.ts';
import { ctcpOf, type Reading } from './reading.ts';
import type { Rooms } from './rooms.ts';
import type { Roster } from './roster.ts';
import type { Talk } from './talk.ts';
import { stripFormatting } from './text.ts';
import type { Batch } from './transport/batches.ts';
import { type IrcLine, tag } from './transport/message.ts';

export interface InboundParts {
  readonly connection: Connection;
  readonly talk: Talk;
  readonly rooms: Rooms;
  readonly roster: Roster;
  readonly reading: Reading;
  readonly missed: Missed;
}

/**
 * Messages to events. The library never sees them: it would hold a batch back until its end, without a limit, answer
 * CTCP by itself, and take more time for events that nobody here hears than all the rest of a message's way.
 */
export function inbound({ connection, talk, rooms, roster, reading, missed }: InboundParts): LineHandler {
  const { host, isMe } = connection;
  const answer = ctcpAnswers(connection);

  const message = (line: IrcLine, batch: Batch | 'unknown' | undefined): void => {
    const [target, text] = line.params;
    if (target === undefined || text === undefined) return;
    if (!line.source.includes('!')) {
      const isPerson = line.nick !== '' && !line.nick.includes('.') && line.command === 'PRIVMSG';
      if (!isPerson) return serverNotice(target, text);
    }
    const played = typeof batch === 'object' && isPlayback(batch);
    const mine = isMe(line.nick);
    const ctcp = ctcpOf(text);
    if (ctcp !== undefined && !ctcp.startsWith('ACTION ')) {
      if (!played && !mine && line.command === 'PRIVMSG' && !roster.isBlocked(line.nick)) answer(line.nick, ctcp);
      return;
    }
    if (!mine && roster.isBlocked(line.nick)) return;
    const chat = reading.chatOf(line, target);
    if (chat === undefined) return serverNotice(target, text);
    if (missed.holds(chat, line)) return;
    const event = reading.message(line);
    if (event) missed.tell(event, line, played);
  };

  const serverNotice = (target: string, text: string): void => {
    // What servers say before the sign-in is about looking up our name.
    if (target !== '*' && target !== 'AUTH') host.emit({ type: 'notice', text: stripFormatting(text) });
  };

  const typing = (line: IrcLine): void => {
    const [target = ''] = line.params;
    const state = tag(line, '+typing') ?? tag(line, '+draft/typing');
    if (state === undefined || isMe(line.nick) || roster.isBlocked(line.nick)) return;
    const name = reading.withoutStatus(target);
    const chat = connection.isChannel(name) ? rooms.idOf(name) : talk.people.chat(line.nick);
    // A stranger's first keystroke opens no chat.
    if (!connection.isChannel(name) && !talk.isOpen(chat)) return;
    host.emit({ type: 'typing', chat, user: talk.people.id(line.nick), active: state === 'active' });
  };

  const redacted = (line: IrcLine): void => {
    const [target = '', id] = line.params;
    if (id === undefined) return;
    const mine = isMe(line.nick);
    const chat = reading.chatOf(line, target);
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
      case 'MARKREAD':
        missed.marked(line);
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
