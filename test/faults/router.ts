import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { type DnsStub, dnsStub, type Zone } from '../adapters/xmpp/transport/dns-stub.ts';

/** Two network namespaces behind this one: a computer, and the router between it and us. Takes root. */
export interface Router {
  /** Ours, as the computer sees us. */
  readonly address: string;
  /** What runs a command on that computer. */
  readonly within: readonly string[];
  /** The router swallows every packet, and tells nobody. */
  swallow(): void;
  heal(): void;
  stop(): void;
}

export const isRoot = process.getuid?.() === 0;

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}

export function makeRouter(): Router {
  const id = process.pid % 200;
  const [computer, router] = [`imuxc${process.pid}`, `imuxr${process.pid}`];
  const [near, far] = [`10.231.${id}`, `10.232.${id}`];
  const [us, them] = [`${near}.1`, `${far}.2`];
  const [ours, upper, lower, theirs] = ['a', 'b', 'c', 'd'].map((end) => `imux${id}${end}`) as [
    string,
    string,
    string,
    string,
  ];
  const files = `/etc/netns/${computer}`;
  const stop = (): void => {
    for (const name of [computer, router]) spawnSync('ip', ['netns', 'delete', name]);
    rmSync(files, { recursive: true, force: true });
  };
  try {
    for (const name of [computer, router]) ip('netns', 'add', name);
    ip('link', 'add', ours, 'type', 'veth', 'peer', 'name', upper, 'netns', router);
    ip('-n', router, 'link', 'add', lower, 'type', 'veth', 'peer', 'name', theirs, 'netns', computer);
    ip('address', 'add', `${us}/24`, 'dev', ours);
    ip('link', 'set', ours, 'up');
    ip('-n', router, 'address', 'add', `${near}.2/24`, 'dev', upper);
    ip('-n', router, 'address', 'add', `${far}.1/24`, 'dev', lower);
    ip('-n', computer, 'address', 'add', `${them}/24`, 'dev', theirs);
    for (const [name, link] of [
      [router, upper],
      [router, lower],
      [computer, theirs],
      [computer, 'lo'],
    ] as const)
      ip('-n', name, 'link', 'set', link, 'up');
    ip('route', 'add', `${far}.0/24`, 'via', `${near}.2`);
    ip('-n', computer, 'route', 'add', 'default', 'via', `${far}.1`);
    ip('netns', 'exec', router, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
    // What `ip netns exec` lays over /etc: names lead to us, or to our name server.
    mkdirSync(files, { recursive: true });
    writeFileSync(`${files}/hosts`, `${us} localhost\n`);
    writeFileSync(`${files}/resolv.conf`, `nameserver ${us}\n`);
  } catch (error) {
    stop();
    throw error;
  }
  const holes = [`${us}/32`, `${them}/32`];
  return {
    address: us,
    within: ['ip', 'netns', 'exec', computer],
    swallow() {
      for (const hole of holes) ip('-n', router, 'route', 'add', 'blackhole', hole);
    },
    heal() {
      for (const hole of holes) ip('-n', router, 'route', 'delete', 'blackhole', hole);
    },
    stop,
  };
}

/** A name server on port 53 of that address, which answers, says that it cannot, or says nothing. */
export interface SickNames {
  mode: 'answers' | 'silent' | 'broken';
  stop(): void;
}

export async function sickNames(address: string, zone: Zone): Promise<SickNames> {
  const sound = await dnsStub(zone);
  const broken = await dnsStub({ broken: true });
  const socket = createSocket('udp4');
  const names: SickNames = {
    mode: 'answers',
    stop() {
      socket.close();
      sound.stop();
      broken.stop();
    },
  };
  const pass = (stub: DnsStub, query: Buffer, port: number, from: string): void => {
    const onward = createSocket('udp4');
    onward.once('message', (answer) => {
      onward.close();
      socket.send(answer, port, from);
    });
    onward.send(query, Number(stub.server.split(':')[1]), '127.0.0.1');
  };
  socket.on('message', (query, { port, address: from }) => {
    if (names.mode !== 'silent') pass(names.mode === 'answers' ? sound : broken, query, port, from);
  });
  await new Promise<void>((resolve) => socket.bind(53, address, resolve));
  return names;
}
