import { numberOf } from './columns.ts';
import { numberOfKey } from './conversations.ts';
import { type Ground, known, milliseconds } from './ground.ts';
import type { Archive, Imported } from './types.ts';

type Keeping = Pick<Archive, 'import' | 'expire' | 'shrink'>;

const INSERT = `
  INSERT INTO message (row, conversation, id, nonce, sender, sender_name, at, text, style, reply_to, files, state, error,
    edited, retracted, mention, counted, reactions, script_key, place, tried)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, 0) ON CONFLICT DO NOTHING`;
/** Pages of 4 kB that go back to the disk at a time: a few milliseconds. */
const SHRUNK_PAGES = 200;

/** What comes in from elsewhere, and what goes by age. */
export function keeping(ground: Ground): Keeping {
  return { import: importer(ground), ...remover(ground) };
}

function importer(ground: Ground): Keeping['import'] {
  const { db, tx, conversations, rows } = ground;
  const insert = db.prepare(INSERT);
  const twin = db.prepare('SELECT 1 AS found FROM message WHERE conversation = ? AND nonce = ? AND sender IS ?');
  const taken = db.prepare('SELECT 1 AS found FROM message WHERE script_key = ?');

  const store = (m: Imported): boolean => {
    const { number, now } = known(ground, m.key);
    const sender = m.from === 'self' ? null : m.from;
    if (m.nonce !== undefined && twin.get(number, m.nonce, sender)) return false;
    const at = milliseconds(m.at);
    // A script's key stands for one message of this archive; the message is kept without it.
    const scriptKey = m.scriptKey === undefined || taken.get(m.scriptKey) ? null : m.scriptKey;
    const state = sender === null ? (m.state ?? 'accepted') : null;
    const stored = insert.run(
      rows.last() + 1,
      number,
      m.id ?? null,
      m.nonce ?? null,
      sender,
      m.fromName,
      at,
      m.text,
      m.style ?? null,
      m.replyTo ?? null,
      json(m.files),
      state,
      json(m.error),
      m.edited ? 1 : 0,
      m.retracted ? 1 : 0,
      m.mention ? 1 : 0,
      json(m.reactions),
      scriptKey,
      at,
    );
    if (stored.changes === 0) return false;
    rows.next();
    if (at > now.last) conversations.count(m.key, { ...now, last: at });
    return true;
  };

  return (m) => tx.grouped(conversations.get(m.key)?.account, () => store(m));
}

const json = (value: object | undefined): string | null =>
  value === undefined || Object.keys(value).length === 0 ? null : JSON.stringify(value);

function remover({ db, tx, conversations, rows, index }: Ground): Pick<Keeping, 'expire' | 'shrink'> {
  const readTo = db.prepare('SELECT place FROM message WHERE row = ?');
  // `state` of what waits, failed or is in doubt: it stands in the outbox, and only the person takes it from there.
  const old = db.prepare(`
    SELECT row FROM message WHERE conversation = ? AND place < ? AND at < ?
      AND (state IS NULL OR state IN ('accepted', 'delivered', 'read'))
      AND (counted = 0 OR (place, row) <= (?, ?))
    ORDER BY place, row LIMIT ?`);
  const remove = db.prepare('DELETE FROM message WHERE row = ?');
  const free = db.prepare('PRAGMA freelist_count');

  return {
    expire: (key, before, limit) => {
      const now = conversations.get(key);
      if (!now) return 0;
      const everything = now.unread === 0;
      const place = everything ? Number.MAX_SAFE_INTEGER : numberOf(readTo.get(now.readUpTo)?.place);
      return tx.grouped(undefined, () => {
        const gone = old.all(numberOfKey(key), before, before, place, now.readUpTo, limit);
        if (gone.length > 0) rows.keep();
        for (const { row } of gone) {
          remove.run(numberOf(row));
          index.gone(numberOf(row));
        }
        return gone.length;
      });
    },
    shrink: () => {
      tx.flush();
      return tx.guarded(() => {
        if (numberOf(free.get()?.freelist_count) === 0) return false;
        db.exec(`PRAGMA incremental_vacuum(${SHRUNK_PAGES})`);
        return numberOf(free.get()?.freelist_count) > 0;
      });
    },
  };
}
