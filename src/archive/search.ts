import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { numberOf, textOf } from './columns.ts';
import { type Conversations, numberOfKey } from './conversations.ts';
import { fold, parseQuery, type Query } from './query.ts';
import { COLUMNS } from './rows.ts';
import type { Conversation, Row } from './types.ts';

/**
 * The trigram index. It lags behind the messages and catches up while the hub is idle; what it has not reached yet is
 * searched by comparison, so that an answer is always complete.
 */
export interface SearchIndex {
  /** The last row that stands in the index. */
  upTo(): number;
  /** Puts the next rows into the index; false: there are none left. Within a transaction. */
  step(): boolean;
  /** An indexed row has another text now. Within a transaction. */
  changed(row: Pick<Row, 'row' | 'key' | 'text' | 'files'>): void;
  gone(row: number): void;
  /** The transaction was rolled back. */
  lost(): void;
}

/** Rows a step: a few milliseconds. */
const STEP = 256;
const PRIVATE_USE = 0xe000;
const PRIVATE_USE_SIZE = 6400;

/** Three private characters are one trigram, so that FTS5 itself can narrow a search to conversations. */
function scopeToken(conversation: number): string {
  const digits = [0, 1, 2].map((n) => Math.floor(conversation / PRIVATE_USE_SIZE ** n) % PRIVATE_USE_SIZE);
  return String.fromCharCode(...digits.map((digit) => PRIVATE_USE + digit));
}

export function openIndex(db: DatabaseSync): SearchIndex {
  const read = db.prepare("SELECT value FROM mark WHERE name = 'indexed'");
  const keep = db.prepare(
    "INSERT INTO mark VALUES ('indexed', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
  );
  const next = db.prepare(
    'SELECT row, conversation, text, files FROM message WHERE row > ? AND retracted = 0 ORDER BY row LIMIT ?',
  );
  const insert = db.prepare('INSERT INTO search (rowid, text, scope) VALUES (?, ?, ?)');
  const drop = db.prepare('DELETE FROM search WHERE rowid = ?');
  let upTo = numberOf(read.get()?.value);

  return {
    upTo: () => upTo,
    step: () => {
      const rows = next.all(upTo, STEP);
      for (const { row, conversation, text, files } of rows) {
        const names = typeof files === 'string' ? `\n${namesIn(files)}` : '';
        insert.run(numberOf(row), `${textOf(text)}${names}`, scopeToken(numberOf(conversation)));
      }
      const last = rows.at(-1);
      if (!last) return false;
      upTo = numberOf(last.row);
      keep.run(upTo);
      return rows.length === STEP;
    },
    changed: ({ row, key, text, files }) => {
      if (row > upTo) return;
      drop.run(row);
      const names = files.map((file) => `\n${file.name}`).join('');
      if (text || names) insert.run(row, text + names, scopeToken(numberOfKey(key)));
    },
    gone: (row) => {
      if (row <= upTo) drop.run(row);
    },
    lost: () => {
      upTo = numberOf(read.get()?.value);
    },
  };
}

function namesIn(files: string): string {
  return (JSON.parse(files) as Row['files']).map((file) => file.name).join('\n');
}

interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** In a list longer than this, FTS5 does not narrow by conversation; SQLite filters afterwards. */
const MOST_SCOPES = 64;

/** Runs a query over index and tail. @throws QueryError */
export function searcher(
  db: DatabaseSync,
  index: SearchIndex,
  conversations: Conversations,
): (query: string, limit: number, account?: string) => readonly Record<string, SQLOutputValue>[] {
  db.function('folded', { deterministic: true }, (text) => (typeof text === 'string' ? fold(text) : ''));
  const columns = COLUMNS.replace(/\w+/g, 'm.$&');
  const run = (from: string, conditions: readonly Condition[], limit: number) => {
    const where = conditions.map(({ sql }) => sql).join(' AND ');
    const statement = db.prepare(`SELECT ${columns} FROM ${from} WHERE ${where} ORDER BY m.row DESC LIMIT ?`);
    return statement.all(...conditions.flatMap(({ values }) => values), limit);
  };

  return (text, limit, account) => {
    const query = parseQuery(text);
    const scope = scopeOf(query, conversations, account);
    if (isEmpty(query) || scope?.length === 0 || limit < 1) return [];
    const filters = [...filtersOf(query), ...(scope ? [inScope(scope)] : [])];
    const [long, short] = [query.terms.filter(isLong), query.terms.filter((term) => !isLong(term))];
    if (long.length === 0) return run('message m', [...filters, ...short.map(contains)], limit);
    const tail = { sql: 'm.row > ?', values: [index.upTo()] };
    const found = run('message m', [tail, ...filters, ...query.terms.map(contains)], limit);
    if (found.length === limit) return found;
    const match = { sql: 'search MATCH ?', values: [expression(long, scope)] };
    const from = 'search CROSS JOIN message m ON m.row = search.rowid';
    const rest = runIndexed(db, columns, from, [match, ...filters, ...short.map(contains)], limit - found.length);
    return [...found, ...rest];
  };
}

