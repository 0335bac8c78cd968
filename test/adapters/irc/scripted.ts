import { createServer, type Socket } from 'node:net';
import type { Session } from '../../../adapters/contract.ts';
import { irc } from '../../../adapters/irc/index.ts';
import { type TestHost, type TestHostOptions, testHost } from '../../contract/host.ts';

export interface ScriptedServer {
  readonly port: number;
  /** What clients sent, in order. */
  readonly lines: readonly string[];
  /** To the client that came last. */
  write(data: string | Uint8Array): void;
  stop(): Promise<void>;
}

/** A server that says exactly what a test wants; `script` is called with each line of a client. */
export async function scriptedServer(
  script: (line: string, say: (line: string) => void) => void,
): Promise<ScriptedServer> {
  const lines: string[] = [];
  const sockets = new Set<Socket>();
  let latest: Socket | undefined;
  const server = createServer((socket) => {
    latest = socket;
    sockets.add(socket);
    socket.on('error', () => {});
    let rest = '';
    socket.on('data', (chunk) => {
      const parts = (rest + chunk.toString('utf8')).split('\r\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(line);
        script(line, (text) => void socket.write(`${text}\r\n`));
      }
    });
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    lines,
    write: (data) => void latest?.write(data),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Answers a client that wants in: no capabilities, then welcome. */
export function plainServer(
  line: string,
  say: (line: string) => void,
  isupport = 'CASEMAPPING=rfc1459 CHANTYPES=#',
): void {
  const [command, first = ''] = line.split(' ');
  if (command === 'CAP' && first === 'LS') say(':s CAP * LS :');
  if (command === 'USER') welcome('me', say, isupport);
  if (command === 'PING') say(`:s PONG s ${first}`);
  if (command === 'JOIN') {
    say(`:me!u@h JOIN ${first.replace(/^:/, '')}`);
    say(`:s 366 me ${first.replace(/^:/, '')} :End of NAMES`);
  }
}

export function welcome(nick: string, say: (line: string) => void, isupport: string): void {
  say(`:s 001 ${nick} :Welcome`);
  say(`:s 005 ${nick} ${isupport} :are supported by this server`);
  say(`:s 422 ${nick} :No MOTD`);
}

export interface Client {
  readonly host: TestHost;
  readonly session: Session;
  /** Settles with the error that ended it, or undefined. */
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

/** A session of the adapter, running, in clear text on loopback and without pacing unless the settings say otherwise. */
export function startClient(
  port: number,
  settings: Readonly<Record<string, string>> = {},
  options: TestHostOptions = {},
): Client {
  const host = testHost(options);
  const session = irc.open(
    irc.parse({ server: `127.0.0.1:${port}`, tls: 'off', nick: 'me', pace: 'none', ...settings }),
    host,
  );
  const abort = new AbortController();
  const ended = session.run(abort.signal).then(
    () => undefined,
    (error: unknown) => error,
  );
  return {
    host,
    session,
    ended,
    stop: async () => {
      abort.abort();
      await ended;
    },
  };
}
