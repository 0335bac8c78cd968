import { type Entry, identify, type Log, type LoggedChat, localTime, partsOf, type Said } from './log.ts';

const HEADER = /^(?:<html><head>.*?<h3>)?Conversation with (.+?) at (.+) on (\S+) \(([^()]+)\)(?:<\/h3>)?$/;
const SYSTEM = /^(?:<html><head>.*?<h3>)?System log for account /;
/** `(12:30:45)`, `(12:30:45 PM)`, and with a date where the message is not of the day on which the log began. */
const TIME = String.raw`\((?:(\d{2,4}[./-]\d{2}[./-]\d{2,4}) )?(\d{1,2}:\d{2}:\d{2})(?: ?([AP]M))?\)`;
const PLAIN = new RegExp(`^${TIME} (.*)$`);
const HTML = new RegExp(`^(?:<font color="(#[0-9A-F]{6})">)?<font size="2">${TIME}</font>(.*)$`);
/** The colours in which Pidgin writes what was sent and what was received. */
const SENT = '#16569E';

export const isPidgin = (line: string): boolean => HEADER.test(line) || SYSTEM.test(line);

/** `logs/PROTOCOL/ACCOUNT/BUDDY/2026-01-31.123045+0100CET.html` or `.txt`; rooms end in `.chat`. One file a conversation. */
export async function* pidgin(log: Log): AsyncIterable<Entry> {
  const place = placeOf(log);
  let entry = identify(place.chat);
  let open: Said | undefined;
  let last = 0;
  let number = 0;
  for await (const line of log.lines()) {
    number += 1;
    const header = HEADER.exec(line);
    if (header && number === 1 && !place.named) entry = identify(chatIn(header, place.chat.kind));
    const found = isPidgin(line) || CLOSING.test(line) ? 'event' : lineIn(line, place.day, last, log.me);
    if (typeof found === 'object') {
      if (open) yield entry(open);
      open = found;
      last = found.at;
    } else if (found === 'event') yield { kind: 'event' };
    else if (open) open = { ...open, text: `${open.text}\n${line.startsWith('<') ? plain(line) : line}` };
    else if (line !== '') yield { kind: 'odd', line: number, text: line };
  }
  if (open) yield entry(open);
}

const CLOSING = /^<\/body><\/html>$/;

function lineIn(
  line: string,
  day: string | undefined,
  last: number,
  me: ReadonlySet<string>,
): Said | 'event' | undefined {
  const html = HTML.exec(line);
  const [colour, date, time, half, rest = ''] = html
    ? html.slice(1)
    : [undefined, ...(PLAIN.exec(line)?.slice(1) ?? [])];
  if (time === undefined) return undefined;
  const at = timeOf(dayOf(date) ?? day, time, half, last);
  if (at === undefined) return undefined;
  if (html) {
    const who = /^ ?<b>(\*\*\*)?(.*?):?<\/b>(?:<\/font>)? (.*?)(?:<br\/?>)?$/.exec(rest);
    // Pidgin's own words are in bold behind the blank, and name nobody.
    if (!colour || !who) return 'event';
    const name = plain(who[2] ?? '').replace(/ <AUTO-REPLY>$/, '');
    const self = colour === SENT || me.has(name.toLowerCase());
    return said(name, self, at, plain(who[3] ?? ''), who[1] !== undefined);
  }
  const [, action, nick = '', text = ''] = /^(?:(\*\*\*)(\S+)|(?!\*\*\*))(.*)$/.exec(rest) ?? [];
  if (action) return said(nick, me.has(nick.toLowerCase()), at, text.trimStart(), true);
  const words = /^(.+?): (.*)$/.exec(rest) ?? /^(.+?):()$/.exec(rest);
  if (!words) return 'event';
  const name = (words[1] ?? '').replace(/ <AUTO-REPLY>$/, '');
  return said(name, me.has(name.toLowerCase()), at, words[2] ?? '', false);
}

function said(name: string, self: boolean, at: number, text: string, action: boolean): Said {
  return { from: name.toLowerCase(), name, self, at, text, ...(action ? { style: 'action' as const } : {}) };
}

/** `01/31/2026`, `31.01.2026` or `2026-01-31`, as the locale of the writer had it; undefined where that cannot be told. */
function dayOf(date: string | undefined): string | undefined {
  const [a = '', b = '', c = ''] = date?.split(/[./-]/) ?? [];
  if (a.length === 4) return `${a}-${b}-${c}`;
  if (c.length !== 4) return undefined;
  return date?.includes('/') && Number(a) <= 12 ? `${c}-${a}-${b}` : `${c}-${b}-${a}`;
}

/** A time of day that lies before the last one is of the next day. */
function timeOf(day: string | undefined, time: string, half: string | undefined, last: number): number | undefined {
  const [hour = '', rest = ''] = [time.slice(0, time.indexOf(':')), time.slice(time.indexOf(':'))];
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (half === 'PM' ? 12 : 0);
  const at = day === undefined ? undefined : localTime(day, String(hours).padStart(2, '0') + rest);
  if (at === undefined) return undefined;
  const next = new Date(at);
  while (next.getTime() < last - 60_000) next.setDate(next.getDate() + 1);
  return next.getTime();
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'", nbsp: ' ' };

/** The text of a piece of XHTML, line breaks kept. */
function plain(html: string): string {
  return html
    .replace(/<br\s*\/?>/gi, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w+));/gi, (found, number, hex, name) => {
      const code =
        number === undefined && hex === undefined ? undefined : Number.parseInt(number ?? hex, number ? 10 : 16);
      if (code !== undefined) return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
      return ENTITIES[String(name).toLowerCase()] ?? found;
    });
}

function placeOf({ path, chat }: Log): {
  readonly chat: LoggedChat;
  readonly day: string | undefined;
  readonly named: boolean;
} {
  const { name, folders } = partsOf(path);
  const [buddy, account] = [folders.at(-1), folders.at(-2)].map((folder) => folder && unescapeName(folder));
  const room = buddy?.endsWith('.chat') ?? false;
  const address = chat ?? (buddy ?? '').replace(/\.chat$/, '');
  const named = chat !== undefined || (folders.length >= 3 && path !== '-');
  return {
    chat: { ...(named && account ? { account } : {}), address: address || 'unknown', kind: room ? 'room' : 'person' },
    day: /^\d{4}-\d{2}-\d{2}/.exec(name)?.[0],
    named,
  };
}

function chatIn(header: RegExpExecArray, kind: LoggedChat['kind']): LoggedChat {
  const [, address = '', , account = ''] = header;
  return { account, address, kind: address.startsWith('#') ? 'room' : kind };
}

function unescapeName(folder: string): string {
  try {
    return decodeURIComponent(folder);
  } catch {
    return folder;
  }
}
