import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { startXmppServer, type XmppServer } from '../../src/demo/xmpp-server.ts';
import type { AccountInput } from '../../src/link/messages.ts';
import { type TestCa, testCa } from '../servers/ca.ts';
import { waitFor } from '../servers/process.ts';
import { record } from './figures.ts';
import { archived, type HubProcess, hubProcess, stateOf, untilState } from './hub.ts';
import { watchLoop } from './loop.ts';
import { proxyTo, type SickProxy } from './proxy.ts';
import { isRoot, makeRouter, type Router, type SickNames, sickNames } from './router.ts';
import { full, scaled } from './scale.ts';
import { type FaultWorld, faultWorld, networks } from './world.ts';

if (!isRoot && process.env.CI === 'true') throw new Error('the tests of routes need root to make network namespaces');

describe.skipIf(!isRoot)('a computer behind a router (needs root, to make network namespaces)', () => {
  let ca: TestCa;
  let router: Router;
  let names: SickNames;
  let world: FaultWorld;
  let xmpp: XmppServer;
  let proxies: readonly SickProxy[];
  let hub: HubProcess;
  const taken: string[] = [];
  let late: AccountInput;
  let hanging: readonly AccountInput[];

  beforeAll(async () => {
    ca = await testCa();
    router = makeRouter();
    names = await sickNames(router.address, { addresses: { 'late.test': router.address } });
    world = await faultWorld();
    const [cert, key] = [readFileSync(ca.certFile, 'utf8'), readFileSync(ca.keyFile, 'utf8')];
    xmpp = await startXmppServer({
      users: [
        { name: 'me', password: 'mepw' },
        { name: 'bob', password: 'bobpw' },
      ],
      roster: { me: [{ jid: 'bob@localhost', name: 'Bob' }] },
      tls: { cert, key },
    });
    xmpp.onMessage((from, _, body) => from === 'me@localhost' && taken.push(body));
    const ports = [xmpp.port, world.irc.port, Number(new URL(world.telegram.root).port)];
    proxies = await Promise.all(ports.map((port) => proxyTo(port, router.address)));
    const [x, i, t] = proxies.map(({ port }) => port);
    const { accounts } = world;
    const irc = (name: string, server: string): AccountInput => ({
      ...accounts.irc,
      name,
      settings: { ...accounts.irc.settings, nick: name, server },
    });
    late = irc('late', `late.test:${i}`);
    hanging = Array.from({ length: 8 }, (_, n) => irc(`hang${n}`, `hang${n}.test:${i}`));
    hub = await hubProcess({
      env: world.env,
      within: router.within,
      accounts: [
        {
          ...accounts.xmpp,
          settings: { jid: 'me@localhost', server: `${router.address}:${x}`, tls: 'starttls', ca: ca.caFile },
        },
        { ...accounts.irc, settings: { ...accounts.irc.settings, server: `${router.address}:${i}` } },
        { ...accounts.telegram, settings: { api: `http://localhost:${t}` } },
      ],
    });
    for (const network of networks) await untilState(hub.link, network, 'online');
    world.say('telegram', 'hello');
    await waitFor(async () => (await archived(hub.link)).length > 0);
  });
  afterAll(async () => {
    await hub?.end();
    for (const proxy of proxies ?? []) await proxy.stop();
    await xmpp?.stop();
    await world?.stop();
    names?.stop();
    router?.stop();
    await ca?.remove();
  });

  const arrived = (text: string): number =>
    [...taken, ...world.taken.irc, ...world.taken.telegram].filter((one) => one.startsWith(text)).length;
  const queue = async (text: string): Promise<void> => {
    for (const network of networks)
      await hub.link.call('send', {
        target: world.target[network],
        text: `${text} ${network}`,
        wait: 'queued',
        timeout: 5,
      });
  };

  it('F3 half-open connections are noticed within 30 s, and what waits goes out once when the way is free', async () => {
    for (const network of networks)
      await hub.link.call('send', { target: world.target[network], text: 'before', wait: 'accepted', timeout: 5 });
    router.swallow();
    const from = performance.now();
    const noticed = await Promise.all(
      networks.map(async (network) => {
        await waitFor(async () => (await stateOf(hub.link, network))?.state !== 'online', { timeoutMs: 90_000 });
        return (performance.now() - from) / 1000;
      }),
    );
    await queue('waits');
    if (full) await new Promise((resolve) => setTimeout(resolve, Math.max(0, 60_000 - (performance.now() - from))));
    router.heal();
    const healed = performance.now();
    for (const network of networks) await hub.link.call('accounts.retry', { account: network });
    await waitFor(() => arrived('waits') >= 3, { timeoutMs: 120_000 });
    const seconds = (performance.now() - healed) / 1000;
    for (const network of networks) await untilState(hub.link, network, 'online');
    record({
      row: 'F3',
      what: 'idle, then a route that swallows everything',
      measured: `${networks.map((network, at) => `${network} noticed after ${noticed[at]?.toFixed(1)} s`).join(', ')}; ${arrived('waits')} of 3 queued arrived, ${seconds.toFixed(1)} s after the way was free`,
      bound: 'noticed within 30 s; each arrives once',
      pass: noticed.every((time) => time <= 30.5) && arrived('waits') === 3,
    });
  });

  it('F3 what is sent into the hole is never sent twice, and its state is said', async () => {
    router.swallow();
    await queue('into the hole');
    for (const network of networks)
      await waitFor(async () => (await stateOf(hub.link, network))?.state !== 'online', { timeoutMs: 90_000 });
    router.heal();
    for (const network of networks) await hub.link.call('accounts.retry', { account: network });
    for (const network of networks) await untilState(hub.link, network, 'online', 120_000);
    const rows = async () => (await archived(hub.link)).filter(({ text }) => text.startsWith('into the hole'));
    const open = async (): Promise<boolean> =>
      (await rows()).some(({ state }) => state === 'queued' || state === 'sent');
    await waitFor(async () => !(await open()), { timeoutMs: 120_000 });
    const states = (await rows()).map(({ network, state }) => `${network} ${state}`);
    const twice = networks.filter((network) => arrived(`into the hole ${network}`) > 1).length;
    const lost = (await rows()).filter(({ state, text }) => state === 'accepted' && arrived(text) === 0).length;
    record({
      row: 'F3',
      what: 'sent into the hole',
      measured: `${states.join(', ')}; ${twice} twice, ${lost} accepted but lost`,
      bound: 'none twice, none lost; unknown where the network cannot be asked',
      pass: twice === 0 && lost === 0 && states.length === 3 && states[0] !== undefined,
    });
  });

  it('F5 a name server in trouble: tried again until it answers, by itself', async () => {
    names.mode = 'broken';
    await hub.link.call('accounts.add', plain(late));
    const before = await untilState(hub.link, 'late', 'waiting');
    names.mode = 'answers';
    const from = performance.now();
    await untilState(hub.link, 'late', 'online', 60_000);
    const seconds = (performance.now() - from) / 1000;
    record({
      row: 'F5',
      what: 'name server fails at the start, then answers',
      measured: `waiting (${before.error?.code}), then online ${seconds.toFixed(1)} s after it answered`,
      bound: 'online by itself within 10 s',
      pass: seconds <= 10,
    });
  });

  it('F5 a name that does not exist is tried again for ever, with longer and longer waits', async () => {
    names.mode = 'answers';
    const [one] = hanging;
    if (!one) throw new Error('no account');
    await hub.link.call('accounts.add', plain({ ...one, name: 'nowhere' }));
    const seen = new Set<string>();
    const until = performance.now() + scaled(30_000, 12_000);
    while (performance.now() < until) {
      const view = await stateOf(hub.link, 'nowhere');
      if (view?.retryAt) seen.add(view.retryAt);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const view = await stateOf(hub.link, 'nowhere');
    record({
      row: 'F5',
      what: 'no such name',
      measured: `${seen.size} tries in ${scaled(30, 12)} s, still ${view?.state}: ${view?.error?.code}`,
      bound: '2 to 15 tries, waiting or connecting',
      pass: seen.size >= 2 && seen.size <= 15 && (view?.state === 'waiting' || view?.state === 'connecting'),
    });
    await hub.link.call('accounts.remove', { account: 'nowhere' });
  });

  it('F5 a name server that says nothing to eight accounts holds up no other', async () => {
    names.mode = 'silent';
    for (const account of hanging) await hub.link.call('accounts.add', plain(account));
    await waitFor(async () => (await stateOf(hub.link, 'hang7'))?.state === 'connecting');
    const loop = await watchLoop(hub);
    const times: number[] = [];
    // Each is asked for only after the one before is on disk and confirmed.
    for (let n = 0; n < 20; n++) {
      const from = performance.now();
      world.say('telegram', `beside ${n}`);
      await waitFor(async () => (await archived(hub.link)).some(({ text }) => text === `beside ${n}`), {
        timeoutMs: 60_000,
      });
      times.push(performance.now() - from);
    }
    const stall = await loop.stop();
    const slowest = Math.max(...times);
    record({
      row: 'F5',
      what: 'name server silent, eight accounts ask it',
      measured: `20 messages of another account stored and confirmed, the slowest after ${slowest.toFixed(0)} ms; the hub answered within ${stall.toFixed(0)} ms`,
      bound: 'at most 1,000 ms; at most 200 ms',
      pass: slowest <= 1_000 && stall <= 200,
    });
    for (const { name } of hanging) await hub.link.call('accounts.remove', { account: name });
  });
});

/** Without the settings that are for tests alone, which the link refuses. */
function plain(account: AccountInput): AccountInput {
  const { pace, ...settings } = account.settings;
  return { ...account, settings };
}
