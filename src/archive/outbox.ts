import { basename } from 'node:path';
import type { Attachment, FileId, MessageId } from '../../adapters/contract.ts';
import type { MessageState } from '../link/messages.ts';
import { numberOf, textOf } from './columns.ts';
import { numberOfKey } from './conversations.ts';
import { type Ground, known, milliseconds } from './ground.ts';
import { COLUMNS } from './rows.ts';
import type { Archive, Outgoing, Row, StoredError } from './types.ts';

type Sending = Pick<
  Archive,
  'enqueue' | 'settle' | 'requeue' | 'tried' | 'discard' | 'rewrite' | 'outbox' | 'pathOf' | 'forget'
>;
type Receipts = Pick<Archive, 'receipt' | 'bounce'>;

/** From which states each may be reached: `accepted`, `delivered` and `read` only rise, the others end a try. */
const REACHED_FROM: Readonly<Record<MessageState, readonly MessageState[]>> = {
  queued: [],
  sent: ['queued'],
  accepted: ['queued', 'sent', 'failed', 'unknown'],
  delivered: ['queued', 'sent', 'failed', 'unknown', 'accepted'],
  read: ['queued', 'sent', 'failed', 'unknown', 'accepted', 'delivered'],
  failed: ['queued', 'sent', 'unknown'],
  unknown: ['queued', 'sent'],
};

const INSERT = `
  INSERT INTO message (row, conversation, nonce, sender, sender_name, at, text, reply_to, files, state, edited,
    retracted, mention, counted, script_key, path, place, tried)
  VALUES (?, ?, ?, NULL, '', ?, ?, ?, ?, 'queued', 0, 0, 0, 0, ?, ?, ?, 0)`;

export function sending(ground: Ground): Sending {
  const { db, tx, conversations, decode } = ground;
  const outbox = db.prepare(
    `SELECT ${COLUMNS} FROM message WHERE state IN ('queued', 'sent', 'failed', 'unknown') ORDER BY row`,
  );
  const path = db.prepare('SELECT path FROM message WHERE row = ?');
  const requeue = db.prepare(
    `UPDATE message SET state = 'queued', error = ? WHERE row = ? AND state IN ('failed', 'unknown') RETURNING ${COLUMNS}`,
  );
  const tried = db.prepare('UPDATE message SET tried = tried + 1 WHERE row = ? RETURNING tried');
  const discard = db.prepare("DELETE FROM message WHERE row = ? AND state IN ('queued', 'failed', 'unknown')");

  const rewrite = db.prepare(
    `UPDATE message SET text = ? WHERE row = ? AND state IN ('queued', 'failed') RETURNING ${COLUMNS}`,
  );

  return {
    enqueue: enqueuer(ground),
    settle: settler(ground),
    requeue: (row, waitsFor) =>
      tx.atOnce(undefined, () => decode(requeue.get(waitsFor === undefined ? null : JSON.stringify(waitsFor), row))),
    tried: (row) => tx.atOnce(undefined, () => numberOf(tried.get(row)?.tried)),
    discard: (row) =>
      tx.atOnce(undefined, () => {
        ground.rows.keep();
        if (discard.run(row).changes === 0) return false;
        ground.index.gone(row);
        return true;
      }),
    rewrite: (row, text) =>
      tx.durable(() => {
        const changed = decode(rewrite.get(text, row));
        if (changed) ground.index.changed(changed);
        return changed;
      }),
    outbox: (account) =>
      tx.guarded(() => {
        const rows: Row[] = [];
        for (const value of outbox.all()) {
          const row = decode(value);
          if (row && (account === undefined || row.account === account)) rows.push(row);
        }
        return rows;
      }),
    pathOf: (row) => tx.guarded(() => textOf(path.get(row)?.path)),
    forget: forgetter(
      db,
      (write) => tx.atOnce(undefined, write),
      () => conversations.beforeCommit(),
    ),
  };
}

function enqueuer(ground: Ground): Sending['enqueue'] {
  const { db, tx, conversations, rows, decode } = ground;
  const insert = db.prepare(INSERT);
  const byScriptKey = db.prepare(`SELECT ${COLUMNS} FROM message WHERE script_key = ?`);

  const store = (m: Outgoing): Row => {
    const { number, now } = known(ground, m.key);
    const { replyTo = null, scriptKey = null, path = null } = m;
    const [row, at, files] = [rows.next(), milliseconds(m.at), filesOf(m)];
    const shown = files.length > 0 ? JSON.stringify(files) : null;
    const last = Math.max(now.last, at);
    insert.run(row, number, m.nonce, at, m.text, replyTo, shown, scriptKey, path, last);
    conversations.count(m.key, { ...now, last });
    const { path: _, ...told } = m;
    const whole = { row, account: now.account, from: 'self', fromName: '', state: 'queued' } as const;
    return { ...told, ...whole, at, files, edited: false, retracted: false, mention: false, reactions: {} };
  };

  return (m) => {
    const before = m.scriptKey === undefined ? undefined : tx.guarded(() => decode(byScriptKey.get(m.scriptKey ?? '')));
    return before ? { row: before, fresh: false } : { row: tx.durable(() => store(m)), fresh: true };
  };
}

