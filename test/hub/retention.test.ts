import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Archive, Conversation } from '../../src/archive/types.ts';
import { daysFor, readKeeping, retention } from '../../src/hub/retention.ts';
import { archive, chat, incoming } from '../archive/fixture.ts';
import { waitFor } from '../servers/process.ts';
import { messageOf } from './network.ts';
import { startHub } from './start.ts';

const DAY = 86_400_000;
const NOW = 100 * DAY;
const never = new AbortController().signal;

function aged(): { readonly a: Archive; readonly left: () => Record<string, number> } {
  const a = archive();
  for (const name of ['alice', 'bob']) {
    const { key } = a.conversation('work', chat(name, { address: name }));
    for (let day = 0; day < 100; day += 1) a.receive(incoming(key, { at: day * DAY, unread: false }));
  }
  const left = (): Record<string, number> =>
    Object.fromEntries(a.conversations().map(({ key, address }) => [address, a.page(key, 1000).length]));
  return { a, left };
}

describe('how long messages stay', () => {
  test('for ever, unless the settings say otherwise', async () => {
    const { a, left } = aged();
    await retention(
      a,
      () => readKeeping(undefined),
      () => NOW,
    )(never);
    expect(left()).toEqual({ alice: 100, bob: 100 });
  });

  test('the wish for a conversation goes before that for its account, and that before the one for all', async () => {
    const { a, left } = aged();
    const keeping = readKeeping({ keepDays: 5, accounts: { work: 50 }, conversations: { 'work:bob': 10 } });
    await retention(
      a,
      () => keeping,
      () => NOW,
    )(never);
    expect(left()).toEqual({ alice: 50, bob: 10 });
    const elsewhere = { account: 'home', address: 'eve' } as Conversation;
    expect(daysFor(keeping, elsewhere)).toBe(5);
  });

  test('null keeps for ever, and what is no number of days deletes nothing', async () => {
    const { a, left } = aged();
    const keeping = readKeeping({ keepDays: 0, accounts: { work: 'soon' }, conversations: { 'work:bob': null } });
    await retention(
      a,
      () => keeping,
      () => NOW,
    )(never);
    expect(left()).toEqual({ alice: 100, bob: 100 });
  });

  test('it gives way at once, and goes on later; it looks again after an hour', async () => {
    const { a, left } = aged();
    let now = NOW;
    const tidy = retention(
      a,
      () => readKeeping({ keepDays: 10 }),
      () => now,
    );
    await tidy(AbortSignal.abort());
    expect(left()).toEqual({ alice: 100, bob: 100 });
    await tidy(never);
    expect(left()).toEqual({ alice: 10, bob: 10 });
    now += 5 * DAY;
    await tidy(never);
    expect(left()).toEqual({ alice: 5, bob: 5 });
  });
});

test('a hub deletes what is too old and read, and keeps what is unread', async () => {
  const first = await startHub();
  onTestFinished(first.end);
  const front = await first.front();
  await front.add('work');
  const old = new Date(Date.now() - 30 * DAY);
  for (const [from, text] of [
    ['alice@test', 'read'],
    ['bob@test', 'unread'],
  ] as const)
    first.network.on('work@test').emit({ type: 'message', message: messageOf(from, text, { at: old }), live: true });
  const texts = async (from: typeof front): Promise<readonly string[]> =>
    (await from.call('messages.since', { after: '0', limit: 10 })).messages.map(({ text }) => text);
  await waitFor(async () => (await texts(front)).length === 2);
  const { contacts } = await front.call('contacts', {});
  const alice = contacts.find(({ id }) => id === 'alice@test');
  await front.call('read', { conversation: alice?.conversation as never, upTo: '1' });
  front.close();
  await first.hub.stop();

  mkdirSync(first.paths.config, { recursive: true });
  writeFileSync(join(first.paths.config, 'accounts.json'), JSON.stringify({ accounts: {}, archive: { keepDays: 7 } }), {
    mode: 0o600,
  });
  const second = await first.again();
  onTestFinished(() => second.hub.stop());
  const later = await second.front();
  await waitFor(async () => (await texts(later)).length === 1);
  expect(await texts(later)).toEqual(['unread']);
});
