import type { Socket } from 'node:net';
import { Client } from 'irc-framework';
import type { Host } from '../contract.ts';
import { AdapterError, asAdapterError } from '../errors.ts';
import { closingError } from './numerics.ts';
import type { IrcSettings } from './settings.ts';
import { type Batch, batches } from './transport/batches.ts';
import { type Endpoint, isLoopback, socketError } from './transport/connect.ts';
import { libraryWire } from './transport/library.ts';
import { lineSplitter } from './transport/lines.ts';
import { checkLine, formatLine, type IrcLine, parseLine, type Tags } from './transport/message.ts';
import { pacedQueue } from './transport/pace.ts';
import { type Registration, registration } from './transport/registration.ts';
import { type Requests, requests } from './transport/requests.ts';

/** Milliseconds: a server that says nothing for `ask` is asked, and given up after `dead`. */
const SILENCE = { ask: 15_000, dead: 30_000 };
const SIGN_IN_MS = 30_000;
const NICK_TRIES = 8;

export interface Self {
  nick: string;
  user: string;
  host: string;
}

/** One registered or registering connection, shared by the parts of a session. */
export interface Connection {
  readonly host: Host;
  readonly settings: IrcSettings;
  readonly client: Client;
  readonly caps: ReadonlySet<string>;
  readonly self: Self;
  readonly ask: Requests['ask'];
  readonly barrier: Requests['barrier'];
  /** Lower case by the server's CASEMAPPING. */
  fold(text: string): string;
  isMe(nick: string): boolean;
  isChannel(name: string): boolean;
  /** Sends without waiting for an answer. @throws AdapterError `refused` */
  post(command: string, params: readonly string[], tags?: Tags): void;
  /** The value of `sts`, where the server has a policy. */
  readonly sts: string | undefined;
  /** Resolves once signed in; rejects where that fails. */
  start(secrets: Secrets): Promise<void>;
  /** Resolves with the reason when the connection has ended. */
  readonly ended: Promise<AdapterError>;
  /** Ends it: QUIT, then the socket, at the latest after a second. */
  quit(): Promise<void>;
}

export interface Secrets {
  readonly password: string | undefined;
  readonly serverPassword: string | undefined;
}

/** What sees each line before the library does; true: the library need not. */
export type LineHandler = (line: IrcLine, batch: Batch | 'unknown' | undefined) => boolean;

export interface ConnectionOptions {
  readonly settings: IrcSettings;
  readonly endpoint: Endpoint;
  readonly socket: Socket;
  readonly host: Host;
  readonly onLine: LineHandler;
}

