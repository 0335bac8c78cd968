import { describe, expect, it } from 'vitest';
import { createAccount } from '../../accounts/account.ts';
import type { AdapterEvent, Nonce } from '../../adapters/contract.ts';
import { AdapterError } from '../../adapters/errors.ts';
import { fakeClock, settle } from './fake-clock.ts';
import {
  chatId,
  config,
  type FakeOptions,
  fakeNetwork,
  fakeSink,
  inKeychain,
  messageId,
  noVault,
  userId,
} from './fake-network.ts';

const nonce = 'n1' as Nonce;
const bob = chatId('bob');

async function online(options: FakeOptions = {}, sink = fakeSink()) {
  const clock = fakeClock();
  const network = fakeNetwork(options);
  const account = createAccount(config(), { adapter: network.adapter, sink, vault: noVault, clock, random: () => 0.5 });
  account.start();
  await settle();
  network.last.online();
  return { account, network, sink, clock };
}

const notice = (text: string): AdapterEvent => ({ type: 'notice', text });

describe('an account', () => {
  it('hands on events in order, and the state online with the own id', async () => {
    const { account, network, sink } = await online();
    for (const text of ['a', 'b', 'c']) network.last.host.emit(notice(text));
    expect(sink.events.map((event) => (event.type === 'notice' ? event.text : event.type))).toEqual([
      'online',
      'a',
      'b',
      'c',
    ]);
    expect(account.status).toEqual({ state: 'online', self: 'me@fake' });
    await account.stop();
  });

  it('drops events of a session that has ended, and acknowledges none of them', async () => {
    const { account, network, sink, clock } = await online();
    const { host } = network.last;
    network.last.fail(new AdapterError('unreachable', 'cut'));
    await settle();
    host.emit(notice('late'));
    host.memory.set('offset', '7');
    expect(sink.events).toHaveLength(1);
    expect(sink.entries.size).toBe(0);
    await expect(host.saved()).rejects.toThrow('over');
    await clock.advance(1_500);
    expect(network.tries).toHaveLength(2);
    await account.stop();
  });

  it('ends the session when an event cannot be stored, so that the network delivers it again', async () => {
    const sink = fakeSink({
      event(event) {
        if (event.type === 'message') throw new Error('disk full');
      },
    });
    const { account, network, clock } = await online({}, sink);
    const { host } = network.last;
    const message = { id: messageId('1'), chat: bob, from: userId('bob'), at: new Date(0), text: 'hi' };
    expect(() => host.emit({ type: 'message', message, live: true })).not.toThrow();
    host.memory.set('offset', '8');
    await expect(host.saved()).rejects.toThrow('disk full');
    await settle();
    expect(network.last.signal.aborted).toBe(true);
    expect(account.status).toMatchObject({
      state: 'waiting',
      error: { message: 'what arrived could not be stored: disk full' },
    });
    expect(sink.entries.size).toBe(0);
    await clock.advance(1_500);
    expect(network.tries).toHaveLength(2);
    await account.stop();
  });

  it('F6 ends the session when what arrived was lost at the commit: the next saved may not acknowledge it', async () => {
    let disk = Promise.reject(new Error('disk full'));
    disk.catch(() => {});
    const sink = fakeSink({ saved: () => disk });
    const { account, network } = await online({}, sink);
    const { host } = network.last;
    host.emit(notice('lost'));
    await expect(host.saved()).rejects.toThrow('disk full');
    disk = Promise.resolve() as typeof disk;
    await expect(host.saved()).rejects.toThrow('disk full');
    await settle();
    expect(network.last.signal.aborted).toBe(true);
    await account.stop();
  });

  it('does not let an adapter acknowledge an event that was lost while it waited for the disk', async () => {
    const releases: (() => void)[] = [];
    const sink = fakeSink({
      event(event) {
        if (event.type === 'notice') throw new Error('disk full');
      },
      saved: () => new Promise((resolve) => void releases.push(resolve)),
    });
    const { network, account } = await online({}, sink);
    const saved = network.last.host.saved();
    network.last.host.emit(notice('lost'));
    for (const release of releases) release();
    await expect(saved).rejects.toThrow('disk full');
    await account.stop();
  });

  it('F10 takes a throw of the adapter for a fault: tries again, then parks with the reason', async () => {
    const clock = fakeClock();
    const network = fakeNetwork({
      onRun: () => {
        throw new TypeError('x is not a function');
      },
    });
    const sink = fakeSink();
    const account = createAccount(config(), { adapter: network.adapter, sink, vault: noVault, clock, random: () => 0 });
    account.start();
    await clock.advance(60_000);
    expect(network.tries).toHaveLength(6);
    expect(account.status).toMatchObject({
      state: 'failed',
      error: { code: 'protocol', message: 'stopped after 6 faults in a minute, the last: x is not a function' },
    });
  });

  it('F10 one account that throws in all it does disturbs no other of the same network', async () => {
    const clock = fakeClock();
    const bad = fakeNetwork({
      session: {
        send: () => {
          throw new Error('boom');
        },
      },
      onRun: ({ host }) => {
        host.emit(notice('x'));
        throw new Error('boom');
      },
    });
    const good = fakeNetwork({ onRun: (self) => self.online() });
    const parts = { vault: noVault, clock, random: () => 0 };
    const sinks = [fakeSink({ event: () => Promise.reject(new Error('nobody')) as never }), fakeSink()] as const;
    const accounts = [
      createAccount(config({ name: 'bad' }), { ...parts, adapter: bad.adapter, sink: sinks[0] }),
      createAccount(config({ name: 'good' }), { ...parts, adapter: good.adapter, sink: fakeSink() }),
    ] as const;
    sinks[0].event = () => {
      throw new Error('sink');
    };
    for (const account of accounts) account.start();
    await clock.advance(120_000);
    expect(accounts[1].status.state).toBe('online');
    expect(await accounts[1].send(bob, 'hi', nonce)).toBe('m1');
    await Promise.all(accounts.map((account) => account.stop()));
    expect(clock.sleepers).toBe(0);
  });

  it('connects again after a connection that ended without an error', async () => {
    const { account, network, clock } = await online();
    network.last.end();
    await settle();
    expect(account.status).toMatchObject({ state: 'waiting', error: { message: 'the connection ended' } });
    await clock.advance(1_500);
    expect(network.tries).toHaveLength(2);
    await account.stop();
  });

  it('shows an unknown network as failed with the reason, and may still be listed', async () => {
    const sink = fakeSink();
    const parts = { adapter: new Error('no network "icq"; known are …'), sink, vault: noVault, clock: fakeClock() };
    const account = createAccount(config({ network: 'icq' }), parts);
    account.start();
    await settle();
    expect(account.network).toBe('icq');
    expect(account.facets.size).toBe(0);
    expect(account.status).toMatchObject({
      state: 'failed',
      error: { code: 'unsupported', message: /no network "icq"/ },
    });
    expect(() => account.limits(bob)).toThrow('icq');
  });

  it('shows settings that are not right as failed with the reason', async () => {
    const network = fakeNetwork({
      parse: () => {
        throw new Error('jid is missing');
      },
    });
    const account = createAccount(config(), {
      adapter: network.adapter,
      sink: fakeSink(),
      vault: noVault,
      clock: fakeClock(),
    });
    account.start();
    await settle();
    expect(account.status).toMatchObject({
      state: 'failed',
      error: { message: 'the settings of work are not right: jid is missing' },
    });
    expect(network.tries).toHaveLength(0);
  });

  it('U5 refuses a secret that stands among the settings, without repeating it', async () => {
    const network = fakeNetwork({ fields: [{ key: 'password', label: 'Password', secret: true }] });
    const account = createAccount(config({ settings: { password: 'canary-42' } }), {
      adapter: network.adapter,
      sink: fakeSink(),
      vault: noVault,
      clock: fakeClock(),
    });
    account.start();
    await settle();
    expect(account.status).toMatchObject({ state: 'failed', error: { message: /"password" is a secret/ } });
    expect(JSON.stringify(account.status)).not.toContain('canary-42');
  });

  it('U5 takes the secret out of whatever a session says', async () => {
    const clock = fakeClock();
    const sink = fakeSink();
    const network = fakeNetwork({
      onRun: async ({ host }) => {
        const token = await host.secret('password');
        host.log('info', `GET /bot${token}/getMe`);
        const encoded = encodeURIComponent(token ?? '');
        throw new AdapterError('auth', `401 for /bot${token}/getMe (${encoded})`, { cause: new Error(`at ${token}`) });
      },
    });
    const vault = { ...noVault, read: async () => 'canary:4/2' };
    const account = createAccount(config({ secrets: inKeychain }), { adapter: network.adapter, sink, vault, clock });
    account.start();
    await settle();
    const status = account.status;
    expect(status.state).toBe('failed');
    if (status.state !== 'failed') return;
    expect(status.error.message).toBe('401 for /bot•••/getMe (•••)');
    expect(status.error.cause).toBeUndefined();
    expect(sink.logs).toEqual(['info GET /bot•••/getMe']);
  });

  it('U12 shows why a secret could not be had, and does not try again by itself', async () => {
    const clock = fakeClock();
    const network = fakeNetwork({ onRun: async ({ host }) => void (await host.secret('password')) });
    const parts = { adapter: network.adapter, sink: fakeSink(), vault: noVault, clock };
    const account = createAccount(config({ secrets: inKeychain }), parts);
    account.start();
    await clock.advance(600_000);
    expect(account.status).toMatchObject({ state: 'failed', error: { code: 'auth', message: 'no secret there' } });
    expect(network.tries).toHaveLength(1);
  });

  it('knows no secret for a field that has none', async () => {
    const { network, account } = await online();
    expect(await network.last.host.secret('password')).toBeUndefined();
    expect(await network.last.host.secret('constructor')).toBeUndefined();
    await account.stop();
  });
});

