import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestCa } from './ca.ts';
import { answersIrc } from './inspircd.ts';
import { freePort, type Running, spawnServer, tempDir } from './process.ts';

export interface Ngircd {
  readonly ports: { readonly plain: number; readonly tls: number };
  kill(): Promise<void>;
  start(): Promise<void>;
  /** For good: the folder is removed. */
  stop(): Promise<void>;
}

/** ngIRCd: a plain server of RFC 2812, with no SASL, no MONITOR and no tags. */
export async function startNgircd(ca: TestCa): Promise<Ngircd> {
  const dir = await tempDir('ngircd');
  const ports = { plain: await freePort(), tls: await freePort() };
  const file = join(dir.path, 'ngircd.conf');
  await writeFile(
    file,
    `[Global]
  Name = irc.localhost
  Info = test
  Listen = 127.0.0.1
  Ports = ${ports.plain}
  MotdPhrase = hello
  ServerGID = root
  ServerUID = root
[Limits]
  ConnectRetry = 60
  MaxConnections = 0
  MaxConnectionsIP = 0
  MaxJoins = 0
  MaxNickLength = 30
  MaxPenaltyTime = 0
  PingTimeout = 120
[Options]
  AllowedChannelTypes = #&+
  DNS = no
  Ident = no
  PAM = no
  SyslogFacility = local1
[SSL]
  CertFile = ${ca.certFile}
  KeyFile = ${ca.keyFile}
  Ports = ${ports.tls}
`,
  );
  let running: Running | undefined;
  const start = async (): Promise<void> => {
    running = await spawnServer('/usr/sbin/ngircd', ['-n', '-f', file], {
      ready: () => answersIrc(ports.plain),
      timeoutMs: 15_000,
    });
  };
  await start();
  return {
    ports,
    start,
    kill: async () => await running?.stop('SIGKILL'),
    stop: async () => {
      await running?.stop();
      await dir.remove();
    },
  };
}
