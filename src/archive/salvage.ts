import { closeSync, copyFileSync, existsSync, openSync, readSync, rmSync, statSync, truncateSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';
import { numberOf } from './columns.ts';

const TABLES = ['conversation', 'memory', 'message'] as const;
const PAGE = 200;
/** The steps over a hole grow with it, by this part of it: no more than that is lost behind it. */
const HOLE_PART = 16;

/** How many rows of each table could be saved. */
export type Salvaged = Readonly<Record<(typeof TABLES)[number], number>>;

/**
 * Copies what can still be read from a damaged database into a new one, row by row; the damaged one is only read.
 * Whole pages first; where one fails, rows alone; what fails alone is passed over.
 */
export function salvage(damaged: string, into: DatabaseSync): Salvaged {
  const saved = { conversation: 0, memory: 0, message: 0 };
  if (!existsSync(damaged)) return saved;
  const whole = padded(damaged);
  let from: DatabaseSync | undefined;
  try {
    from = new DatabaseSync(whole ?? damaged, { readOnly: true });
    into.exec('BEGIN IMMEDIATE');
    for (const table of TABLES) saved[table] = copyTable(from, into, table);
    // Messages whose conversation is lost stay readable under a name that says so.
    into.exec(`
      INSERT OR IGNORE INTO conversation
        SELECT DISTINCT conversation, 'recovered', 'c' || conversation, 'direct', 'recovered-' || conversation,
          'recovered ' || conversation, NULL, 0, 0, 0, 0
        FROM message WHERE conversation NOT IN (SELECT id FROM conversation);
      COMMIT`);
    return saved;
  } finally {
    if (into.isTransaction) into.exec('ROLLBACK');
    from?.close();
    if (whole !== undefined) for (const end of ['', '-wal', '-shm']) rmSync(whole + end, { force: true });
  }
}

/**
 * SQLite reads nothing of a file that is shorter than its header says: a copy of it, filled up with zeros. Undefined
 * where the file is long enough. https://sqlite.org/fileformat2.html#the_database_header
 */
function padded(path: string): string | undefined {
  const header = Buffer.alloc(32);
  const file = openSync(path, 'r');
  readSync(file, header, 0, header.length, 0);
  closeSync(file);
  const pageSize = header.readUInt16BE(16) === 1 ? 65536 : header.readUInt16BE(16);
  const bytes = header.readUInt32BE(28) * pageSize;
  const isDatabase = header.toString('latin1', 0, 16) === 'SQLite format 3\0';
  if (!isDatabase || statSync(path).size >= bytes) return undefined;
  const copy = `${path}.padded`;
  copyFileSync(path, copy);
  truncateSync(copy, bytes);
  return copy;
}

function copyTable(from: DatabaseSync, into: DatabaseSync, table: (typeof TABLES)[number]): number {
  const columns = into.prepare(`SELECT * FROM ${table} LIMIT 0`).columns();
  const names = columns.map(({ name }) => name);
  const insert = into.prepare(
    `INSERT OR IGNORE INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
  );
  let copied = 0;
  const keep = (value: Record<string, SQLOutputValue>): void => {
    // Before version 2 of the layout rows had no place.
    const values: SQLInputValue[] = names.map((name) => value[name] ?? (name === 'place' ? (value.at ?? 0) : null));
    try {
      copied += Number(insert.run(...values).changes);
    } catch {
      // Garbage that the new table's own rules refuse.
    }
  };
  try {
    if (table === 'memory') for (const value of from.prepare('SELECT * FROM memory').iterate()) keep(value);
    else copyByNumber(from, table, table === 'message' ? 'row' : 'id', keep);
  } catch {
    // Not even its schema or its root can be read; the other tables may still be.
  }
  return copied;
}

function copyByNumber(
  from: DatabaseSync,
  table: string,
  number: string,
  keep: (value: Record<string, SQLOutputValue>) => void,
): void {
  const read = from.prepare(`SELECT * FROM ${table} NOT INDEXED WHERE ${number} > ? ORDER BY ${number} LIMIT ?`);
  const end = highest(from, table, number);
  let at = 0;
  let hole: number | undefined;
  while (at < end) {
    try {
      const rows = read.all(at, hole === undefined ? PAGE : 1);
      const last = rows.at(-1);
      if (!last) return;
      for (const row of rows) keep(row);
      at = numberOf(last[number]);
      hole = undefined;
    } catch {
      // The first failure of a page only means: now one by one.
      if (hole === undefined) hole = at;
      else at += Math.max(1, Math.floor((at - hole) / HOLE_PART));
    }
  }
}

function highest(from: DatabaseSync, table: string, number: string): number {
  try {
    return numberOf(from.prepare(`SELECT max(${number}) AS n FROM ${table}`).get()?.n);
  } catch {
    return 2 ** 40;
  }
}
