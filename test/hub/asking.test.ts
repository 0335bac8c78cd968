import { afterEach, describe, expect, it } from 'vitest';
import { AdapterError } from '../../adapters/errors.ts';
import { waitFor } from '../servers/process.ts';
import { startHub, type TestFront, type TestHub } from './start.ts';

let hub: TestHub | undefined;
afterEach(async () => {
  await hub?.end();
  hub = undefined;
});

async function ready(): Promise<{ hub: TestHub; front: TestFront }> {
  hub = await startHub();
  const front = await hub.front();
  await front.add('work');
  return { hub, front };
}

const refusal = (code: string): object => ({ detail: expect.objectContaining({ code }) });

/** The account signs in no more until `back` is called. */
async function offline({ network }: TestHub, front: TestFront): Promise<{ back(): Promise<void> }> {
  network.onSignIn = () => Promise.reject(new AdapterError('unreachable', 'no route'));
  network.on('work@test').drop();
  await waitFor(() => !network.isOnline('work@test'));
  return {
    async back() {
      network.onSignIn = undefined;
      await front.call('accounts.retry', { account: 'work' });
    },
  };
}

describe('look', () => {
  it('tells where an unknown address leads, enters no room and makes no row', async () => {
    const { hub, front } = await ready();
    const before = (await front.call('contacts', {})).contacts.length;
    const { place } = await front.call('look', { target: 'work:#elsewhere' });
    expect(place).toEqual({
      account: 'work',
      network: 'test',
      id: '#elsewhere',
      target: 'work:#elsewhere',
      name: '#elsewhere',
      kind: 'room',
    });
    expect(hub.network.entered).toEqual([]);
    expect((await front.call('contacts', {})).contacts).toHaveLength(before);
  });

  it('knows names as `resolve` does, and refuses as it does', async () => {
    const { front } = await ready();
    expect((await front.call('look', { target: 'alice' })).place).toMatchObject({ target: 'work:alice@test' });
    await expect(front.call('look', { target: 'work:nobody@test' })).rejects.toMatchObject(refusal('not-found'));
  });

  it('waits for an account that is away no longer than it is told to', async () => {
    const { hub, front } = await ready();
    await offline(hub, front);
    await expect(front.call('look', { target: 'work:#elsewhere', timeout: 0.1 })).rejects.toMatchObject(
      refusal('unreachable'),
    );
  });
});

describe('the outbox', () => {
  const queue = async (front: TestFront, text: string): Promise<string> => {
    const { id = '' } = await front.call('send', { target: 'work:alice@test', text, wait: 'queued', timeout: 5 });
    return id;
  };

  it('a queued message gets another text and keeps its place in the order', async () => {
    const { hub, front } = await ready();
    const away = await offline(hub, front);
    const ids = [await queue(front, 'one'), await queue(front, 'two'), await queue(front, 'three')];
    for (const [at, text] of ['uno', 'dos'].entries())
      await front.call('outbox.edit', { message: ids[at] ?? '', text });
    await away.back();
    await waitFor(() => hub.network.ledger.length === 3);
    expect(hub.network.ledger.map(({ text }) => text)).toEqual(['uno', 'dos', 'three']);
    const rows = await front.call('messages.since', { after: '0', limit: 10 });
    expect(rows.messages.map(({ text }) => text)).toEqual(['uno', 'dos', 'three']);
  });

  it('its new text is the one that a next hub sends and that a search finds', async () => {
    const { hub: first, front } = await ready();
    await offline(first, front);
    const id = await queue(front, 'first thoughts');
    await front.call('outbox.edit', { message: id, text: 'second thoughts' });
    expect((await front.call('search', { query: 'first', limit: 9 })).messages).toEqual([]);
    expect((await front.call('search', { query: 'second', limit: 9 })).messages).toHaveLength(1);
    await first.hub.stop();
    first.network.onSignIn = undefined;
    hub = await first.again();
    await waitFor(() => first.network.ledger.length === 1);
    expect(first.network.ledger).toMatchObject([{ text: 'second thoughts' }]);
  });

  it('what failed can be mended and sent again', async () => {
    const { hub, front } = await ready();
    hub.network.onSend = () => Promise.reject(new AdapterError('refused', 'not with that word'));
    const { id = '' } = await front.call('send', { target: 'Alice', text: 'damn', wait: 'accepted', timeout: 5 });
    hub.network.onSend = undefined;
    await front.call('outbox.edit', { message: id, text: 'dash' });
    await front.call('outbox.retry', { message: id });
    const receipt = await front.call('receipt', { messages: [id], wait: 'accepted', timeout: 5 });
    expect(receipt).toMatchObject({ id, state: 'accepted', target: 'work:alice@test' });
    expect(hub.network.ledger).toMatchObject([{ text: 'dash' }]);
  });

  it('refuses another text for what goes out just now, or has', async () => {
    const { hub, front } = await ready();
    const gate = Promise.withResolvers<void>();
    let sending = false;
    hub.network.onSend = () => {
      sending = true;
      return gate.promise;
    };
    const id = await queue(front, 'on its way');
    await waitFor(() => sending);
    await expect(front.call('outbox.edit', { message: id, text: 'x' })).rejects.toMatchObject(refusal('refused'));
    gate.resolve();
    await front.call('receipt', { messages: [id], wait: 'accepted', timeout: 5 });
    await expect(front.call('outbox.edit', { message: id, text: 'x' })).rejects.toMatchObject(refusal('refused'));
    expect(hub.network.ledger).toMatchObject([{ text: 'on its way' }]);
  });

  it.each([
    ['', 'bad-data'],
    ['a\u001b[31m', 'bad-data'],
    ['x'.repeat(2_000), 'too-long'],
  ])('refuses a text that could not be sent: %j', async (text, code) => {
    const { hub, front } = await ready();
    await offline(hub, front);
    const id = await queue(front, 'fine');
    await expect(front.call('outbox.edit', { message: id, text })).rejects.toMatchObject(refusal(code));
  });
});

describe('receipts', () => {
  it('S8 of a text in parts tells each part', async () => {
    const { hub, front } = await ready();
    hub.network.limits = { textBytes: 10 };
    hub.network.onSend = async (_self, text) => {
      if (text.startsWith('three')) throw new AdapterError('refused', 'enough');
    };
    const order = { target: 'Alice', text: 'one two three four', wait: 'accepted', timeout: 5, split: true } as const;
    const receipt = await front.call('send', order);
    expect(receipt).toMatchObject({
      state: 'failed',
      parts: [{ state: 'accepted' }, { state: 'failed', error: { code: 'refused', message: 'enough' } }],
    });
    const ids = (receipt.parts ?? []).map(({ id }) => id);
    expect(await front.call('receipt', { messages: ids, wait: 'accepted', timeout: 0 })).toEqual(receipt);
  });

  it('are of own messages of one conversation', async () => {
    const { front } = await ready();
    const ids: string[] = [];
    for (const target of ['Alice', 'Bob'])
      ids.push((await front.call('send', { target, text: 'x', wait: 'accepted', timeout: 5 })).id ?? '');
    await expect(front.call('receipt', { messages: ids, wait: 'queued', timeout: 0 })).rejects.toMatchObject(
      refusal('bad-data'),
    );
    await expect(front.call('receipt', { messages: ['999'], wait: 'queued', timeout: 0 })).rejects.toMatchObject(
      refusal('not-found'),
    );
  });
});
