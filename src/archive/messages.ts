import type { MessageId, UserId } from '../../adapters/contract.ts';
import type { ConversationKey } from '../link/messages.ts';
import { numberOf, textOf } from './columns.ts';
import { numberOfKey } from './conversations.ts';
import { type Ground, known, milliseconds } from './ground.ts';
import { COLUMNS } from './rows.ts';
import type { Archive, Incoming, Row } from './types.ts';

type Messages = Pick<Archive, 'receive' | 'edit' | 'retract' | 'react' | 'markRead'>;

const INSERT = `
  INSERT INTO message (row, conversation, id, nonce, sender, sender_name, at, text, style, reply_to, files, state,
    edited, retracted, mention, counted, place, tried)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, 0) ON CONFLICT DO NOTHING`;
/** An own row may have failed by our count; its echo proves that it went out. */
const PAIR = `
  UPDATE OR IGNORE message SET id = ?, error = NULL,
    state = CASE WHEN state IN ('delivered', 'read') THEN state ELSE 'accepted' END
  WHERE row = ? AND id IS NULL`;
/** Archives tell whole seconds and by another clock; what was missed follows the last message if older by less. */
const CLOCKS_MS = 60_000;
/** More of them by one person on one message is a flood. */
const MOST_REACTIONS = 20;

export function messages(ground: Ground): Messages {
  return { receive: receiver(ground), ...changer(ground), markRead: reader(ground) };
}

function receiver({ db, tx, conversations, rows, ...rest }: Ground): Messages['receive'] {
  const insert = db.prepare(INSERT);
  const twin = db.prepare('SELECT row FROM message WHERE conversation = ? AND nonce = ? AND sender IS ?');
  const pair = db.prepare(PAIR);
  const ground = { db, tx, conversations, rows, ...rest };

  const store = (m: Incoming): Row | undefined => {
    const { number, now } = known(ground, m.key);
    const sender = m.from === 'self' ? null : m.from;
    if (m.nonce !== undefined) {
      const found = twin.get(number, m.nonce, sender);
      if (found && sender === null) pair.run(m.id, numberOf(found.row));
      if (found) return undefined;
    }
    const at = milliseconds(m.at);
    const row = rows.last() + 1;
    const files = m.files?.length ? JSON.stringify(m.files) : null;
    const counted = m.unread && sender !== null;
    const [style, replyTo, state] = [m.style ?? null, m.replyTo ?? null, sender === null ? 'accepted' : null];
    const [mention, unread] = [m.mention ? 1 : 0, counted ? 1 : 0];
    const values = [row, number, m.id, m.nonce ?? null, sender, m.fromName, at, m.text, style, replyTo, files, state];
    const behind = m.filled === 'missed' ? CLOCKS_MS : 0;
    const place = m.filled !== undefined && now.last - at > behind ? at : Math.max(now.last, at);
    if (insert.run(...values, mention, unread, place).changes === 0) return undefined;
    rows.next();
    conversations.count(m.key, {
      unread: now.unread + unread,
      mentions: now.mentions + (counted ? mention : 0),
      readUpTo: now.readUpTo,
      last: Math.max(now.last, at),
    });
    return rowOf(m, row, at, now.account);
  };

  return (m) => tx.grouped(conversations.get(m.key)?.account, () => store(m));
}

/** What `decodeRow` would read back. */
function rowOf(m: Incoming, row: number, at: number, account: string): Row {
  const { unread: _, filled: __, files = [], ...told } = m;
  const stored = { ...told, row, account, at, files, edited: false, retracted: false, reactions: {} };
  return m.from === 'self' ? { ...stored, state: 'accepted' } : stored;
}

function changer({ db, tx, decode, conversations, index }: Ground): Pick<Messages, 'edit' | 'retract' | 'react'> {
  const find = db.prepare('SELECT row, sender, retracted, reactions FROM message WHERE conversation = ? AND id = ?');
  const edit = db.prepare(`UPDATE message SET text = ?, edited = 1 WHERE row = ? RETURNING ${COLUMNS}`);
  const retract = db.prepare(
    `UPDATE message SET text = '', files = NULL, retracted = 1 WHERE row = ? RETURNING ${COLUMNS}`,
  );
  const react = db.prepare(`UPDATE message SET reactions = ? WHERE row = ? RETURNING ${COLUMNS}`);
  const grouped = (key: ConversationKey, write: () => Row | undefined): Row | undefined =>
    tx.grouped(conversations.get(key)?.account, write);

  const ownRow = (key: ConversationKey, id: MessageId, by: UserId | 'self'): number | undefined => {
    const found = find.get(numberOfKey(key), id);
    const same = found && (textOf(found.sender) ?? 'self') === by && found.retracted === 0;
    return same ? numberOf(found.row) : undefined;
  };
  const reindexed = (row: Row | undefined): Row | undefined => {
    if (row) index.changed(row);
    return row;
  };

  return {
    edit: (key, id, by, text) =>
      grouped(key, () => {
        const row = ownRow(key, id, by);
        return row === undefined ? undefined : reindexed(decode(edit.get(text, row)));
      }),
    retract: (key, id, by) =>
      grouped(key, () => {
        const row = ownRow(key, id, by);
        return row === undefined ? undefined : reindexed(decode(retract.get(row)));
      }),
    react: (key, id, by, emoji) =>
      grouped(key, () => {
        const found = find.get(numberOfKey(key), id);
        if (!found) return undefined;
        const before = textOf(found.reactions);
        const after = reactionsWith(before, by, emoji.slice(0, MOST_REACTIONS));
        return after === before ? undefined : decode(react.get(after ?? null, numberOf(found.row)));
      }),
  };
}

/** JSON of the reactions after `by` replaced theirs; undefined: none are left. */
function reactionsWith(before: string | undefined, by: string, emoji: readonly string[]): string | undefined {
  const all = new Map(Object.entries(before === undefined ? {} : (JSON.parse(before) as Row['reactions'])));
  for (const [one, people] of all) {
    if (emoji.includes(one) === people.includes(by)) continue;
    const others = people.filter((person) => person !== by);
    if (emoji.includes(one)) others.push(by);
    if (others.length > 0) all.set(one, others);
    else all.delete(one);
  }
  for (const one of emoji) {
    if (!all.has(one)) all.set(one, [by]);
  }
  return all.size === 0 ? undefined : JSON.stringify(Object.fromEntries(all));
}

function reader({ db, tx, conversations }: Ground): Messages['markRead'] {
  const placeOf = db.prepare('SELECT place FROM message WHERE row = ? AND conversation = ?');
  const after = db.prepare(
    `SELECT count(*) AS unread, coalesce(sum(mention), 0) AS mentions FROM message
     WHERE conversation = ? AND (place, row) > (?, ?) AND counted = 1`,
  );
  return (key, upTo) => {
    const now = conversations.get(key);
    if (!now) return now;
    const number = numberOfKey(key);
    const stands = (row: number): number => numberOf(placeOf.get(row, number)?.place ?? 0);
    return tx.guarded(() => {
      const [before, place] = [stands(now.readUpTo), stands(upTo)];
      const again = upTo === now.readUpTo;
      if (!again && (place < before || (place === before && upTo < now.readUpTo))) return now;
      // What was filled in above that row since then is read as well, though its own row is higher.
      if (again && now.unread === 0) return now;
      return tx.grouped(now.account, () => {
        const left = now.unread === 0 ? undefined : after.get(number, place, upTo);
        const [unread, mentions] = [numberOf(left?.unread), numberOf(left?.mentions)];
        return conversations.count(key, { unread, mentions, readUpTo: upTo, last: now.last });
      });
    });
  };
}
