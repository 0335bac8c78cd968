import { type Entry, identify, kindOf, type Log, type LoggedChat, localTime, partsOf, type Said } from './log.ts';

const LINE = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(?:\.\d+)?(Z|[+-]\d{2}:?\d{2})?\t([^\t]*)\t(.*)$/;
/** What is no nick: joins, parts, the network, errors; and the marks where a log begins and ends. */
const EVENTS = new Set(['-->', '<--', '--', '=!=', '', '---', '<->']);

/** https://weechat.org/files/doc/weechat/stable/weechat_user.en.html#logger: time, prefix and message, tabs between. */
export const isWeechat = (line: string): boolean => LINE.test(line);

export async function* weechat(log: Log): AsyncIterable<Entry> {
  const chat = chatOf(log);
  const talk = !isOwnBuffer(log.path);
  const entry = identify(chat);
  let number = 0;
  for await (const line of log.lines()) {
    number += 1;
    const [, date = '', time = '', zone = '', prefix = '', text = ''] = LINE.exec(line) ?? [];
    const at = localTime(date, time + zone);
    if (at === undefined) yield { kind: 'odd', line: number, text: line };
    else {
      const found = talk ? said(prefix.trim(), text, at, log.me) : undefined;
      yield found ? entry(found) : { kind: 'event' };
    }
  }
}

/** `--` and `Notice(nick): text`, or `Notice(nick -> #channel): text` where it went to many. */
const NOTICE = /^Notice\(([^ )]+)[^)]*\): (.*)$/;

/** ` *` before an action, and then the nick is the first word; marks of rank stand before the nick. */
function said(prefix: string, text: string, at: number, me: ReadonlySet<string>): Said | undefined {
  const notice = prefix === '--' ? NOTICE.exec(text) : null;
  if (EVENTS.has(prefix) && !notice) return undefined;
  const action = prefix === '*';
  const [, first = '', rest = ''] = notice ?? (action ? /^(\S+) ?(.*)$/.exec(text) : ['', prefix, text]) ?? [];
  const nick = first.replace(/^[~&@%+!]/, '');
  const style = action ? ('action' as const) : notice ? ('notice' as const) : undefined;
  const by = { from: nick.toLowerCase(), name: nick, self: me.has(nick.toLowerCase()) };
  return { ...by, at, text: rest, ...(style ? { style } : {}) };
}

/** `irc.SERVER.CHANNEL.weechatlog`, or the same as folders (`irc/SERVER/CHANNEL.weechatlog`), whatever the date parts are. */
function chatOf({ path, chat }: Log): LoggedChat {
  const { name, folders } = partsOf(path);
  const bare = name.replace(/\.(weechatlog|log)$/, '');
  const flat = /^[a-z_]+\.([^.]+)\.(.+)$/.exec(bare);
  const [account, found] = flat ? [flat[1], flat[2] ?? bare] : [folders.at(-1), bare];
  const address = chat ?? found;
  const known = account !== undefined && path !== '-' ? { account } : {};
  return { ...known, address, kind: kindOf(address) };
}

/** WeeChat's own buffer and those of servers: nobody talks there. */
const isOwnBuffer = (path: string): boolean => /^(core\.|[a-z_]+\.server\.)/.test(partsOf(path).name);