describe('calls to an account', () => {
  it('fail with unreachable while it is not online', async () => {
    const network = fakeNetwork({ session: { typing: { set: async () => {} } } });
    const clock = fakeClock();
    const account = createAccount(config(), { adapter: network.adapter, sink: fakeSink(), vault: noVault, clock });
    const unreachable = { code: 'unreachable', certain: true };
    await expect(account.send(bob, 'hi', nonce)).rejects.toMatchObject(unreachable);
    account.start();
    await settle();
    await expect(account.send(bob, 'hi', nonce)).rejects.toMatchObject(unreachable);
    await expect(account.resolve('bob', new AbortController().signal)).rejects.toMatchObject(unreachable);
    expect(() => account.facet('typing')).toThrow('not online');
    await account.stop();
  });

  it('knows facets and limits before it is online, and says unsupported for what the network lacks', async () => {
    const network = fakeNetwork({ session: { typing: { set: async () => {} }, limits: () => ({ textBytes: 77 }) } });
    const parts = { adapter: network.adapter, sink: fakeSink(), vault: noVault, clock: fakeClock() };
    const account = createAccount(config(), parts);
    expect([...account.facets]).toEqual(['typing']);
    expect(account.limits(bob)).toEqual({ textBytes: 77 });
    expect(() => account.facet('rooms')).toThrow(expect.objectContaining({ code: 'unsupported' }));
    expect(network.tries).toHaveLength(0);
  });

  it("report an adapter's own error as it is, and any other throw as uncertain", async () => {
    const thrown: unknown[] = [new AdapterError('too-long', 'over 400 bytes'), new TypeError('boom')];
    const { account } = await online({
      session: {
        send: () => {
          throw thrown.shift();
        },
      },
    });
    await expect(account.send(bob, 'hi', nonce)).rejects.toMatchObject({ code: 'too-long', certain: true });
    await expect(account.send(bob, 'hi', nonce)).rejects.toMatchObject({
      code: 'protocol',
      certain: false,
      message: 'boom',
    });
    await account.stop();
  });

  it('never hang on a session that ended: what it left open becomes uncertain after a while', async () => {
    const { account, network, clock } = await online({ session: { send: () => new Promise(() => {}) } });
    const sent = account.send(bob, 'hi', nonce);
    sent.catch(() => {});
    network.last.fail(new AdapterError('unreachable', 'cut'));
    await clock.advance(1_000);
    await expect(sent).rejects.toMatchObject({ code: 'unreachable', certain: false });
    await account.stop();
  });

  it("leave a session's own, certain answer its precedence at the end", async () => {
    let reject = (_: unknown): void => {};
    const { account, network, clock } = await online({
      session: {
        send: () =>
          new Promise((_, no) => {
            reject = no;
          }),
      },
    });
    const sent = account.send(bob, 'hi', nonce);
    sent.catch(() => {});
    network.last.fail(new AdapterError('unreachable', 'cut'));
    await settle();
    reject(new AdapterError('unreachable', 'never written'));
    await clock.advance(1_000);
    await expect(sent).rejects.toMatchObject({ certain: true, message: 'never written' });
    await account.stop();
  });
});