/** FTS5 walks its rows downwards by itself only when ordered by its own rowid. */
function runIndexed(
  db: DatabaseSync,
  columns: string,
  from: string,
  conditions: readonly Condition[],
  limit: number,
): Record<string, SQLOutputValue>[] {
  const where = conditions.map(({ sql }) => sql).join(' AND ');
  const statement = db.prepare(`SELECT ${columns} FROM ${from} WHERE ${where} ORDER BY search.rowid DESC LIMIT ?`);
  return statement.all(...conditions.flatMap(({ values }) => values), limit);
}

const isEmpty = (q: Query): boolean =>
  q.terms.length + q.from.length + q.in.length + q.account.length === 0 &&
  q.before === undefined &&
  q.after === undefined &&
  !q.hasFile;

/** A trigram needs three characters, not UTF-16 units. */
const isLong = (term: string): boolean => term.length > 2 && [...term].length > 2;

function expression(terms: readonly string[], scope: readonly Conversation[] | undefined): string {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const text = `text : (${terms.map(quoted).join(' AND ')})`;
  if (!scope || scope.length > MOST_SCOPES) return text;
  return `${text} AND scope : (${scope.map((c) => quoted(scopeToken(numberOfKey(c.key)))).join(' OR ')})`;
}

/** The conversations that `in:` and `account:` leave; undefined: all. */
function scopeOf(
  query: Query,
  conversations: Conversations,
  account: string | undefined,
): readonly Conversation[] | undefined {
  const accounts = account === undefined ? query.account : [...query.account, account];
  if (accounts.length === 0 && query.in.length === 0) return undefined;
  return conversations
    .all(accounts[0])
    .filter(
      (c) =>
        accounts.every((name) => name === c.account) &&
        query.in.every((part) => fold(c.title).includes(part) || fold(c.address).includes(part)),
    );
}

function inScope(scope: readonly Conversation[]): Condition {
  // Numbers of our own making, and more of them than SQLite binds.
  return { sql: `m.conversation IN (${scope.map((c) => numberOfKey(c.key)).join(',')})`, values: [] };
}

function filtersOf(query: Query): readonly Condition[] {
  const filters: Condition[] = [{ sql: 'm.retracted = 0', values: [] }];
  for (const who of query.from) {
    if (who === 'me' || who === 'self') filters.push({ sql: 'm.sender IS NULL', values: [] });
    else filters.push({ sql: '(instr(folded(m.sender_name), ?) OR instr(folded(m.sender), ?))', values: [who, who] });
  }
  if (query.before !== undefined) filters.push({ sql: 'm.at < ?', values: [query.before] });
  if (query.after !== undefined) filters.push({ sql: 'm.at >= ?', values: [query.after] });
  if (query.hasFile) filters.push({ sql: 'm.files IS NOT NULL', values: [] });
  return filters;
}

/** Comparison without the index. LIKE knows the two cases of ASCII only, and is ten times as fast as our own folding. */
function contains(term: string): Condition {
  const small = fold(term);
  const plain = /^[\0-\x7f]*$/.test(term) || small === term.toUpperCase();
  const has = (column: string): string => (plain ? `${column} LIKE ? ESCAPE '\\'` : `instr(folded(${column}), ?)`);
  const value = plain ? `%${term.replace(/[\\%_]/g, '\\$&')}%` : small;
  const inNames = `m.files IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(m.files) f WHERE ${has("f.value ->> 'name'")})`;
  return { sql: `(${has('m.text')} OR (${inNames}))`, values: [value, value] };
}
