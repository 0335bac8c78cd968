import { describe, expect, it } from 'vitest';
import type { AdapterEvent, Message } from '../../adapters/contract.ts';
import { reduce } from '../../src/core/reduce.ts';
import { snapshot } from '../../src/core/views.ts';
import type { Change } from '../../src/link/messages.ts';
import { messageOf } from '../hub/network.ts';
import { type TestCore, testCore } from './archive.ts';

const now = 1_800_000_000_000;
const missed = (text: string, more: Partial<Message> = {}): AdapterEvent => ({
  type: 'message',
  live: false,
  message: messageOf('alice@test', text, more),
});
const feed = ({ core, work }: TestCore, ...events: readonly AdapterEvent[]): readonly Change[] =>
  events.flatMap((event) => reduce(core, work, event, now));
const unread = ({ core }: TestCore): number | undefined => snapshot(core).contacts[0]?.unread;

describe('what was said while nobody was signed in', () => {
  it('is unread and not announced as new', async () => {
    const test = await testCore();
    const changes = feed(test, missed('one'), missed('two'));
    const messages = changes.filter((change) => change.type === 'message');
    expect(messages.map(({ live }) => live)).toEqual([false, false]);
    expect(unread(test)).toBe(2);
  });

  it('is not counted where the network tells that it was seen', async () => {
    const test = await testCore();
    feed(test, { type: 'message', live: false, seen: true, message: messageOf('alice@test', 'old') });
    expect(unread(test)).toBe(0);
  });

  it('F20 counts once, whether it came live or from the archive before', async () => {
    const test = await testCore();
    const message = messageOf('alice@test', 'twice');
    feed(test, { type: 'message', live: true, message });
    expect(feed(test, { type: 'message', live: false, message })).toEqual([]);
    expect(unread(test)).toBe(1);
  });

  it('was read up to what the network says was read elsewhere', async () => {
    const test = await testCore();
    const [first, second] = [messageOf('alice@test', 'first'), messageOf('alice@test', 'second')];
    feed(test, { type: 'message', live: false, message: first }, { type: 'message', live: false, message: second });
    feed(test, { type: 'read-elsewhere', chat: first.chat, upTo: first.id });
    expect(unread(test)).toBe(1);
  });

  it('was read before the person answered it on another device; the answer shows its state', async () => {
    const test = await testCore();
    const changes = feed(test, missed('a question'), missed('an answer', { from: 'self' }));
    expect(unread(test)).toBe(0);
    const own = changes.find((change) => change.type === 'message' && change.message.from.self);
    expect(own).toMatchObject({ live: false, message: { state: 'accepted', text: 'an answer' } });
    expect(changes.at(-1)).toMatchObject({ type: 'unread', unread: 0 });
  });
});
