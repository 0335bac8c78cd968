import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { type Entry, identify, type Log, type LoggedChat, localTime, partsOf, type Said } from './log.ts';

const LINE = /^(?:(\d{4}-\d{2}-\d{2})T)?(\d{2}:\d{2}:\d{2})(?:\.\d+)?(Z|[+-]\d{2}(?::?\d{2})?)? - (.*)$/;

export const isProfanity = (line: string): boolean => LINE.test(line);

/** `chatlogs/ME/CONTACT/2026_01_31.log`, rooms under `rooms/`; `@` is written `_at_`. A text's further lines stand bare. */
export async function* profanityText(log: Log): AsyncIterable<Entry> {
  const { chat, day } = placeOf(log);
  const entry = identify(chat);
  let open: Said | undefined;
  let number = 0;
  for await (const line of log.lines()) {
    number += 1;
    const [, date = day, time, zone = '', rest = ''] = LINE.exec(line) ?? [];
    const at = time === undefined || date === undefined ? undefined : localTime(date, time + hours(zone));
    const said = at === undefined ? undefined : saidIn(rest, at, chat, log.me);
    if (said) {
      if (open) yield entry(open);
      open = said;
    } else if (time === undefined && open) open = { ...open, text: `${open.text}\n${line}` };
    else if (line !== '') yield { kind: 'odd', line: number, text: line };
  }
  if (open) yield entry(open);
}

/** `+01` is how GLib writes `+01:00`. */
const hours = (zone: string): string => (/^[+-]\d{2}$/.test(zone) ? `${zone}:00` : zone);

function saidIn(rest: string, at: number, chat: LoggedChat, me: ReadonlySet<string>): Said | undefined {
  const action = /^\*(\S+) (.*)$/.exec(rest);
  const [, name = '', text = ''] = action ?? /^(.*?): (.*)$/.exec(rest) ?? /^(.+?):()$/.exec(rest) ?? [];
  if (name === '') return undefined;
  const room = chat.kind === 'room';
  const self = room ? me.has(name.toLowerCase()) : name === 'me';
  const from = room ? `${chat.address}/${name}` : chat.address;
  return { from, name, self, at, text, ...(action ? { style: 'action' as const } : {}) };
}

function placeOf({ path, chat }: Log): { readonly chat: LoggedChat; readonly day: string | undefined } {
  const { name, folders } = partsOf(path);
  const [year, month, date] = /^(\d{4})_(\d{2})_(\d{2})/.exec(name)?.slice(1) ?? [];
  const address = chat ?? jidOf(folders.at(-1) ?? '');
  const room = folders.at(-2) === 'rooms';
  const account = folders.at(room ? -3 : -2);
  return {
    chat: { ...(account === undefined ? {} : { account: jidOf(account) }), address, kind: room ? 'room' : 'person' },
    day: year === undefined ? undefined : `${year}-${month}-${date}`,
  };
}

const jidOf = (folder: string): string => folder.replace('_at_', '@');

/** The newer log: `database/ME/chatlog.db`. A correction replaces the text that it corrects (XEP-0308). */
export async function* profanityDatabase(log: Log): AsyncIterable<Entry> {
  const me = jidOf(partsOf(log.path).folders.at(-1) ?? '').toLowerCase();
  const db = new DatabaseSync(log.path, { readOnly: true });
  try {
    const corrections = new Map<string, string>();
    const corrected = "SELECT * FROM ChatLogs WHERE coalesce(replace_id, '') <> '' ORDER BY timestamp, id";
    const original = db.prepare('SELECT * FROM ChatLogs WHERE stanza_id = ?');
    for (const row of db.prepare(corrected).iterate()) {
      const named = fromAnd(row, row.replace_id);
      if (original.all(text(row.replace_id)).some((one) => fromAnd(one, one.stanza_id) === named))
        corrections.set(named, text(row.message));
    }
    const chats = new Map<string, ReturnType<typeof identify>>();
    for (const row of db.prepare('SELECT * FROM ChatLogs ORDER BY timestamp, id').iterate()) {
      if (text(row.replace_id) !== '' && corrections.has(fromAnd(row, row.replace_id))) yield { kind: 'event' };
      else yield rowEntry(row, me, corrections.get(fromAnd(row, row.stanza_id)), chats, log.me);
    }
  } finally {
    db.close();
  }
}

type Row = Record<string, SQLOutputValue>;
const text = (value: SQLOutputValue | undefined): string => (typeof value === 'string' ? value : '');
/** Of the members of a room all have the room's address, and only the author corrects. */
const fromAnd = (row: Row, id: SQLOutputValue | undefined): string =>
  [row.from_jid, row.type === 'muc' ? row.from_resource : '', id].map(text).join('\n');

/** `2020/03/24 11:12:14` of the first versions, or ISO 8601 with the zone as GLib has it. */
function timeOf(stamp: string): number {
  const iso = stamp
    .replace(/^(\d{4})\/(\d{2})\/(\d{2}) /, '$1-$2-$3T')
    .replace(/(:\d{2}(?:\.\d+)?[+-]\d{2})$/, '$1:00');
  return new Date(iso).getTime();
}

function rowEntry(
  row: Row,
  me: string,
  newer: string | undefined,
  chats: Map<string, ReturnType<typeof identify>>,
  nicks: ReadonlySet<string>,
): Entry {
  const [from, to, nick] = [text(row.from_jid), text(row.to_jid), text(row.from_resource)];
  const at = timeOf(text(row.timestamp));
  const room = row.type === 'muc';
  const own = from.toLowerCase() === me;
  const self = own || (room && nicks.has(nick.toLowerCase()));
  const bare = own ? to : from;
  const resource = own ? text(row.to_resource) : nick;
  const address = row.type === 'mucpm' && resource !== '' ? `${bare}/${resource}` : bare;
  if (Number.isNaN(at) || address === '') return { kind: 'odd', line: Number(row.id), text: JSON.stringify(row) };
  const chat: LoggedChat = { account: me, address, kind: room ? 'room' : 'person' };
  const entry = chats.get(address) ?? identify(chat);
  chats.set(address, entry);
  const body = newer ?? text(row.message);
  const action = body.startsWith('/me ');
  const said = entry({
    from: room ? `${from}/${nick}` : address,
    name: own ? '' : room ? nick : address,
    self,
    at,
    text: action ? body.slice(4) : body,
    ...(action ? { style: 'action' as const } : {}),
  });
  if (said.kind !== 'message') return said;
  // The ids under which the network's own archive has them: what is here already is so known again.
  const id = text(room ? row.archive_id : row.stanza_id) || said.message.id;
  return {
    ...said,
    message: { ...said.message, ...(id === undefined ? {} : { id }), ...(newer === undefined ? {} : { edited: true }) },
  };
}
