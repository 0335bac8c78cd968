import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { connect, makeFile } from '../../src/archive/files.ts';
import { openPromises } from '../../src/archive/promises.ts';
import { openTransactions } from '../../src/archive/transactions.ts';
import { archivePath } from './fixture.ts';

const FULL = expect.objectContaining({ name: 'ArchiveError', code: 'full' });
const BIG = 'x'.repeat(100_000);

/** A database that may hold a few pages only, as on a full disk, until `grow`. */
function smallDatabase() {
  const path = archivePath();
  makeFile(path);
  const db = connect(path);
  db.exec('CREATE TABLE t (x TEXT)');
  db.exec('PRAGMA max_page_count = 10');
  const told: string[] = [];
  const companion = {
    beforeCommit: () => {},
    committed: () => void told.push('committed'),
    lost: () => void told.push('lost'),
  };
  const promises = openPromises(`${path}-wal`);
  const tx = openTransactions(db, companion, promises, (error) => told.push(error.code));
  onTestFinished(() => {
    tx.flush();
    promises.close();
    db.close();
  });
  const insert = db.prepare('INSERT INTO t VALUES (?)');
  return {
    tx,
    told,
    put: (text: string) => insert.run(text),
    count: () => {
      const other = new DatabaseSync(path, { readOnly: true });
      const n = other.prepare('SELECT count(*) AS n FROM t').get()?.n;
      other.close();
      return n;
    },
    grow: () => db.exec('PRAGMA max_page_count = 1000'),
  };
}

test('F6 a group that is lost is told once to each account that wrote to it, and to no other', async () => {
  const { tx, put, told, count } = smallDatabase();
  tx.grouped('work', () => put('small'));
  const waiting = [tx.saved('work'), tx.saved('home'), tx.saved()];
  expect(() => tx.grouped('libera', () => put(BIG))).toThrow(FULL);
  expect(await Promise.allSettled(waiting)).toMatchObject([
    { status: 'rejected', reason: { code: 'full' } },
    { status: 'fulfilled' },
    { status: 'rejected' },
  ]);
  await expect(tx.saved('libera')).rejects.toEqual(FULL);
  expect(told).toEqual(['full', 'lost']);
  expect(count()).toBe(0);
});

test('F6 who was not waiting learns of the loss by the next saved, once', async () => {
  const { tx, put } = smallDatabase();
  tx.grouped('work', () => put('small'));
  expect(() => tx.grouped('libera', () => put(BIG))).toThrow(FULL);
  await expect(tx.saved('home')).resolves.toBeUndefined();
  for (const account of ['work', 'libera']) {
    await expect(tx.saved(account)).rejects.toEqual(FULL);
    await expect(tx.saved(account)).resolves.toBeUndefined();
  }
});

test('F6 after a loss each write commits by itself, until one succeeds', async () => {
  const { tx, put, count, grow } = smallDatabase();
  expect(() => tx.grouped('work', () => put(BIG))).toThrow(FULL);
  expect(tx.failing()).toBe(true);
  expect(() => tx.durable(() => put(BIG))).toThrow(FULL);
  tx.grouped('work', () => put('small'));
  expect(count()).toBe(1);
  expect(tx.failing()).toBe(false);
  grow();
  tx.grouped('work', () => put(BIG));
  expect(count()).toBe(1);
  tx.flush();
  expect(count()).toBe(2);
});

test('a fault of the program in one write undoes no other', () => {
  const { tx, put, count } = smallDatabase();
  tx.grouped('work', () => put('one'));
  const broken = (): void => {
    throw new TypeError('ours');
  };
  expect(() => tx.grouped('home', broken)).toThrow('ours');
  expect(() => tx.durable(broken)).toThrow('ours');
  tx.flush();
  expect(count()).toBe(1);
});

test('what is durable takes the open group with it', async () => {
  const { tx, put, count } = smallDatabase();
  tx.grouped('work', () => put('one'));
  tx.durable(() => put('two'));
  expect(count()).toBe(2);
  await tx.saved('work');
});

test('F6 an account knows by itself that it lost something before it writes an offset', async () => {
  const { tx, put } = smallDatabase();
  expect(() => tx.grouped('work', () => put(BIG))).toThrow(FULL);
  expect(tx.untold('work')).toEqual(FULL);
  expect(tx.untold('home')).toBeUndefined();
  await expect(tx.saved('work')).rejects.toEqual(FULL);
  expect(tx.untold('work')).toBeUndefined();
});
