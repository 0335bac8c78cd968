import { xml } from '@xmpp/xml';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { UserId } from '../../../adapters/contract.ts';
import { need, waitFor } from '../../servers/process.ts';
import { type Stage, stage } from './stage.ts';

const user = (jid: string): UserId => jid as UserId;

describe.skipIf(!need('XMPP people on Prosody', 'prosody', 'openssl'))('people on Prosody', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage();
  });
  afterEach(() => on.clear());
  afterAll(() => on.stop());

  const strangers = async () => {
    const [mine, theirs] = [await on.newUser('me'), await on.newUser('bob')];
    const bob = await on.plain(theirs);
    await bob.iq('get', undefined, xml('query', { xmlns: 'jabber:iq:roster' }));
    bob.send(xml('presence'));
    return { me: await on.imux(mine), bob };
  };

  it('adds a contact, who is asked, accepts and is then seen', async () => {
    const { me, bob } = await strangers();
    await me.session.contacts?.add(bob.bare);
    await me.host.next('contact', ({ contact }) => contact.address === bob.bare && contact.subscription === 'asked');
    await bob.next((stanza) => stanza.attrs.type === 'subscribe');
    bob.send(xml('presence', { to: me.jid, type: 'subscribed' }));
    await me.host.next('contact', ({ contact }) => contact.address === bob.bare && contact.subscription === 'to');
    await me.host.next('presence', ({ user, state }) => user === bob.bare && state === 'online');
  });

  it('asks the person about a request, and lets in only whom they accept', async () => {
    const { me, bob } = await strangers();
    bob.send(xml('presence', { to: me.jid, type: 'subscribe' }, xml('status', {}, 'it is Bob')));
    const request = await me.host.next('request');
    expect(request).toMatchObject({ kind: 'subscription', from: bob.bare });
    expect(bob.stanzas.some((stanza) => stanza.attrs.type === 'subscribed')).toBe(false);
    await me.session.contacts?.answer(request.id, true);
    await bob.next((stanza) => stanza.attrs.type === 'subscribed');
    await me.host.next('contact', ({ contact }) => contact.address === bob.bare && contact.subscription === 'from');
  });

  it('refuses a request', async () => {
    const { me, bob } = await strangers();
    bob.send(xml('presence', { to: me.jid, type: 'subscribe' }));
    const request = await me.host.next('request');
    await me.session.contacts?.answer(request.id, false);
    await bob.next((stanza) => stanza.attrs.type === 'unsubscribed');
    expect(me.host.events.some((event) => event.type === 'contact')).toBe(false);
  });

  it('renames, groups and removes a contact', async () => {
    const { me, bob } = await on.pair();
    await me.session.contacts?.rename(user(bob.bare), 'Robert 🎈');
    await me.host.next('contact', ({ contact }) => contact.name === 'Robert 🎈');
    await me.session.contacts?.group(user(bob.bare), ['Family', 'Work & Play']);
    const { contact } = await me.host.next('contact', (event) => event.contact.groups.length === 2);
    expect(contact).toMatchObject({ name: 'Robert 🎈', groups: expect.arrayContaining(['Family', 'Work & Play']) });
    await me.session.contacts?.remove(user(bob.bare));
    await me.host.next('contact-removed', (event) => event.user === bob.bare);
    await bob.next((stanza) => stanza.attrs.type === 'unsubscribed');
  });

  it('takes its own copy of the list where the server says that nothing changed', async () => {
    const { me, bob, user: mine } = await on.pair();
    await me.stop();
    const memory = new Map(me.host.memory.entries);
    expect(memory.get('roster')).toContain(bob.bare);
    const again = await on.imux(mine, memory);
    const { contacts } = await again.host.next('roster');
    expect(contacts.map(({ address }) => address)).toEqual([bob.bare]);
    await again.host.next('presence', ({ state }) => state === 'online');
  });

  it('shows its own presence and note to contacts', async () => {
    const { me, bob } = await on.pair();
    await me.session.presence?.set('busy', 'in a meeting');
    const seen = await bob.next((stanza) => stanza.getChildText('status') === 'in a meeting');
    expect(seen.getChildText('show')).toBe('dnd');
    expect(seen.getChild('c', 'http://jabber.org/protocol/caps')?.attrs.ver).toBeTruthy();
  });

  it('says what it can do to contacts, with the features that its hash stands for', async () => {
    const { me, bob } = await on.pair();
    const seen = await bob.next((stanza) => stanza.attrs.from?.startsWith(me.jid) === true && !!stanza.getChild('c'));
    const caps = seen.getChild('c');
    const node = `${caps?.attrs.node}#${caps?.attrs.ver}`;
    const reply = await bob.iq(
      'get',
      seen.attrs.from,
      xml('query', { xmlns: 'http://jabber.org/protocol/disco#info', node }),
    );
    expect(reply.attrs.type).toBe('result');
    expect(reply.getChild('query')?.getChildren('feature').length).toBeGreaterThan(10);
  });

  it('blocks and unblocks', async () => {
    const { me, bob } = await on.pair();
    await me.session.contacts?.block(user(bob.bare), true);
    bob.send(xml('message', { to: me.jid, type: 'chat', id: 'blocked-1' }, xml('body', {}, 'let me in')));
    await bob.next((stanza) => stanza.attrs.type === 'error' && stanza.attrs.id === 'blocked-1');
    await me.session.contacts?.block(user(bob.bare), false);
    bob.send(xml('message', { to: me.jid, type: 'chat' }, xml('body', {}, 'thank you')));
    await me.host.next('message', ({ message }) => message.text === 'thank you');
    expect(me.host.events.some((event) => event.type === 'message' && event.message.text === 'let me in')).toBe(false);
  });

  it('writes its profile and reads those of others', async () => {
    const { me, bob } = await on.pair();
    await me.session.profiles?.write?.({
      name: 'Me Myself',
      email: 'me@example.org',
      city: 'Oxford',
      country: 'England',
    });
    expect(await me.session.profiles?.read(user(me.jid))).toMatchObject({
      name: 'Me Myself',
      city: 'Oxford',
      country: 'England',
    });
    const card = xml('vCard', { xmlns: 'vcard-temp' }, xml('FN', {}, 'Bob the Builder'), xml('NICKNAME', {}, 'bob'));
    await bob.iq('set', undefined, card);
    expect(await me.session.profiles?.read(user(bob.bare))).toEqual({ name: 'Bob the Builder', nickname: 'bob' });
    await expect(me.session.profiles?.write?.({ shoe: '44' })).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('says `unsupported` where the server has no directory of people', async () => {
    const me = await on.imux(await on.newUser('me'));
    await expect(me.session.people?.search('bob')).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('tells strangers nothing of itself', async () => {
    const { me, bob } = await strangers();
    const resource = await waitFor(() => me.host.memory.get('resource') ?? '');
    for (const ns of [
      'jabber:iq:version',
      'urn:xmpp:time',
      'jabber:iq:last',
      'http://jabber.org/protocol/disco#info',
    ]) {
      const reply = await bob.iq('get', `${me.jid}/${resource}`, xml('query', { xmlns: ns }));
      expect(reply.attrs.type, ns).toBe('error');
    }
  });
});
