import { closeSync, fdatasync, openSync } from 'node:fs';
import { ArchiveError } from './error.ts';

/**
 * Who waits for what to be on the platter. A commit with `synchronous = NORMAL` outlives a kill of the process; a power
 * cut it outlives only after the WAL was synced. That is done here, off the event loop, once for all who wait.
 */
export interface Promises {
  /** A group was committed. */
  committed(): void;
  /** A commit was synced, and with it all before it. */
  synced(): void;
  /** What those accounts wrote since the last commit is gone: each learns so once. */
  lost(accounts: Iterable<string>, error: ArchiveError): void;
  /** What that account has lost and was not told of yet. */
  untold(account: string): ArchiveError | undefined;
  /** @param open whether a group is open, which is then waited for */
  saved(account: string | undefined, open: boolean): Promise<void>;
  close(): void;
}

interface Waiter {
  readonly account: string | undefined;
  /** The number of the commit that it waits for. */
  readonly commit: number;
  readonly resolve: () => void;
  readonly reject: (error: ArchiveError) => void;
}

/** The WAL carries no locks of SQLite, so that opening and closing it here disturbs none. */
export function openPromises(walPath: string): Promises {
  const wal = openSync(walPath, 'r');
  /** Under `undefined` stands what is told to who waits for all accounts. */
  const losses = new Map<string | undefined, ArchiveError>();
  let waiters: Waiter[] = [];
  let [committed, synced, syncing, closed] = [0, 0, false, false];

  const settle = (error?: ArchiveError): void => {
    const due = waiters.filter(({ commit }) => commit <= (error ? committed : synced));
    waiters = waiters.filter((waiter) => !due.includes(waiter));
    for (const { resolve, reject } of due) {
      if (error) reject(error);
      else resolve();
    }
  };

  const sync = (): void => {
    if (syncing || closed || !waiters.some(({ commit }) => commit <= committed)) return;
    syncing = true;
    const upTo = committed;
    fdatasync(wal, (error) => {
      syncing = false;
      if (closed) closeSync(wal);
      if (!error) synced = Math.max(synced, upTo);
      settle(error ? new ArchiveError('io', 'the disk of the archive failed', error) : undefined);
      sync();
    });
  };

  return {
    committed: () => {
      committed += 1;
      sync();
    },
    synced: () => {
      committed += 1;
      synced = committed;
      settle();
    },
    lost: (accounts, error) => {
      for (const account of [...accounts, undefined]) losses.set(account, error);
      const concerned = waiters.filter(({ account }) => losses.has(account));
      const others = waiters.filter(({ account }) => !losses.has(account));
      // The group is gone; for those who wrote nothing to it the commit before it is the last.
      waiters = others.map((waiter) => ({ ...waiter, commit: Math.min(waiter.commit, committed) }));
      for (const { account, reject } of concerned) {
        losses.delete(account);
        reject(error);
      }
      if (synced === committed) settle();
      else sync();
    },
    untold: (account) => losses.get(account),
    saved: (account, open) => {
      const error = losses.get(account);
      losses.delete(account);
      if (error) return Promise.reject(error);
      const commit = open ? committed + 1 : committed;
      if (commit <= synced) return Promise.resolve();
      return new Promise((resolve, reject) => {
        waiters.push({ account, commit, resolve, reject });
        sync();
      });
    },
    close: () => {
      closed = true;
      synced = committed;
      settle();
      if (!syncing) closeSync(wal);
    },
  };
}
