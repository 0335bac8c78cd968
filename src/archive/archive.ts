import { existsSync, renameSync, rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import { numberOf } from './columns.ts';
import { type Conversations, loadConversations } from './conversations.ts';
import { ArchiveError, asArchiveError } from './error.ts';
import { backUp, connect, connectToRead, damageMark, makeFile, markDamaged, setAside } from './files.ts';
import { decoder, type Ground, rowNumbers } from './ground.ts';
import { openIndex } from './index.ts';
import { keeping } from './keeping.ts';
import { messages } from './messages.ts';
import { receipts, sending } from './outbox.ts';
import { memories, pages } from './pages.ts';
import { openPromises } from './promises.ts';
import { type Salvaged, salvage } from './salvage.ts';
import { migrate, refuseOtherVersion } from './schema.ts';
import { searcher } from './search.ts';
import { openTransactions } from './transactions.ts';
import type { Archive, ArchiveOptions } from './types.ts';

/**
 * Opens the archive at a path, making folder and file where there are none. A damaged database is set aside under a
 * dated name and what can be read of it is copied into a new one. One process at a time may write (the hub's lock sees
 * to that): counters and row numbers live in memory beside it.
 * @throws ArchiveError
 */
export function openArchive(path: string, options: ArchiveOptions = {}): Archive {
  const notice = options.notice ?? (() => {});
  try {
    if (existsSync(damageMark(path))) throw new ArchiveError('damaged', 'damage was met while imux ran');
    return build(path, notice);
  } catch (error) {
    const fault = asArchiveError(error) ?? asFileError(error);
    if (fault?.code !== 'damaged') throw fault ?? error;
    return startAgain(path, notice);
  }
}

/**
 * The archive for reading alone, beside a hub that may be writing; what writes fails with `readonly`. Undefined: there
 * is none yet. @throws ArchiveError, also where an older imux wrote it: only the hub brings it up to date.
 */
export function readArchive(path: string): Archive | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const db = connectToRead(path);
    try {
      refuseOtherVersion(db);
      return assemble(db, path);
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    throw asArchiveError(error) ?? asFileError(error) ?? error;
  }
}

/** The new database takes the place of the damaged one only when all that can be saved is in it. */
function startAgain(path: string, notice: (text: string) => void): Archive {
  const fresh = `${path}.new`;
  try {
    for (const end of ['', '-wal', '-shm']) rmSync(fresh + end, { force: true });
    const db = openDatabase(fresh, notice);
    let saved: Salvaged;
    try {
      saved = salvage(path, db);
    } finally {
      db.close();
    }
    const aside = setAside(path);
    renameSync(fresh, path);
    notice(`the archive was damaged and is kept as ${aside}; ${saved.message} of its messages could be saved`);
    return build(path, notice);
  } catch (error) {
    throw asArchiveError(error) ?? asFileError(error) ?? error;
  }
}

function openDatabase(path: string, notice: (text: string) => void): DatabaseSync {
  makeFile(path);
  const db = connect(path);
  try {
    migrate(db, (version) => notice(`the archive is kept as it was: ${backUp(db, path, version)}`));
    makeShrinkable(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A database of the first imux cannot shrink bit by bit until it is written anew, once. Where there is no room, it stays so. */
function makeShrinkable(db: DatabaseSync): void {
  if (numberOf(db.prepare('PRAGMA auto_vacuum').get()?.auto_vacuum) !== 0) return;
  try {
    // In memory it would need as much as the archive is large.
    db.exec('PRAGMA temp_store = FILE; PRAGMA auto_vacuum = INCREMENTAL; VACUUM; PRAGMA temp_store = MEMORY');
  } catch (error) {
    if (asArchiveError(error)?.code !== 'full') throw error;
  }
}

function build(path: string, notice: (text: string) => void): Archive {
  const db = openDatabase(path, notice);
  try {
    return assemble(db, path);
  } catch (error) {
    db.close();
    throw error;
  }
}

function assemble(db: DatabaseSync, path: string): Archive {
  const conversations = loadConversations(db);
  const index = openIndex(db);
  const lost = (): void => {
    conversations.lost();
    index.lost();
  };
  const promises = openPromises(`${path}-wal`);
  const tx = openTransactions(db, { ...conversations, lost }, promises, (error) => {
    if (error.code === 'damaged') markDamaged(path);
  });
  const ground: Ground = { db, tx, conversations, rows: rowNumbers(db), index, decode: decoder(conversations) };
  const search = searcher(db, index, conversations);

  return {
    ...directory(ground),
    ...messages(ground),
    ...sending(ground),
    ...receipts(ground),
    ...pages(ground),
    ...keeping(ground),
    memory: memories(ground),
    search: (query, limit, account) =>
      tx.guarded(() => search(query, limit, account).flatMap((value) => ground.decode(value) ?? [])),
    index: async (signal) => {
      const step = (): boolean => (index.upTo() < ground.rows.last() && index.step()) || index.tidy();
      while (!signal.aborted && tx.grouped(undefined, step)) await turn();
    },
    saved: tx.saved,
    flush: tx.flush,
    close: () => {
      tx.flush();
      promises.close();
      db.close();
    },
  };
}

function directory({ conversations, tx }: Ground): Pick<Archive, 'conversation' | 'find' | 'get' | 'conversations'> {
  return {
    conversation: (account, chat) => ensure(conversations, tx, account, chat),
    find: conversations.find,
    get: conversations.get,
    conversations: conversations.all,
  };
}

/** A key is given even while the disk takes nothing: people are to be shown; `saved` tells of the fault. */
function ensure(
  conversations: Conversations,
  tx: Ground['tx'],
  account: string,
  chat: Parameters<Archive['conversation']>[1],
): ReturnType<Archive['conversation']> {
  const before = conversations.find(account, chat.id);
  const now = conversations.ensure(account, chat);
  // What is not written now is written with the first commit that succeeds.
  if (before === now || tx.failing()) return now;
  try {
    tx.grouped(account, () => {});
  } catch (error) {
    if (!asArchiveError(error)) throw error;
  }
  return now;
}

function asFileError(error: unknown): ArchiveError | undefined {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return undefined;
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') return new ArchiveError('full', 'the disk is full', error);
  if (error.code === 'EROFS' || error.code === 'EACCES' || error.code === 'EPERM')
    return new ArchiveError('readonly', 'the folder of the archive cannot be written', error);
  return error.code.startsWith('E') && 'syscall' in error
    ? new ArchiveError('io', 'the archive cannot be opened', error)
    : undefined;
}
