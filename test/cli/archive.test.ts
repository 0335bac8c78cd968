import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdapterError } from '../../adapters/errors.ts';
import { messageOf, userId } from '../hub/network.ts';
import { startHub, type TestFront, type TestHub } from '../hub/start.ts';
import { tempDir, waitFor } from '../servers/process.ts';
import { imux } from './run.ts';
import { wrongLine } from './schema.ts';

let hub: TestHub;
let front: TestFront;
beforeEach(async () => {
  hub = await startHub();
  front = await hub.front();
  await front.add('work');
});
afterEach(() => hub.end());

const run = (...args: readonly string[]) => imux(args, { home: hub.home, env: { TZ: 'Asia/Tokyo' } });
const say = (chat: string, text: string, at: string, from = chat): void =>
  hub.network.on('work@test').emit({
    type: 'message',
    live: true,
    message: messageOf(chat, text, { from: userId(from), at: new Date(at) }),
  });
/** All that was said is on disk. */
const stored = async (count: number): Promise<void> =>
  void (await waitFor(
    async () => (await front.call('messages.since', { after: '0', limit: 1_000 })).messages.length >= count,
  ));
const texts = (stdout: string): readonly string[] =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).text);

describe('imux history', () => {
  beforeEach(async () => {
    say('alice@test', 'first', '2026-01-30T10:00:00Z');
    say('alice@test', 'second\nand more', '2026-01-31T14:59:00Z');
    say('alice@test', 'third', '2026-01-31T15:00:00Z');
    say('bob@test', 'elsewhere', '2026-01-31T15:30:00Z');
    await stored(4);
  });

  it('shows a conversation in the zone of the reader, also when no hub runs, and starts none', async () => {
    await hub.hub.stop();
    const expected = [
      '2026-01-30 19:00 work:alice@test Alice: first',
      '2026-01-31 23:59 work:alice@test Alice: second',
      '      and more',
      '2026-02-01 00:00 work:alice@test Alice: third',
      '',
    ].join('\n');
    expect(await run('history', 'work:alice@test')).toEqual({ code: 0, stdout: expected, stderr: '' });
    expect((await run('hub', 'status')).code).toBe(69);
  });

  it('takes the newest, and a span of time in the zone of the reader', async () => {
    expect(texts((await run('history', 'work:alice@test', '--limit', '1', '--json')).stdout)).toEqual(['third']);
    const since = ['--since', '2026-01-31', '--before', '2026-02-01', '--json'];
    expect(texts((await run('history', 'work:alice@test', ...since)).stdout)).toEqual(['second\nand more']);
  });

  it('sees what a running hub has just stored', async () => {
    say('alice@test', 'just now', '2026-02-02T00:00:00Z');
    await stored(5);
    await waitFor(async () => (await run('history', 'work:alice@test', '--limit', '1')).stdout.includes('just now'));
  });

  it('names are found as they stand in the archive', async () => {
    expect((await run('history', 'Alice', '--limit', '1')).stdout).toContain('third');
  });

  it.each([
    [['history', 'work:nobody@test'], 67],
    [['history', 'nobody'], 67],
    [['history', 'work:alice@test', '--since', 'soon'], 64],
    [['history', 'work:alice@test', '--limit', '0'], 64],
    [['history'], 64],
    [['search', 'x', '--account', 'none'], 67],
    [['search', 'before:soon'], 64],
    [['search'], 64],
  ] as const)('%j ends with %i', async (args, code) => {
    expect(await run(...args)).toMatchObject({ code, stdout: '' });
  });
});

describe('imux search', () => {
  it('finds over all accounts, oldest first, with the query language', async () => {
    await front.add('home');
    say('alice@test', 'the invoice of May', '2026-01-30T10:00:00Z');
    say('bob@test', 'Invoice? which invoice', '2026-01-31T10:00:00Z');
    const at = new Date('2026-02-01T10:00:00Z');
    hub.network
      .on('home@test')
      .emit({ type: 'message', live: true, message: messageOf('alice@test', 'another invoice', { at }) });
    await stored(3);
    const found = async (...args: readonly string[]) => texts((await run('search', '--json', ...args)).stdout);
    expect(await found('invoice')).toEqual(['the invoice of May', 'Invoice? which invoice', 'another invoice']);
    expect(await found('invoice', 'from:bob')).toEqual(['Invoice? which invoice']);
    expect(await found('invoice', '--account', 'home')).toEqual(['another invoice']);
    expect(await found('invoice', '--limit', '1')).toEqual(['another invoice']);
    expect(await found('"of May"')).toEqual(['the invoice of May']);
    expect(await found('nothing of the kind')).toEqual([]);
  });

  it('finds what goes out as well', async () => {
    await front.call('send', { target: 'Alice', text: 'white rabbit', wait: 'accepted', timeout: 5 });
    expect(wrongLine((await run('search', 'rabbit', '--json')).stdout)).toBeUndefined();
    expect((await run('search', 'rabbit', 'from:me')).stdout).toMatch(/work:alice@test .*white rabbit\n$/);
  });
});

