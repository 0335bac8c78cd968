import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, spawnServer, tempDir } from './process.ts';

export interface Znc {
  readonly port: number;
  /** The server password of the account: its user, network and secret. */
  readonly password: string;
  stop(): Promise<void>;
}

/** ZNC with one account, which is on that server (by its plain port) under that nick, and in those channels. */
export async function startZnc(upstream: number, nick: string, channels: readonly string[]): Promise<Znc> {
  const dir = await tempDir('znc');
  const port = await freePort();
  await mkdir(join(dir.path, 'configs'));
  await writeFile(
    join(dir.path, 'configs', 'znc.conf'),
    `Version = 1.8.2
<Listener test>
  Host = 127.0.0.1
  IPv4 = true
  IPv6 = false
  Port = ${port}
  SSL = false
</Listener>
ServerThrottle = 1
ConnectDelay = 1
<User me>
  Nick = ${nick}
  AltNick = ${nick}_
  Ident = me
  RealName = me
  ChanBufferSize = 500
  QueryBufferSize = 500
  JoinTries = 5
  <Pass password>
    Method = plain
    Hash = secret
    Salt = none
  </Pass>
  <Network test>
    Server = 127.0.0.1 ${upstream}
    FloodBurst = 1000
    FloodRate = 1000.00
${channels.map((name) => `    <Chan ${name}>\n    </Chan>`).join('\n')}
  </Network>
</User>
`,
  );
  // As root it would wait for half a minute, to be thought over.
  const root = process.getuid?.() === 0;
  if (root) await promisify(execFile)('chown', ['-R', 'irc', dir.path]);
  const [command = '', ...args] = [
    ...(root ? ['setpriv', '--reuid=irc', '--regid=irc', '--clear-groups'] : []),
    ...['znc', '-f', '-n', '-d', dir.path],
  ];
  const running = await spawnServer(command, args, { env: { HOME: dir.path }, ready: () => accepts(port) });
  return {
    port,
    password: 'me/test:secret',
    stop: async () => {
      await running.stop();
      await dir.remove();
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(() => resolve(true)));
    socket.on('error', () => resolve(false));
  });
}
