import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { readSettings } from '../../accounts/settings.ts';
import { asArchiveError } from '../archive/error.ts';
import type { Paths } from '../paths.ts';

export interface Unread {
  readonly account: string;
  /** Messages. */
  readonly unread: number;
  /** Those that name the person. */
  readonly mentions: number;
  /** Conversations with something unread. */
  readonly chats: number;
}

/**
 * What is unread in each account that has something, from the counters that the hub keeps in the archive: no hub, no
 * index, no list of conversations. @throws SettingsError, ArchiveError
 */
export function readUnread(paths: Paths): readonly Unread[] {
  const path = join(paths.data, 'archive.db');
  if (!existsSync(path)) return [];
  const found = readCounters(path);
  if (found.length === 0) return [];
  // The archive keeps the conversations of an account that was removed.
  const accounts = new Set(readSettings(paths.config).accounts.map(({ name }) => String(name)));
  return found.filter(({ account }) => accounts.has(account));
}

function readCounters(path: string): readonly Unread[] {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true, timeout: 2000 });
    const rows = db.prepare(
      `SELECT account, sum(unread) AS unread, sum(mentions) AS mentions, count(*) AS chats
       FROM conversation WHERE unread > 0 GROUP BY account ORDER BY account`,
    );
    return rows.all().map(({ account, unread, mentions, chats }) => ({
      account: String(account),
      unread: Number(unread),
      mentions: Number(mentions),
      chats: Number(chats),
    }));
  } catch (error) {
    throw asArchiveError(error) ?? error;
  } finally {
    db?.close();
  }
}
