import { createServer, type Socket } from 'node:net';
import { parseLine, tag } from '../../../adapters/irc/transport/message.ts';

/** One message in the server's memory. */
export interface Said {
  readonly id: string;
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

export interface HistoryServerOptions {
  /** The most messages of one answer, as ISUPPORT tells it. */
  readonly limit?: number;
  /** False: messages have times only. */
  readonly ids?: boolean;
  readonly caps?: readonly string[];
}

/** A server with draft/chathistory and draft/read-marker as their specifications have them, for one account `me`. */
export interface HistoryServer {
  readonly port: number;
  readonly lines: readonly string[];
  /** Kept, and passed on to whoever is signed in; `at` in milliseconds. */
  say(from: string, to: string, text: string, at?: number): Said;
  /** Another client of the account has read up to then. */
  read(target: string, at: number): void;
  readonly marks: ReadonlyMap<string, string>;
  /** Forgets all that was said before. */
  forget(before: number): void;
  raw(line: string): void;
  /** Holds answers to CHATHISTORY back until the returned function is called. */
  hold(): () => void;
  stop(): Promise<void>;
}

const CAPS = [
  'batch',
  'draft/chathistory',
  'draft/read-marker',
  'echo-message',
  'labeled-response',
  'message-tags',
  'server-time',
];

export async function historyServer(options: HistoryServerOptions = {}): Promise<HistoryServer> {
  const { limit = 100, ids = true, caps = CAPS } = options;
  const lines: string[] = [];
  let log: Said[] = [];
  const marks = new Map<string, string>();
  const sockets = new Set<Socket>();
  let latest: Socket | undefined;
  let enabled = new Set<string>();
  let count = 0;
  let clock = Date.now() - 60_000;
  let held: (() => void)[] | undefined;

  const write = (line: string): void => void latest?.write(`${line}\r\n`);
  const tagsOf = ({ id, at }: Said, more: readonly string[] = []): string =>
    `@${[`time=${new Date(at).toISOString()}`, ...(ids ? [`msgid=${id}`] : []), ...more].join(';')}`;
  const lineOf = (said: Said, ...more: readonly string[]): string =>
    `${tagsOf(said, more)} :${said.from}!u@h PRIVMSG ${said.to} :${said.text}`;
  const belongs = (target: string) => (said: Said) =>
    target.startsWith('#')
      ? said.to === target
      : (said.from === target && said.to === 'me') || (said.from === 'me' && said.to === target);
  const at = (ref: string): number =>
    ref.startsWith('msgid=')
      ? (log.find(({ id }) => id === ref.slice(6))?.at ?? Number.NaN)
      : Date.parse(ref.replace('timestamp=', ''));

  const select = (how: string, target: string, ref: string, most: number): readonly Said[] | undefined => {
    const all = log.filter(belongs(target)).sort((a, b) => a.at - b.at);
    const index = all.findIndex(({ id }) => ref === `msgid=${id}`);
    if (ref.startsWith('msgid=') && index < 0) return undefined;
    const [low, high] = index >= 0 ? [index, index + 1] : [0, 0];
    switch (how) {
      case 'LATEST':
        return (ref === '*' ? all : all.filter((one) => one.at > at(ref))).slice(-most);
      case 'BEFORE':
        return (index >= 0 ? all.slice(0, low) : all.filter((one) => one.at < at(ref))).slice(-most);
      case 'AFTER':
        return (index >= 0 ? all.slice(high) : all.filter((one) => one.at > at(ref))).slice(0, most);
      default:
        return all.slice(Math.max(0, low - Math.floor(most / 2)), low + Math.ceil(most / 2));
    }
  };

  const history = (params: readonly string[], label: string | undefined): void => {
    const labelled = label === undefined ? '' : `@label=${label} `;
    const [how = '', first = '', ref = '', third = ''] = params;
    const most = Math.min(Number(third) || limit, limit);
    const reference = `h${++count}`;
    if (how === 'TARGETS') {
      const [from, to] = [at(first), at(ref)];
      const recent = log.filter((said) => !said.to.startsWith('#') && said.at > from && said.at < to);
      const nicks = new Map(recent.map((said) => [said.from === 'me' ? said.to : said.from, said.at]));
      write(`${labelled}:s BATCH +${reference} draft/chathistory-targets`);
      for (const [nick, when] of [...nicks].slice(0, most))
        write(`@batch=${reference} :s CHATHISTORY TARGETS ${nick} ${new Date(when).toISOString()}`);
      return write(`:s BATCH -${reference}`);
    }
    const found = select(how, first, ref, most);
    if (!found) return write(`${labelled}:s FAIL CHATHISTORY INVALID_MSGREFTYPE ${how} ${first} :No such message`);
    write(`${labelled}:s BATCH +${reference} chathistory ${first}`);
    for (const said of found) write(lineOf(said, `batch=${reference}`));
    write(`:s BATCH -${reference}`);
  };

  const handle = (text: string): void => {
    const line = parseLine(text);
    if (!line) return;
    const label = tag(line, 'label');
    const [first = '', second = ''] = line.params;
    switch (line.command) {
      case 'CAP':
        if (first === 'LS') write(`:s CAP * LS :${caps.join(' ')}`);
        if (first === 'REQ') {
          enabled = new Set([...enabled, ...second.split(' ')]);
          write(`:s CAP * ACK :${second}`);
        }
        return;
      case 'USER':
        write(':s 001 me :Welcome');
        write(
          `:s 005 me CASEMAPPING=ascii CHANTYPES=# CHATHISTORY=${limit} MSGREFTYPES=${ids ? 'msgid,timestamp' : 'timestamp'} :are supported`,
        );
        return write(':s 422 me :No MOTD');
      case 'PING':
        return write(`:s PONG s ${first}`);
      case 'JOIN':
        for (const name of first.split(',')) {
          write(`:me!u@h JOIN ${name}`);
          write(`:s MARKREAD ${name} ${marks.get(name) ?? '*'}`);
          write(`:s 353 me = ${name} :me alice`);
          write(`:s 366 me ${name} :End`);
        }
        return;
      case 'MARKREAD':
        if (second) marks.set(first, second);
        return write(
          `${label === undefined ? '' : `@label=${label} `}:s MARKREAD ${first} ${marks.get(first) ?? 'timestamp=*'}`,
        );
      case 'PRIVMSG': {
        const said = keep('me', first, second);
        return write(lineOf(said, ...(label === undefined ? [] : [`label=${label}`])));
      }
      case 'CHATHISTORY':
        if (held) held.push(() => history(line.params, label));
        else history(line.params, label);
    }
  };

  const keep = (from: string, to: string, text: string, when = ++clock): Said => {
    const said = { id: `id-${++count}`, at: when, from, to, text };
    log.push(said);
    return said;
  };

  const server = createServer((socket) => {
    latest = socket;
    enabled = new Set();
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    let rest = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      const parts = (rest + chunk).split('\r\n');
      rest = parts.pop() ?? '';
      for (const part of parts) {
        lines.push(part);
        handle(part);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    lines,
    marks,
    say(from, to, text, when) {
      const said = keep(from, to, text, when);
      if (sockets.size > 0) write(lineOf(said));
      return said;
    },
    read(target, when) {
      marks.set(target, `timestamp=${new Date(when).toISOString()}`);
      write(`:s MARKREAD ${target} ${marks.get(target)}`);
    },
    forget(before) {
      log = log.filter((said) => said.at >= before);
    },
    raw: write,
    hold() {
      held = [];
      return () => {
        const waiting = held ?? [];
        held = undefined;
        for (const answer of waiting) answer();
      };
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
