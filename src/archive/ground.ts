import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { ConversationKey } from '../link/messages.ts';
import { numberOf } from './columns.ts';
import { type Conversations, numberOfKey } from './conversations.ts';
import type { SearchIndex } from './index.ts';
import { decodeRow } from './rows.ts';
import type { Transactions } from './transactions.ts';
import type { Conversation, Row } from './types.ts';

/** What every part of the archive stands on. */
export interface Ground {
  readonly db: DatabaseSync;
  readonly tx: Transactions;
  readonly conversations: Conversations;
  readonly rows: RowNumbers;
  readonly index: SearchIndex;
  decode(value: Record<string, SQLOutputValue> | undefined): Row | undefined;
}

export interface RowNumbers {
  next(): number;
  last(): number;
  /** Keeps the highest number on disk, before the row that bears it is deleted. */
  keep(): void;
}

/** A row number is given once, also where its transaction was undone or its row deleted: fronts resume from it. */
export function rowNumbers(db: DatabaseSync): RowNumbers {
  const highest = db.prepare(
    "SELECT max(coalesce((SELECT max(row) FROM message), 0), coalesce((SELECT value FROM mark WHERE name = 'row'), 0)) AS row",
  );
  const put = db.prepare("INSERT INTO mark VALUES ('row', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value");
  let last = numberOf(highest.get()?.row);
  return {
    next: () => ++last,
    last: () => last,
    keep: () => void put.run(last),
  };
}

export const decoder =
  (conversations: Conversations): Ground['decode'] =>
  (value) =>
    value && decodeRow(value, conversations);

/** @throws Error for a key that the archive did not mint. */
export function known(ground: Ground, key: ConversationKey): { readonly number: number; readonly now: Conversation } {
  const now = ground.conversations.get(key);
  if (!now) throw new Error(`no conversation ${key}`);
  return { number: numberOfKey(key), now };
}

/** Milliseconds as the column wants them; a time that is none becomes now. */
export const milliseconds = (at: number): number => (Number.isFinite(at) ? Math.trunc(at) : Date.now());
