import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeLine } from '../../src/link/frames.ts';
import { LINK_VERSION } from '../../src/link/messages.ts';
import { chatId, contactOf, messageOf, roomOf, userId } from '../hub/network.ts';
import { startHub, type TestFront, type TestHub } from '../hub/start.ts';
import { waitFor } from '../servers/process.ts';
import { record } from './figures.ts';
import { archived, type HubProcess, hubProcess, memoryOf, program, untilState } from './hub.ts';
import { percentile, watchLoop } from './loop.ts';
import { scaled } from './scale.ts';
import { type FaultWorld, faultWorld, networks } from './world.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function inProcess(): Promise<{ hub: TestHub; front: TestFront }> {
  const hub = await startHub();
  ends.push(() => hub.end());
  return { hub, front: await hub.front() };
}

async function outside(): Promise<{ world: FaultWorld; hub: HubProcess }> {
  const world = await faultWorld();
  ends.push(() => world.stop());
  const hub = await hubProcess({ env: world.env, accounts: networks.map((network) => world.accounts[network]) });
  ends.push(() => hub.end());
  for (const network of networks) await untilState(hub.link, network, 'online');
  return { world, hub };
}

const request = (id: number, method: string, params: object): string =>
  encodeLine({ jsonrpc: '2.0', id, method, params });

describe('F9 two screens and a script at once', () => {
  it('F9 all see the same messages in the same order and the same counts', async () => {
    const { hub, front: one } = await inProcess();
    await one.add('work');
    const two = await hub.front('two');
    const script = await hub.front('script');
    await one.subscribe();
    await two.subscribe();
    const count = scaled(2_000, 500);
    const session = hub.network.on('work@test');
    for (let n = 0; n < count; n++) {
      session.emit({ type: 'message', live: true, message: messageOf('alice@test', `in ${n}`) });
      if (n % 10 === 0)
        await script.call('send', { target: 'work:alice@test', text: `out ${n}`, wait: 'accepted', timeout: 5 });
    }
    const ids = (front: TestFront): string[] =>
      front.changes.flatMap((change) => (change.type === 'message' ? [change.message.id] : []));
    const all = count + count / 10;
    await waitFor(() => ids(one).length >= all && ids(two).length >= all);
    const { conversation, id } = (await one.next('message', ({ message }) => message.text === `in ${count - 1}`))
      .message;
    const from = performance.now();
    await one.call('read', { conversation, upTo: id });
    await two.next('unread', ({ unread }) => unread === 0);
    const ms = performance.now() - from;
    const same = ids(one).join() === ids(two).join();
    record({
      row: 'F9',
      what: 'two subscribed fronts and a sender',
      measured: `${all} messages in ${same ? 'the same' : 'another'} order; read in one, the other knew after ${ms.toFixed(0)} ms`,
      bound: 'same order; at most 200 ms',
      pass: same && ids(one).length === all && ms <= 200,
    });
  });

  it('F9 a front that does not read is told to begin anew; the others miss nothing', async () => {
    const { world, hub } = await outside();
    const reader = await hub.front('reader');
    let seen = 0;
    let dropped = 0;
    reader.on('changes', (changes) => {
      seen += changes.filter(({ type }) => type === 'message').length;
    });
    reader.on('resync', () => {
      dropped += 1;
    });
    await reader.call('subscribe', {});
    const slow = connect(join(hub.paths.run, 'hub.sock'));
    ends.push(async () => void slow.destroy());
    const cookie = readFileSync(join(hub.paths.run, 'cookie'), 'utf8');
    slow.write(request(1, 'hello', { version: LINK_VERSION, front: 'slow', cookie }));
    await new Promise((resolve) => slow.once('data', resolve));
    slow.write(request(2, 'subscribe', {}));
    await new Promise((resolve) => slow.once('data', resolve));
    slow.pause();
    const before = memoryOf(hub.pid);
    const count = scaled(60_000, 30_000);
    for (let n = 0; n < count; n++) {
      world.say('irc', `${n} ${'x'.repeat(300)}`);
      if (n % 200 === 0) await new Promise((resolve) => setTimeout(resolve, 40));
    }
    await waitFor(() => seen >= count, { timeoutMs: 60_000 });
    const grown = (memoryOf(hub.pid) - before) / 2 ** 20;
    let resync = false;
    slow.on('data', (chunk: Buffer) => {
      resync ||= chunk.includes('"method":"resync"');
    });
    slow.resume();
    await waitFor(() => resync);
    reader.close();
    record({
      row: 'F9',
      what: 'a front that does not read',
      measured: `told to begin anew; the other got ${seen} of ${count}, ${dropped} times told so; the hub grew by ${grown.toFixed(0)} MB`,
      bound: 'resync for the slow one alone, all for the other, at most 150 MB',
      pass: resync && dropped === 0 && seen === count && grown <= 150,
    });
  });
});

