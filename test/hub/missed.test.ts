import { afterEach, describe, expect, it } from 'vitest';
import type { Message } from '../../adapters/contract.ts';
import type { ConversationKey } from '../../src/link/messages.ts';
import { waitFor } from '../servers/process.ts';
import { chatId, messageOf } from './network.ts';
import { startHub, type TestFront, type TestHub } from './start.ts';

let hub: TestHub | undefined;
afterEach(async () => {
  await hub?.end();
  hub = undefined;
});

const alice = 'alice@test';
const numbered = (count: number): readonly Message[] =>
  Array.from({ length: count }, (_, at) => messageOf(alice, `number ${at}`, { at: new Date(1_000_000_000_000 + at) }));
const texts = (messages: readonly { readonly text: string }[]): readonly string[] => messages.map(({ text }) => text);

async function ready(kept: readonly Message[] = []): Promise<{ hub: TestHub; front: TestFront }> {
  hub = await startHub({ kept: new Map([[alice, kept]]) });
  const front = await hub.front();
  await front.add('work');
  await front.subscribe();
  return { hub, front };
}

async function keyOf(front: TestFront): Promise<ConversationKey> {
  const { contacts } = await front.call('contacts', {});
  const found = contacts.find(({ target }) => target === `work:${alice}`);
  if (!found) throw new Error('alice is not there');
  return found.conversation;
}
const unread = async (front: TestFront): Promise<number | undefined> =>
  (await front.call('contacts', {})).contacts.find(({ target }) => target === `work:${alice}`)?.unread;

describe('what was missed', () => {
  it('is unread for every front, is announced by none as new, and stays unread over a restart', async () => {
    const { hub: first, front } = await ready();
    const other = await first.front('other');
    await other.subscribe();
    const session = first.network.on('work@test');
    for (const text of ['one', 'two']) session.emit({ type: 'message', live: false, message: messageOf(alice, text) });
    for (const one of [front, other]) {
      expect((await one.next('message', ({ message }) => message.text === 'two')).live).toBe(false);
      await one.next('unread', (change) => change.unread === 2);
    }
    await first.hub.stop();
    hub = await first.again();
    expect(await unread(await hub.front())).toBe(2);
  });

  it('F9 is read on all fronts once another device of the account has read it', async () => {
    const { hub: first, front } = await ready();
    const other = await first.front('other');
    await other.subscribe();
    const [one, two] = [messageOf(alice, 'one'), messageOf(alice, 'two')];
    const session = first.network.on('work@test');
    for (const message of [one, two]) session.emit({ type: 'message', live: false, message });
    session.emit({ type: 'read-elsewhere', chat: chatId(alice), upTo: one.id });
    for (const each of [front, other]) await each.next('unread', (change) => change.unread === 1);
    session.emit({ type: 'read-elsewhere', chat: chatId(alice), upTo: two.id });
    for (const each of [front, other]) await each.next('unread', (change) => change.unread === 0);
  });

  it('what is read here is told to the network by the last message of somebody else', async () => {
    const { hub: first, front } = await ready();
    const session = first.network.on('work@test');
    const theirs = messageOf(alice, 'theirs');
    session.emit({ type: 'message', live: true, message: theirs });
    session.emit({ type: 'message', live: true, message: messageOf(alice, 'mine', { from: 'self' }) });
    session.emit({ type: 'message', live: true, message: messageOf(alice, 'again') });
    const { message } = await front.next('message', (change) => change.message.text === 'again');
    await front.call('read', { conversation: message.conversation, upTo: message.id });
    await waitFor(() => first.network.marked.length > 0);
    expect(first.network.marked).toMatchObject([{ chat: alice }]);
    expect(first.network.marked[0]?.upTo).not.toBe(theirs.id);
  });
});

describe('older messages', () => {
  it('come page by page from the network, each once, read, and above what is here', async () => {
    const kept = numbered(35);
    const { hub: first, front } = await ready(kept);
    const session = first.network.on('work@test');
    // The last twelve are here: a first page has nothing new, and the next one two.
    for (const message of kept.slice(-12)) session.emit({ type: 'message', live: true, message });
    await front.next('message', ({ message }) => message.text === 'number 34');
    const conversation = await keyOf(front);

    const stored: number[] = [];
    for (let more = true; more; ) {
      const filled = await front.call('history.fill', { conversation });
      stored.push(filled.stored);
      more = filled.more;
    }
    expect(stored).toEqual([8, 10, 5]);
    const { messages } = await front.call('messages.page', { conversation, limit: 100 });
    expect(texts(messages)).toEqual(texts(kept));
    expect(await unread(front)).toBe(12);
    expect(front.changes.filter((change) => change.type === 'message' && change.live)).toHaveLength(12);

    const last = await front.call('messages.page', { conversation, limit: 20 });
    const before = await front.call('messages.page', { conversation, limit: 20, before: last.before ?? '' });
    expect([...texts(before.messages), ...texts(last.messages)]).toEqual(texts(kept));
  });
});
