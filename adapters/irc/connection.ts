import type { Socket } from 'node:net';
import { Client } from 'irc-framework';
import type { Host } from '../contract.ts';
import { AdapterError, asAdapterError } from '../errors.ts';
import { folding } from './casemapping.ts';
import { closingError } from './numerics.ts';
import { followSelf, type Self } from './self.ts';
import type { IrcSettings } from './settings.ts';
import { limitSignIn, type Secrets, signIn } from './sign-in.ts';
import { type Batch, batches } from './transport/batches.ts';
import { type Endpoint, isLoopback, socketError } from './transport/connect.ts';
import { libraryWire } from './transport/library.ts';
import { lineSplitter } from './transport/lines.ts';
import { closed, DEAD, type LivenessParts, lookAlive, watchSilence } from './transport/liveness.ts';
import { checkLine, formatLine, type IrcLine, parseLine, type Tags } from './transport/message.ts';
import { pacedQueue } from './transport/pace.ts';
import type { Registration } from './transport/registration.ts';
import { type Requests, requests } from './transport/requests.ts';

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
  /** Ends it soon, if it died while the machine slept. */
  woke(): void;
  /** Resolves with the reason when the connection has ended. */
  readonly ended: Promise<AdapterError>;
  /** Ends it: QUIT, then the socket, at the latest after a second. */
  quit(): Promise<void>;
}

/** What sees each line before the library does; true: the library need not. */
export type LineHandler = (line: IrcLine, batch: Batch | 'unknown' | undefined) => boolean;

export interface ConnectionOptions {
  readonly settings: IrcSettings;
  readonly endpoint: Endpoint;
  readonly socket: Socket;
  readonly host: Host;
  readonly onLine: LineHandler;
  /** True: the line answers a question about the past, and is nothing that happens. */
  readonly onPast: LineHandler;
}

export function createConnection({ settings, endpoint, socket, host, onLine, onPast }: ConnectionOptions): Connection {
  const { clock } = host;
  const client = new Client();
  const { fold, clear } = folding(client);
  const self: Self = { nick: settings.nick, user: '', host: '' };
  const finish = new AbortController();
  const registered = new AbortController();
  const ended = Promise.withResolvers<AdapterError>();
  const welcome = Promise.withResolvers<void>();
  welcome.promise.catch(() => {});
  let caps: ReadonlySet<string> = new Set();
  let sts: string | undefined;
  let farewell = '';
  let heardAt = clock.now();
  let negotiation: Registration | undefined;

  const writeNow = (line: string): void => {
    checkLine(line);
    if (!socket.destroyed) socket.write(`${line}\r\n`);
  };
  const isIn = (): boolean => registered.signal.aborted;
  const isMe = (nick: string): boolean => nick === self.nick || fold(nick) === fold(self.nick);
  const queue = pacedQueue(writeNow, settings.pace, clock);
  const exchanges = requests({ queue, caps: () => caps, fold, isMe });
  const open = batches();
  const library = libraryWire((line) => {
    checkLine(line);
    // Signing in is not held back.
    if (isIn()) queue.push(line);
    else writeNow(line);
  });

  const end = (error: AdapterError): void => {
    if (finish.signal.aborted) return;
    finish.abort(error);
    queue.close();
    exchanges.close();
    client.removeAllListeners();
    welcome.reject(error);
    ended.resolve(error);
    socket.end();
    closed(socket, clock).catch(() => {});
  };

  /** What concerns the connection itself; true: nobody else need see the line. */
  const ownLine = (line: IrcLine): boolean => {
    switch (line.command) {
      case 'PING':
        writeNow(formatLine('PONG', [line.params.at(-1) ?? '']));
        return true;
      case 'PONG':
        exchanges.pong(line.params.at(-1) ?? '');
        return true;
      case 'ERROR':
        farewell = line.params.at(-1) ?? '';
        return true;
      case 'BATCH': {
        const change = open.handle(line);
        if (change && !change.open) exchanges.batchClosed(change.batch);
        return true;
      }
      case '001':
        // A second welcome would make somebody else of us.
        return isIn() || (negotiation?.handle(line) ?? false);
      case '464':
        if (!isIn()) end(new AdapterError('auth', 'the server wants its own password, and not the one that it got'));
        return true;
      case '465':
        farewell ||= `banned: ${line.params.at(-1) ?? ''}`;
        return true;
      default:
        return negotiation?.handle(line) ?? false;
    }
  };

  const dispatch = (line: IrcLine): void => {
    if (ownLine(line)) return;
    const batch = open.of(line);
    if (onPast(line, batch)) return;
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

  client.on('registered', ({ nick }) => {
    self.nick = nick || settings.nick;
    registered.abort();
    // Everything that a server tells of itself comes before this answer.
    exchanges.barrier().then(welcome.resolve, welcome.reject);
  });
  client.on('server options', clear);
  followSelf(self, { client, settings, isMe, isIn, fail: end });

  const pulse: LivenessParts = {
    clock,
    signal: finish.signal,
    heardAt: () => heardAt,
    ping: () => {
      if (isIn()) exchanges.ping();
    },
    dead() {
      end(new AdapterError('unreachable', `no sign of life from the server for ${DEAD / 1000} s`));
      socket.destroy();
    },
  };

  const start = async (secrets: Secrets): Promise<void> => {
    const secure = endpoint.tls || isLoopback(socket.remoteAddress ?? '');
    const write = writeNow;
    const onCaps = (now: ReadonlySet<string>): void => {
      caps = now;
    };
    const onSts = (policy: string): void => {
      sts = policy;
    };
    negotiation = signIn({
      client,
      settings,
      secrets,
      library,
      tls: endpoint.tls,
      secure,
      write,
      onCaps,
      onSts,
      fail: end,
    });
    const over = AbortSignal.any([finish.signal, registered.signal]);
    limitSignIn(clock, over, { write, fail: end }).catch(() => {});
    watchSilence(pulse).catch(() => {});
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
    fold,
    isMe,
    isChannel: (name) => client.network.isChannelName(name),
    post: (command, params, tags) => queue.push(formatLine(command, params, tags)),
    start,
    woke: () => void lookAlive(pulse).catch(() => {}),
    ended: ended.promise,
    async quit() {
      if (!finish.signal.aborted) writeNow('QUIT');
      end(new AdapterError('unreachable', 'signed out'));
      await closed(socket, clock);
    },
  };
}

export function isPlayback(batch: Batch): boolean {
  return batch.type === 'chathistory' || batch.type === 'draft/chathistory' || batch.type === 'znc.in/playback';
}
