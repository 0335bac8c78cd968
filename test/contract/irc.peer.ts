import { connect, type Socket } from 'node:net';
import type { Presence } from '../../adapters/contract.ts';
import { waitFor } from '../servers/process.ts';
import type { Peer, TestAccount } from './driver.ts';

export interface IrcPeer extends Peer {
  readonly nick: string;
  /** Lines as they came. */
  readonly lines: readonly string[];
  write(line: string): void;
  /** The first line that passes, from an index into `lines`. */
  line(passes: (line: string) => boolean, from?: number): Promise<string>;
}

let peers = 0;

/** A raw client that is not ours: a socket and a few lines of protocol. `caps` are asked for blindly. */
export async function ircPeer(port: number, caps = '', nick = `peer${peers++}`): Promise<IrcPeer> {
  const lines: string[] = [];
  const heard: { readonly target: string; readonly text: string }[] = [];
  let socket: Socket | undefined;

  const take = (line: string): void => {
    lines.push(line);
    const plain = line.replace(/^@\S+ /, '');
    if (plain.startsWith('PING')) write(`PONG${plain.slice(4)}`);
    const message = /^:([^!\s]+)\S* PRIVMSG (\S+) :?(.*)$/s.exec(plain);
    if (message) heard.push({ target: (message[2] ?? '').toLowerCase(), text: message[3] ?? '' });
  };
  const write = (line: string): void => void socket?.write(`${line}\r\n`);
  const line: IrcPeer['line'] = (passes, from = 0) =>
    waitFor(() => lines.slice(from).find(passes), { what: `a line for ${nick}` });
  const textsTo = (target: string): readonly string[] =>
    heard.filter((one) => one.target === target).map(({ text }) => text);

  const signIn = async (): Promise<void> => {
    const from = lines.length;
    const fresh = connect(port, '127.0.0.1');
    socket = fresh;
    fresh.on('error', () => {});
    let rest = '';
    fresh.setEncoding('utf8').on('data', (chunk) => {
      const parts = (rest + chunk).split('\r\n');
      rest = parts.pop() ?? '';
      for (const part of parts) take(part);
    });
    if (caps !== '') write(`CAP REQ :${caps}`);
    write(`NICK ${nick}`);
    write(`USER ${nick} 0 * :${nick}`);
    if (caps !== '') write('CAP END');
    await line((text) => / (422|376) /.test(text), from);
  };
  const barrier = async (): Promise<void> => {
    const token = `t${lines.length}x${heard.length}`;
    const from = lines.length;
    write(`PING ${token}`);
    await line((text) => text.includes(' PONG ') && text.includes(token), from);
  };
  const leave = async (): Promise<void> => {
    const gone = socket;
    socket = undefined;
    if (!gone || gone.destroyed) return;
    const closed = new Promise((resolve) => gone.once('close', resolve));
    gone.end('QUIT :bye\r\n');
    await closed;
  };

  await signIn();
  return {
    nick,
    address: nick,
    lines,
    write,
    line,
    async say(to: TestAccount, text) {
      for (const part of text.split('\n').filter((each) => each !== '')) write(`PRIVMSG ${to.address} :${part}`);
      await barrier();
    },
    async heard(passes, room) {
      return await waitFor(
        () => {
          const texts = textsTo((room ?? nick).toLowerCase());
          const all = texts.join('\n');
          return texts.length > 0 && (passes(all) ? all : texts.find(passes));
        },
        { what: `a text for ${room ?? nick}` },
      );
    },
    texts: () => textsTo(nick.toLowerCase()),
    async sayInRoom(room, text) {
      write(`JOIN ${room}`);
      write(`PRIVMSG ${room} :${text}`);
      heard.push({ target: room.toLowerCase(), text });
      await barrier();
    },
    async present(state: Extract<Presence, 'online' | 'away' | 'offline'>, note) {
      if (state === 'offline') return await leave();
      if (!socket) await signIn();
      write(state === 'away' ? `AWAY :${note ?? 'away'}` : 'AWAY');
      await barrier();
    },
    async typing(to) {
      write(`@+typing=active TAGMSG ${to.address}`);
      await barrier();
    },
    close: leave,
  };
}
