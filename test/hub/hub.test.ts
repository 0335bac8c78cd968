import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { AdapterError } from '../../adapters/errors.ts';
import { openHub } from '../../src/hub/hub.ts';
import { attach } from '../../src/link/client.ts';
import { waitFor } from '../servers/process.ts';
import { chatId, contactOf, messageOf, userId } from './network.ts';
import { startHub, type TestFront, type TestHub } from './start.ts';

let hub: TestHub | undefined;
afterEach(async () => {
  await hub?.end();
  hub = undefined;
});

async function ready(...accounts: readonly string[]): Promise<{ hub: TestHub; front: TestFront }> {
  hub = await startHub();
  const front = await hub.front();
  for (const account of accounts) await front.add(account);
  return { hub, front };
}

const refusal = (code: string): object => ({ detail: expect.objectContaining({ code }) });

describe('the hub', () => {
  it('shows the contacts of two accounts in one list', async () => {
    const { front } = await ready('work', 'home');
    const { contacts } = await front.subscribe();
    const alices = contacts.filter(({ name }) => name === 'Alice').map(({ target }) => target);
    expect(alices.sort()).toEqual(['home:alice@test', 'work:alice@test']);
  });

  it('changes of one account that come at once leave one session of it, as the last of them wanted', async () => {
    const { hub, front } = await ready('work');
    const set = (self: string) => front.call('accounts.set', { account: 'work', settings: { self }, secrets: {} });
    await Promise.all([set('one@test'), set('two@test'), set('three@test')]);
    await waitFor(() => hub.network.isOnline('three@test'));
    expect(['work', 'one', 'two'].filter((name) => hub.network.isOnline(`${name}@test`))).toEqual([]);
    await front.call('accounts.remove', { account: 'work' });
    expect(hub.network.isOnline('three@test')).toBe(false);
  });

  it('a message to an address that is asked for waits as long as it may, whoever asked first and gave up', async () => {
    const { hub, front } = await ready();
    const gate = Promise.withResolvers<void>();
    hub.network.onSignIn = () => gate.promise;
    await front.call('accounts.add', { network: 'test', name: 'work', settings: { self: 'work@test' }, secrets: {} });
    const send = (text: string, timeout: number) =>
      front.call('send', { target: 'work:zoe@test', text, wait: 'accepted', timeout });
    const [hasty, patient] = [send('one', 0.05), send('two', 20)];
    await expect(hasty).rejects.toMatchObject(refusal('timeout'));
    gate.resolve();
    await expect(patient).resolves.toMatchObject({ state: 'accepted' });
    expect(hub.network.ledger.map(({ text }) => text)).toEqual(['two']);
  });

  it('an account that two fronts add at once is added once', async () => {
    const { front } = await ready();
    const add = () =>
      front.call('accounts.add', { network: 'test', name: 'work', settings: { self: 'work@test' }, secrets: {} });
    const [first, second] = await Promise.allSettled([add(), add()]);
    expect([first?.status, second?.status]).toEqual(['fulfilled', 'rejected']);
    await expect(add()).rejects.toMatchObject(refusal('bad-data'));
  });

  it('shows no account as away whose network knows no such thing', async () => {
    const { front } = await ready('work');
    await front.call('presence.set', { presence: 'away', note: 'lunch' });
    const { accounts } = await front.call('accounts.list', {});
    expect(accounts).toMatchObject([{ account: 'work', presence: 'online' }]);
    const named = front.call('presence.set', { account: 'work', presence: 'away' });
    await expect(named).rejects.toMatchObject(refusal('unsupported'));
  });

  it('tells a front of a message with its text cleaned, and of the count', async () => {
    const { hub, front } = await ready('work');
    await front.subscribe();
    hub.network.on('work@test').emit({ type: 'message', live: true, message: messageOf('alice@test', 'a\u001b[2Jb') });
    const { message } = await front.next('message');
    expect(message).toMatchObject({ target: 'work:alice@test', from: { name: 'Alice', self: false } });
    expect(message.text).not.toContain('\u001b');
    expect(await front.next('unread')).toMatchObject({ unread: 1, mentions: 0 });
  });

  it('what was said is on disk before the network is told that it was received', async () => {
    const { hub, front } = await ready('work');
    const session = hub.network.on('work@test');
    session.emit({ type: 'message', live: true, message: messageOf('alice@test', 'keep') });
    await session.host.saved();
    const { messages } = await front.call('messages.since', { after: '0', limit: 10 });
    expect(messages).toMatchObject([{ text: 'keep' }]);
  });

  it('one account with wrong credentials, one that throws and one that works live side by side', async () => {
    const { hub, front } = await ready('good');
    hub.network.onSignIn = async (self) => {
      if (self === 'wrong@test') throw new AdapterError('auth', 'wrong password');
      if (self === 'broken@test') throw new TypeError('x is not a function');
    };
    for (const name of ['wrong', 'broken'])
      await front.call('accounts.add', { network: 'test', name, settings: { self: `${name}@test` }, secrets: {} });
    await waitFor(async () => {
      const { accounts } = await front.call('accounts.list', {});
      return accounts.some(({ account, state }) => account === 'wrong' && state === 'failed');
    });
    const receipt = await front.call('send', { target: 'good:alice@test', text: 'x', wait: 'accepted', timeout: 5 });
    expect(receipt.state).toBe('accepted');
  });

  it('the count falls when a front reads, for every front, and stays so over a restart', async () => {
    const { hub: first, front } = await ready('work');
    await front.subscribe();
    const other = await first.front('other');
    await other.subscribe();
    first.network.on('work@test').emit({ type: 'message', live: true, message: messageOf('alice@test', 'x') });
    const { message } = await front.next('message');
    await front.call('read', { conversation: message.conversation, upTo: message.id });
    await other.next('unread', ({ unread }) => unread === 0);

    await first.hub.stop();
    hub = await first.again();
    const { contacts } = await (await hub.front()).subscribe();
    expect(contacts.find(({ id }) => id === 'alice@test')).toMatchObject({
      unread: 0,
      conversation: message.conversation,
    });
  });

  it('messages come in pages, oldest first', async () => {
    const { hub, front } = await ready('work');
    const session = hub.network.on('work@test');
    for (let n = 0; n < 5; n += 1)
      session.emit({ type: 'message', live: true, message: messageOf('alice@test', `${n}`) });
    const { contact } = await front.call('resolve', { target: 'Alice' });
    const last = await front.call('messages.page', { conversation: contact.conversation, limit: 2 });
    expect(last.messages.map(({ text }) => text)).toEqual(['3', '4']);
    const { conversation } = contact;
    const earlier = await front.call('messages.page', { conversation, limit: 5, before: last.before ?? '' });
    expect(earlier.messages.map(({ text }) => text)).toEqual(['0', '1', '2']);
    expect(earlier.before).toBeUndefined();
  });

  it('what arrived can be found once the hub had a quiet moment', async () => {
    const { hub, front } = await ready('work');
    hub.network.on('work@test').emit({ type: 'message', live: true, message: messageOf('alice@test', 'white rabbit') });
    await waitFor(async () => (await front.call('search', { query: 'rabbit', limit: 5 })).messages.length === 1);
  });

  it('an ability that the network lacks is said to be missing', async () => {
    const { front } = await ready('work');
    const { contact } = await front.call('resolve', { target: 'Alice' });
    const { conversation } = contact;
    await expect(front.call('typing', { conversation, active: true })).rejects.toMatchObject(refusal('unsupported'));
    await expect(front.call('rooms.join', { account: 'work', address: '#x' })).rejects.toMatchObject(
      refusal('unsupported'),
    );
    await expect(
      front.call('files.send', { conversation, path: '/etc/hostname', wait: 'queued', timeout: 1 }),
    ).rejects.toMatchObject(refusal('unsupported'));
  });

  it('a bare event that core cannot take harms nothing', async () => {
    const { hub, front } = await ready('work');
    const session = hub.network.on('work@test');
    session.emit({ type: 'message', live: true, message: null } as never);
    session.emit({ type: 'members', chat: chatId('#imux'), members: null } as never);
    await front.subscribe();
    session.emit({ type: 'message', live: true, message: messageOf('alice@test', 'still here') });
    await front.next('message');
    expect(readFileSync(join(hub.paths.data, 'hub.log'), 'utf8')).toMatch(/work: a message event could not be taken/);
  });
});

