import { readdirSync } from 'node:fs';
import { afterEach, describe, it } from 'vitest';
import { startIrcServer } from '../../src/demo/irc-server.ts';
import { systemClock } from '../../src/hub/clock.ts';
import type { AccountInput } from '../../src/link/messages.ts';
import { messageOf } from '../hub/network.ts';
import { startHub } from '../hub/start.ts';
import { waitFor } from '../servers/process.ts';
import { record } from './figures.ts';
import { archived, cpuOf, hubProcess, memoryOf, stateOf, untilState } from './hub.ts';
import { proxyTo } from './proxy.ts';
import { scaled } from './scale.ts';
import { faultWorld, networks } from './world.ts';

const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const day = 24 * 60 * 60 * 1000;
const seconds = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms * 1000));

describe('F7 the clock jumps', () => {
  it('F7 a day ahead, a day back: the order stays, and nothing is held up', async () => {
    let offset = 0;
    const hub = await startHub({ clock: { ...systemClock, now: () => Date.now() + offset } });
    ends.push(() => hub.end());
    const front = await hub.front();
    await front.add('work');
    const wanted: string[] = [];
    const waits: number[] = [];
    for (const [at, jump] of [0, day, -day, -2 * day, 3_600_000].entries()) {
      offset = jump;
      hub.network.on('work@test').emit({ type: 'message', live: true, message: messageOf('alice@test', `in ${at}`) });
      const target = 'work:alice@test';
      const { state } = await front.call('send', { target, text: `out ${at}`, wait: 'accepted', timeout: 5 });
      if (state === 'accepted') wanted.push(`in ${at}`, `out ${at}`);
      const from = performance.now();
      hub.network.on('work@test').drop();
      await waitFor(() => !hub.network.isOnline('work@test'));
      offset = -jump;
      await waitFor(() => hub.network.isOnline('work@test'), { timeoutMs: 60_000 });
      waits.push((performance.now() - from) / 1000);
    }
    const { messages } = await front.call('messages.since', { after: '0', limit: 100 });
    const order = messages.map(({ text }) => text).join() === wanted.join();
    // The next try after a loss is due within 1 to 2, then 1 to 4, 8, 16, 32 s.
    const late = waits.filter((wait, at) => wait > 2 ** (at + 1) + 1).length;
    record({
      row: 'F7',
      what: 'clock set a day ahead and back while connections break',
      measured: `${messages.length} messages ${order ? 'in the order of arrival' : 'out of order'}; ${late} of ${waits.length} reconnections later than due`,
      bound: 'order kept, none late',
      pass: order && messages.length === 10 && late === 0,
    });
  });
});

describe('F8 the machine sleeps', () => {
  it('F8 connections that died meanwhile are replaced at once, and what was missed comes', async () => {
    const world = await faultWorld();
    ends.push(() => world.stop());
    const [xmpp, irc, telegram] = await Promise.all([
      proxyTo(world.xmpp.port),
      proxyTo(world.irc.port),
      proxyTo(Number(new URL(world.telegram.root).port)),
    ]);
    const proxies = { xmpp, irc, telegram };
    ends.push(async () => void (await Promise.all(Object.values(proxies).map((proxy) => proxy.stop()))));
    const { accounts } = world;
    const hub = await hubProcess({
      env: world.env,
      accounts: networks.map((network) => {
        const place = `127.0.0.1:${proxies[network].port}`;
        const account = accounts[network];
        const way = network === 'telegram' ? { api: `http://${place}` } : { server: place };
        return { ...account, settings: { ...account.settings, ...way } };
      }),
    });
    ends.push(() => hub.end());
    for (const network of networks) await untilState(hub.link, network, 'online');
    const attempts = networks.map((network) => proxies[network].attempts.length);
    hub.signal('SIGSTOP');
    // The router forgets the connections: what is sent over them goes nowhere, and nobody is told.
    for (const network of networks) proxies[network].forget();
    for (const network of ['xmpp', 'telegram'] as const)
      for (let n = 0; n < 50; n++) world.say(network, `${network} asleep ${n}`);
    await seconds(13);
    hub.signal('SIGCONT');
    const from = performance.now();
    const back = await Promise.all(
      networks.map(async (network, at) => {
        await waitFor(() => proxies[network].attempts.length > (attempts[at] ?? 0), {
          timeoutMs: 60_000,
          what: `${network} to connect again`,
        });
        await untilState(hub.link, network, 'online');
        return (performance.now() - from) / 1000;
      }),
    );
    const missed = async (): Promise<number> =>
      (await archived(hub.link)).filter(({ text }) => text.includes(' asleep ')).length;
    await waitFor(async () => (await missed()) >= 100, { timeoutMs: 20_000 }).catch(() => {});
    record({
      row: 'F8',
      what: 'stopped for 13 s, connections dead in silence',
      measured: `${networks.map((network, at) => `${network} back after ${back[at]?.toFixed(1)} s`).join(', ')}; ${await missed()} of 100 missed messages there`,
      bound: 'each within 5 s; all (XMPP, Telegram)',
      pass: back.every((time) => time <= 5) && (await missed()) === 100,
    });
  });
});

