import type { DatabaseSync } from 'node:sqlite';
import { numberOf } from './columns.ts';
import type { Query } from './query.ts';

/** Rows above `from` up to `to`, among which later rows are later messages, or nearly so. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

export interface Stretches {
  /** The indexed rows in which the times asked for can be. */
  within(query: Query, upTo: number): readonly Stretch[];
  /** No row of the stretch at or before its end is later than that, in milliseconds since the epoch. */
  latest(stretch: Stretch): number;
}

const DAY = 86_400_000;
/** What was missed for so long goes with what arrived live: one more stretch is one more search. */
const SLACK = 30 * DAY;
const MOST = 64;

/**
 * Rows arrive nearly in the order of time. Where old logs were imported they begin anew with early times: there the rows
 * fall into stretches, each of which is searched from its end.
 */
export function stretches(db: DatabaseSync): Stretches {
  const blocks = db.prepare('SELECT last, newest FROM block WHERE last > ? ORDER BY last');
  const latest = db.prepare(
    'SELECT max(newest) AS at FROM block WHERE last > ? AND last <= coalesce((SELECT min(last) FROM block WHERE last >= ?), ?)',
  );
  const to = db.prepare('SELECT max(last) AS row FROM block WHERE last > ? AND last <= ? AND oldest < ?');
  const before = db.prepare(
    'SELECT max(last) AS row FROM block WHERE last < (SELECT min(last) FROM block WHERE last > ? AND last <= ? AND newest >= ?)',
  );
  const any = db.prepare('SELECT max(newest) AS at FROM block WHERE last > ? AND last <= ?');

  let known: { from: number; to: number; newest: number }[] = [];
  let slack = SLACK;
  const learn = (upTo: number): void => {
    const end = known.at(-1)?.to ?? 0;
    if (end > upTo) known = [];
    else if (end === upTo) return;
    for (const { last, newest } of blocks.iterate(known.at(-1)?.to ?? 0)) add(numberOf(last), numberOf(newest));
    if (known.length <= MOST) return;
    known = [];
    slack *= 4;
    learn(upTo);
  };
  const add = (last: number, newest: number): void => {
    const now = known.at(-1);
    if (!now || newest < now.newest - slack) known.push({ from: now?.to ?? 0, to: last, newest });
    else {
      now.to = last;
      now.newest = Math.max(now.newest, newest);
    }
  };

  return {
    within: (query, upTo) => {
      learn(upTo);
      return known.flatMap((stretch) => {
        const end =
          query.before === undefined ? stretch.to : numberOf(to.get(stretch.from, stretch.to, query.before)?.row);
        if (query.after === undefined) return { from: stretch.from, to: end };
        if (numberOf(any.get(stretch.from, stretch.to)?.at) < query.after) return [];
        const start = numberOf(before.get(stretch.from, stretch.to, query.after)?.row);
        return { from: Math.max(stretch.from, start), to: end };
      });
    },
    latest: ({ from, to: end }) => numberOf(latest.get(from, end, end)?.at),
  };
}
