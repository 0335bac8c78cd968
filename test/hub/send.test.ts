import { afterEach, describe, expect, it } from 'vitest';
import { AdapterError } from '../../adapters/errors.ts';
import type { ConversationKey, Params } from '../../src/link/messages.ts';
import { waitFor } from '../servers/process.ts';
import { contactOf } from './network.ts';
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

const order = (target: string, text: string, more: Partial<Params<'send'>> = {}): Params<'send'> => ({
  target,
  text,
  wait: 'accepted',
  timeout: 5,
  ...more,
});
const refusal = (code: string): object => ({ detail: expect.objectContaining({ code }) });

describe('send', () => {
  it('S2 resolves with the state that was waited for', async () => {
    const { hub, front } = await ready('work');
    const gate = Promise.withResolvers<void>();
    hub.network.onSend = () => gate.promise;
    expect(await front.call('send', order('Alice', '1', { wait: 'queued' }))).toMatchObject({ state: 'queued' });
    const accepted = front.call('send', order('work:bob@test', '2'));
    gate.resolve();
    expect(await accepted).toMatchObject({ state: 'accepted', target: 'work:bob@test', network: 'test' });
  });

  it('reaches an address that is not in the list, and makes an unlisted row of it', async () => {
    const { hub, front } = await ready('work');
    await front.call('send', order('work:stranger@test', 'hello'));
    expect(hub.network.ledger).toMatchObject([{ chat: 'stranger@test' }]);
    const { contacts } = await front.call('contacts', {});
    expect(contacts.find(({ id }) => id === 'stranger@test')).toMatchObject({ listed: false });
  });

  it('an address that its network does not know is not found, and nothing is stored', async () => {
    const { front } = await ready('work');
    await expect(front.call('send', order('work:nobody@test', 'x'))).rejects.toMatchObject(refusal('not-found'));
    expect((await front.call('messages.since', { after: '0', limit: 10 })).messages).toEqual([]);
  });

  it('a name that two accounts have is ambiguous: nothing is sent and the candidates are named', async () => {
    const { hub, front } = await ready('work', 'home');
    await expect(front.call('send', order('alice', 'x'))).rejects.toMatchObject({
      detail: { code: 'ambiguous', candidates: ['work:alice@test', 'home:alice@test'] },
    });
    expect(hub.network.ledger).toEqual([]);
  });

  it('a conversation key that the hub did not mint is refused', async () => {
    const { front } = await ready('work');
    for (const key of ['c999', 'work:alice@test', '', '__proto__']) {
      const params = { conversation: key as ConversationKey, text: 'x', wait: 'accepted', timeout: 5 } as const;
      await expect(front.call('send', params)).rejects.toMatchObject(refusal('not-found'));
    }
  });

  it('while the account is away it waits for it, and says queued when the time is up', async () => {
    const { hub, front } = await ready('work');
    hub.network.onSignIn = () => Promise.reject(new AdapterError('unreachable', 'no route'));
    hub.network.on('work@test').drop();
    await waitFor(() => !hub.network.isOnline('work@test'));

    const receipt = await front.call('send', order('work:alice@test', 'later', { timeout: 0.1 }));
    expect(receipt).toMatchObject({ state: 'queued', error: { code: 'unreachable' } });

    hub.network.onSignIn = undefined;
    await front.call('accounts.retry', { account: 'work' });
    await waitFor(() => hub.network.ledger.length === 1);
  });

  it('an address that only the network knows is resolved once the account is online', async () => {
    const { hub, front } = await ready('work');
    hub.network.onSignIn = () => Promise.reject(new AdapterError('unreachable', 'no route'));
    hub.network.on('work@test').drop();
    await waitFor(() => !hub.network.isOnline('work@test'));
    const sent = front.call('send', order('work:new@test', 'x'));
    hub.network.onSignIn = undefined;
    await front.call('accounts.retry', { account: 'work' });
    expect(await sent).toMatchObject({ state: 'accepted' });
  });

  it('F19 wrong credentials are said at once, and nothing is queued', async () => {
    const { hub, front } = await ready('work');
    hub.network.onSignIn = () => Promise.reject(new AdapterError('auth', 'wrong password'));
    hub.network.on('work@test').drop();
    await front.call('accounts.retry', { account: 'work' });
    await waitFor(async () => (await front.call('accounts.list', {})).accounts[0]?.state === 'failed');

    await expect(front.call('send', order('work:alice@test', 'x'))).rejects.toMatchObject(refusal('auth'));
    expect((await front.call('outbox.list', {})).messages).toEqual([]);
  });

  it('T6 S4 what may have gone out is said to be unknown', async () => {
    const { hub, front } = await ready('work');
    hub.network.onSend = () => Promise.reject(new AdapterError('unreachable', 'cut', { certain: false }));
    const receipt = await front.call('send', order('work:alice@test', 'x'));
    expect(receipt).toMatchObject({ state: 'unknown', error: { certain: false } });

    hub.network.onSend = () => new Promise(() => {});
    const late = await front.call('send', order('work:bob@test', 'x', { timeout: 0.1 }));
    expect(late).toMatchObject({ state: 'unknown', error: { code: 'timeout' } });
  });

  it('a refusal of the network is in the receipt, with its code', async () => {
    const { hub, front } = await ready('work');
    hub.network.onSend = () => Promise.reject(new AdapterError('refused', 'you are banned'));
    const receipt = await front.call('send', order('work:alice@test', 'x'));
    expect(receipt).toMatchObject({ state: 'failed', error: { code: 'refused', message: 'you are banned' } });
  });

  it('S5 the same key and text goes out once, for two callers at the same time too', async () => {
    const { hub, front } = await ready('work');
    const keyed = order('work:alice@test', 'once', { key: 'k1' });
    const other = await hub.front('other');
    const [one, two] = await Promise.all([front.call('send', keyed), other.call('send', keyed)]);
    const three = await front.call('send', keyed);

    expect(two).toEqual(one);
    expect(three).toEqual(one);
    expect(one).toMatchObject({ key: 'k1', state: 'accepted' });
    expect(hub.network.ledger).toHaveLength(1);
  });

  it('S5 the same key with another text or target is bad data', async () => {
    const { hub, front } = await ready('work');
    await front.call('send', order('work:alice@test', 'once', { key: 'k1' }));
    for (const other of [
      order('work:alice@test', 'twice', { key: 'k1' }),
      order('work:bob@test', 'once', { key: 'k1' }),
    ])
      await expect(front.call('send', other)).rejects.toMatchObject(refusal('bad-data'));
    expect(hub.network.ledger).toHaveLength(1);
  });

  it('S8 a text over the limit is refused, or goes out in parts', async () => {
    const { hub, front } = await ready('work');
    hub.network.limits = { textBytes: 10 };
    const text = 'one two three four';
    await expect(front.call('send', order('work:alice@test', text))).rejects.toMatchObject(refusal('too-long'));
    expect(hub.network.ledger).toEqual([]);
    await front.call('send', order('work:alice@test', text, { split: true }));
    expect(hub.network.ledger.map((entry) => entry.text)).toEqual(['one two', 'three four']);
  });

  it('S8 a part that fails is named', async () => {
    const { hub, front } = await ready('work');
    hub.network.limits = { textBytes: 10 };
    hub.network.onSend = async (_self, text) => {
      if (text.startsWith('three')) throw new AdapterError('refused', 'enough');
    };
    const receipt = await front.call('send', order('work:alice@test', 'one two three four', { split: true }));
    expect(receipt).toMatchObject({ state: 'failed', error: { message: 'part 2 of 2: enough' } });
  });

  it.each([['\u001b[31m'], ['a\u0000b'], ['\ud800'], ['x\uffff']])(
    'L11 a text that no network may carry is refused before it is queued: %j',
    async (text) => {
      const { front } = await ready('work');
      await expect(front.call('send', order('work:alice@test', text))).rejects.toMatchObject(refusal('bad-data'));
      expect((await front.call('outbox.list', {})).messages).toEqual([]);
    },
  );

  it('S14 1,000 sends of one caller to a new address keep their order', async () => {
    const { hub, front } = await ready('work');
    const sends = Array.from({ length: 1_000 }, (_, n) => front.call('send', order('work:new@test', `${n}`)));
    await Promise.all(sends);
    expect(hub.network.ledger.map(({ text }) => Number(text))).toEqual(sends.map((_, n) => n));
  });

  it('two accounts of one network: each message leaves by its own', async () => {
    const { hub, front } = await ready('work', 'home');
    await front.call('send', order('home:alice@test', 'private'));
    await front.call('send', order('work:alice@test', 'official'));
    expect(hub.network.ledger.map(({ self, text }) => `${self} ${text}`)).toEqual([
      'home@test private',
      'work@test official',
    ]);
  });

  it('what was queued when the hub stopped goes out by the next one', async () => {
    const first = await startHub();
    const front = await first.front();
    await front.add('work');
    first.network.onSignIn = () => Promise.reject(new AdapterError('unreachable', 'no route'));
    first.network.on('work@test').drop();
    await waitFor(() => !first.network.isOnline('work@test'));
    await front.call('send', order('work:alice@test', 'kept', { wait: 'queued' }));
    await first.hub.stop();
    expect(first.network.ledger).toEqual([]);

    first.network.onSignIn = undefined;
    hub = await first.again();
    await waitFor(() => first.network.ledger.length === 1);
    expect(first.network.ledger[0]).toMatchObject({ text: 'kept', self: 'work@test' });
  });

  it('a name is unique among the listed, whatever strangers call themselves', async () => {
    const { hub, front } = await ready('work');
    hub.network.on('work@test').emit({ type: 'contact', contact: contactOf('Zoe') });
    expect(await front.call('send', order('Zoe', 'x'))).toMatchObject({ target: 'work:zoe@test' });
  });
});
