import { afterEach, expect, it } from 'vitest';
import type { Change, ConversationKey, MessageView } from '../../src/link/messages.ts';
import { waitFor } from '../servers/process.ts';
import { type FakeHub, fakeHub } from './fake-hub.ts';
import { imux } from './run.ts';

let hub: FakeHub | undefined;
afterEach(() => hub?.close());

const message = (id: number, text: string, self = false): Change => ({
  type: 'message',
  live: true,
  message: {
    id: String(id),
    conversation: 'c1' as ConversationKey,
    account: 'work',
    network: 'xmpp',
    target: 'work:a@b',
    kind: 'person',
    from: { id: 'a@b', name: 'Alice', self },
    at: '2026-11-20T12:00:00.000Z',
    text,
  } satisfies MessageView,
});

async function watched(): Promise<FakeHub> {
  const now = await fakeHub({ subscribe: () => ({ accounts: [], contacts: [], requests: [], prompts: [] }) });
  hub = now;
  return now;
}

const subscribed = (now: FakeHub): Promise<unknown> =>
  waitFor(() => now.calls.some(({ method }) => method === 'subscribe'));

it('prints each message on a line and ends after --count', async () => {
  const now = await watched();
  const outcome = imux(['watch', '--count', '2', '--no-self'], { home: now.home });
  await subscribed(now);
  now.change(message(1, 'one'), message(2, 'mine', true), message(3, 'two\nlines'), message(4, 'too many'));
  const { code, stdout } = await outcome;
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\d\d:\d\d work:a@b Alice: one\n\d\d:\d\d work:a@b Alice: two\n {6}lines\n$/);
});

it('calls the own account "you" where it has no name', async () => {
  const now = await watched();
  const outcome = imux(['watch', '--count', '1'], { home: now.home });
  await subscribed(now);
  const own = message(1, 'mine', true);
  if (own.type === 'message')
    now.change({ ...own, message: { ...own.message, from: { id: '', name: '', self: true } } });
  expect((await outcome).stdout).toMatch(/ you: mine\n$/);
});

it('prints events as JSON lines that hold the fields of the contract', async () => {
  const now = await watched();
  const outcome = imux(['watch', '--json', '--count', '1'], { home: now.home });
  await subscribed(now);
  now.change(message(1, 'one'));
  expect(JSON.parse((await outcome).stdout)).toEqual({
    v: 1,
    type: 'message',
    id: '1',
    account: 'work',
    network: 'xmpp',
    target: 'work:a@b',
    kind: 'person',
    from: { id: 'a@b', name: 'Alice', self: false },
    at: '2026-11-20T12:00:00.000Z',
    text: 'one',
  });
});

it('ends with 75 where the time is up before the count', async () => {
  const now = await watched();
  expect((await imux(['watch', '--count', '1', '--timeout', '0.2'], { home: now.home })).code).toBe(75);
});

it('ends with 0 where only a time was given', async () => {
  const now = await watched();
  expect((await imux(['watch', '--timeout', '0.2'], { home: now.home })).code).toBe(0);
});

it('ends with 130 on SIGINT and 143 on SIGTERM, quietly', async () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const now = await watched();
    const outcome = imux(['watch'], { home: now.home, onOutput: (_, stop) => stop(signal) });
    await subscribed(now);
    now.change(message(1, 'one'));
    expect(await outcome).toMatchObject({ code, stderr: '' });
    await now.close();
  }
});
