import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { numberOf } from './columns.ts';
import type { Conversations } from './conversations.ts';
import { type Condition, type Criterion, criteriaOf } from './criteria.ts';
import type { SearchIndex } from './index.ts';
import { isEmpty, parseQuery } from './query.ts';
import { COLUMNS } from './rows.ts';
import { type Stretch, stretches } from './stretches.ts';

type Found = Record<string, SQLOutputValue>;
type Run = (stretch: Stretch, limit: number) => readonly Found[];

/** A stretch that is not searched to its beginning. */
interface Open {
  readonly run: Run;
  readonly stretch: Stretch;
  /** Nothing that is left in it is later. */
  readonly latest: number;
}

/** Of more rows than this that are not indexed yet, those that arrived last are taken for the latest. */
const LONG_TAIL = 20_000;

/**
 * Runs a query, latest messages first: by comparison over the rows that are not indexed yet, then over the index, or over
 * the messages themselves where the query has nothing that the index knows.
 * @throws QueryError
 */
export function searcher(
  db: DatabaseSync,
  index: SearchIndex,
  conversations: Conversations,
): (query: string, limit: number, account?: string) => readonly Found[] {
  const columns = COLUMNS.replace(/\w+/g, 'm.$&');
  const criteria = criteriaOf(db, index, conversations);
  const { within, latest } = stretches(db);
  const select = (from: string, row: string, conditions: readonly Condition[]): Run => {
    const where = conditions.map(({ sql }) => `${sql} AND`).join(' ');
    // FTS5 walks downwards, and stops at the limit, only when ordered by its own rowid; and numbers come as REAL, by which
    // it does not limit its walk.
    const statement = db.prepare(
      `SELECT ${columns} FROM ${from} WHERE ${where} ${row} > CAST(? AS INTEGER)
        AND ${row} <= CAST(? AS INTEGER) ORDER BY ${row} DESC LIMIT ?`,
    );
    const values = conditions.flatMap((condition) => condition.values);
    return ({ from: after, to }, limit) => statement.all(...values, after, to, limit);
  };

  const compared = (wanted: readonly Criterion[]): Run =>
    select(
      'message m',
      'm.row',
      wanted.map(({ condition }) => condition),
    );
  const indexed = (wanted: readonly Criterion[]): Run => {
    if (!wanted.some(({ known }) => known?.kind === 'leads')) return compared(wanted);
    const match = wanted.flatMap(({ known }) => (known && known.kind !== 'nowhere' ? [known.expression] : []));
    const rest = wanted.flatMap(({ known, condition }) => (known && !('rough' in known) ? [] : [condition]));
    const matches: Condition = { sql: 'search MATCH ?', values: [match.join(' AND ')] };
    return select('search CROSS JOIN message m ON m.row = search.rowid', 'search.rowid', [matches, ...rest]);
  };

  return (text, limit, account) => {
    const query = parseQuery(text);
    if (isEmpty(query) || limit < 1) return [];
    const wanted = criteria(query, account);
    if (!wanted) return [];
    const upTo = index.upTo();
    const tail = { from: upTo, to: Number.MAX_SAFE_INTEGER };
    const open: Open[] = [{ run: compared(wanted), stretch: tail, latest: Number.POSITIVE_INFINITY }];
    if (!wanted.some(({ known }) => known?.kind === 'nowhere')) {
      const run = indexed(wanted);
      for (const stretch of within(query, upTo)) open.push({ run, stretch, latest: latest(stretch) });
    }
    return latestOf(open, limit, (stretch) => {
      if (stretch.from < upTo) return latest(stretch);
      return stretch.to - stretch.from > LONG_TAIL && stretch.to < tail.to ? 0 : Number.POSITIVE_INFINITY;
    });
  };
}

/** Takes from the stretch that may hold the latest, until no stretch can hold any that is later than those found. */
function latestOf(open: Open[], limit: number, latest: (stretch: Stretch) => number): readonly Found[] {
  const found: Found[] = [];
  for (;;) {
    open.sort((a, b) => b.latest - a.latest);
    const [next] = open;
    const enough = numberOf(found[limit - 1]?.at);
    if (!next || (found.length >= limit && enough >= next.latest)) return found.slice(0, limit);
    const more = next.run(next.stretch, limit);
    found.push(...more);
    found.sort((a, b) => numberOf(b.at) - numberOf(a.at) || numberOf(b.row) - numberOf(a.row));
    const to = numberOf(more.at(-1)?.row) - 1;
    const left = { from: next.stretch.from, to };
    if (more.length < limit || to <= left.from) open.shift();
    else open[0] = { ...next, stretch: left, latest: latest(left) };
  }
}