export function createConnection({ settings, endpoint, socket, host, onLine }: ConnectionOptions): Connection {
  const { clock } = host;
  const client = new Client();
  const folding = foldCache(client);
  const self: Self = { nick: settings.nick, user: '', host: '' };
  const finish = new AbortController();
  const ended = Promise.withResolvers<AdapterError>();
  const welcome = Promise.withResolvers<void>();
  welcome.promise.catch(() => {});
  let caps: ReadonlySet<string> = new Set();
  let sts: string | undefined;
  let farewell = '';
  let heardAt = clock.now();
  let negotiation: Registration | undefined;
  let isIn = false;

  const writeNow = (line: string): void => {
    checkLine(line);
    if (!socket.destroyed) socket.write(`${line}\r\n`);
  };
  const queue = pacedQueue(writeNow, settings.pace, clock);
  const isMe = (nick: string): boolean => nick === self.nick || folding.fold(nick) === folding.fold(self.nick);
  const exchanges = requests({ queue, caps: () => caps, fold: folding.fold, isMe });
  const open = batches();
  const library = libraryWire((line) => {
    checkLine(line);
    // Signing in is not held back, and neither may be a line that answers the server.
    if (isIn) queue.push(line);
    else writeNow(line);
  });

  const end = (error: AdapterError) => {
    if (finish.signal.aborted) return;
    finish.abort(error);
    queue.close();
    exchanges.close();
    client.removeAllListeners();
    welcome.reject(error);
    ended.resolve(error);
    socket.end();
    closeSoon().catch(() => {});
  };

  /** Waits for the other side to close as well, for a second at most. */
  const closeSoon = async (): Promise<void> => {
    if (socket.closed) return;
    const late = new AbortController();
    const gone = new Promise((resolve) => socket.once('close', resolve));
    await Promise.race([gone, clock.sleep(1_000, late.signal).catch(() => {})]);
    late.abort();
    socket.destroy();
  };

  const dispatch = (line: IrcLine) => {
    switch (line.command) {
      case 'PING':
        return writeNow(formatLine('PONG', [line.params.at(-1) ?? '']));
      case 'PONG':
        return exchanges.pong(line.params.at(-1) ?? '');
      case 'ERROR':
        farewell = line.params.at(-1) ?? '';
        return;
      case 'BATCH': {
        const change = open.handle(line);
        if (change && !change.open) exchanges.batchClosed(change.batch);
        return;
      }
      case '001':
        // A second welcome would make somebody else of us.
        if (isIn) return;
        break;
      case '464':
        if (!isIn) end(new AdapterError('auth', 'the server wants its own password, and not the one that it got'));
        return;
      case '465':
        farewell ||= `banned: ${line.params.at(-1) ?? ''}`;
        return;
    }
    if (negotiation?.handle(line)) return;
    const batch = open.of(line);
    if (exchanges.offer(line, typeof batch === 'object' ? batch : undefined)) return;
    if (onLine(line, batch)) return;
    // What happened in a channel before we came must not look as if it happened now.
    if (batch === 'unknown' || (typeof batch === 'object' && isPlayback(batch))) return;
    library.deliver(line.untagged);
  };

  const split = lineSplitter((text) => {
    if (finish.signal.aborted) return;
    try {
      const line = parseLine(text);
      if (line) dispatch(line);
    } catch (error) {
      host.log('debug', `a line from the server was left out: ${asAdapterError(error).message}`);
    }
  });
  socket.on('data', (chunk: Buffer) => {
    heardAt = clock.now();
    split(chunk);
  });
  socket.on('error', (error) => end(socketError(error, endpoint)));
  socket.on('close', () => end(closingError(farewell)));

  const watch = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(SILENCE.ask, finish.signal);
      const silence = clock.now() - heardAt;
      if (silence >= SILENCE.dead) {
        end(new AdapterError('unreachable', `no sign of life from the server for ${SILENCE.dead / 1000} s`));
        socket.destroy();
      } else if (silence >= SILENCE.ask && isIn) exchanges.ping();
    }
  };

  client.on('registered', ({ nick }) => {
    self.nick = nick || settings.nick;
    isIn = true;
    // Everything that a server tells of itself comes before this answer.
    exchanges.barrier().then(welcome.resolve, welcome.reject);
  });
  client.on('nick', ({ nick, new_nick: next }) => {
    if (next !== undefined && isMe(nick)) self.nick = next;
  });
  client.on('server options', () => folding.clear());
  client.on('displayed host', ({ nick, hostname }) => {
    if (isMe(nick) && hostname) self.host = hostname;
  });

  const chooseNicks = (): void => {
    let tries = 0;
    let nick = settings.nick;
    client.on('nick in use', () => {
      if (isIn) return;
      if (++tries > NICK_TRIES)
        return end(new AdapterError('refused', `the nick ${settings.nick} is taken, and so is ${nick}`));
      nick = tries < 4 ? `${nick}_` : `${settings.nick}${Math.floor(Math.random() * 9_000) + 1_000}`;
      client.changeNick(nick);
    });
    client.on('nick invalid', ({ reason = '' }) => {
      if (!isIn) end(new AdapterError('refused', `the server does not take the nick ${settings.nick}: ${reason}`));
    });
  };

  const start = async ({ password, serverPassword }: Secrets): Promise<void> => {
    const secure = endpoint.tls || isLoopback(socket.remoteAddress ?? '');
    negotiation = registration({
      sasl: saslOf(settings, password),
      secure,
      write: writeNow,
      onCaps: (now) => {
        caps = now;
        client.network.cap.enabled = [...now];
      },
      onSts: (policy) => {
        sts = policy;
        if (!endpoint.tls && /(^|,)port=\d+/.test(policy)) end(new AdapterError('unreachable', 'the server wants TLS'));
      },
      onFailure: end,
    });
    chooseNicks();
    client.connect({
      nick: settings.nick,
      username: settings.user,
      gecos: settings.realname,
      ...(serverPassword === undefined ? {} : { password: serverPassword }),
      version: null,
      auto_reconnect: false,
      ping_interval: 0,
      ping_timeout: 0,
      transport: library.transport,
    });
    watch().catch(() => {});
    clock.sleep(SIGN_IN_MS, finish.signal).then(
      () => {
        if (isIn) return;
        writeNow('AUTHENTICATE *');
        writeNow('QUIT');
        end(new AdapterError('unreachable', `the server did not finish the sign-in within ${SIGN_IN_MS / 1000} s`));
      },
      () => {},
    );
    await welcome.promise;
  };

  return {
    host,
    settings,
    client,
    self,
    get caps() {
      return caps;
    },
    get sts() {
      return sts;
    },
    ask: exchanges.ask,
    barrier: exchanges.barrier,
    fold: folding.fold,
    isMe,
    isChannel: (name) => client.network.isChannelName(name),
    post: (command, params, tags) => queue.push(formatLine(command, params, tags)),
    start,
    ended: ended.promise,
    async quit() {
      if (!finish.signal.aborted) writeNow('QUIT');
      end(new AdapterError('unreachable', 'signed out'));
      await closeSoon();
    },
  };
}

export function isPlayback(batch: Batch): boolean {
  return batch.type === 'chathistory' || batch.type === 'draft/chathistory' || batch.type === 'znc.in/playback';
}

function saslOf(settings: IrcSettings, password: string | undefined) {
  const { sasl, login } = settings;
  if (sasl === 'none' || (sasl === 'auto' && password === undefined)) return undefined;
  return { login, password: password ?? '', mechanism: sasl === 'auto' ? ('any' as const) : sasl };
}

/** Nicks and channels come again and again; folding each anew would be most of the work of a message. */
function foldCache(client: Client): { fold(text: string): string; clear(): void } {
  const known = new Map<string, string>();
  return {
    fold(text) {
      const folded = known.get(text);
      if (folded !== undefined) return folded;
      const fresh = client.caseLower(text);
      if (known.size > 20_000) known.clear();
      if (text.length < 200) known.set(text, fresh);
      return fresh;
    },
    clear: () => known.clear(),
  };
}