/** The network gives the file its id once it is there; until then the path stands for it. */
function filesOf(m: Outgoing): readonly Attachment[] {
  if (m.files) return m.files;
  return m.path === undefined ? [] : [{ id: m.path as FileId, name: basename(m.path) }];
}

function settler({ db, tx, decode }: Ground): Sending['settle'] {
  const find = db.prepare('SELECT conversation, id, state FROM message WHERE row = ? AND state IS NOT NULL');
  const update = db.prepare(`UPDATE message SET state = ?, error = ? WHERE row = ? RETURNING ${COLUMNS}`);
  const give = db.prepare(`UPDATE OR IGNORE message SET id = ? WHERE row = ? RETURNING ${COLUMNS}`);
  // The network's own copy came first and without our nonce: one message, one row.
  const dropCopy = db.prepare(
    'DELETE FROM message WHERE conversation = ? AND id = ? AND sender IS NULL AND nonce IS NULL AND script_key IS NULL AND row <> ?',
  );

  return (row, state, details = {}) => {
    const found = tx.guarded(() => find.get(row));
    const before = textOf(found?.state) as MessageState | undefined;
    if (!found || before === undefined) return undefined;
    const rises = REACHED_FROM[state].includes(before);
    const id = found.id === null ? details.id : undefined;
    if (!rises && id === undefined) return undefined;
    return tx.durable(() => {
      const error = details.error === undefined ? null : JSON.stringify(details.error);
      const risen = rises ? update.get(state, error, row) : undefined;
      if (id === undefined) return decode(risen);
      dropCopy.run(numberOf(found.conversation), id, row);
      return decode(give.get(id, row) ?? risen);
    });
  };
}

function forgetter(
  db: Ground['db'],
  atOnce: (write: () => void) => void,
  writeConversations: () => void,
): Sending['forget'] {
  const drop = db.prepare('DELETE FROM memory WHERE account = ?');
  const own = 'conversation IN (SELECT id FROM conversation WHERE account = ?)';
  const fail = db.prepare(`UPDATE message SET state = 'failed', error = ? WHERE state = 'queued' AND ${own}`);
  const doubt = db.prepare(`UPDATE message SET state = 'unknown', error = ? WHERE state = 'sent' AND ${own}`);
  const error: StoredError = { code: 'refused', message: 'the account was removed' };
  return (account) =>
    atOnce(() => {
      writeConversations();
      drop.run(account);
      fail.run(JSON.stringify(error), account);
      doubt.run(JSON.stringify({ ...error, certain: false }), account);
    });
}

export function receipts({ db, tx, conversations, decode }: Ground): Receipts {
  const find = db.prepare('SELECT row, state FROM message WHERE conversation = ? AND id = ?');
  // A receipt may overtake the network's own word that it took the message: until then our nonce is its only name.
  const findUnnamed = db.prepare(
    "SELECT row, state FROM message WHERE conversation = ? AND nonce = ? AND id IS NULL AND sender IS NULL AND state <> 'queued'",
  );
  const raiseOne = db.prepare(`UPDATE message SET state = ?, error = NULL WHERE row = ? RETURNING ${COLUMNS}`);
  const fail = db.prepare(`UPDATE message SET state = 'failed', error = ? WHERE row = ? RETURNING ${COLUMNS}`);
  // One that failed or is in doubt is not proved by a receipt for a later one.
  const upTo = (from: string): string =>
    `UPDATE message SET state = ? WHERE state IN (${from}) AND conversation = ? AND row <= ? RETURNING ${COLUMNS}`;
  const raiseUpTo = {
    accepted: db.prepare(upTo("'sent'")),
    delivered: db.prepare(upTo("'sent', 'accepted'")),
    read: db.prepare(upTo("'sent', 'accepted', 'delivered'")),
  };
  const stateAt = (number: number, id: MessageId): { row: number; state: MessageState | undefined } | undefined => {
    const found = find.get(number, id) ?? findUnnamed.get(number, id);
    return found && { row: numberOf(found.row), state: textOf(found.state) as MessageState | undefined };
  };

  return {
    receipt: (key, id, state, single) =>
      tx.grouped(conversations.get(key)?.account, () => {
        const at = stateAt(numberOfKey(key), id);
        if (!at) return [];
        const changed: Row[] = [];
        const add = (value: Parameters<typeof decode>[0]): void => {
          const row = decode(value);
          if (row) changed.push(row);
        };
        if (!single) for (const value of raiseUpTo[state].all(state, numberOfKey(key), at.row)) add(value);
        else if (at.state && REACHED_FROM[state].includes(at.state)) add(raiseOne.get(state, at.row));
        return changed.sort((a, b) => a.row - b.row);
      }),
    bounce: (key, id, error) =>
      tx.atOnce(conversations.get(key)?.account, () => {
        const at = stateAt(numberOfKey(key), id);
        const may = at?.state === 'sent' || at?.state === 'accepted' || at?.state === 'unknown';
        return may ? decode(fail.get(JSON.stringify(error), at.row)) : undefined;
      }),
  };
}
