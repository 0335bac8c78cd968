import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** A conversation of the archive, as one who does not run the hub may look it up. */
export interface KnownChat {
  readonly account: string;
  readonly address: string;
  readonly title: string;
}

/** The conversations of an archive, the latest first, read while a hub may write; none where there is no archive. */
export function knownChats(path: string, account: string | undefined, most: number): readonly KnownChat[] {
  if (!existsSync(path)) return [];
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = db
      .prepare(
        'SELECT account, address, title FROM conversation WHERE ?1 IS NULL OR account = ?1 ORDER BY last DESC LIMIT ?2',
      )
      .all(account ?? null, most);
    return rows.map((row) => ({
      account: String(row.account),
      address: String(row.address),
      title: String(row.title),
    }));
  } finally {
    db.close();
  }
}
