import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LinkClient } from '../../src/link/client.ts';
import { need, waitFor } from '../servers/process.ts';
import { type Prosody, startProsody } from '../servers/prosody.ts';
import { record } from './figures.ts';
import { archived, type HubProcess, hubProcess, stateOf, untilState } from './hub.ts';
import { watchLoop } from './loop.ts';
import { proxyTo, type SickProxy } from './proxy.ts';
import { scaled } from './scale.ts';
import { type FaultWorld, faultWorld, networks } from './world.ts';

const env = { FAULTS_ME: 'mepw', FAULTS_BOB: 'bobpw' };

describe.skipIf(!need('F2 restarts', 'prosody'))('F2 Prosody restarts, connections break', () => {
  let prosody: Prosody;
  let proxy: SickProxy;
  let hub: HubProcess;
  let link: LinkClient;
  beforeAll(async () => {
    prosody = await startProsody({
      users: [
        { name: 'me', password: 'mepw' },
        { name: 'bob', password: 'bobpw' },
      ],
    });
    proxy = await proxyTo(prosody.ports.c2s);
    const account = (name: string) => ({
      network: 'xmpp',
      name,
      settings: { jid: `${name}@localhost`, server: `127.0.0.1:${proxy.port}`, tls: 'none' },
      secrets: { password: { kind: 'env' as const, variable: `FAULTS_${name.toUpperCase()}` } },
    });
    hub = await hubProcess({ env, accounts: [account('me'), account('bob')] });
    link = hub.link;
    for (const name of ['me', 'bob']) await untilState(link, name, 'online');
  });
  afterAll(async () => {
    await hub.end();
    await proxy.stop();
    await prosody.stop();
  });

  const conversation = async () => {
    const { contact } = await link.call('resolve', { target: 'bob:me@localhost' });
    return contact.conversation;
  };

  /** Texts of a run as Bob's account shows them. */
  const arrived = async (run: string): Promise<string[]> => {
    const texts: string[] = [];
    const key = await conversation();
    let before: string | undefined;
    do {
      const page = await link.call('messages.page', {
        conversation: key,
        limit: 1_000,
        ...(before === undefined ? {} : { before }),
      });
      texts.unshift(...page.messages.map(({ text }) => text));
      before = page.before;
    } while (before !== undefined);
    return texts.filter((text) => text.startsWith(`${run} `));
  };

  async function through(run: string, count: number, trouble: () => Promise<void>): Promise<number> {
    for (let n = 0; n < count; n++)
      await link.call('send', { target: 'me:bob@localhost', text: `${run} ${n}`, wait: 'queued', timeout: 30 });
    await trouble();
    const from = performance.now();
    const complete = async () => (await arrived(run)).length >= count;
    await waitFor(complete, { timeoutMs: 8_000 }).catch(() => {});
    // What the server had taken and not passed on when it ended stands in its archive (XEP-0313), as older messages do.
    for (const name of ['me', 'bob']) await untilState(link, name, 'online');
    if (!(await complete())) await link.call('history.fill', { conversation: await conversation() });
    return (performance.now() - from) / 1000;
  }

  async function judged(what: string, run: string, count: number, seconds: number): Promise<void> {
    const texts = await arrived(run);
    const inOrder = texts.every((text, at) => text === `${run} ${at}`);
    record({
      row: 'F2',
      what,
      measured: `${texts.length} of ${count} arrived ${seconds.toFixed(1)} s after it was over, ${inOrder ? 'in order' : 'out of order'}, ${texts.length - new Set(texts).size} twice`,
      bound: 'all within 10 s, in order, none twice',
      pass: texts.length === count && inOrder && seconds <= 10,
    });
  }

  // First: each loss soon after another makes the next wait longer.
  it('F2 a restart of the server, which forgets the sessions: all arrives once, in order', async () => {
    const count = scaled(1000, 200);
    const seconds = await through('restart', count, () => prosody.restart());
    await judged('Prosody, restarted (resumption refused)', 'restart', count, seconds);
  });

  it('F2 connections that are cut are resumed: all arrives once, in order', async () => {
    const count = scaled(1000, 200);
    const seconds = await through('cut', count, async () => {
      for (let n = 0; n < 3; n++) {
        proxy.cut();
        await untilState(link, 'me', 'online');
        await untilState(link, 'bob', 'online');
      }
    });
    await judged('Prosody, connections cut three times', 'cut', count, seconds);
  });
});

