import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Another hub holds the lock. */
export class HubRuns extends Error {
  override readonly name = 'HubRuns';
}

export interface Lock {
  release(): void;
}

/**
 * Decides who is the hub. Node has no call for a file lock, but SQLite takes one for each transaction, and the system
 * gives it back when the process dies, however it dies: a lock is never stale. It stands in the data folder, since two
 * hubs on one archive would be wrong even with sockets in different places.
 * @param note for the one who comes second: process id and socket.
 * @throws HubRuns
 */
export function takeLock(path: string, note: string): Lock {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Opened and closed only where it is new: a close would give up the lock that this process may hold on it.
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec('BEGIN IMMEDIATE');
  } catch (error) {
    db.close();
    throw isBusy(error) ? new HubRuns(`a hub is running already: ${holder(path)}`) : error;
  }
  chmodSync(path, 0o600);
  writeFileSync(`${path}.owner`, note, { mode: 0o600 });
  return { release: () => db.close() };
}

const isBusy = (error: unknown): boolean => error instanceof Error && 'errcode' in error && error.errcode === 5;

function holder(path: string): string {
  try {
    return readFileSync(`${path}.owner`, 'utf8');
  } catch {
    return 'unknown';
  }
}