describe('F14 fifty accounts whose servers were away', () => {
  it('F14 come back spread out, none tries more than once a second, none gives up', async () => {
    const count = 50;
    const away = scaled(60, 12);
    const server = await startIrcServer();
    ends.push(() => server.stop());
    const proxies = await Promise.all(Array.from({ length: count }, () => proxyTo(server.port)));
    ends.push(async () => void (await Promise.all(proxies.map((proxy) => proxy.stop()))));
    const accounts = proxies.map(
      ({ port }, at): AccountInput => ({
        network: 'irc',
        name: `a${at}`,
        settings: { server: `127.0.0.1:${port}`, tls: 'off', nick: `me${at}`, sasl: 'none' },
        secrets: {},
      }),
    );
    const hub = await hubProcess({ accounts });
    ends.push(() => hub.end());
    const online = async (): Promise<number> =>
      (await hub.link.call('accounts.list', {})).accounts.filter(({ state }) => state === 'online').length;
    await waitFor(async () => (await online()) === count, { timeoutMs: 60_000 });
    const begin = proxies.map(({ attempts }) => attempts.length);
    const cpu = cpuOf(hub.pid);
    const from = performance.now();
    for (const proxy of proxies) {
      proxy.refusing = true;
      proxy.cut();
    }
    await seconds(away);
    for (const proxy of proxies) proxy.refusing = false;
    await waitFor(async () => (await online()) === count, { timeoutMs: 330_000, what: 'all to be back' });
    const load = (cpuOf(hub.pid) - cpu) / ((performance.now() - from) / 1000);
    const tries = proxies.map(({ attempts }, at) => attempts.slice(begin[at]));
    const gaps = tries.flatMap((at) => at.slice(1).map((time, before) => time - (at[before] ?? 0)));
    const last = tries.map((at) => at.at(-1) ?? 0);
    const spread = (Math.max(...last) - Math.min(...last)) / 1000;
    const wanted = scaled(10, 3);
    record({
      row: 'F14',
      what: `50 IRC accounts, servers away for ${away} s`,
      measured: `all back, spread over ${spread.toFixed(0)} s; shortest wait of an account ${(Math.min(...gaps) / 1000).toFixed(2)} s; ${(load * 100).toFixed(0)} % of a core`,
      bound: `over at least ${wanted} s; at least 1 s; under 100 %`,
      pass: spread >= wanted && Math.min(...gaps) >= 990 && load < 1,
    });
  });
});

describe('F13 a soak', () => {
  it('F13 a day of messages, reconnections and fronts in minutes: memory and files stay flat', async () => {
    const world = await faultWorld();
    ends.push(() => world.stop());
    const hub = await hubProcess({ env: world.env, accounts: networks.map((network) => world.accounts[network]) });
    ends.push(() => hub.end());
    for (const network of networks) await untilState(hub.link, network, 'online');
    const wanted = scaled(1_000_000, 60_000);
    const rate = 4_500;
    const files = (): number => readdirSync(`/proc/${hub.pid}/fd`).length;
    const samples: { said: number; memory: number; files: number }[] = [];
    const start = performance.now();
    let said = 0;
    let fronts = 0;
    let cuts = 0;
    for (let tick = 0; said < wanted; tick++) {
      const due = Math.min(wanted, ((performance.now() - start) / 1000) * rate);
      for (; said < due; said++) world.say(said % 50 === 0 ? 'xmpp' : 'irc', `soak ${said}`);
      if (tick % 25 === 0) {
        const front = await hub.front('visitor');
        await front.call('subscribe', {});
        front.close();
        fronts += 1;
      }
      if (tick % 150 === 149) {
        world.xmpp.dropConnections();
        cuts += 1;
      }
      if (tick % 50 === 49) samples.push({ said, memory: memoryOf(hub.pid), files: files() });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await waitFor(async () => (await stateOf(hub.link, 'xmpp'))?.state === 'online', {
      timeoutMs: 330_000,
      what: 'xmpp to be back',
    });
    const count = async (): Promise<number> =>
      (await archived(hub.link)).filter(({ text }) => text.startsWith('soak ')).length;
    await waitFor(async () => (await count()) >= wanted, { timeoutMs: 120_000 }).catch(() => {});
    const stored = await count();
    const warm = samples.slice(Math.floor(samples.length / 3));
    const most = Math.max(...warm.map(({ memory }) => memory));
    const perMillion = slope(warm.map(({ said: x, memory }) => [x / 1e6, memory / 2 ** 20]));
    const open = warm.map((sample) => sample.files);
    const grown = Math.max(...open) - Math.min(...open);
    const flat = perMillion <= scaled(24, Number.POSITIVE_INFINITY);
    record({
      row: 'F13',
      what: 'a day of messages, reconnections and fronts in minutes',
      measured: `${wanted.toLocaleString('en')} messages, ${cuts} reconnections, ${fronts} fronts in ${((performance.now() - start) / 1000).toFixed(0)} s: memory ${perMillion.toFixed(1)} MB per million messages after warm-up (at most ${(most / 2 ** 20).toFixed(0)} MB); open files within ${grown}; ${wanted - stored} lost`,
      bound:
        scaled(1, 0) === 1
          ? 'at most 24 MB a million (a day at 1 MB an hour); within 8; lost 0'
          : 'at most 300 MB; within 8; lost 0',
      pass: stored === wanted && grown <= 8 && most < 300 * 2 ** 20 && flat,
    });
  });
});

/** Of the line of least squares. */
function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [mx, my] = [mean(0), mean(1)];
  const over = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return over / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}
