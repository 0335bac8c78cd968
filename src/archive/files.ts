import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** SQLite gives -wal and -shm the mode of the database itself, so that one mode is enough. */
export function makeFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  chmodSync(dirname(path), 0o700);
  closeSync(openSync(path, constants.O_CREAT | constants.O_WRONLY | constants.O_NOFOLLOW, 0o600));
  chmodSync(path, 0o600);
}

/**
 * Pragmas: WAL with NORMAL loses at most the last commits at a power cut and never the database; the outbox switches to
 * FULL for its own commits. The page cache (16 MB) and the WAL that stays (16 MB) are bounded, so that neither memory nor
 * disk grows with the traffic. INCREMENTAL: what deleted messages leave can go back to the disk bit by bit.
 */
export function connect(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 2000 });
  try {
    // Said to a database that is there it would write to it, also to one that is not for us.
    if (statSync(path).size === 0) db.exec('PRAGMA auto_vacuum = INCREMENTAL');
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 16777216',
    );
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A reader waits for nobody but a hub that is just recovering the WAL. */
export function connectToRead(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 2000 });
  db.exec('PRAGMA temp_store = MEMORY');
  return db;
}

/** Copies the database beside itself, all that stands in the WAL included. */
export function backUp(db: DatabaseSync, path: string, version: number): string {
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  const copy = free(`${path}.v${version}-${stamp()}`);
  copyFileSync(path, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  chmodSync(copy, 0o600);
  return copy;
}

/** Moves a damaged database out of the way, whole, and returns its new path. Never deletes. */
export function setAside(path: string): string {
  const aside = free(`${path}.damaged-${stamp()}`);
  for (const end of ['', '-wal', '-shm']) {
    if (existsSync(path + end)) renameSync(path + end, aside + end);
  }
  rmSync(damageMark(path), { force: true });
  return aside;
}

/** Stands beside a database in which damage was met while it ran: a quick opening does not always meet it again. */
export const damageMark = (path: string): string => `${path}-damaged`;

export function markDamaged(path: string): void {
  try {
    closeSync(openSync(damageMark(path), 'w', 0o600));
  } catch {
    // The disk may be the cause of the damage; the next opening then finds out by itself.
  }
}

function stamp(): string {
  return new Date().toISOString().replace(/[-:]/g, '').slice(0, 15);
}

function free(path: string): string {
  let name = path;
  for (let n = 2; existsSync(name); n += 1) name = `${path}-${n}`;
  return name;
}
