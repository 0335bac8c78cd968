import { createServer, type Socket } from 'node:net';
import { waitFor } from '../servers/process.ts';

/** Registers whoever comes, lets them into #flood, and then sends as many prebuilt lines as asked, in one write. */
export interface IrcBurst {
  readonly port: number;
  /** True once somebody has joined since the last time; false where nobody does in that time. */
  join(timeoutMs: number): Promise<boolean>;
  /** Resolves when the client has answered the PING behind the last line. */
  burst(count: number): Promise<void>;
  stop(): void;
}

export async function ircBurst(): Promise<IrcBurst> {
  let member: Socket | undefined;
  let pong = (): void => {};
  let joined = false;
  const server = createServer((socket) => {
    let nick = 'x';
    let held = '';
    let registered = false;
    const send = (line: string): void => void socket.write(`${line}\r\n`);
    const register = (): void => {
      if (registered) return;
      registered = true;
      send(`:bench 001 ${nick} :Welcome`);
      send(`:bench 005 ${nick} CHANTYPES=# CASEMAPPING=ascii NICKLEN=30 :are supported by this server`);
      send(`:bench 422 ${nick} :no MOTD`);
    };
    const handle = (line: string): void => {
      const [command, first = ''] = line.split(' ');
      if (command === 'NICK') nick = first.replace(':', '');
      if (command === 'CAP' && first === 'LS') send(':bench CAP * LS :');
      if (command === 'USER') register();
      if (command === 'PING') send(`:bench PONG bench ${line.slice(5)}`);
      if (command === 'PONG' && line.includes('endmark')) pong();
      if (command === 'JOIN') {
        send(`:${nick}!u@h JOIN #flood`);
        send(`:bench 353 ${nick} = #flood :${nick}`);
        send(`:bench 366 ${nick} #flood :End of NAMES`);
        member = socket;
        joined = true;
      }
    };
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const lines = (held + chunk.toString()).split('\r\n');
      held = lines.pop() ?? '';
      lines.forEach(handle);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    join: async (timeoutMs) => {
      const came = await waitFor(() => joined, { timeoutMs }).catch(() => false);
      joined = false;
      return came;
    },
    burst: (count) =>
      new Promise((resolve) => {
        pong = resolve;
        const lines: string[] = [];
        for (let at = 0; at < count; at++) {
          lines.push(
            `:user${at % 20}!user${at % 20}@host.example PRIVMSG #flood :message ${at} of the flood, about as long as people write\r\n`,
          );
        }
        member?.write(`${lines.join('')}PING :endmark\r\n`);
      }),
    stop: () => {
      member?.destroy();
      server.close();
    },
  };
}
