import { describe, expect, it } from 'vitest';
import { createAccount } from '../../accounts/account.ts';
import { type CheckParts, checkAccount } from '../../accounts/check.ts';
import type { Adapter } from '../../adapters/contract.ts';
import { AdapterError } from '../../adapters/errors.ts';
import { type FakeClock, fakeClock, settle } from './fake-clock.ts';
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

const vault = { ...noVault, read: async () => 'pw' };
const contacts = { contacts: {} as never };
const fields = [{ key: 'password', label: 'Password', secret: true }];

function checking(options: FakeOptions = {}, more: Partial<CheckParts> = {}) {
  const clock: FakeClock = fakeClock();
  const network = fakeNetwork({ fields, ...options });
  const sink = fakeSink();
  const parts = { config: config({ secrets: inKeychain }), adapter: network.adapter, sink, vault, clock };
  return { clock, network, sink, parts, result: () => checkAccount({ ...parts, ...more }) };
}

const contact = (name: string) => ({ id: userId(name), chat: chatId(name), address: name, name, groups: [] });

describe('the check of an account', () => {
  it('signs in, says step by step how it went, and signs out', async () => {
    const told: string[] = [];
    const { result, network, clock } = checking(
      {
        session: contacts,
        onRun: (self) => {
          self.online('me@fake');
          self.host.emit({ type: 'roster', contacts: [contact('bob'), contact('eve')], chats: [] });
        },
      },
      { onStep: ({ step }) => void told.push(step) },
    );
    expect(await result()).toEqual({
      ok: true,
      steps: [
        { step: 'settings', ok: true, text: 'the settings are right for Fake' },
        { step: 'secret', ok: true, text: 'Password found: keychain' },
        { step: 'sign-in', ok: true, text: 'connected and signed in as me@fake (0.0 s)' },
        { step: 'roster', ok: true, text: '2 contacts, 0 rooms' },
        { step: 'sign-out', ok: true, text: 'signed out' },
      ],
    });
    expect(told).toEqual(['settings', 'secret', 'sign-in', 'roster', 'sign-out']);
    expect(network.last.signal.aborted).toBe(true);
    expect(clock.sleepers).toBe(0);
  });

  it('says wrong credentials after one try', async () => {
    const { result, network } = checking({ onRun: () => Promise.reject(new AdapterError('auth', 'wrong password')) });
    const { ok, steps } = await result();
    expect(ok).toBe(false);
    expect(steps.at(-1)).toEqual({ step: 'sign-in', ok: false, text: 'not let in: wrong password', code: 'auth' });
    expect(network.tries).toHaveLength(1);
  });

  it('says why there was no connection, and does not try again', async () => {
    const { result, network, clock } = checking({
      onRun: () => Promise.reject(new AdapterError('unreachable', 'refused')),
    });
    expect((await result()).steps.at(-1)).toEqual({
      step: 'sign-in',
      ok: false,
      text: 'no connection: refused',
      code: 'unreachable',
    });
    await clock.advance(600_000);
    expect(network.tries).toHaveLength(1);
  });

  it('says wrong settings and an unknown network without connecting', async () => {
    const wrong = checking({
      parse: () => {
        throw new Error('jid is missing');
      },
    });
    expect((await wrong.result()).steps).toEqual([
      { step: 'settings', ok: false, text: 'jid is missing', code: 'settings' },
    ]);
    const unknown = checking({}, { adapter: new Error('no network "icq"') });
    expect((await unknown.result()).steps).toEqual([
      { step: 'settings', ok: false, text: 'no network "icq"', code: 'settings' },
    ]);
  });

  it("takes the steps of the network's diagnosis before it signs in, without the secret in their texts", async () => {
    const { parts, network } = checking({ onRun: (self) => self.online('me@fake') });
    const asked: (string | undefined)[] = [];
    const adapter: Adapter = {
      ...network.adapter,
      async *diagnose(_settings, host) {
        asked.push(await host.secret('password'));
        yield { step: 'dns', ok: true, text: 'found', remedy: 'look after it' };
        yield { step: 'tcp', ok: true, text: 'they said pass-word' };
      },
    };
    const long = { ...vault, read: async () => 'pass-word' };
    const { ok, steps } = await checkAccount({
      ...parts,
      adapter,
      vault: long,
      config: config({ secrets: inKeychain }),
    });
    expect([ok, asked]).toEqual([true, ['pass-word']]);
    expect(steps.slice(1, 5)).toMatchObject([
      { step: 'secret' },
      { step: 'dns', ok: true, text: 'found', remedy: 'look after it' },
      { step: 'tcp', ok: true, text: 'they said •••' },
      { step: 'sign-in' },
    ]);
  });

  it('signs in nowhere once a step of the diagnosis failed or broke', async () => {
    const { parts, network } = checking();
    const fails: Adapter = {
      ...network.adapter,
      async *diagnose() {
        yield { step: 'tls', ok: false, text: 'expired', code: 'protocol', remedy: 'tell them' };
      },
    };
    const failed = await checkAccount({ ...parts, adapter: fails });
    expect(failed.steps.at(-1)).toEqual({
      step: 'tls',
      ok: false,
      text: 'expired',
      code: 'protocol',
      remedy: 'tell them',
    });
    const breaks: Adapter = {
      ...network.adapter,
      // biome-ignore lint/correctness/useYield: one that breaks before it says anything
      async *diagnose() {
        throw new TypeError('x is not a function');
      },
    };
    expect((await checkAccount({ ...parts, adapter: breaks })).steps.at(-1)).toMatchObject({
      step: 'diagnosis',
      ok: false,
    });
    expect(network.tries).toHaveLength(0);
  });

  it('U12 says which rung lacks the secret without connecting', async () => {
    const { result, network } = checking({}, { vault: noVault });
    expect((await result()).steps.at(-1)).toEqual({ step: 'secret', ok: false, text: 'no secret there', code: 'auth' });
    expect(network.tries).toHaveLength(0);
  });

  it('ends after its time', async () => {
    const { result, clock } = checking();
    const checked = result();
    await clock.advance(60_000);
    expect((await checked).steps.at(-1)).toEqual({
      step: 'sign-in',
      ok: false,
      text: 'not signed in within 60 s',
      code: 'timeout',
    });
    expect(clock.sleepers).toBe(0);
  });

  it('ends at once when it is cancelled', async () => {
    const stop = new AbortController();
    const { result, clock, network } = checking({}, { signal: stop.signal });
    const checked = result();
    await settle();
    stop.abort();
    expect((await checked).steps.at(-1)).toEqual({ step: 'sign-in', ok: false, text: 'stopped', code: 'cancelled' });
    expect(network.last.signal.aborted).toBe(true);
    expect(clock.sleepers).toBe(0);
  });

  it('says that no contact list came, though the network has one', async () => {
    const { result, clock } = checking({ session: contacts, onRun: (self) => self.online() });
    const checked = result();
    await clock.advance(10_000);
    expect((await checked).steps).toContainEqual({
      step: 'roster',
      ok: false,
      text: 'no contact list came within 10 s',
      code: 'timeout',
    });
  });

  it('loses nothing that arrives meanwhile, and leaves the status of the live account alone', async () => {
    const message = { id: messageId('1'), chat: chatId('bob'), from: userId('bob'), at: new Date(0), text: 'hi' };
    const { result, sink } = checking({
      async onRun(self) {
        self.host.emit({ type: 'message', message, live: true });
        await self.host.saved();
        self.online();
      },
    });
    await result();
    expect(sink.events).toContainEqual({ type: 'message', message, live: true });
    expect(sink.statuses).toEqual([]);
  });

  it('pauses the live account for the check: two sign-ins would push each other out', async () => {
    let together = 0;
    let most = 0;
    const { parts, network, clock } = checking({
      onRun(self) {
        most = Math.max(most, ++together);
        self.signal.addEventListener('abort', () => together--);
        self.online();
      },
    });
    const live = createAccount(parts.config, parts);
    live.start();
    await settle();
    expect((await checkAccount({ ...parts, live })).ok).toBe(true);
    await settle();
    expect(most).toBe(1);
    expect(network.tries).toHaveLength(3);
    expect(live.status.state).toBe('online');
    await live.stop();
    expect(clock.sleepers).toBe(0);
  });

  it('leaves an account that is off, off', async () => {
    const { parts } = checking({ onRun: (self) => self.online() });
    const live = createAccount(parts.config, parts);
    await checkAccount({ ...parts, live });
    expect(live.status.state).toBe('offline');
  });
});
