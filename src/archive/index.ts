import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { numberOf, textOf } from './columns.ts';
import { numberOfKey } from './conversations.ts';
import type { Row } from './types.ts';

/**
 * The trigram index. It lags behind the messages and catches up while the hub is idle; what it has not reached yet is
 * searched by comparison, so that an answer is always complete.
 */
export interface SearchIndex {
  /** The last row that stands in the index. */
  upTo(): number;
  /** Puts the next rows into the index; false: there are none left. Within a transaction. */
  step(): boolean;
  /** Merges the index into one piece once it has grown enough, bit by bit; false: nothing to do. Within a transaction. */
  tidy(): boolean;
  /** A message has another text now. Within a transaction. */
  changed(row: Row): void;
  gone(row: number): void;
  /** The transaction was rolled back. */
  lost(): void;
}

/** Rows a step: a few milliseconds. */
const STEP = 128;
/** A merge writes the whole index anew and makes searching two to four times as fast: worth it after such growth. */
const GROWTH = 0.2;
const LEAST_GROWTH = 5000;
/** Pages of 4 kB merged at a time: a few milliseconds. */
const MERGED_PAGES = 100;
const PRIVATE_USE = 0xe000;
const PRIVATE_USE_SIZE = 6400;

/** A number as three private characters, which are one trigram: so FTS5 itself can narrow a search to a conversation. */
export function tokenOf(number: number): string {
  const digits = [0, 1, 2].map((n) => Math.floor(number / PRIVATE_USE_SIZE ** n) % PRIVATE_USE_SIZE);
  return String.fromCharCode(...digits.map((digit) => PRIVATE_USE + digit));
}

/** The line feeds make trigrams of the last characters too: what is shorter than a trigram is found as the start of one. */
const indexed = (text: string, files: Row['files']): string =>
  [text, ...files.map((file) => file.name)].map((part) => `${part}\n\n`).join('');

export function openIndex(db: DatabaseSync): SearchIndex {
  const read = db.prepare("SELECT value FROM mark WHERE name = 'indexed'");
  const keep = db.prepare(
    "INSERT INTO mark VALUES ('indexed', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
  );
  const keepBlock = db.prepare('INSERT OR REPLACE INTO block VALUES (?, ?, ?)');
  const next = db.prepare(
    'SELECT row, conversation, sender, sender_name, at, text, files FROM message WHERE row > ? AND retracted = 0 ORDER BY row LIMIT ?',
  );
  const insert = db.prepare('INSERT INTO search (rowid, text, conversation, author) VALUES (?, ?, ?, ?)');
  const drop = db.prepare('DELETE FROM search WHERE rowid = ?');
  const authorOf = authors(db);
  let upTo = numberOf(read.get()?.value);

  const add = (value: Record<string, SQLOutputValue>): void => {
    const files = typeof value.files === 'string' ? (JSON.parse(value.files) as Row['files']) : [];
    const author = authorOf(textOf(value.sender) ?? '', textOf(value.sender_name) ?? '');
    const conversation = tokenOf(numberOf(value.conversation));
    insert.run(numberOf(value.row), indexed(textOf(value.text) ?? '', files), conversation, tokenOf(author));
  };

  return {
    tidy: tidier(db, () => upTo),
    upTo: () => upTo,
    step: () => {
      const rows = next.all(upTo, STEP);
      const last = rows.at(-1);
      if (!last) return false;
      for (const value of rows) add(value);
      const times = rows.map(({ at }) => numberOf(at));
      upTo = numberOf(last.row);
      keepBlock.run(upTo, Math.min(...times), Math.max(...times));
      keep.run(upTo);
      return rows.length === STEP;
    },
    changed: (row) => {
      if (row.row > upTo) return;
      drop.run(row.row);
      if (row.retracted) return;
      const author = authorOf(row.from === 'self' ? '' : row.from, row.fromName);
      insert.run(row.row, indexed(row.text, row.files), tokenOf(numberOfKey(row.key)), tokenOf(author));
    },
    gone: (row) => {
      if (row <= upTo) drop.run(row);
    },
    lost: () => {
      upTo = numberOf(read.get()?.value);
    },
  };
}

/** https://sqlite.org/fts5.html#the_merge_command */
function tidier(db: DatabaseSync, upTo: () => number): () => boolean {
  const read = db.prepare("SELECT value FROM mark WHERE name = 'merged'");
  const keep = db.prepare("INSERT OR REPLACE INTO mark VALUES ('merged', ?)");
  const merge = db.prepare("INSERT INTO search (search, rank) VALUES ('merge', ?)");
  const changes = db.prepare('SELECT total_changes() AS n');
  let merging = false;
  return () => {
    const merged = numberOf(read.get()?.value);
    if (!merging && upTo() - merged < Math.max(LEAST_GROWTH, merged * GROWTH)) return false;
    const before = numberOf(changes.get()?.n);
    // A negative number begins a merge of all there is, a positive one goes on with it.
    merge.run(merging ? MERGED_PAGES : -MERGED_PAGES);
    merging = numberOf(changes.get()?.n) - before >= 2;
    if (!merging) keep.run(upTo());
    return merging;
  };
}

/** The number of who wrote under that name; minted where it is new. The account itself has no sender. */
function authors(db: DatabaseSync): (sender: string, name: string) => number {
  const find = db.prepare('SELECT id FROM author WHERE sender = ? AND name = ?');
  const mint = db.prepare('INSERT INTO author (sender, name) VALUES (?, ?) RETURNING id');
  return (sender, name) => numberOf((find.get(sender, name) ?? mint.get(sender, name))?.id);
}
