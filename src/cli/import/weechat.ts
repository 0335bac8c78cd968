import { type Entry, identify, kindOf, type Log, type LoggedChat, localTime, partsOf } from './log.ts';

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
    else if (!talk || EVENTS.has(prefix.trim())) yield { kind: 'event' };
    else yield entry(said(prefix.trim(), text, at, log.me));
  }
}

/** ` *` before an action, and then the nick is the first word; modes and the marks of a notice stand around the nick. */
function said(prefix: string, text: string, at: number, me: ReadonlySet<string>) {
  const action = prefix === '*';
  const notice = /^Notice\(([^)]*)\)$/.exec(prefix);
  const nick = (action ? (text.split(' ', 1)[0] ?? '') : (notice?.[1] ?? prefix)).replace(/^[~&@%+!]/, '');
  const words = action ? text.slice(text.indexOf(' ') + 1) : text;
  const self = me.has(nick.toLowerCase());
  const style = action ? ('action' as const) : notice ? ('notice' as const) : undefined;
  return { from: nick.toLowerCase(), name: nick, self, at, text: words, ...(style ? { style } : {}) };
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
