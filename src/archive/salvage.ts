import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';
import { numberOf } from './columns.ts';

const TABLES = ['conversation', 'memory', 'message'] as const;
const PAGE = 200;
/** After so many unreadable rows in a run the steps grow, so that a large hole is crossed in time. */
const PATIENCE = 64;

/** How many rows of each table could be saved. */
export type Salvaged = Readonly<Record<(typeof TABLES)[number], number>>;

/**
 * Copies what can still be read from a damaged database into a new one, row by row; the damaged one is only read.
 * Whole pages first; where one fails, rows alone; what fails alone is passed over.
 */
export function salvage(damaged: string, into: DatabaseSync): Salvaged {
  const saved = { conversation: 0, memory: 0, message: 0 };
  let from: DatabaseSync;
  try {
    from = new DatabaseSync(damaged, { readOnly: true });
  } catch {
    return saved;
  }
  try {
    into.exec('BEGIN IMMEDIATE');
    for (const table of TABLES) saved[table] = copyTable(from, into, table);
    into.exec(`
      INSERT OR IGNORE INTO conversation
        SELECT DISTINCT conversation, 'recovered', 'c' || conversation, 'direct', 'recovered-' || conversation,
          'recovered ' || conversation, NULL, 0, 0, 0, 0
        FROM message WHERE conversation NOT IN (SELECT id FROM conversation);
      COMMIT`);
    return saved;
  } finally {
    if (into.isTransaction) into.exec('ROLLBACK');
    from.close();
  }
}

function copyTable(from: DatabaseSync, into: DatabaseSync, table: (typeof TABLES)[number]): number {
  const columns = into.prepare(`SELECT * FROM ${table} LIMIT 0`).columns();
  const names = columns.map(({ name }) => name);
  const insert = into.prepare(
    `INSERT OR IGNORE INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
  );
  let copied = 0;
  const keep = (value: Record<string, SQLOutputValue>): void => {
    const values: SQLInputValue[] = names.map((name) => value[name] ?? null);
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
  let [at, failed] = [0, 0];
  while (at < end) {
    try {
      const rows = read.all(at, failed === 0 ? PAGE : 1);
      const last = rows.at(-1);
      if (!last) return;
      for (const row of rows) keep(row);
      at = numberOf(last[number]);
      failed = 0;
    } catch {
      // The first failure of a page only means: now one by one.
      if (failed > 0) at += failed < PATIENCE ? 1 : 2 ** Math.min(failed - PATIENCE, 20);
      failed += 1;
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
