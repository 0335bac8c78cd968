import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { numberOf } from './columns.ts';
import type { Conversations } from './conversations.ts';
import { type Condition, type Criterion, criteriaOf } from './criteria.ts';
import type { SearchIndex } from './index.ts';
import { isEmpty, parseQuery, type Query } from './query.ts';
import { COLUMNS } from './rows.ts';

type Found = readonly Record<string, SQLOutputValue>[];
type Bounds = { readonly from: number; readonly to: number };

/**
 * Runs a query, newest arrivals first: over the tail that is not indexed by comparison, then over the index, or over the
 * messages themselves where the query has nothing that the index knows.
 * @throws QueryError
 */
export function searcher(
  db: DatabaseSync,
  index: SearchIndex,
  conversations: Conversations,
): (query: string, limit: number, account?: string) => Found {
  const columns = COLUMNS.replace(/\w+/g, 'm.$&');
  const criteria = criteriaOf(db, index, conversations);
  const boundsOf = blocks(db);
  const run = (from: string, order: string, conditions: readonly Condition[], limit: number): Found => {
    const where = conditions.map(({ sql }) => sql).join(' AND ');
    const statement = db.prepare(`SELECT ${columns} FROM ${from} WHERE ${where} ORDER BY ${order} DESC LIMIT ?`);
    return statement.all(...conditions.flatMap(({ values }) => values), limit);
  };

  const older = (wanted: readonly Criterion[], bounds: Bounds, limit: number): Found => {
    if (bounds.from >= bounds.to || wanted.some(({ known }) => known?.kind === 'nowhere')) return [];
    const within: Condition = { sql: 'm.row > ? AND m.row <= ?', values: [bounds.from, bounds.to] };
    if (!wanted.some(({ known }) => known?.kind === 'leads')) {
      return run('message m', 'm.row', [within, ...wanted.map(({ condition }) => condition)], limit);
    }
    const match = wanted.flatMap(({ known }) => (known && known.kind !== 'nowhere' ? [known.expression] : []));
    const rest = wanted.flatMap(({ known, condition }) => (known && !('rough' in known) ? [] : [condition]));
    const conditions: Condition[] = [
      { sql: 'search MATCH ?', values: [match.join(' AND ')] },
      { sql: 'search.rowid > ? AND search.rowid <= ?', values: within.values },
      ...rest,
    ];
    // FTS5 walks downwards, and stops at the limit, only when ordered by its own rowid.
    return run('search CROSS JOIN message m ON m.row = search.rowid', 'search.rowid', conditions, limit);
  };

  return (text, limit, account) => {
    const query = parseQuery(text);
    if (isEmpty(query) || limit < 1) return [];
    const wanted = criteria(query, account);
    if (!wanted) return [];
    const tail: Condition = { sql: 'm.row > ?', values: [index.upTo()] };
    const found = run('message m', 'm.row', [tail, ...wanted.map(({ condition }) => condition)], limit);
    if (found.length === limit) return found;
    return [...found, ...older(wanted, boundsOf(query, index.upTo()), limit - found.length)];
  };
}

/** The indexed rows among which the times asked for can be. Rows arrive nearly in the order of time, but not quite. */
function blocks(db: DatabaseSync): (query: Query, upTo: number) => Bounds {
  const to = db.prepare('SELECT max(last) AS row FROM block WHERE oldest < ?');
  const from = db.prepare(
    'SELECT coalesce(max(last), 0) AS row FROM block WHERE last < (SELECT min(last) FROM block WHERE newest >= ?)',
  );
  const any = db.prepare('SELECT max(newest) AS at FROM block');
  return ({ before, after }, upTo) => {
    if (after !== undefined && numberOf(any.get()?.at) < after) return { from: upTo, to: upTo };
    return {
      from: after === undefined ? 0 : numberOf(from.get(after)?.row),
      to: before === undefined ? upTo : numberOf(to.get(before)?.row),
    };
  };
}