describe('stopping an account', () => {
  it('resolves when the session has ended, and leaves no timer', async () => {
    const { account, network, clock } = await online();
    await account.stop();
    expect(network.last.signal.aborted).toBe(true);
    expect(account.status.state).toBe('offline');
    expect(clock.sleepers).toBe(0);
    expect(network.tries).toHaveLength(1);
  });

  it('gives up on a session that does not end, says so, and hears nothing more of it', async () => {
    const { account, network, sink, clock } = await online({ stubborn: true });
    const stopped = account.stop();
    await clock.advance(5_000);
    await stopped;
    expect(sink.logs).toEqual(['warn the session did not end within 5 s; left behind']);
    network.last.host.emit(notice('still here'));
    expect(sink.events).toHaveLength(1);
    network.last.fail(new Error('much later'));
    await settle();
    expect(clock.sleepers).toBe(0);
  });

  it('still takes what arrives while the session signs out', async () => {
    const { account, network, sink } = await online({ stubborn: true });
    const stopped = account.stop();
    network.last.host.emit(notice('last words'));
    await network.last.host.saved();
    network.last.end();
    await stopped;
    expect(sink.events.at(-1)).toEqual(notice('last words'));
  });

  it('is harmless before the start and twice', async () => {
    const { account } = await online();
    await Promise.all([account.stop(), account.stop()]);
    await account.stop();
    expect(account.status.state).toBe('offline');
  });
});
