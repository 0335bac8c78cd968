import { afterEach, describe, expect, it } from 'vitest';
import { messageOf } from './network.ts';
import { startHub, type TestHub } from './start.ts';

let hub: TestHub | undefined;
afterEach(async () => {
  await hub?.end();
  hub = undefined;
});

describe('the hub', () => {
  it('shows the contacts of two accounts in one list and brings each message out by its own', async () => {
    hub = await startHub();
    const front = await hub.front();
    await front.add('work');
    await front.add('home');

    const { contacts } = await front.subscribe();
    expect(
      contacts
        .filter(({ name }) => name === 'Alice')
        .map(({ target }) => target)
        .sort(),
    ).toEqual(['home:alice@test', 'work:alice@test']);
    const receipt = await front.call('send', {
      target: 'home:alice@test',
      text: 'hello',
      wait: 'accepted',
      timeout: 5,
    });

    expect(receipt).toMatchObject({ state: 'accepted', account: 'home', target: 'home:alice@test' });
    expect(hub.network.ledger).toMatchObject([{ self: 'home@test', text: 'hello' }]);
  });

  it('tells a front of a message with its text cleaned, and of the count', async () => {
    hub = await startHub();
    const front = await hub.front();
    await front.add('work');
    await front.subscribe();

    hub.network.on('work@test').emit({ type: 'message', live: true, message: messageOf('alice@test', 'a\u001b[2Jb') });

    const { message } = await front.next('message');
    expect(message).toMatchObject({ target: 'work:alice@test', from: { name: 'Alice', self: false } });
    expect(message.text).not.toContain('\u001b');
    expect(await front.next('unread')).toMatchObject({ unread: 1, mentions: 0 });
  });
});