describe('F11 fronts die', () => {
  it.each(['SIGKILL', 'SIGHUP'] as const)(
    'F11 %s of a front: the hub goes on, and who comes back sees what it missed',
    async (signal) => {
      const { world, hub } = await outside();
      const watch = spawn(process.execPath, [program, 'watch', '--json'], {
        env: hub.env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let out = '';
      watch.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString();
      });
      // The listener may come late: said until it was heard.
      let n = 0;
      await waitFor(() => {
        world.say('irc', `before ${n++}`);
        return out.includes('before');
      });
      const gone = new Promise((resolve) => watch.once('exit', resolve));
      watch.kill(signal);
      await gone;
      for (const network of networks) for (let at = 0; at < 20; at++) world.say(network, `missed ${at}`);
      const back = await hub.front('back');
      const missed = async (): Promise<number> =>
        (await archived(back)).filter(({ text }) => text.startsWith('missed ')).length;
      await waitFor(async () => (await missed()) >= 60);
      const { pid } = await back.call('hub.status', {});
      record({
        row: 'F11',
        what: `front ended by ${signal}`,
        measured: `hub ${pid === hub.pid ? 'still runs' : 'is another'}; ${await missed()} of 60 missed messages there on return`,
        bound: 'the hub still runs, all 60',
        pass: pid === hub.pid && (await missed()) === 60,
      });
      back.close();
    },
  );
});

describe('F15 huge contact lists and rooms', () => {
  it('F15 10,000 contacts, 1,000 rooms, 20,000 in one', async () => {
    const { hub, front } = await inProcess();
    const contacts = Array.from({ length: 10_000 }, (_, n) => contactOf(`Contact ${n}`, { groups: [`G${n % 50}`] }));
    const chats = Array.from({ length: 1_000 }, (_, n) => roomOf(`#room${n}`));
    hub.network.roster = { contacts, chats };
    const rss = process.memoryUsage().rss;
    await front.add('work');
    const members = Array.from({ length: 20_000 }, (_, n) => ({ id: userId(`u${n}`), name: `User ${n}` }));
    const session = hub.network.on('work@test');
    const from = performance.now();
    session.emit({ type: 'members', chat: chatId('#room0'), members });
    for (const { id } of members.slice(0, 2_000))
      session.emit({ type: 'member', chat: chatId('#room0'), member: { id, name: 'x' }, present: false });
    const took = performance.now() - from;
    const other = await hub.front('screen');
    const begin = performance.now();
    const snapshot = await other.subscribe();
    const first = performance.now() - begin;
    const grown = (process.memoryUsage().rss - rss) / 2 ** 20;
    record({
      row: 'F15',
      what: '10,000 contacts, 1,000 rooms, a room of 20,000, 2,000 of whom leave',
      measured: `snapshot of ${snapshot.contacts.length} rows after ${first.toFixed(0)} ms; the room cost ${took.toFixed(0)} ms; memory grew by ${grown.toFixed(0)} MB, both ends in one process`,
      bound: 'snapshot at most 1,000 ms; at most 300 MB',
      pass: snapshot.contacts.length === 11_000 && first <= 1_000 && grown <= 300,
    });
  });
});