describe('accounts', () => {
  it('can be added, changed, switched off and on, and removed while the hub runs', async () => {
    const { hub, front } = await ready('work');
    await front.subscribe();
    await front.call('accounts.set', { account: 'work', settings: { self: 'new@test' }, secrets: {} });
    await waitFor(() => hub.network.isOnline('new@test') && !hub.network.isOnline('work@test'));
    await front.call('accounts.enable', { account: 'work', enabled: false });
    expect(hub.network.isOnline('new@test')).toBe(false);
    const send = { target: 'work:alice@test', text: 'x', wait: 'accepted', timeout: 1 } as const;
    await expect(front.call('send', send)).rejects.toMatchObject(refusal('unreachable'));
    await front.call('accounts.enable', { account: 'work', enabled: true });
    await waitFor(() => hub.network.isOnline('new@test'));

    await front.call('accounts.remove', { account: 'work' });
    expect(hub.network.isOnline('new@test')).toBe(false);
    expect(await front.next('account-removed')).toEqual({ type: 'account-removed', account: 'work' });
    expect((await front.subscribe()).contacts).toEqual([]);
  });

  it('come back with the next hub', async () => {
    const { hub: first } = await ready('work');
    await first.hub.stop();
    hub = await first.again();
    await waitFor(() => first.network.isOnline('work@test'));
  });

  it.each([
    ['a name that is none', { name: '../x', network: 'test', settings: { self: 'a' } }],
    ['a network that is none', { name: 'x', network: 'nope', settings: {} }],
    ['a setting that is none', { name: 'x', network: 'test', settings: { self: 'a', colour: 'red' } }],
    ['a missing setting', { name: 'x', network: 'test', settings: {} }],
    ['a secret among the settings', { name: 'x', network: 'test', settings: { self: 'a', password: 'p' } }],
    ['a name that is taken', { name: 'work', network: 'test', settings: { self: 'a' } }],
  ])('%s is refused and nothing is written', async (_what, input) => {
    const { hub, front } = await ready('work');
    const file = join(hub.paths.config, 'accounts.json');
    const before = readFileSync(file, 'utf8');
    await expect(front.call('accounts.add', { secrets: {}, ...input })).rejects.toMatchObject(refusal('bad-data'));
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('a check signs in, says step by step how it went, and the account is online again after it', async () => {
    const { hub, front } = await ready('work');
    const { ok, steps } = await front.call('accounts.check', { account: 'work' });
    expect(steps.map(({ step }) => step)).toEqual(['settings', 'sign-in', 'roster', 'sign-out']);
    expect(ok).toBe(true);
    await waitFor(() => hub.network.isOnline('work@test'));
  });

  it('a question of an account reaches the fronts, and its answer the account', async () => {
    const { hub, front } = await ready('work');
    const { host } = hub.network.on('work@test');
    await expect(host.ask({ kind: 'code', text: 'code?' })).rejects.toMatchObject({ code: 'auth' });

    await front.subscribe();
    const answer = host.ask({ kind: 'code', text: 'code?\u001b[2J' });
    const { prompt } = await front.next('prompt');
    expect(prompt.account).toBe('work');
    expect(prompt.prompt.text).not.toContain('\u001b');
    await front.call('prompts.answer', { id: prompt.id, text: '12345' });
    expect(await answer).toBe('12345');
    await front.next('prompt-done');

    const unanswered = host.ask({ kind: 'code', text: 'again?' });
    front.close();
    await expect(unanswered).rejects.toMatchObject({ code: 'auth' });
  });

  it('an account that asked while nobody was there asks again once a front comes', async () => {
    hub = await startHub();
    const { network } = hub;
    const answers: string[] = [];
    network.onSignIn = async (_self, host) => void answers.push(await host.ask({ kind: 'code', text: 'code?' }));
    const silent = await hub.front('send');
    const input = { network: 'test', name: 'work', settings: { self: 'work@test' }, secrets: {} };
    await silent.call('accounts.add', input);
    await waitFor(async () => (await silent.call('accounts.list', {})).accounts[0]?.state === 'failed');

    const screen = await hub.front('screen');
    await screen.subscribe();
    const { prompt } = await screen.next('prompt');
    await screen.call('prompts.answer', { id: prompt.id, text: '42' });
    await waitFor(() => network.isOnline('work@test'));
    expect(answers).toEqual(['42']);
  });

  it('a request is answered on the account that it came to', async () => {
    const { hub, front } = await ready('work');
    await front.subscribe();
    hub.network.on('work@test').emit({ type: 'request', id: 'native', kind: 'subscription', from: 'eve@test' });
    const { request } = await front.next('request');
    expect(request).toMatchObject({ account: 'work', from: 'eve@test' });
    await front.call('requests.answer', { id: request.id, accept: false });
    await front.next('request-done');
    await expect(front.call('requests.answer', { id: request.id, accept: true })).rejects.toMatchObject(
      refusal('not-found'),
    );
  });

  it('somebody who types without end stops being shown when the connection ends', async () => {
    const { hub, front } = await ready('work');
    await front.subscribe();
    const session = hub.network.on('work@test');
    session.emit({ type: 'typing', chat: chatId('alice@test'), user: userId('alice@test'), active: true });
    await front.next('typing', ({ active }) => active);
    session.drop();
    await front.next('typing', ({ active }) => !active);
  });

  it('a broken accounts file is named with its place, left as it is, and taken up once it is mended', async () => {
    const { hub: first } = await ready('work');
    await first.hub.stop();
    const file = join(first.paths.config, 'accounts.json');
    const good = readFileSync(file, 'utf8');
    writeFileSync(file, '{ "accounts": { oops');
    hub = await first.again();
    const front = await hub.front();
    await expect(front.call('accounts.list', {})).rejects.toMatchObject(refusal('settings'));
    await expect(front.call('accounts.list', {})).rejects.toThrow(/accounts\.json:1:/);
    expect(readFileSync(file, 'utf8')).toBe('{ "accounts": { oops');
    writeFileSync(file, good);
    expect((await front.call('accounts.list', {})).accounts).toMatchObject([{ account: 'work' }]);
  });
});

describe('its life', () => {
  it('U4 a second hub on the same folders is refused', async () => {
    hub = await startHub();
    await expect(openHub({ paths: hub.paths, env: {} })).rejects.toThrow(/running already/);
    await (await hub.front()).call('hub.status', {});
  });

  it("U4 what stands in the socket's place and is none is left alone, and the hub does not start", async () => {
    const first = await startHub();
    await first.hub.stop();
    const socket = join(first.paths.run, 'hub.sock');
    writeFileSync(socket, 'planted');
    await expect(first.again()).rejects.toThrow(/not a socket/);
    expect(readFileSync(socket, 'utf8')).toBe('planted');
    await first.end();
  });

  it('started on demand it ends a while after the last front has left', async () => {
    hub = await startHub({ onDemand: true, idleSeconds: 0.1 });
    const front = await hub.front();
    await front.call('hub.status', {});
    front.close();
    await hub.hub.ended;
    expect(existsSync(join(hub.paths.run, 'hub.sock'))).toBe(false);
  });

  it('it stays while it is kept', async () => {
    hub = await startHub({ onDemand: true, idleSeconds: 0.05 });
    const front = await hub.front();
    await front.call('hub.keep', { keep: true });
    front.close();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const again = await hub.front();
    expect((await again.call('hub.status', {})).kept).toBe(true);
  });

  it('it stays while something is still to go out', async () => {
    hub = await startHub({ onDemand: true, idleSeconds: 0.05 });
    const front = await hub.front();
    await front.add('work');
    const gate = Promise.withResolvers<void>();
    hub.network.onSend = () => gate.promise;
    await front.call('send', { target: 'Alice', text: 'x', wait: 'queued', timeout: 1 });
    front.close();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(existsSync(join(hub.paths.run, 'hub.sock'))).toBe(true);
    gate.resolve();
    await hub.hub.ended;
    expect(hub.network.ledger).toHaveLength(1);
  });

  it('asked to stop it answers, lets what is under way go out, signs out and is gone', async () => {
    hub = await startHub();
    const front = await hub.front();
    await front.add('work');
    const gate = Promise.withResolvers<void>();
    hub.network.onSend = () => gate.promise;
    const receipt = front.call('send', { target: 'Alice', text: 'x', wait: 'accepted', timeout: 5 });
    await front.call('hub.stop', {});
    gate.resolve();
    expect((await receipt).state).toBe('accepted');
    await hub.hub.ended;
    expect(hub.network.isOnline('work@test')).toBe(false);
    await expect(attach(hub.paths, 'late')).rejects.toThrow(/no hub is running/);
  });

  it('10,000 contacts reach a front in a moment', async () => {
    hub = await startHub();
    const front = await hub.front();
    await front.subscribe();
    hub.network.roster = { contacts: Array.from({ length: 10_000 }, (_, n) => contactOf(`C${n}`)), chats: [] };
    await front.add('work');
    await waitFor(() => front.changes.filter(({ type }) => type === 'contact').length === 10_000);
    expect((await front.subscribe()).contacts).toHaveLength(10_000);
  });
});
