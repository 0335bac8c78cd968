import { randomUUID } from 'node:crypto';
import { type Element, xml } from '@xmpp/xml';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Message, MessageId } from '../../../adapters/contract.ts';
import type { EventOf } from '../../contract/host.ts';
import { need, waitFor } from '../../servers/process.ts';
import type { PlainClient, PlainOptions } from './client.ts';
import { type Actor, chat, type Stage, stage } from './stage.ts';

const MDS = 'urn:xmpp:mds:displayed:0';
const PUBSUB = 'http://jabber.org/protocol/pubsub';

describe.skipIf(!need('XMPP catch-up on Prosody', 'prosody', 'openssl'))('catch-up on Prosody', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage();
  });
  afterEach(() => on.clear());
  afterAll(() => on.stop());

  const told = (actor: Actor): readonly EventOf<'message'>[] =>
    actor.host.events.filter((event) => event.type === 'message');
  const texts = (actor: Actor): readonly string[] => told(actor).map(({ message }) => message.text);
  const say = (from: PlainClient, to: string, text: string, ...parts: readonly Element[]): string => {
    const id = randomUUID();
    from.send(xml('message', { to, type: 'chat', id }, xml('body', {}, text), ...parts));
    return id;
  };
  const archived = async (by: PlainClient): Promise<void> => {
    // The server handles a client's stanzas in order: what it said before this is in the archive.
    await by.iq('get', 'localhost', xml('ping', { xmlns: 'urn:xmpp:ping' }));
  };
  const present = async (user: PlainOptions): Promise<PlainClient> => {
    const phone = await on.plain(user, 'phone');
    phone.send(xml('presence'));
    await archived(phone);
    return phone;
  };
  const away = async (actor: Actor): Promise<Map<string, string>> => {
    await waitFor(() => actor.host.memory.entries.has(`mam.${actor.jid}`), { what: 'the first look at the archive' });
    await actor.stop();
    return actor.host.memory.entries;
  };
  const numbers = (count: number, from = 0): readonly string[] =>
    Array.from({ length: count }, (_, at) => `number ${from + at}`);

  it('F20 what was said while we were away is told once, in order, over several pages, and not as new', async () => {
    const { me, user, bob } = await on.pair();
    const memory = await away(me);
    for (const text of numbers(130)) say(bob, me.jid, text);
    await archived(bob);

    const back = await on.imux(user, memory);
    await waitFor(() => texts(back).length >= 130, { what: '130 messages' });
    say(bob, me.jid, 'and now');
    const last = await back.host.next('message', ({ message }) => message.text === 'and now');

    expect(texts(back)).toEqual([...numbers(130), 'and now']);
    expect(told(back).filter(({ live, seen }) => !live && !seen)).toHaveLength(130);
    expect(last.live).toBe(true);
    const again = await on.imux(user, await away(back));
    say(bob, me.jid, 'nothing else');
    await again.host.next('message', ({ message }) => message.text === 'nothing else');
    expect(texts(again)).toEqual(['nothing else']);
  });

  it('own messages of another device come as own, each under the id that its sender gave it', async () => {
    const { me, user, bob } = await on.pair();
    const phone = await on.plain(user, 'phone');
    const memory = await away(me);
    say(bob, me.jid, 'a question');
    await archived(bob);
    const id = say(phone, bob.bare, 'an answer');
    await archived(phone);
    const back = await on.imux(user, memory);
    const { message, live } = await back.host.next('message', (event) => event.message.text === 'an answer');
    expect(message).toMatchObject({ from: 'self', chat: bob.bare, id, nonce: id } satisfies Partial<
      Record<keyof Message, string>
    >);
    expect(live).toBe(false);
    expect(texts(back)).toEqual(['a question', 'an answer']);
  });

  it('a first sign-in takes the last hundred only, and counts them as read', async () => {
    const [user, friend] = [await on.newUser('me'), await on.newUser('bob')];
    // What no device got is kept apart, and delivered whole.
    const [, bob] = [await present(user), await on.plain(friend)];
    for (const text of numbers(120)) say(bob, `${user.user}@localhost`, text);
    await archived(bob);
    const me = await on.imux(user);
    await me.host.next('message', ({ message }) => message.text === 'number 119');
    expect(texts(me).length).toBeLessThanOrEqual(100);
    expect(texts(me)).toEqual(numbers(texts(me).length, 120 - texts(me).length));
    expect(told(me).every(({ seen, live }) => seen === true && !live)).toBe(true);
  });

  it('F20 what arrives during the sign-in is told once and in its place', async () => {
    const { me, user, bob } = await on.pair();
    const memory = await away(me);
    for (const text of numbers(60)) say(bob, me.jid, text);
    const signedIn = on.imux(user, memory);
    for (const text of numbers(200, 60)) {
      say(bob, me.jid, text);
      if (text.endsWith('0')) await archived(bob);
    }
    const back = await signedIn;
    await back.host.next('message', ({ message }) => message.text === 'number 259');
    expect(texts(back)).toEqual(numbers(260));
  });

  it('an archive that forgot our place in it is looked through from that time on', async () => {
    const { me, user, bob } = await on.pair();
    const memory = await away(me);
    memory.set(`mam.${me.jid}`, JSON.stringify({ id: 'gone-long-ago', at: Date.now() - 1_000 }));
    say(bob, me.jid, 'still found');
    await archived(bob);
    const back = await on.imux(user, memory);
    await back.host.next('message', ({ message }) => message.text === 'still found');
    expect(back.host.logs.join('\n')).not.toContain('not complete');
  });

  it('tells the sender that a missed message arrived, unless another device did', async () => {
    const { me, user, bob } = await on.pair();
    const memory = await away(me);
    const request = xml('request', { xmlns: 'urn:xmpp:receipts' });
    const mine = say(bob, me.jid, 'did you get it?', request);
    const other = say(bob, me.jid, 'and this?', request);
    await archived(bob);
    const phone = await on.plain(user, 'phone');
    const received = xml('received', { xmlns: 'urn:xmpp:receipts', id: other });
    const store = xml('store', { xmlns: 'urn:xmpp:hints' });
    phone.send(xml('message', { to: bob.bare, type: 'chat', id: randomUUID() }, received, store));
    await archived(phone);
    await on.imux(user, memory);
    const receiptFor = (id: string) => (stanza: Element) =>
      stanza.getChild('received', 'urn:xmpp:receipts')?.attrs.id === id;
    await bob.next(receiptFor(mine));
    await archived(bob);
    expect(bob.stanzas.filter(receiptFor(other))).toHaveLength(1);
  });

  describe('rooms', () => {
    const joined = async () => {
      const { me, user, bob } = await on.pair();
      const room = `${randomUUID()}@conference.localhost`;
      await me.session.rooms?.join(room);
      bob.send(xml('presence', { to: `${room}/Bob` }, xml('x', { xmlns: 'http://jabber.org/protocol/muc' })));
      await bob.next((stanza) => stanza.name === 'message' && stanza.getChild('subject') !== undefined);
      const speak = (text: string): void =>
        bob.send(xml('message', { to: room, type: 'groupchat', id: randomUUID() }, xml('body', {}, text)));
      speak('at first');
      await me.host.next('message', ({ message }) => message.text === 'at first');
      return { me, user, bob, room, speak };
    };

    it('F20 what was said in a room while we were away is told once, in order, and not as new', async () => {
      const { me, user, bob, room, speak } = await joined();
      const memory = await away(me);
      for (const text of numbers(70)) speak(text);
      await bob.next((stanza) => stanza.getChildText('body') === 'number 69');
      const back = await on.imux(user, memory);
      await back.host.next('message', ({ message }) => message.text === 'number 69');
      speak('and now');
      expect((await back.host.next('message', ({ message }) => message.text === 'and now')).live).toBe(true);
      expect(texts(back)).toEqual([...numbers(70), 'and now']);
      expect(told(back).filter(({ live, seen }) => !live && !seen)).toHaveLength(70);
      expect(new Set(told(back).map(({ message }) => message.chat))).toEqual(new Set([room]));
    });

    it('the past of a room that is new to us counts as read', async () => {
      const { room } = await joined();
      const me = await on.imux(await on.newUser('late'));
      await me.session.rooms?.join(room);
      expect(await me.host.next('message', ({ message }) => message.text === 'at first')).toMatchObject({
        live: false,
        seen: true,
      });
    });
  });

  describe('what was read elsewhere', () => {
    const publish = async (phone: PlainClient, of: string, id: string): Promise<Element> => {
      const stanzaId = xml('stanza-id', { xmlns: 'urn:xmpp:sid:0', by: phone.bare, id });
      const item = xml('item', { id: of }, xml('displayed', { xmlns: MDS }, stanzaId));
      return await phone.iq('set', undefined, xml('pubsub', { xmlns: PUBSUB }, xml('publish', { node: MDS }, item)));
    };
    const archiveId = async (client: PlainClient, text: string): Promise<string> => {
      const heard = await client.next((stanza) => stanza.getChildText('body') === text);
      return heard.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id ?? '';
    };

    it('XEP-0333: a mark by another device of ours is told by its carbon, and by the archive', async () => {
      const { me, user, bob } = await on.pair();
      const phone = await on.plain(user, 'phone');
      const mark = (id: string): void => {
        const parts = [
          xml('displayed', { xmlns: 'urn:xmpp:chat-markers:0', id }),
          xml('store', { xmlns: 'urn:xmpp:hints' }),
        ];
        phone.send(xml('message', { to: bob.bare, type: 'chat', id: randomUUID() }, ...parts));
      };
      const first = say(bob, me.jid, 'read this');
      await me.host.next('message', ({ message }) => message.text === 'read this');
      mark(first);
      await me.host.next('read-elsewhere', (event) => event.chat === bob.bare && event.upTo === first);

      const memory = await away(me);
      const second = say(bob, me.jid, 'and this');
      await archived(bob);
      mark(second);
      await archived(phone);
      const back = await on.imux(user, memory);
      await back.host.next('read-elsewhere', (event) => event.upTo === second);
    });

    it('XEP-0490: marks of other devices are heard, now and after we were away', async () => {
      const { me, user, bob } = await on.pair();
      const phone = await present(user);
      const first = say(bob, me.jid, 'read this');
      await me.host.next('message', ({ message }) => message.text === 'read this');
      expect((await publish(phone, bob.bare, await archiveId(phone, 'read this'))).attrs.type).toBe('result');
      await me.host.next('read-elsewhere', (event) => event.chat === bob.bare && event.upTo === first);

      const memory = await away(me);
      const second = say(bob, phone.bare, 'and this');
      say(bob, phone.bare, 'not this');
      await publish(phone, bob.bare, await archiveId(phone, 'and this'));
      const back = await on.imux(user, memory);
      await back.host.next('read-elsewhere', (event) => event.upTo === second);
    });

    it('XEP-0490: what is read here is told to the other devices, also a message of before this connection', async () => {
      const { me, user, bob } = await on.pair();
      const phone = await present(user);
      const id = say(bob, me.jid, 'read by imux');
      const expected = await archiveId(phone, 'read by imux');
      await me.host.next('message', ({ message }) => message.text === 'read by imux');
      const back = await on.imux(user, await away(me));
      await back.session.reading?.mark(chat(bob.bare), id as MessageId);
      const kept = await phone.iq('get', undefined, xml('pubsub', { xmlns: PUBSUB }, xml('items', { node: MDS })));
      expect(kept.toString()).toContain(`id="${expected}"`);
      expect(kept.toString()).toContain(`id="${bob.bare}"`);
    });

    it('XEP-0490: on a first sign-in, what stands behind the mark is unread', async () => {
      const [user, friend] = [await on.newUser('me'), await on.newUser('bob')];
      const [phone, bob] = [await present(user), await on.plain(friend)];
      for (const text of ['one', 'two', 'three']) say(bob, phone.bare, text);
      await publish(phone, bob.bare, await archiveId(phone, 'two'));
      const me = await on.imux(user);
      await me.host.next('message', ({ message }) => message.text === 'three');
      expect(told(me).map(({ message, seen }) => [message.text, seen ?? false])).toEqual([
        ['one', true],
        ['two', true],
        ['three', false],
      ]);
    });
  });
});
