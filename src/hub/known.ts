/** What the completion of a shell offers, from the files alone: no hub is asked. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { readSettings } from '../../accounts/settings.ts';
import type { Paths } from '../paths.ts';

export interface KnownAccount {
  readonly account: string;
  readonly network: string;
}

/** @throws SettingsError */
export function knownAccounts({ config }: Paths): readonly KnownAccount[] {
  return readSettings(config).accounts.map(({ name, network }) => ({ account: name, network }));
}

export interface KnownChat {
  readonly account: string;
  readonly address: string;
  readonly title: string;
}

/** The conversations of an account, the latest first, read while a hub may write. */
export function knownChats({ data }: Paths, account: string): readonly KnownChat[] {
  const path = join(data, 'archive.db');
  if (!existsSync(path)) return [];
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = db
      .prepare('SELECT account, address, title FROM conversation WHERE account = ? ORDER BY last DESC')
      .all(account);
    return rows.map((row) => ({
      account: String(row.account),
      address: String(row.address),
      title: String(row.title),
    }));
  } finally {
    db.close();
  }
}