describe('F4 a slow server', () => {
  let world: FaultWorld;
  let proxy: SickProxy;
  let hub: HubProcess;
  let link: LinkClient;
  beforeAll(async () => {
    world = await faultWorld();
    proxy = await proxyTo(world.xmpp.port);
    const { xmpp, irc, telegram } = world.accounts;
    const proxied = { ...xmpp, settings: { ...xmpp.settings, server: `127.0.0.1:${proxy.port}` } };
    hub = await hubProcess({ env: world.env, accounts: [proxied, irc, telegram] });
    link = hub.link;
    for (const network of networks) await untilState(link, network, 'online');
  });
  afterAll(async () => {
    await hub.end();
    await proxy.stop();
    await world.stop();
  });

  it('F4 at 8 kB a second a flood comes in slowly, and nothing else waits', async () => {
    proxy.rate = 8_000;
    const loop = await watchLoop(hub);
    const count = scaled(400, 100);
    for (let n = 0; n < count; n++) world.say('xmpp', `slow ${n}`);
    await waitFor(async () => (await archived(link)).filter(({ text }) => text.startsWith('slow ')).length === count, {
      timeoutMs: 120_000,
    });
    const stall = await loop.stop();
    proxy.rate = Number.POSITIVE_INFINITY;
    record({
      row: 'F4',
      what: 'flood at 64 kbit/s',
      measured: `${count} of ${count} arrived, the hub answered within ${stall.toFixed(0)} ms`,
      bound: 'at most 200 ms',
      pass: stall <= 200,
    });
  });

  it('F4 a server that says nothing: the send ends in time, and its state is said', async () => {
    proxy.stalled = true;
    const from = performance.now();
    const target = world.target.xmpp;
    const { state, error } = await link.call('send', {
      target,
      text: 'into the silence',
      wait: 'accepted',
      timeout: 2,
    });
    const seconds = (performance.now() - from) / 1000;
    const other = await link.call('send', { target: world.target.irc, text: 'beside', wait: 'accepted', timeout: 5 });
    record({
      row: 'F4',
      what: 'send into silence, --timeout 2',
      measured: `${state} (${error?.code}) after ${seconds.toFixed(1)} s; another account: ${other.state}`,
      bound: 'unknown or queued within 3 s; the other accepted',
      pass: (state === 'unknown' || state === 'queued') && seconds < 3 && other.state === 'accepted',
    });
    proxy.stalled = false;
    proxy.cut();
    await waitFor(() => world.taken.xmpp.filter((text) => text === 'into the silence').length === 1, {
      timeoutMs: 60_000,
    });
  });

  it('F4 a byte a second at sign-in holds up nobody else', async () => {
    proxy.rate = 1;
    proxy.cut();
    const loop = await watchLoop(hub);
    await waitFor(async () => (await stateOf(link, 'xmpp'))?.state === 'connecting', { timeoutMs: 30_000 });
    const begin = performance.now();
    for (let n = 0; n < 20; n++) {
      const { state } = await link.call('send', {
        target: world.target.irc,
        text: `meanwhile ${n}`,
        wait: 'accepted',
        timeout: 5,
      });
      expect(state).toBe('accepted');
    }
    const each = (performance.now() - begin) / 20;
    const stall = await loop.stop();
    proxy.rate = Number.POSITIVE_INFINITY;
    record({
      row: 'F4',
      what: 'sign-in at 1 byte a second',
      measured: `20 sends of another account took ${each.toFixed(0)} ms each; the hub answered within ${stall.toFixed(0)} ms`,
      bound: 'at most 200 ms',
      pass: stall <= 200 && each <= 200,
    });
  });
});
