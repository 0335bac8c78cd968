import { type Entry, identify, kindOf, type Log, type LoggedChat, localTime, partsOf, type Said } from './log.ts';

const OPENED = /^--- Log opened \w+ (\w{3}) +(\d{1,2}) (\d{2}:\d{2}:\d{2}) (\d{4})/;
const DAY = /^--- Day changed \w+ (\w{3}) +(\d{1,2}) (\d{4})/;
const CLOSED = /^--- Log closed /;
const TIMED = /^(\d{2}:\d{2}(?::\d{2})?) (.*)$/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export const isIrssi = (line: string): boolean => OPENED.test(line) || DAY.test(line);

/** Lines have a time of day; the day stands in lines of its own (https://irssi.org/documentation/settings, `autolog`). */
export async function* irssi(log: Log): AsyncIterable<Entry> {
  const entry = identify(chatOf(log));
  let day: string | undefined;
  let number = 0;
  for await (const line of log.lines()) {
    number += 1;
    const opened = OPENED.exec(line);
    const changed = opened ?? DAY.exec(line);
    if (changed) day = dayOf(changed[1], changed[2], opened ? opened[4] : changed[3]) ?? day;
    if (changed || CLOSED.test(line) || line === '') {
      yield { kind: 'event' };
      continue;
    }
    const [, time, rest = ''] = TIMED.exec(line) ?? [];
    const at = day && time ? localTime(day, time) : undefined;
    const found = at === undefined ? undefined : said(rest, at, log.me);
    if (found === 'event') yield { kind: 'event' };
    else yield found ? entry(found) : { kind: 'odd', line: number, text: line };
  }
}

function dayOf(month = '', day = '', year = ''): string | undefined {
  const number = MONTHS.indexOf(month) + 1;
  return number === 0 ? undefined : `${year}-${String(number).padStart(2, '0')}-${day.padStart(2, '0')}`;
}

/** `<@nick> text`, ` * nick does`, `-nick- notice`, `-!- event`. */
function said(rest: string, at: number, me: ReadonlySet<string>): Said | 'event' | undefined {
  if (rest.startsWith('-!- ')) return 'event';
  const by = (nick: string, text: string, style?: 'action' | 'notice'): Said => ({
    from: nick.toLowerCase(),
    name: nick,
    self: me.has(nick.toLowerCase()),
    at,
    text,
    ...(style ? { style } : {}),
  });
  const text = /^<[ ~&@%+!]?([^ >]+)> ?(.*)$/.exec(rest);
  if (text) return by(text[1] ?? '', text[2] ?? '');
  const action = /^ ?\* ([^ ]+) ?(.*)$/.exec(rest);
  if (action) return by(action[1] ?? '', action[2] ?? '', 'action');
  const notice = /^-([^ !(:-][^ (:]*?)(?:\([^)]*\)|:[^ ]*)?- (.*)$/.exec(rest);
  if (notice) return by(notice[1] ?? '', notice[2] ?? '', 'notice');
  return undefined;
}

/** `irclogs/NETWORK/#channel.log`, also with a date in the name or the folders. */
function chatOf({ path, chat }: Log): LoggedChat {
  const { name, folders } = partsOf(path);
  const address = chat ?? name.replace(/\.log$/, '').replace(/[._-]\d{4}-?\d{2}(?:-?\d{2})?$/, '');
  const account = folders.findLast((folder) => !/^\d{4}(-\d{2})*$|^\d{2}$/.test(folder));
  const known = account !== undefined && path !== '-' ? { account } : {};
  return { ...known, address, kind: kindOf(address) };
}
