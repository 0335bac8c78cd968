import type { DatabaseSync } from 'node:sqlite';
import { type ArchiveError, asArchiveError } from './error.ts';
import type { Promises } from './promises.ts';

/** What others keep in memory beside the database, told of the fate of each transaction. */
export interface Companion {
  /** Writes what it holds back; still inside the transaction. */
  beforeCommit(): void;
  committed(): void;
  /** The transaction was rolled back: what was counted since the last commit never happened. */
  lost(): void;
}

export interface Transactions {
  /** In the open group, which is opened where there is none; committed within 20 ms. */
  grouped<T>(account: string | undefined, write: () => T): T;
  /** As grouped, and the group is committed before it returns: a kill of the process cannot undo it, a power cut may. */
  atOnce<T>(account: string | undefined, write: () => T): T;
  /** Commits the open group, then this alone, on the platter when it returns. */
  durable<T>(write: () => T): T;
  /** The last commit failed and none has succeeded since. */
  failing(): boolean;
  /** That account lost what it wrote last, and does not know it yet. */
  untold(account: string): ArchiveError | undefined;
  guarded<T>(read: () => T): T;
  flush(): void;
  saved(account?: string): Promise<void>;
}

const GROUP_MS = 20;

/**
 * Group commit. Where a group cannot be written it is rolled back, and each account that wrote to it learns so by its
 * next `saved`; from then on each write commits by itself, so that the call that fails is the call that throws, until
 * one succeeds.
 */
export function openTransactions(
  db: DatabaseSync,
  companion: Companion,
  promises: Promises,
  onFault: (error: ArchiveError) => void,
): Transactions {
  const group = openGroup(db, companion, promises, onFault);

  const durable = <T>(write: () => T): T => {
    group.commit();
    try {
      // Within a transaction SQLite refuses to change it.
      db.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE');
      const result = write();
      companion.beforeCommit();
      db.exec('COMMIT');
      companion.committed();
      promises.synced();
      return result;
    } catch (error) {
      group.rollback();
      throw group.fault(error);
    } finally {
      db.exec('PRAGMA synchronous = NORMAL');
    }
  };

  return {
    grouped: (account, write) => group.write(account, write, group.failing()),
    atOnce: (account, write) => group.write(account, write, true),
    durable,
    failing: group.failing,
    untold: promises.untold,
    guarded: (read) => {
      try {
        return read();
      } catch (error) {
        throw group.fault(error);
      }
    },
    flush: () => void group.commit(),
    saved: (account) => promises.saved(account, group.isOpen()),
  };
}

interface Group {
  isOpen(): boolean;
  failing(): boolean;
  write<T>(account: string | undefined, change: () => T, now: boolean): T;
  /** Returns the fault that made it lose the group; throws nothing but faults of the program. */
  commit(): ArchiveError | undefined;
  rollback(): void;
  /** The error as it is to be thrown, told of on its way. */
  fault(error: unknown): unknown;
}

function openGroup(
  db: DatabaseSync,
  companion: Companion,
  promises: Promises,
  onFault: (error: ArchiveError) => void,
): Group {
  const [begin, end] = [db.prepare('BEGIN IMMEDIATE'), db.prepare('COMMIT')];
  const writers = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let failing = false;

  const fault = (error: unknown): unknown => {
    const known = asArchiveError(error);
    if (known) onFault(known);
    return known ?? error;
  };
  const rollback = (): void => {
    // SQLite itself ends the transaction after some faults.
    if (db.isTransaction) db.exec('ROLLBACK');
    companion.lost();
  };
  const close = (): void => {
    clearTimeout(timer);
    timer = undefined;
    writers.clear();
  };
  const lose = (error: ArchiveError): ArchiveError => {
    failing = true;
    rollback();
    const accounts = [...writers];
    close();
    promises.lost(accounts, error);
    return error;
  };

  const commit = (): ArchiveError | undefined => {
    if (timer === undefined) return undefined;
    try {
      companion.beforeCommit();
      end.run();
    } catch (error) {
      const known = asArchiveError(fault(error));
      if (!known) throw error;
      return lose(known);
    }
    failing = false;
    companion.committed();
    close();
    promises.committed();
    return undefined;
  };

  const write = <T>(account: string | undefined, change: () => T, now: boolean): T => {
    if (account !== undefined) writers.add(account);
    let result: T;
    try {
      if (timer === undefined) begin.run();
      timer ??= setTimeout(commit, GROUP_MS);
      result = change();
    } catch (error) {
      const thrown = fault(error);
      const known = asArchiveError(thrown);
      if (known) lose(known);
      throw thrown;
    }
    const error = now ? commit() : undefined;
    if (error) throw error;
    return result;
  };

  return { isOpen: () => timer !== undefined, failing: () => failing, write, commit, rollback, fault };
}
