import { textOf } from './columns.ts';
import { numberOfKey } from './conversations.ts';
import type { Ground } from './ground.ts';
import { COLUMNS } from './rows.ts';
import type { Archive, Row } from './types.ts';

type Pages = Pick<Archive, 'row' | 'byId' | 'byScriptKey' | 'page' | 'between' | 'since' | 'lastRow'>;

/** Reading back; what stands in the open group is seen as well. */
export function pages({ db, tx, decode, rows }: Ground): Pages {
  const byRow = db.prepare(`SELECT ${COLUMNS} FROM message WHERE row = ?`);
  const byId = db.prepare(`SELECT ${COLUMNS} FROM message WHERE conversation = ? AND id = ?`);
  const byScriptKey = db.prepare(`SELECT ${COLUMNS} FROM message WHERE script_key = ?`);
  const last = db.prepare(
    `SELECT ${COLUMNS} FROM message WHERE conversation = ? ORDER BY place DESC, row DESC LIMIT ?`,
  );
  const page = db.prepare(
    `SELECT ${COLUMNS} FROM message WHERE conversation = ? AND (place, row) < (?, ?)
     ORDER BY place DESC, row DESC LIMIT ?`,
  );
  const older = db.prepare(
    `SELECT ${COLUMNS} FROM message WHERE conversation = ? AND row < ? ORDER BY row DESC LIMIT ?`,
  );
  const placeOf = db.prepare('SELECT place FROM message WHERE row = ? AND conversation = ?');
  // What was written at a time stands there or later, never before.
  const between = db.prepare(
    `SELECT ${COLUMNS} FROM message WHERE conversation = ? AND place >= ? AND at >= ? AND at < ?
     ORDER BY place DESC, row DESC LIMIT ?`,
  );
  const since = db.prepare(`SELECT ${COLUMNS} FROM message WHERE row > ? ORDER BY row LIMIT ?`);
  const all = (values: ReturnType<typeof page.all>): Row[] => values.flatMap((value) => decode(value) ?? []);

  return {
    row: (row) => tx.guarded(() => decode(byRow.get(row))),
    byId: (key, id) => tx.guarded(() => decode(byId.get(numberOfKey(key), id))),
    byScriptKey: (key) => tx.guarded(() => decode(byScriptKey.get(key))),
    page: (key, limit, before) =>
      tx.guarded(() => {
        const number = numberOfKey(key);
        const place = before === undefined ? undefined : placeOf.get(before, number)?.place;
        // A row that is gone, or of elsewhere, stands nowhere: what arrived before it is the nearest to it.
        if (before !== undefined && place === undefined) return all(older.all(number, before, limit)).reverse();
        if (before === undefined || place === undefined) return all(last.all(number, limit)).reverse();
        return all(page.all(number, place, before, limit)).reverse();
      }),
    between: (key, limit, from, to) =>
      tx.guarded(() => all(between.all(numberOfKey(key), from, from, to, limit)).reverse()),
    since: (after, limit) => tx.guarded(() => all(since.all(after, limit))),
    lastRow: () => rows.last(),
  };
}

/** Adapter memory; what is set joins the group of the messages received before it. */
export function memories({ db, tx }: Ground): Archive['memory'] {
  const get = db.prepare('SELECT value FROM memory WHERE account = ? AND key = ?');
  const set = db.prepare(
    'INSERT INTO memory VALUES (?, ?, ?) ON CONFLICT (account, key) DO UPDATE SET value = excluded.value',
  );
  const drop = db.prepare('DELETE FROM memory WHERE account = ? AND key = ?');
  return (account) => ({
    get: (key) => tx.guarded(() => textOf(get.get(account, key)?.value)),
    set: (key, value) => {
      // An offset or counter must not outlive the messages that it counts.
      const loss = tx.untold(account);
      if (loss) throw loss;
      tx.grouped(account, () => {
        if (value === undefined) drop.run(account, key);
        else set.run(account, key, value);
      });
    },
  });
}
