import type { DatabaseSync } from 'node:sqlite';
import { type ArchiveError, asArchiveError } from './error.ts';

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
  guarded<T>(read: () => T): T;
  flush(): void;
  saved(account?: string): Promise<void>;
}

const GROUP_MS = 20;

interface Waiter {
  readonly account: string | undefined;
  readonly resolve: () => void;
  readonly reject: (error: ArchiveError) => void;
}

/**
 * Group commit. Where a group cannot be written it is rolled back, and each account that wrote to it learns so by its
 * next `saved`; from then on each write commits by itself, so that the call that fails is the call that throws, until
 * one succeeds.
 */
export function openTransactions(
  db: DatabaseSync,
  companion: Companion,
  onFault: (error: ArchiveError) => void,
): Transactions {
  const writers = new Set<string>();
  const lost = new Map<string, ArchiveError>();
  let waiters: Waiter[] = [];
  let timer: NodeJS.Timeout | undefined;
  let faulty = false;
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');

  const rollback = (): void => {
    // SQLite itself ends the transaction after some faults.
    if (db.isTransaction) db.exec('ROLLBACK');
    companion.lost();
  };

  const fault = (error: unknown): unknown => {
    const known = asArchiveError(error);
    if (known) onFault(known);
    return known ?? error;
  };

  const endGroup = (): void => {
    clearTimeout(timer);
    timer = undefined;
    writers.clear();
  };

  const loseGroup = (error: ArchiveError): void => {
    faulty = true;
    rollback();
    for (const account of writers) lost.set(account, error);
    endGroup();
    settleWaiters();
  };

  const settleWaiters = (): void => {
    const settled = waiters;
    waiters = [];
    const told = new Set<string>();
    for (const { account, resolve, reject } of settled) {
      const error = lossOf(account);
      if (!error) {
        resolve();
        continue;
      }
      reject(error);
      for (const name of account === undefined ? lost.keys() : [account]) told.add(name);
    }
    for (const name of told) lost.delete(name);
  };

  const lossOf = (account: string | undefined): ArchiveError | undefined =>
    account === undefined ? lost.values().next().value : lost.get(account);

  /** Throws nothing but faults of the program. */
  const commitGroup = (): ArchiveError | undefined => {
    if (timer === undefined) return undefined;
    try {
      companion.beforeCommit();
      commit.run();
    } catch (error) {
      const known = asArchiveError(fault(error));
      if (!known) throw error;
      loseGroup(known);
      return known;
    }
    faulty = false;
    companion.committed();
    endGroup();
    settleWaiters();
    return undefined;
  };

  const grouped = <T>(account: string | undefined, write: () => T, now = faulty): T => {
    try {
      if (timer === undefined) {
        begin.run();
        timer = setTimeout(commitGroup, GROUP_MS);
      }
      if (account !== undefined) writers.add(account);
      const result = write();
      if (!now) return result;
      const error = commitGroup();
      if (error) throw error;
      return result;
    } catch (error) {
      const known = fault(error);
      const cause = asArchiveError(known);
      if (cause && timer !== undefined) loseGroup(cause);
      else if (cause && account !== undefined) lost.set(account, cause);
      throw known;
    }
  };

  const durable = <T>(write: () => T): T => {
    commitGroup();
    try {
      db.exec('PRAGMA synchronous = FULL');
      begin.run();
      const result = write();
      companion.beforeCommit();
      commit.run();
      faulty = false;
      companion.committed();
      return result;
    } catch (error) {
      rollback();
      throw fault(error);
    } finally {
      db.exec('PRAGMA synchronous = NORMAL');
    }
  };

  const saved = (account?: string): Promise<void> => {
    const error = lossOf(account);
    if (error) {
      if (account === undefined) lost.clear();
      else lost.delete(account);
      return Promise.reject(error);
    }
    if (timer === undefined) return Promise.resolve();
    return new Promise((resolve, reject) => waiters.push({ account, resolve, reject }));
  };

  return {
    grouped: (account, write) => grouped(account, write),
    atOnce: (account, write) => grouped(account, write, true),
    durable,
    failing: () => faulty,
    guarded: (read) => {
      try {
        return read();
      } catch (error) {
        throw fault(error);
      }
    },
    flush: () => void commitGroup(),
    saved,
  };
}
