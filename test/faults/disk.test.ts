import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, it } from 'vitest';
import { waitFor } from '../servers/process.ts';
import { record } from './figures.ts';
import { archived, type HubProcess, hubProcess, program, stateOf, untilState } from './hub.ts';
import { scaled } from './scale.ts';
import { type FaultWorld, faultWorld, type Network, networks } from './world.ts';

const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const root = process.getuid?.() === 0;
if (!root && process.env.CI === 'true') throw new Error('the disk tests need root to mount a small disk');

async function online(home?: string): Promise<{ world: FaultWorld; hub: HubProcess }> {
  const world = await faultWorld();
  ends.push(() => world.stop());
  const accounts = networks.map((network) => world.accounts[network]);
  const hub = await hubProcess({ env: world.env, accounts, ...(home === undefined ? {} : { home }) });
  ends.push(() => hub.end());
  for (const network of networks) await untilState(hub.link, network, 'online');
  // A bot may write to those alone who wrote to it.
  world.say('telegram', 'hello');
  await waitFor(async () => (await archived(hub.link)).length > 0);
  return { world, hub };
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

function smallDisk(): string {
  const folder = mkdtempSync(join(tmpdir(), 'imux-disk-'));
  run('mount', '-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', folder);
  ends.push(() => {
    run('umount', '-l', folder);
    rmdirSync(folder);
  });
  return folder;
}

function fill(disk: string): void {
  const file = openSync(join(disk, 'ballast'), 'w');
  for (const size of [1 << 16, 1 << 12]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size));
    } catch {
      // Until nothing more fits: that is what it is for.
    }
  }
  closeSync(file);
}

/** Runs imux beside the servers of this process, which go on meanwhile. */
function imux(hub: HubProcess, ...args: readonly string[]): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [program, ...args], { env: hub.env, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr })));
}

async function sendCodes(hub: HubProcess, world: FaultWorld, text: string): Promise<readonly (number | null)[]> {
  const sends = networks.map((network) => imux(hub, 'send', '--timeout', '5', world.target[network], '-m', text));
  return (await Promise.all(sends)).map(({ code }) => code);
}

describe.skipIf(!root)('F6 the disk is full (needs root, to mount a small one)', () => {
  it('F6 send is refused with 74, nothing that comes in is acknowledged, and all is well when there is room', async () => {
    const disk = smallDisk();
    const { world, hub } = await online(disk);
    const { link } = hub;
    for (const network of networks)
      await link.call('send', { target: world.target[network], text: 'before', wait: 'accepted', timeout: 10 });
    fill(disk);
    const said: Record<Network, string[]> = { xmpp: [], irc: [], telegram: [] };
    const long = 'y'.repeat(2_000);
    for (let n = 0; n < 100; n++)
      for (const network of ['xmpp', 'telegram'] as const) {
        said[network].push(`full ${network} ${n} ${long}`);
        world.say(network, `full ${network} ${n} ${long}`);
      }
    await waitFor(
      () =>
        hub.link.call('send', { target: world.target.xmpp, text: 'x'.repeat(50_000), wait: 'queued', timeout: 5 }).then(
          () => false,
          () => true,
        ),
      { what: 'a send to be refused' },
    );
    const codes = await sendCodes(hub, world, 'refused');
    const sentWhileFull = networks
      .flatMap((network) => world.taken[network])
      .filter((text) => text === 'refused').length;
    const storedWhileFull = (await archived(link)).filter(({ text }) => text.startsWith('full ')).length;
    rmSync(join(disk, 'ballast'));
    const from = performance.now();
    const there = async (): Promise<number> =>
      new Set((await archived(link)).map(({ text }) => text).filter((text) => text.startsWith('full '))).size;
    await waitFor(async () => (await there()) === 200, { timeoutMs: 60_000 }).catch(() => {});
    const seconds = (performance.now() - from) / 1000;
    const rows = (await archived(link)).filter(({ text }) => text.startsWith('full ')).length;
    for (const network of networks) await untilState(link, network, 'online');
    const after = await sendCodes(hub, world, 'after');
    record({
      row: 'F6',
      what: 'full disk: send',
      measured: `exit codes ${codes.join(' ')}, ${sentWhileFull} sent; with room again ${after.join(' ')}`,
      bound: '74 each, none sent; then 0',
      pass: codes.every((code) => code === 74) && sentWhileFull === 0 && after.every((code) => code === 0),
    });
    record({
      row: 'F6',
      what: 'full disk: receive (XMPP, Telegram)',
      measured: `${storedWhileFull} of 200 stored while full; ${await there()} of 200 ${seconds.toFixed(1)} s after there was room, ${rows - (await there())} twice`,
      bound: 'all 200 after it, none twice',
      pass: storedWhileFull < 200 && (await there()) === 200 && rows === 200,
    });
  });

  it('F6 full a second time: the accounts stay online, and sending works again', async () => {
    const disk = smallDisk();
    const { world, hub } = await online(disk);
    const bouts = scaled(5, 2);
    let good = 0;
    for (let bout = 0; bout < bouts; bout++) {
      fill(disk);
      await waitFor(async () => (await sendCodes(hub, world, 'z'.repeat(3_000))).every((code) => code === 74), {
        timeoutMs: 60_000,
        what: 'exit code 74',
      });
      rmSync(join(disk, 'ballast'));
      const codes = await sendCodes(hub, world, `after ${bout}`);
      if (codes.every((code) => code === 0)) good += 1;
    }
    const states = await Promise.all(networks.map(async (network) => (await stateOf(hub.link, network))?.state));
    record({
      row: 'F6',
      what: `full disk ${bouts} times`,
      measured: `send works again ${good} times of ${bouts}, at once; accounts ${states.join(', ')}`,
      bound: 'each time; online',
      pass: good === bouts && states.every((state) => state === 'online'),
    });
  });
});

