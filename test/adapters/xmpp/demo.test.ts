import { afterEach, describe, expect, it } from 'vitest';
import type { Nonce, UserId } from '../../../adapters/contract.ts';
import { testCa } from '../../servers/ca.ts';
import { need } from '../../servers/process.ts';
import { type SignedIn, signedIn } from './online.ts';
import { chat } from './stage.ts';

const alice = 'alice@localhost';
const contacts = { me: [{ jid: alice, name: 'Alice', groups: ['Friends'] }] };

describe('the demo server', () => {
  let on: SignedIn;
  afterEach(() => on.stop());

  it('has contacts who come and go, write and answer', async () => {
    on = await signedIn(contacts);
    on.server.onMessage((from, to, body) => on.server.say(to, from, `you said ${body}`));
    on.server.presence(alice, 'away', 'in the garden');
    await on.host.next(
      'presence',
      (event) => event.user === alice && event.state === 'away' && event.note === 'in the garden',
    );
    on.server.typing(alice, 'me@localhost', true);
    await on.host.next('typing', (event) => event.user === alice && event.active);
    const id = await on.session.send(chat(alice), 'hello', 'n1' as Nonce);
    await on.host.next('receipt', (event) => event.upTo === id && event.state === 'delivered');
    const { message } = await on.host.next('message', (event) => event.message.text === 'you said hello');
    expect(message.from).toBe(alice);
    on.server.presence(alice, 'unavailable');
    await on.host.next('presence', (event) => event.user === alice && event.state === 'offline');
  });

  it('has rooms with people in them', async () => {
    on = await signedIn();
    const address = `tea@${on.server.rooms}`;
    on.server.sayInRoom(address, 'hatter', 'before you came');
    const room = await on.session.rooms?.join(address);
    expect(room).toMatchObject({ kind: 'room', title: 'tea' });
    expect((await on.host.next('message', (event) => event.message.text === 'before you came')).live).toBe(false);
    on.server.subject(address, 'hatter', 'always six o’clock');
    await on.host.next('chat', (event) => event.chat.topic === 'always six o’clock');
    on.server.sayInRoom(address, 'dormouse', 'zzz');
    await on.host.next('member', (event) => event.member.name === 'dormouse' && event.present);
    expect((await on.host.next('message', (event) => event.message.text === 'zzz')).live).toBe(true);
  });

  it('keeps contact lists, and lets new contacts be seen who live there', async () => {
    on = await signedIn(contacts);
    on.server.presence('gryphon@localhost');
    await on.session.contacts?.add('gryphon@localhost');
    await on.host.next(
      'contact',
      ({ contact }) => contact.address === 'gryphon@localhost' && contact.subscription === 'both',
    );
    await on.host.next('presence', (event) => event.user === 'gryphon@localhost' && event.state === 'online');
    await on.session.contacts?.remove(alice as UserId);
    await on.host.next('contact-removed', (event) => event.user === alice);
  });

  it.skipIf(!need('TLS on the demo server', 'openssl'))(
    'takes nobody in without TLS where it has a certificate',
    async () => {
      const ca = await testCa();
      on = await signedIn(contacts, ca);
      on.server.say(alice, 'me@localhost', 'in private');
      await on.host.next('message', (event) => event.message.text === 'in private');
      await ca.remove();
    },
  );
});
