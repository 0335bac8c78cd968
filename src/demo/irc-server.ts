import { createServer as createTcpServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { handleLine, quit, rename } from './irc/commands.ts';
import {
  announceAway,
  announceOnline,
  type Client,
  deliver,
  fold,
  maskOf,
  type Peer,
  type World,
} from './irc/state.ts';

export interface IrcPerson {
  readonly nick: string;
  readonly realname?: string;
  readonly away?: string;
}

export interface IrcChannel {
  readonly name: string;
  readonly topic?: string;
  /** Nicks of `people`; the first is the operator. */
  readonly members?: readonly string[];
  readonly key?: string;
  readonly inviteOnly?: boolean;
}

export interface IrcServerOptions {
  /** 0: any free one. */
  readonly port?: number;
  readonly people?: readonly IrcPerson[];
  readonly channels?: readonly IrcChannel[];
  /** Passwords by login, for SASL PLAIN. */
  readonly accounts?: Readonly<Record<string, string>>;
  /** What CAP LS offers; an empty list is a server from before IRCv3. */
  readonly caps?: readonly string[];
  readonly monitor?: boolean;
  /** PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface IrcServer {
  readonly port: number;
  /** Each line that a client sent, in order; the latest ten thousand. */
  readonly received: readonly string[];
  onMessage(listener: (from: string, target: string, text: string) => void): void;
  /** A person of `people` speaks, in a channel or to somebody. */
  say(from: string, target: string, text: string): void;
  notice(from: string, target: string, text: string): void;
  typing(from: string, target: string, state: 'active' | 'paused' | 'done'): void;
  away(nick: string, note?: string): void;
  come(person: IrcPerson, channels?: readonly string[]): void;
  quit(nick: string, reason?: string): void;
  rename(from: string, to: string): void;
  /** A line, or bytes as they are, to every client or the one of that nick. */
  raw(data: string | Uint8Array, nick?: string): void;
  /** Cuts every connection without a word. */
  dropConnections(): void;
  /** Whether somebody with that nick is here. */
  has(nick: string): boolean;
  stop(): Promise<void>;
}

export const DEMO_CAPS: readonly string[] = [
  'account-tag',
  'away-notify',
  'batch',
  'cap-notify',
  'echo-message',
  'extended-join',
  'extended-monitor',
  'labeled-response',
  'message-tags',
  'multi-prefix',
  'sasl=PLAIN',
  'server-time',
];

/** A small IRC server on 127.0.0.1 with lively people, for the demo, the tests and the bench. */
export async function startIrcServer(options: IrcServerOptions = {}): Promise<IrcServer> {
  const listeners: ((from: string, target: string, text: string) => void)[] = [];
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const world = build(options, (from, target, text) => {
    for (const listener of listeners) listener(from, target, text);
  });
  const accept = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serve(world, socket, (line) => {
      received.push(line);
      if (received.length > 10_000) received.splice(0, 5_000);
    });
  };
  const server = options.tls ? createTlsServer({ ...options.tls }, accept) : createTcpServer(accept);
  // A client that refuses our certificate is its own affair.
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the IRC server has no port');
  const dropConnections = (): void => {
    for (const socket of sockets) socket.destroy();
  };

  return {
    port: address.port,
    received,
    ...peopleOf(world),
    onMessage: (listener) => void listeners.push(listener),
    raw(data, nick) {
      for (const client of world.clients)
        if (nick === undefined || fold(client.peer.nick) === fold(nick)) client.write(data);
    },
    dropConnections,
    has: (nick) => world.peers.has(fold(nick)),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        dropConnections();
      }),
  };
}

type People = Pick<IrcServer, 'say' | 'notice' | 'typing' | 'away' | 'come' | 'quit' | 'rename'>;

/** What the people of a server can be made to do. */
function peopleOf(world: World): People {
  const person = (nick: string): Peer => {
    const peer = world.peers.get(fold(nick));
    if (!peer) throw new Error(`nobody on the demo server is called ${nick}`);
    return peer;
  };
  return {
    say: (from, target, text) => void deliver(world, { from: person(from), command: 'PRIVMSG', target, text }),
    notice: (from, target, text) => void deliver(world, { from: person(from), command: 'NOTICE', target, text }),
    typing: (from, target, state) =>
      void deliver(world, { from: person(from), command: 'TAGMSG', target, tags: [['+typing', state]] }),
    away(nick, note) {
      const peer = person(nick);
      peer.away = note;
      announceAway(world, peer);
    },
    come(newcomer, channels = []) {
      const peer = addPerson(world, newcomer);
      announceOnline(world, peer, true);
      for (const name of channels) {
        const channel = world.channels.get(fold(name));
        channel?.members.set(fold(peer.nick), { peer, modes: '' });
        for (const member of channel?.members.values() ?? [])
          member.peer.client?.write(`:${maskOf(peer)} JOIN ${name}`);
      }
    },
    quit: (nick, reason = 'bye') => quit(world, nick, reason),
    rename: (from, to) => rename(world, from, to),
  };
}

function build(options: IrcServerOptions, heard: World['heard']): World {
  const world: World = {
    name: 'irc.demo.example',
    peers: new Map(),
    channels: new Map(),
    clients: new Set(),
    accounts: options.accounts ?? {},
    caps: options.caps ?? DEMO_CAPS,
    monitor: options.monitor ?? true,
    heard,
  };
  for (const person of options.people ?? []) addPerson(world, person);
  for (const { name, topic = '', key, inviteOnly = false, members = [] } of options.channels ?? []) {
    const entries = members.flatMap((nick, at) => {
      const peer = world.peers.get(fold(nick));
      return peer ? [[fold(nick), { peer, modes: at === 0 ? 'o' : '' }] as const] : [];
    });
    world.channels.set(fold(name), { name, topic, key, inviteOnly, invited: new Set(), members: new Map(entries) });
  }
  return world;
}

function addPerson(world: World, { nick, realname = nick, away }: IrcPerson): Peer {
  const peer: Peer = { nick, user: 'demo', realname, away, account: undefined, client: undefined };
  world.peers.set(fold(nick), peer);
  return peer;
}

function serve(world: World, socket: Socket, onLine: (line: string) => void): void {
  const client: Client = {
    caps: new Set(),
    watched: new Set(),
    registered: false,
    negotiating: false,
    signedUser: false,
    mechanism: undefined,
    capture: undefined,
    write(data) {
      if (typeof data === 'string' && client.capture) client.capture.push(data);
      else if (!socket.destroyed) socket.write(typeof data === 'string' ? `${data}\r\n` : data);
    },
    close: () => void socket.end(),
    get peer() {
      return peer;
    },
  };
  const peer: Peer = { nick: '', user: 'user', realname: '', away: undefined, account: undefined, client };
  world.clients.add(client);
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.once('close', () => {
    world.clients.delete(client);
    quit(world, peer.nick, 'connection closed');
  });
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const text = line.endsWith('\r') ? line.slice(0, -1) : line;
      if (text === '') continue;
      onLine(text);
      handleLine(world, client, text);
    }
  });
}
