import type { ChatId, Message, Page } from '../contract.ts';
import { AdapterError } from '../errors.ts';
import type { Connection } from './connection.ts';
import type { Reading } from './reading.ts';
import { ctcpOf } from './reading.ts';
import type { Rooms } from './rooms.ts';
import type { Talk } from './talk.ts';
import type { Batch } from './transport/batches.ts';
import { type IrcLine, tag } from './transport/message.ts';

/** The server's memory of chats (https://ircv3.net/specs/extensions/chathistory). */
export interface History {
  /** Whether the server has one that we can use. */
  has(): boolean;
  /** True: the line is part of an answer to a question of ours. */
  takes(line: IrcLine, batch: Batch | 'unknown' | undefined): boolean;
  /** Lines of a chat, oldest first. @throws AdapterError */
  fetch(chat: ChatId, order: Order): Promise<readonly IrcLine[]>;
  /** Who wrote to us, or was written to, since then, in private. */
  partners(since: number): Promise<readonly string[]>;
  page(chat: ChatId, before: string | undefined): Promise<Page>;
  /** How the server can be told of a message: by its id or its time. */
  reference(id: string, at: number): string;
  /** The most lines of one answer. */
  limit(): number;
}

export interface Order {
  readonly how: 'LATEST' | 'AFTER' | 'BEFORE' | 'AROUND';
  /** `msgid=…` or `timestamp=…`; `*` for the end. */
  readonly from: string;
  readonly limit: number;
}

interface Question {
  readonly type: 'chathistory' | 'draft/chathistory-targets';
  readonly target: string;
  readonly lines: IrcLine[];
}

const pageSize = 50;
const mostPartners = 50;
const NEEDED = ['draft/chathistory', 'batch', 'server-time', 'message-tags', 'echo-message'] as const;

export function history(connection: Connection, talk: Talk, rooms: Rooms, reading: Reading): History {
  const { fold, client, host } = connection;
  const open = new Set<Question>();

  const has = (): boolean => NEEDED.every((cap) => connection.caps.has(cap));
  const nameOf = (chat: ChatId): string => (connection.isChannel(chat) ? rooms.nameOf(chat) : talk.people.nick(chat));
  const limit = (): number => {
    const most = Number(client.network.supports('CHATHISTORY'));
    return most > 0 ? Math.min(most, 100) : 100;
  };

  const ask = async (type: Question['type'], target: string, params: readonly string[]) => {
    if (!has()) throw new AdapterError('unsupported', 'this server keeps no history of chats');
    const question: Question = { type, target: fold(target), lines: [] };
    open.add(question);
    try {
      await connection.ask([{ command: 'CHATHISTORY', params }]);
      return question.lines;
    } finally {
      open.delete(question);
    }
  };

  const fetch: History['fetch'] = async (chat, { how, from, limit: most }) => {
    const name = nameOf(chat);
    return await ask('chathistory', name, [how, name, from, String(Math.min(most, limit()))]);
  };

  const reference: History['reference'] = (id, at) => {
    const types = String(client.network.supports('MSGREFTYPES') || 'timestamp,msgid').split(',');
    return types.includes('msgid') && id !== '' ? `msgid=${id}` : timestamp(at);
  };

  return {
    has,
    limit,
    fetch,
    reference,
    takes(line, batch) {
      if (open.size === 0 || typeof batch !== 'object') return false;
      for (const question of open) {
        const [target = ''] = batch.params;
        if (batch.type !== question.type && batch.type !== `draft/${question.type}`) continue;
        if (question.type === 'chathistory' && fold(target) !== question.target) continue;
        question.lines.push(line);
        return true;
      }
      return false;
    },
    async partners(since) {
      const until = host.clock.now() + 24 * 3_600_000;
      const params = ['TARGETS', timestamp(since), timestamp(until), String(Math.min(mostPartners, limit()))];
      const lines = await ask('draft/chathistory-targets', '', params);
      return lines.flatMap(({ params: [, name] }) => (name && !connection.isChannel(name) ? [name] : []));
    },
    async page(chat, before) {
      const order: Order =
        before === undefined
          ? { how: 'LATEST', from: '*', limit: pageSize }
          : { how: 'BEFORE', from: before, limit: pageSize };
      const lines = (await fetch(chat, order)).filter(isText);
      const messages = lines.flatMap((line) => messageOf(line, reading) ?? []);
      const [first] = lines;
      if (!first) return { messages };
      const at = Date.parse(tag(first, 'time') ?? '') || 0;
      return { messages, before: reference(tag(first, 'msgid') ?? '', at) };
    },
  };
}

export const timestamp = (at: number): string => `timestamp=${new Date(at).toISOString()}`;

export const isText = ({ command }: IrcLine): boolean => command === 'PRIVMSG' || command === 'NOTICE';

/** Of the past: a CTCP in it is answered no more. */
export function messageOf(line: IrcLine, reading: Reading): Message | undefined {
  const ctcp = ctcpOf(line.params[1] ?? '');
  if (!isText(line) || (ctcp !== undefined && !ctcp.startsWith('ACTION '))) return undefined;
  return reading.message(line);
}