describe('F12 what is on the disk is broken', () => {
  it('F12 a damaged archive is set aside, never deleted, and what can be read is saved', async () => {
    const { world, hub } = await online();
    const count = scaled(5_000, 1_000);
    for (let n = 0; n < count; n++) world.say('irc', `kept ${n} ${'x'.repeat(100)}`);
    const kept = async (): Promise<number> =>
      (await archived(hub.link)).filter(({ text }) => text.startsWith('kept ')).length;
    await waitFor(async () => (await kept()) === count, { timeoutMs: 30_000 });
    await hub.kill('SIGTERM');
    const path = join(hub.paths.data, 'archive.db');
    const size = statSync(path).size;
    const file = openSync(path, 'r+');
    // A torn stretch in the middle: eight pages.
    writeSync(file, Buffer.alloc(8 * 4096, 0x5a), 0, 8 * 4096, Math.floor(size / 8192) * 4096);
    await hub.start();
    // Damage in a table shows once it is read.
    await kept().catch(() => 0);
    await hub.kill('SIGTERM');
    await hub.start();
    const saved = await kept();
    const files = readdirSync(hub.paths.data);
    const aside = files.filter((name) => name.includes('damaged-'));
    const told = readFileSync(join(hub.paths.data, 'hub.log'), 'utf8').includes('damaged');
    record({
      row: 'F12',
      what: 'eight pages of the archive overwritten',
      measured: `${saved} of ${count} messages saved; ${aside.length > 0 ? 'the damaged file is kept' : 'nothing set aside'}; ${told ? 'said in hub.log' : 'nothing said'}`,
      bound: 'at least 80 % saved, the file kept, said so',
      pass: saved >= count * 0.8 && aside.length > 0 && told,
    });
  });

  it('F12 a WAL cut off in the middle loses at most what was in it', async () => {
    const { world, hub } = await online();
    for (let n = 0; n < 500; n++) world.say('irc', `kept ${n}`);
    const kept = async (): Promise<number> =>
      (await archived(hub.link)).filter(({ text }) => text.startsWith('kept ')).length;
    await waitFor(async () => (await kept()) === 500, { timeoutMs: 30_000 });
    await hub.kill('SIGKILL');
    const wal = join(hub.paths.data, 'archive.db-wal');
    truncateSync(wal, Math.floor(statSync(wal).size / 2));
    await hub.start();
    const saved = (await archived(hub.link)).map(({ text }) => text).filter((text) => text.startsWith('kept '));
    const whole = saved.every((text, at) => text === `kept ${at}`);
    await untilState(hub.link, 'irc', 'online');
    world.say('irc', 'anew');
    await waitFor(async () => (await archived(hub.link)).some(({ text }) => text === 'anew'));
    record({
      row: 'F12',
      what: 'journal cut in half after a kill',
      measured: `opens and goes on; the first ${saved.length} of 500 messages there, ${whole ? 'no holes' : 'with holes'}`,
      bound: 'opens, no holes',
      pass: whole,
    });
  });

  it('F12 a half-written accounts file: said with line and column, never overwritten, and read once it is mended', async () => {
    const { world, hub } = await online();
    await hub.kill('SIGTERM');
    const path = join(hub.paths.config, 'accounts.json');
    const whole = readFileSync(path, 'utf8');
    const half = whole.slice(0, Math.floor(whole.length / 2));
    writeFileSync(path, half);
    await hub.start();
    const { code, stderr } = await imux(hub, 'send', world.target.irc, '-m', 'x');
    const place = /accounts\.json:\d+:\d+/.test(stderr);
    const same = readFileSync(path, 'utf8') === half;
    writeFileSync(path, whole);
    await untilState(hub.link, 'irc', 'online');
    record({
      row: 'F12',
      what: 'accounts file cut in half',
      measured: `exit code ${code}, ${place ? 'with file, line and column' : stderr.trim()}; the file ${same ? 'is as it was' : 'was changed'}; online once it was mended`,
      bound: '78, the place, file untouched',
      pass: code === 78 && place && same,
    });
  });

  it('F12 an archive of a newer imux is left alone', async () => {
    const { hub } = await online();
    await hub.kill('SIGTERM');
    const path = join(hub.paths.data, 'archive.db');
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 9999');
    db.close();
    const before = readFileSync(path);
    const { code, stderr } = await imux(hub, 'hub', 'run');
    const same = before.equals(readFileSync(path));
    record({
      row: 'F12',
      what: 'archive of a newer version',
      measured: `exit code ${code}: ${stderr.trim().split('\n').at(-1)?.slice(0, 120)}; the file ${same ? 'is as it was' : 'was changed'}`,
      bound: 'ends with 70 to 78, says newer, file untouched',
      pass: code !== null && code >= 70 && code <= 78 && /newer/.test(stderr) && same,
    });
  });
});
