import type { DatabaseSync } from 'node:sqlite';
import { ArchiveError } from './error.ts';

/**
 * Each step takes the database from the version of its index to the next; a step that was released is never changed.
 *
 * conversation.id    the number in a ConversationKey
 * message.sender     NULL: the account itself, and then `state` is never NULL
 * message.counted    1: was unread when it arrived; back-fill is 0
 * mark               single numbers: `row`, the highest row ever given; `indexed`, the last row in `search`
 * message.place      where it stands in its conversation, as milliseconds: what happens now comes last whatever the clocks say,
 *                    what is filled in goes where its time belongs if it is clearly older; rows of the same place stand in their order
 * author             who wrote under which name; numbered for `search`
 * block              for each step of the index: its last row, and the earliest and latest `at` in it
 * search             conversation and author stand in it as one token each, see index.ts
 */
export const STEPS: readonly string[] = [
  `
  CREATE TABLE conversation (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, chat TEXT NOT NULL, kind TEXT NOT NULL, address TEXT NOT NULL,
    title TEXT NOT NULL, topic TEXT, unread INTEGER NOT NULL, mentions INTEGER NOT NULL, read_up_to INTEGER NOT NULL,
    last INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE message (
    row INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, id TEXT, nonce TEXT, sender TEXT, sender_name TEXT NOT NULL,
    at INTEGER NOT NULL, text TEXT NOT NULL, style TEXT, reply_to TEXT, files TEXT, state TEXT, error TEXT,
    edited INTEGER NOT NULL, retracted INTEGER NOT NULL, mention INTEGER NOT NULL, counted INTEGER NOT NULL,
    reactions TEXT, script_key TEXT, path TEXT, tried INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX message_by_id ON message (conversation, id) WHERE id IS NOT NULL;
  CREATE INDEX message_by_conversation ON message (conversation);
  CREATE INDEX message_by_nonce ON message (conversation, nonce) WHERE nonce IS NOT NULL;
  CREATE INDEX message_by_state ON message (state, conversation) WHERE state IS NOT NULL;
  CREATE UNIQUE INDEX message_by_script_key ON message (script_key) WHERE script_key IS NOT NULL;
  CREATE TABLE memory (account TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (account, key)) STRICT, WITHOUT ROWID;
  CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE author (id INTEGER PRIMARY KEY, sender TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (sender, name)) STRICT;
  CREATE TABLE block (last INTEGER PRIMARY KEY, oldest INTEGER NOT NULL, newest INTEGER NOT NULL) STRICT;
  CREATE VIRTUAL TABLE search
    USING fts5 (text, conversation, author, content='', contentless_delete=1, tokenize='trigram');
  `,
  `
  ALTER TABLE message ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
  UPDATE message SET place = told.place
    FROM (SELECT row, max(at) OVER (PARTITION BY conversation ORDER BY row) AS place FROM message) AS told
    WHERE told.row = message.row;
  DROP INDEX message_by_conversation;
  CREATE INDEX message_by_place ON message (conversation, place);
  `,
];

/**
 * Brings the database to the newest version, each step in a transaction of its own.
 * @param backup keeps a copy of the database as it was at that version; called before each step, but not for a database that is new.
 * @throws ArchiveError `newer` where a newer imux wrote it.
 */
export function migrate(db: DatabaseSync, backup: (version: number) => void, steps = STEPS): void {
  const found = version(db);
  if (found > steps.length) throw newer(found);
  for (const [from, step] of steps.entries()) {
    if (from < found) continue;
    if (found > 0) backup(from);
    db.exec('BEGIN IMMEDIATE');
    try {
      db.exec(`${step}; PRAGMA user_version = ${from + 1}`);
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
}

/** For those who cannot migrate. @throws ArchiveError `newer`, or `readonly` where it is older than this imux. */
export function refuseOtherVersion(db: DatabaseSync): void {
  const found = version(db);
  if (found > STEPS.length) throw newer(found);
  if (found < STEPS.length)
    throw new ArchiveError(
      'readonly',
      'the archive was written by an older imux; `imux hub start` brings it up to date',
    );
}

const newer = (found: number): ArchiveError =>
  new ArchiveError('newer', `the archive was written by a newer imux (version ${found} of its layout)`);

function version(db: DatabaseSync): number {
  const value = db.prepare('PRAGMA user_version').get()?.user_version;
  return typeof value === 'number' ? value : 0;
}
