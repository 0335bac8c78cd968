import type { AccountInput, Result } from '../../src/link/messages.ts';
import { type Prosody, startProsody } from '../servers/prosody.ts';
import { type Contacts, contactList, liveContacts } from './contacts.ts';
import { type BenchHub, benchHub, watchLoop } from './hub.ts';
import { ircBurst } from './irc-burst.ts';
import { cpuOf, type Figure, settled } from './measure.ts';
import { xmppBot } from './xmpp-bot.ts';

const SECRET = { BENCH_SECRET: 'mepw' };
const secrets = { password: { kind: 'env', variable: 'BENCH_SECRET' } } as const;

/** In clear text to Prosody, as its rivals are. */
const account = (prosody: Prosody): AccountInput => ({
  network: 'xmpp',
  name: 'bench',
  settings: { jid: 'me@localhost', server: `127.0.0.1:${prosody.ports.c2s}`, tls: 'none', resource: 'bench' },
  secrets,
});

export interface Flood {
  /** CPU seconds, the index built behind it included. */
  readonly cpu: number;
  readonly wall: number;
  /** Longest wait for an answer, ms. */
  readonly stall: number;
  /** Messages that are not in the archive. */
  readonly lost: number;
}

/** Lets the source send so many messages and measures the hub until all are shown to a front and indexed. */
async function measureFlood(hub: BenchHub, count: number, send: () => Promise<void>): Promise<Flood> {
  await settled(hub.pid);
  const loop = watchLoop(hub.paths);
  const already = hub.seen.messages();
  const from = { cpu: cpuOf(hub.pid), at: performance.now() };
  await Promise.all([send(), hub.seen.until('messages', already + count, 120_000)]);
  const wall = (performance.now() - from.at) / 1000;
  const stall = await loop.stop();
  await settled(hub.pid);
  const cpu = cpuOf(hub.pid) - from.cpu;
  return { cpu, wall, stall, lost: already + count - (await stored(hub)) };
}

async function stored(hub: BenchHub): Promise<number> {
  let count = 0;
  for (let after: string | undefined = '0'; after !== undefined; ) {
    const page: Result<'messages.since'> = await hub.link.call('messages.since', { after, limit: 10_000 });
    count += page.messages.length;
    after = page.messages.at(-1)?.id;
  }
  return count;
}

/** A server without what costs it more than its clients: its archive rewrites itself with each message above 10,000. */
export const plainProsody = (): Promise<Prosody> =>
  startProsody({
    withoutModules: ['mam', 'tls'],
    users: [
      { name: 'me', password: 'mepw' },
      { name: 'bot', password: 'botpw' },
    ],
  });

export async function xmppFloodOnce(prosody: Prosody, count: number): Promise<Flood> {
  const hub = await benchHub(SECRET);
  await hub.add(account(prosody));
  await hub.online('bench');
  const bot = await xmppBot(prosody.ports.c2s, 'localhost', 'bot', 'botpw');
  const flood = await measureFlood(hub, count, () => bot.flood('me@localhost/bench', count));
  bot.close();
  await hub.stop();
  return flood;
}

export async function xmppFlood(counts: readonly number[]): Promise<readonly Figure[]> {
  const prosody = await plainProsody();
  const figures: Figure[] = [];
  for (const count of counts) figures.push(...told('XMPP', count, await xmppFloodOnce(prosody, count)));
  await prosody.stop();
  return figures;
}

export async function ircFloodOnce(count: number): Promise<Flood> {
  const server = await ircBurst();
  const hub = await benchHub(SECRET);
  const settings = { server: `127.0.0.1:${server.port}`, tls: 'off', nick: 'bench', sasl: 'none', join: '#flood' };
  await hub.add({ network: 'irc', name: 'bench', settings, secrets: {} });
  await hub.online('bench');
  await server.join(20_000);
  const flood = await measureFlood(hub, count, () => server.burst(count));
  await hub.stop();
  server.stop();
  return flood;
}

export async function ircFlood(counts: readonly number[]): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const count of counts) figures.push(...told('IRC', count, await ircFloodOnce(count)));
  return figures;
}

function told(network: string, count: number, { cpu, wall, stall, lost }: Flood): readonly Figure[] {
  const name = `${network}: ${count.toLocaleString('en')} messages received, archived, indexed, shown`;
  const note = `${((cpu / count) * 1e6).toFixed(0)} µs each; all there after ${wall.toFixed(1)} s`;
  const whole = count === 20_000;
  return [
    { name, value: cpu, unit: 's', note, ...(whole && { bound: 2.5 }) },
    ...(whole
      ? ([
          { name: `${network}: lost of these`, value: lost, unit: '', bound: 0 },
          { name: `${network}: longest wait for the hub meanwhile`, value: stall, unit: 'ms', bound: 200 },
        ] as const)
      : []),
  ];
}

export interface Loaded {
  /** CPU seconds. */
  readonly cpu: number;
  readonly wall: number;
  readonly presences: number;
}

/** From sign-in to the full list at a front: `size` entries, a tenth of them online. */
export async function rosterOnce(prosody: Prosody, contacts: Contacts, size: number): Promise<Loaded> {
  const hub = await benchHub(SECRET);
  await settled(hub.pid);
  const before = contacts.presences();
  const from = { cpu: cpuOf(hub.pid), at: performance.now() };
  await hub.add(account(prosody));
  await hub.online('bench');
  await hub.seen.until('contacts', size, 120_000);
  await hub.seen.until('present', size / 10, 120_000);
  const wall = (performance.now() - from.at) / 1000;
  await settled(hub.pid);
  const cpu = cpuOf(hub.pid) - from.cpu;
  await hub.stop();
  return { cpu, wall, presences: contacts.presences() - before };
}

export async function roster(sizes: readonly number[]): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const size of sizes) {
    const prosody = await plainProsody();
    await prosody.roster('me', contactList(size));
    const contacts = await liveContacts(prosody);
    const { cpu, wall, presences } = await rosterOnce(prosody, contacts, size);
    figures.push({
      name: `XMPP: sign-in to the full list, ${size.toLocaleString('en')} contacts, ${presences.toLocaleString('en')} online`,
      value: cpu,
      unit: 's',
      note: `all there after ${wall.toFixed(1)} s`,
      ...(size === 10_000 && { bound: 0.7 }),
    });
    contacts.close();
    await prosody.stop();
  }
  return figures;
}