describe('imux unread', () => {
  it('counts without a hub, by account, and hides itself where there is nothing', async () => {
    expect((await run('unread')).stdout).toBe('0\n');
    expect((await run('unread', '--format', '✉ {unread}')).stdout).toBe('\n');
    say('alice@test', 'one', '2026-01-30T10:00:00Z');
    say('#imux', 'work: two', '2026-01-30T10:00:00Z', '#imux/bob');
    say('#imux', 'three', '2026-01-30T10:00:00Z', '#imux/bob');
    await stored(3);
    await hub.hub.stop();
    expect((await run('unread')).stdout).toBe('3\n');
    const format = '{unread} {mentions} {chats} {accounts} 100%';
    expect((await run('unread', '--format', format)).stdout).toBe('3 1 2 work 100%\n');
    const { stdout: json } = await run('unread', '--json');
    expect(wrongLine(json)).toBeUndefined();
    expect(JSON.parse(json)).toEqual({
      v: 1,
      type: 'unread',
      unread: 3,
      mentions: 1,
      chats: 2,
      accounts: [{ account: 'work', unread: 3, mentions: 1, chats: 2 }],
    });
    expect(await run('unread', '--account', 'other')).toMatchObject({ code: 67, stdout: '' });
    expect((await run('hub', 'status')).code).toBe(69);
  });

  it('forgets an account that was removed', async () => {
    say('alice@test', 'one', '2026-01-30T10:00:00Z');
    await stored(1);
    await front.call('accounts.remove', { account: 'work' });
    expect((await run('unread')).stdout).toBe('0\n');
  });

  it('is 0 where imux was never used', async () => {
    const dir = await tempDir('fresh');
    expect(await imux(['unread'], { home: dir.path })).toEqual({ code: 0, stdout: '0\n', stderr: '' });
    await dir.remove();
  });

  it('refuses a placeholder that it does not know', async () => {
    expect(await run('unread', '--format', '{count}')).toMatchObject({ code: 64 });
  });
});

describe('imux outbox', () => {
  const failing = async (text: string): Promise<string> => {
    hub.network.onSend = () => Promise.reject(new AdapterError('refused', 'no such words'));
    const { id = '' } = await front.call('send', { target: 'Alice', text, wait: 'accepted', timeout: 5 });
    hub.network.onSend = undefined;
    return id;
  };

  it('lists what did not go out, with why', async () => {
    const id = await failing('damn');
    const { code, stdout } = await run('outbox');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^${id} failed \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d work:alice@test: damn\\n {6}no such words\\n$`),
    );
    const { stdout: json } = await run('outbox', 'list', '--json');
    expect(JSON.parse(json)).toMatchObject({ type: 'message', id, state: 'failed', error: { code: 'refused' } });
  });

  it('edits one and sends it again', async () => {
    const id = await failing('damn');
    expect(await run('outbox', 'edit', id, 'dash', 'it')).toMatchObject({ code: 0, stdout: '' });
    expect(await run('outbox', 'retry', id)).toMatchObject({ code: 0 });
    await waitFor(() => hub.network.ledger.length === 1);
    expect(hub.network.ledger).toMatchObject([{ text: 'dash it' }]);
    await waitFor(async () => (await run('outbox')).stdout === '');
  });

  it('discards', async () => {
    const ids = [await failing('one'), await failing('two')];
    expect(await run('outbox', 'discard', ...ids)).toMatchObject({ code: 0 });
    expect((await run('outbox')).stdout).toBe('');
  });

  it.each([
    [['outbox', 'retry', '999'], 67],
    [['outbox', 'discard', 'x'], 67],
    [['outbox', 'retry'], 64],
    [['outbox', 'frobnicate'], 64],
    [['outbox', 'edit'], 64],
  ] as const)('%j ends with %i', async (args, code) => {
    expect((await run(...args)).code).toBe(code);
  });
});