describe('F16 a flood of 5,000 messages a second', () => {
  it('F16 none is lost, memory is bounded, and a call in between is quick', async () => {
    const { world, hub } = await outside();
    const seconds = scaled(60, 10);
    const loop = await watchLoop(hub);
    const front = await hub.front('screen');
    front.on('resync', () => void front.call('subscribe', {}));
    await front.call('subscribe', {});
    const start = performance.now();
    let said = 0;
    let most = 0;
    for (let due = 0; due < seconds * 5_000; ) {
      due = Math.min(seconds * 5_000, ((performance.now() - start) / 1000) * 5_000);
      for (; said < due; said++) world.say('irc', `flood ${said} of many, about as long as what people write`);
      most = Math.max(most, memoryOf(hub.pid));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const sent = (performance.now() - start) / 1000;
    const { last } = await waitFor(
      async () => {
        const answer = await hub.link.call('search', { query: `"flood ${said - 1} of"`, limit: 1 });
        return answer.messages.length > 0 ? { last: answer.messages[0]?.id } : undefined;
      },
      { timeoutMs: 120_000, what: 'the last of the flood' },
    );
    const behind = (performance.now() - start) / 1000 - sent;
    await loop.stop();
    const rows = (await archived(hub.link)).filter(({ text }) => text.startsWith('flood ')).length;
    const p99 = percentile(loop.all, 0.99);
    expect(last).toBeDefined();
    record({
      row: 'F16',
      what: `IRC, 5,000 a second for ${seconds} s`,
      measured: `${said - rows} of ${said} lost, done ${behind.toFixed(1)} s behind the last; calls p99 ${p99.toFixed(0)} ms; at most ${(most / 2 ** 20).toFixed(0)} MB`,
      bound: 'lost 0; p99 at most 100 ms; at most 300 MB',
      pass: rows === said && p99 <= 100 && most <= 300 * 2 ** 20,
    });
    front.close();
  });
});

describe('F18 another version', () => {
  it('F18 a front of another version is told so in words that help', async () => {
    const { hub } = await inProcess();
    const socket = connect(join(hub.paths.run, 'hub.sock'));
    ends.push(async () => void socket.destroy());
    const cookie = readFileSync(join(hub.paths.run, 'cookie'), 'utf8');
    socket.write(
      encodeLine({
        jsonrpc: '2.0',
        id: 1,
        method: 'hello',
        params: { version: LINK_VERSION + 1, front: 'new', cookie },
      }),
    );
    const answer = await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())));
    const helps = answer.includes(`version ${LINK_VERSION}`) && answer.includes('imux hub stop');
    record({
      row: 'F18',
      what: 'front of a newer version',
      measured: helps ? 'refused; names both versions and what to do' : answer,
      bound: 'a clear error',
      pass: helps,
    });
  });

  it('F18 a restart under load loses nothing and sends nothing twice', async () => {
    const { world, hub } = await outside();
    const restarts = scaled(10, 3);
    const per = 100;
    let cut: string[] = [];
    const send = async (text: string): Promise<void> => {
      const target = world.target.xmpp;
      await hub.link
        .call('send', { target, text, key: text, wait: 'accepted', timeout: 30 })
        .catch(() => void cut.push(text));
    };
    for (let round = 0; round < restarts; round++) {
      const again = cut;
      cut = [];
      const sends = [...again, ...Array.from({ length: per }, (_, n) => `load ${round}.${n}`)].map(send);
      for (let n = 0; n < per; n++) {
        world.say('xmpp', `in ${round}.${n}`);
        world.say('telegram', `in tg ${round}.${n}`);
      }
      await hub.kill('SIGTERM');
      await Promise.all(sends);
      await hub.start();
    }
    for (const network of networks) await untilState(hub.link, network, 'online');
    const left = cut;
    cut = [];
    await Promise.all(left.map(send));
    const wanted = restarts * per;
    const texts = async (prefix: string): Promise<string[]> =>
      (await archived(hub.link)).map(({ text }) => text).filter((text) => text.startsWith(prefix));
    await waitFor(async () => (await texts('in ')).length >= 2 * wanted, { timeoutMs: 30_000 }).catch(() => {});
    const inbound = await texts('in ');
    await waitFor(() => new Set(world.taken.xmpp).size >= wanted, { timeoutMs: 30_000 }).catch(() => {});
    const { taken } = world;
    record({
      row: 'F18',
      what: `restarted ${restarts} times under load`,
      measured: `${new Set(taken.xmpp).size} of ${wanted} sent arrived, ${taken.xmpp.length - new Set(taken.xmpp).size} twice; ${new Set(inbound).size} of ${2 * wanted} received, ${inbound.length - new Set(inbound).size} twice`,
      bound: 'all, none twice',
      pass:
        taken.xmpp.length === wanted &&
        new Set(taken.xmpp).size === wanted &&
        inbound.length === 2 * wanted &&
        new Set(inbound).size === 2 * wanted,
    });
  });
});
