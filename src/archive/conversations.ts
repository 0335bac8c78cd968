import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Chat, ChatId } from '../../adapters/contract.ts';
import type { ConversationKey } from '../link/messages.ts';
import { numberOf, textOf } from './columns.ts';
import type { Companion } from './transactions.ts';
import type { Conversation } from './types.ts';

/** What a transaction may undo. */
export interface Counters {
  readonly unread: number;
  readonly mentions: number;
  readonly readUpTo: number;
  readonly last: number;
}

export interface Conversations extends Companion {
  /** Finds, mints or brings up to date. */
  ensure(account: string, chat: Chat): Conversation;
  find(account: string, chat: ChatId): Conversation | undefined;
  get(key: ConversationKey): Conversation | undefined;
  byNumber(id: number): Conversation | undefined;
  all(account?: string): readonly Conversation[];
  count(key: ConversationKey, counters: Counters): Conversation;
}

export const keyOf = (id: number): ConversationKey => `c${id.toString(36)}` as ConversationKey;
/** NaN where the text is no key. */
export const numberOfKey = (key: ConversationKey): number =>
  /^c[0-9a-z]{1,10}$/.test(key) ? Number.parseInt(key.slice(1), 36) : Number.NaN;

interface Entry {
  readonly id: number;
  now: Conversation;
  /** As the last commit has it. */
  stored: Counters;
}

const UPSERT = `
  INSERT INTO conversation (id, account, chat, kind, address, title, topic, unread, mentions, read_up_to, last)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, address = excluded.address, title = excluded.title,
    topic = excluded.topic, unread = excluded.unread, mentions = excluded.mentions,
    read_up_to = excluded.read_up_to, last = excluded.last`;

/**
 * All conversations in memory; what changes is written once for each commit, not once for each message. A rolled back
 * transaction undoes the counters only: a key that was handed out stays valid and is written with the next commit.
 */
export function loadConversations(db: DatabaseSync): Conversations {
  const entries = new Map<number, Entry>();
  const byAccount = new Map<string, Map<ChatId, Entry>>();
  const changed = new Set<Entry>();
  const upsert = db.prepare(UPSERT);
  let highest = 0;

  const add = (id: number, conversation: Conversation): Entry => {
    const entry = { id, now: conversation, stored: conversation };
    entries.set(id, entry);
    const chats = byAccount.get(conversation.account) ?? new Map<ChatId, Entry>();
    byAccount.set(conversation.account, chats.set(conversation.chat, entry));
    highest = Math.max(highest, id);
    return entry;
  };
  for (const row of db.prepare('SELECT * FROM conversation').iterate()) add(numberOf(row.id), decode(row));

  const entryOf = (key: ConversationKey): Entry | undefined => entries.get(numberOfKey(key));

  const ensure = (account: string, chat: Chat): Conversation => {
    const known = byAccount.get(account)?.get(chat.id);
    if (known && sameAbout(known.now, chat)) return known.now;
    const id = known?.id ?? highest + 1;
    const { unread, mentions, readUpTo, last } = known?.now ?? { unread: 0, mentions: 0, readUpTo: 0, last: 0 };
    const { id: chatId, kind, address, title } = chat;
    const topic = chat.topic === undefined ? {} : { topic: chat.topic };
    const about = { key: keyOf(id), account, chat: chatId, kind, address, title, ...topic };
    const next: Conversation = { ...about, unread, mentions, readUpTo, last };
    const entry = known ?? add(id, next);
    entry.now = next;
    changed.add(entry);
    return next;
  };

  const count = (key: ConversationKey, counters: Counters): Conversation => {
    const entry = entryOf(key);
    if (!entry) throw new Error(`no conversation ${key}`);
    entry.now = { ...entry.now, ...counters };
    changed.add(entry);
    return entry.now;
  };

  return {
    ensure,
    count,
    find: (account, chat) => byAccount.get(account)?.get(chat)?.now,
    get: (key) => entryOf(key)?.now,
    byNumber: (id) => entries.get(id)?.now,
    all: (account) =>
      Array.from(account === undefined ? entries.values() : (byAccount.get(account)?.values() ?? []), (e) => e.now),
    beforeCommit: () => {
      for (const { id, now: c } of changed) {
        const { unread, mentions, readUpTo, last } = c;
        upsert.run(
          id,
          c.account,
          c.chat,
          c.kind,
          c.address,
          c.title,
          c.topic ?? null,
          unread,
          mentions,
          readUpTo,
          last,
        );
      }
    },
    committed: () => {
      for (const entry of changed) entry.stored = entry.now;
      changed.clear();
    },
    lost: () => {
      for (const entry of changed) {
        const { unread, mentions, readUpTo, last } = entry.stored;
        entry.now = { ...entry.now, unread, mentions, readUpTo, last };
      }
    },
  };
}

function sameAbout(c: Conversation, chat: Chat): boolean {
  return c.title === chat.title && c.topic === chat.topic && c.address === chat.address && c.kind === chat.kind;
}

function decode(row: Record<string, SQLOutputValue>): Conversation {
  const topic = textOf(row.topic);
  return {
    key: keyOf(numberOf(row.id)),
    account: textOf(row.account) ?? '',
    chat: (textOf(row.chat) ?? '') as ChatId,
    kind: row.kind === 'room' ? 'room' : 'direct',
    address: textOf(row.address) ?? '',
    title: textOf(row.title) ?? '',
    ...(topic === undefined ? {} : { topic }),
    unread: numberOf(row.unread),
    mentions: numberOf(row.mentions),
    readUpTo: numberOf(row.read_up_to),
    last: numberOf(row.last),
  };
}
