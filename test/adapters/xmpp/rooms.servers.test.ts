import { xml } from '@xmpp/xml';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { UserId } from '../../../adapters/contract.ts';
import { need, waitFor } from '../../servers/process.ts';
import type { PlainClient } from './client.ts';
import { chat, nonce, type Stage, stage } from './stage.ts';

const MUC = 'http://jabber.org/protocol/muc';

describe.skipIf(!need('XMPP rooms on Prosody', 'prosody', 'openssl'))('rooms on Prosody', () => {
  let on: Stage;
  let count = 0;
  beforeAll(async () => {
    on = await stage();
  });
  afterEach(() => on.clear());
  afterAll(() => on.stop());

  const newRoom = (): string => `room${++count}@conference.localhost`;
  const enter = async (client: PlainClient, room: string, nick: string): Promise<void> => {
    client.send(xml('presence', { to: `${room}/${nick}` }, xml('x', { xmlns: MUC })));
    await client.next(({ name, attrs }) => name === 'message' && attrs.from === room);
  };
  /** A room that Bob made, with us in it. */
  const together = async () => {
    const room = newRoom();
    const [mine, theirs] = [await on.newUser('me'), await on.newUser('bob')];
    const bob = await on.plain(theirs);
    await enter(bob, room, 'bob');
    const form = xml('x', { xmlns: 'jabber:x:data', type: 'submit' });
    await bob.iq('set', room, xml('query', { xmlns: `${MUC}#owner` }, form));
    const me = await on.imux(mine);
    const joined = await me.session.rooms?.join(room);
    return { room, me, mine, bob, id: joined?.id ?? chat('') };
  };

  it('lists who is there with their roles, and follows who comes and goes', async () => {
    const { me, bob, id, room } = await together();
    const { members } = await me.host.next('members');
    expect(members).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'bob', role: 'owner' }),
        expect.objectContaining({ name: me.jid.split('@')[0], role: 'member' }),
      ]),
    );
    bob.send(xml('presence', { to: `${room}/bob`, type: 'unavailable' }));
    await me.host.next('member', (event) => event.member.name === 'bob' && !event.present);
    expect((await me.session.rooms?.members(id))?.map(({ name }) => name)).toEqual([me.jid.split('@')[0]]);
  });

  it('calls its own words by the id that the room gave them', async () => {
    const { me, bob, id } = await together();
    const own = nonce();
    const sent = await me.session.send(id, 'hear, hear', own);
    const { message } = await me.host.next('message', (event) => event.message.text === 'hear, hear');
    expect(message).toMatchObject({ id: sent, from: 'self', nonce: own });
    const heard = await bob.next((stanza) => stanza.getChildText('body') === 'hear, hear');
    expect(heard.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id).toBe(sent);
    await me.session.edits?.edit(id, sent as never, 'there, there');
    await bob.next((stanza) => stanza.getChild('replace')?.attrs.id === own);
    await me.host.next('edited', (event) => event.id === sent && event.by === 'self');
  });

  it('X5 takes an edit from the author only, whatever their name is now', async () => {
    const { me, bob, room } = await together();
    const carol = await on.plain(await on.newUser('carol'));
    await enter(carol, room, 'carol');
    const said = xml('message', { to: room, type: 'groupchat', id: 'bob-said-it' }, xml('body', {}, 'original'));
    bob.send(said);
    const { message } = await me.host.next('message', (event) => event.message.text === 'original');
    const edit = (client: PlainClient, text: string): void => {
      const replace = xml('replace', { xmlns: 'urn:xmpp:message-correct:0', id: 'bob-said-it' });
      client.send(xml('message', { to: room, type: 'groupchat' }, xml('body', {}, text), replace));
    };
    edit(carol, 'by another');
    bob.send(xml('presence', { to: `${room}/bob`, type: 'unavailable' }));
    await me.host.next('member', (event) => event.member.name === 'bob' && !event.present);
    carol.send(xml('presence', { to: `${room}/bob` }));
    await me.host.next('member', (event) => event.member.name === 'bob' && event.present);
    edit(carol, 'by another under the same name');
    await enter(bob, room, 'robert');
    edit(bob, 'by its author under another name');
    const { id } = await me.host.next('edited', (event) => event.text.startsWith('by its author'));
    expect(id).toBe(message.id);
    expect(me.host.events.filter((event) => event.type === 'edited')).toHaveLength(1);
  });

  it('changes and hears the topic', async () => {
    const { me, bob, id, room } = await together();
    await me.session.rooms?.topic(id, 'x').catch(() => undefined);
    bob.send(xml('message', { to: room, type: 'groupchat' }, xml('subject', {}, 'Tea at six')));
    await me.host.next('chat', (event) => event.chat.id === id && event.chat.topic === 'Tea at six');
    const own = newRoom();
    const mine = await me.session.rooms?.join(own);
    await me.session.rooms?.topic(mine?.id ?? id, 'My topic');
    await me.host.next('chat', (event) => event.chat.address === own && event.chat.topic === 'My topic');
  });

  it('says `refused` for a topic that it may not set', async () => {
    const { me, id } = await together();
    await expect(me.session.rooms?.topic(id, 'mine!')).rejects.toMatchObject({ code: 'refused' });
  });

  it('takes another name where its own is taken', async () => {
    const { room, me, id } = await together();
    await me.session.rooms?.leave(id);
    await me.session.rooms?.join(room, { nick: 'bob' });
    const names = (await me.session.rooms?.members(id))?.map(({ name }) => name);
    expect(names?.toSorted()).toEqual(['bob', 'bob_']);
  });

  it('needs the password of a room, and remembers it for the next sign-in', async () => {
    const { room, bob, me, mine, id } = await together();
    await me.session.rooms?.leave(id);
    const fields = {
      FORM_TYPE: `${MUC}#roomconfig`,
      'muc#roomconfig_passwordprotectedroom': '1',
      'muc#roomconfig_roomsecret': 'sesame',
      'muc#roomconfig_persistentroom': '1',
    };
    const form = Object.entries(fields).map(([name, value]) => xml('field', { var: name }, xml('value', {}, value)));
    await bob.iq(
      'set',
      room,
      xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' }, ...form)),
    );
    await expect(me.session.rooms?.join(room)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('password'),
    });
    await me.session.rooms?.join(room, { password: 'sesame' });
    await waitFor(async () => (await bookmarks(mine.user, mine.password, on)).includes('sesame'));
    await me.stop();
    const again = await on.imux(mine, new Map());
    await again.host.next('members', (event) => event.chat === room);
  });

  it('invites, and asks the person about an invitation', async () => {
    const { me, bob, room } = await together();
    const other = newRoom();
    const mine = await me.session.rooms?.join(other);
    bob.send(xml('presence'));
    await me.session.rooms?.invite(mine?.id ?? chat(''), bob.bare as UserId);
    expect((await bob.next((stanza) => !!stanza.getChild('x', 'jabber:x:conference'))).getChild('x')?.attrs.jid).toBe(
      other,
    );

    const third = newRoom();
    await enter(bob, third, 'bob');
    await bob.iq(
      'set',
      third,
      xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' })),
    );
    const invite = xml('x', { xmlns: `${MUC}#user` }, xml('invite', { to: me.jid }, xml('reason', {}, 'come in')));
    bob.send(xml('message', { to: third }, invite));
    const request = await me.host.next('request');
    expect(request).toMatchObject({ kind: 'invite', text: `${third}: come in` });
    await me.session.contacts?.answer(request.id, true);
    await me.host.next('members', (event) => event.chat === third);
    expect(room).not.toBe(third);
  });

  it('X6 keeps what is said in private in a room in a chat of its own', async () => {
    const { me, bob, room } = await together();
    const own = me.jid.split('@')[0];
    bob.send(xml('message', { to: `${room}/${own}`, type: 'chat', id: 'between-us-1' }, xml('body', {}, 'between us')));
    const { message } = await me.host.next('message', (event) => event.message.text === 'between us');
    expect(message).toMatchObject({ chat: `${room}/bob`, from: `${room}/bob`, fromName: 'bob' });
    await me.session.send(message.chat, 'not a word', nonce());
    const heard = await bob.next((stanza) => stanza.getChildText('body') === 'not a word');
    expect(heard.attrs).toMatchObject({ from: `${room}/${own}`, type: 'chat' });
  });

  it('is told of it when it is removed from a room', async () => {
    const { me, bob, room, id } = await together();
    const item = xml('item', { nick: me.jid.split('@')[0], role: 'none' }, xml('reason', {}, 'too loud'));
    await bob.iq('set', room, xml('query', { xmlns: `${MUC}#admin` }, item));
    const left = await me.host.next('chat-left', (event) => event.chat === id);
    expect(left.reason).toContain('too loud');
    await expect(me.session.send(id, 'hey', nonce())).rejects.toMatchObject({ code: 'refused' });
  });

  it('enters its rooms again after a new sign-in, and tells nothing of their past twice', async () => {
    const { me, mine, bob, room, id } = await together();
    const say = (text: string): void =>
      bob.send(xml('message', { to: room, type: 'groupchat', id: `said-${text}` }, xml('body', {}, text)));
    say('long ago');
    await me.host.next('message', (event) => event.message.text === 'long ago');
    const memory = new Map(me.host.memory.entries);
    await me.stop();
    const again = await on.imux(mine, memory);
    expect((await again.host.next('roster')).chats).toMatchObject([{ id, kind: 'room' }]);
    await again.host.next('members', (event) => event.chat === id);
    say('just now');
    await again.host.next('message', (event) => event.message.text === 'just now');
    expect(again.host.events.filter((event) => event.type === 'message')).toHaveLength(1);
  });

  it('pages through the archive of a room', async () => {
    const { me, bob, room, id } = await together();
    for (let at = 0; at < 55; at++) {
      bob.send(
        xml('message', { to: room, type: 'groupchat', id: `said-${at}-in-room` }, xml('body', {}, `said ${at}`)),
      );
    }
    await me.host.next('message', (event) => event.message.text === 'said 54');
    const last = await me.session.history?.page(id);
    expect(last?.messages.at(-1)?.text).toBe('said 54');
    const live = me.host.events.flatMap((event) => (event.type === 'message' ? [event.message.id] : []));
    expect(live).toEqual(expect.arrayContaining(last?.messages.map((message) => message.id) ?? []));
    const first = await me.session.history?.page(id, last?.before);
    expect(first?.messages[0]?.text).toBe('said 0');
  });

  it('resolves a room as a room, and one that is not there as `not-found`', async () => {
    const { me, bob } = await together();
    const other = newRoom();
    await enter(bob, other, 'bob');
    await bob.iq(
      'set',
      other,
      xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' })),
    );
    const signal = AbortSignal.timeout(10_000);
    expect(await me.session.resolve(other, signal)).toMatchObject({ kind: 'room', address: other });
    await expect(me.session.resolve('nothing@conference.localhost', signal)).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(me.session.send(chat(other), 'from outside', nonce())).rejects.toMatchObject({ code: 'not-found' });
  });
});

async function bookmarks(user: string, password: string, on: Stage): Promise<string> {
  const other = await on.plain({ user, password, port: on.prosody.ports.c2s }, `look${Math.random()}`);
  const items = xml('items', { node: 'urn:xmpp:bookmarks:1' });
  const reply = await other.iq('get', undefined, xml('pubsub', { xmlns: 'http://jabber.org/protocol/pubsub' }, items));
  return reply.toString();
}
