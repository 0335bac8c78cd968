import { xml } from '@xmpp/xml';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { MessageId } from '../../../adapters/contract.ts';
import { need } from '../../servers/process.ts';
import { relay } from './relay.ts';
import { chat, nonce, type Stage, stage } from './stage.ts';

describe.skipIf(!need('XMPP chats on Prosody', 'prosody', 'openssl'))('chats on Prosody', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage();
  });
  afterEach(() => on.clear());
  afterAll(() => on.stop());

  const bodies = (text: string) => (stanza: { getChildText(name: string): string | null }) =>
    stanza.getChildText('body') === text;

  it('gets a receipt for what it sends, and gives one for what it gets', async () => {
    const { me, bob } = await on.pair();
    const id = await me.session.send(chat(bob.bare), 'did you get it?', nonce());
    const heard = await bob.next(bodies('did you get it?'));
    expect(heard.attrs.id).toBe(id);
    const received = xml('received', { xmlns: 'urn:xmpp:receipts', id });
    bob.send(xml('message', { to: heard.attrs.from, type: 'chat' }, received));
    await me.host.next('receipt', (event) => event.upTo === id && event.state === 'delivered' && event.single === true);

    const request = xml('request', { xmlns: 'urn:xmpp:receipts' });
    bob.send(xml('message', { to: me.jid, type: 'chat', id: 'from-bob-1' }, xml('body', {}, 'and you?'), request));
    await bob.next((stanza) => stanza.getChild('received', 'urn:xmpp:receipts')?.attrs.id === 'from-bob-1');
  });

  it('gives no receipt before the message is on disk', async () => {
    const { me, bob } = await on.pair();
    const release = me.host.holdSaves();
    const request = xml('request', { xmlns: 'urn:xmpp:receipts' });
    bob.send(xml('message', { to: me.jid, type: 'chat', id: 'from-bob-2' }, xml('body', {}, 'wait'), request));
    await me.host.next('message', ({ message }) => message.text === 'wait');
    await bob.iq('get', 'localhost', xml('ping', { xmlns: 'urn:xmpp:ping' }));
    const receipt = (stanza: (typeof bob.stanzas)[number]): boolean => stanza.getChild('received') !== undefined;
    expect(bob.stanzas.some(receipt)).toBe(false);
    release();
    await bob.next(receipt);
  });

  it('marks as read, and hears that it was read', async () => {
    const { me, bob } = await on.pair();
    const markable = xml('markable', { xmlns: 'urn:xmpp:chat-markers:0' });
    bob.send(xml('message', { to: me.jid, type: 'chat', id: 'from-bob-33333' }, xml('body', {}, 'read me'), markable));
    const { message } = await me.host.next('message', (event) => event.message.text === 'read me');
    await me.session.reading?.mark(chat(bob.bare), message.id);
    await bob.next((stanza) => stanza.getChild('displayed')?.attrs.id === 'from-bob-33333');

    const id = await me.session.send(chat(bob.bare), 'read this', nonce());
    const displayed = xml('displayed', { xmlns: 'urn:xmpp:chat-markers:0', id });
    bob.send(xml('message', { to: me.jid, type: 'chat' }, displayed));
    await me.host.next('receipt', (event) => event.upTo === id && event.state === 'read');
  });

  it('tells and hears who is typing', async () => {
    const { me, bob } = await on.pair();
    bob.send(xml('presence'));
    await me.host.next('presence');
    await me.session.typing?.set(chat(bob.bare), true);
    await bob.next((stanza) => stanza.getChild('composing') !== undefined);
    const composing = xml('composing', { xmlns: 'http://jabber.org/protocol/chatstates' });
    bob.send(xml('message', { to: me.jid, type: 'chat' }, composing));
    await me.host.next('typing', (event) => event.user === bob.bare && event.active);
    bob.send(xml('message', { to: me.jid, type: 'chat' }, xml('body', {}, 'done')));
    await me.host.next('message', ({ message }) => message.text === 'done');
  });

  it('edits, takes back, reacts and replies, as others do to it', async () => {
    const { me, bob } = await on.pair();
    const to = chat(bob.bare);
    const id = await me.session.send(to, 'helo', nonce());
    await me.session.edits?.edit(to, id, 'hello');
    expect((await bob.next(bodies('hello'))).getChild('replace')?.attrs.id).toBe(id);
    await me.session.reactions?.set(to, id, ['👍', '🎉']);
    const reacted = await bob.next((stanza) => stanza.getChild('reactions') !== undefined);
    expect(
      reacted
        .getChild('reactions')
        ?.getChildren('reaction')
        .map((one) => one.getText()),
    ).toEqual(['👍', '🎉']);
    await me.session.retractions?.retract(to, id);
    expect((await bob.next((stanza) => stanza.getChild('retract') !== undefined)).getChild('retract')?.attrs.id).toBe(
      id,
    );

    const say = (said: string, ...parts: ReturnType<typeof xml>[]): void =>
      bob.send(xml('message', { to: me.jid, type: 'chat', id: `bob-says-${said}` }, xml('body', {}, said), ...parts));
    say('one');
    await me.host.next('message', ({ message }) => message.text === 'one');
    say('two', xml('replace', { xmlns: 'urn:xmpp:message-correct:0', id: 'bob-says-one' }));
    await me.host.next(
      'edited',
      (event) => event.id === 'bob-says-one' && event.text === 'two' && event.by === bob.bare,
    );
    const reply = await me.session.send(to, 'indeed', nonce(), { replyTo: 'bob-says-one' as MessageId });
    const heard = await bob.next((stanza) => stanza.attrs.id === reply);
    expect(heard.getChildText('body')).toBe('> one\nindeed');
    expect(heard.getChild('reply')?.attrs.id).toBe('bob-says-one');
    expect(heard.getChild('fallback')?.getChild('body')?.attrs).toMatchObject({ start: '0', end: '6' });
    say('> hello\nyes', xml('reply', { xmlns: 'urn:xmpp:reply:0', id, to: me.jid }), quoted(8));
    const { message } = await me.host.next('message', (event) => event.message.text === 'yes');
    expect(message.replyTo).toBe(id);
  });

  const quoted = (end: number) =>
    xml('fallback', { xmlns: 'urn:xmpp:fallback:0', for: 'urn:xmpp:reply:0' }, xml('body', { start: 0, end }));

  it('hears what its other devices send and get', async () => {
    const { me, user, bob } = await on.pair();
    const phone = await on.plain(user, 'phone');
    await phone.iq('set', undefined, xml('enable', { xmlns: 'urn:xmpp:carbons:2' }));
    phone.send(xml('presence'));
    phone.send(xml('message', { to: bob.bare, type: 'chat', id: 'phone-said-1' }, xml('body', {}, 'from my phone')));
    const { message } = await me.host.next('message', (event) => event.message.text === 'from my phone');
    expect(message).toMatchObject({ from: 'self', chat: bob.bare });
    bob.send(xml('message', { to: phone.jid, type: 'chat', id: 'bob-to-phone' }, xml('body', {}, 'to your phone')));
    const back = await me.host.next('message', (event) => event.message.text === 'to your phone');
    expect(back.message).toMatchObject({ from: bob.bare, chat: bob.bare });
  });

  it('pages through the archive, backwards, to its beginning', async () => {
    const { me, bob } = await on.pair();
    const to = chat(bob.bare);
    for (let at = 0; at < 60; at++) await me.session.send(to, `line ${at}`, nonce());
    bob.send(xml('message', { to: me.jid, type: 'chat', id: 'bob-last-line' }, xml('body', {}, 'line 60')));
    await me.host.next('message', ({ message }) => message.text === 'line 60');

    const last = await me.session.history?.page(to);
    expect(last?.messages.length).toBe(50);
    expect(last?.messages.at(-1)).toMatchObject({ text: 'line 60', from: bob.bare, id: 'bob-last-line' });
    const first = await me.session.history?.page(to, last?.before);
    expect(first?.messages.map(({ text }) => text)).toEqual(Array.from({ length: 11 }, (_, at) => `line ${at}`));
    expect(first?.messages[0]?.from).toBe('self');
    expect(first?.before).toBeUndefined();
  });

  it('finds out from the archive whether an uncertain message went out', async () => {
    const { me, bob } = await on.pair();
    const sent = nonce();
    const id = await me.session.send(chat(bob.bare), 'surely', sent);
    expect(await me.session.lookup?.find(chat(bob.bare), sent)).toBe(id);
    expect(await me.session.lookup?.find(chat(bob.bare), nonce())).toBeUndefined();
  });

  it('sends a file by way of the server, and reads it back', async () => {
    const { me, bob } = await on.pair();
    const content = Buffer.from('some bytes \u{1f4ce}'.repeat(1000));
    const file = {
      name: 'notes ünïcode.txt',
      mime: 'text/plain',
      bytes: content.length,
      async *data() {
        yield content.subarray(0, 5000);
        yield content.subarray(5000);
      },
    };
    await me.session.files?.send(chat(bob.bare), file, nonce());
    const heard = await bob.next((stanza) => stanza.getChild('x', 'jabber:x:oob') !== undefined);
    const url = heard.getChildText('body') ?? '';
    expect(heard.getChild('x', 'jabber:x:oob')?.getChildText('url')).toBe(url);
    bob.send(
      xml(
        'message',
        { to: me.jid, type: 'chat', id: 'file-back-1' },
        xml('body', {}, url),
        xml('x', { xmlns: 'jabber:x:oob' }, xml('url', {}, url)),
      ),
    );
    const { message } = await me.host.next('message', (event) => event.message.files !== undefined);
    const [attachment] = message.files ?? [];
    expect(attachment?.name).toBe('notes ünïcode.txt');
    const parts: Uint8Array[] = [];
    for await (const part of me.session.files?.read(attachment?.id as never) ?? []) parts.push(part);
    expect(Buffer.concat(parts).equals(content)).toBe(true);
    expect(me.session.limits(chat(bob.bare)).fileBytes).toBeGreaterThan(1_000_000);
  });

  it('X17 reads no file from anywhere but its own server', async () => {
    const { me } = await on.pair();
    for (const url of [
      'http://169.254.169.254/x',
      'file:///etc/passwd',
      'aesgcm://localhost/x',
      'https://127.0.0.1:1/x',
    ]) {
      const read = async (): Promise<void> => {
        for await (const _ of me.session.files?.read(url as never) ?? []);
      };
      await expect(read(), url).rejects.toMatchObject({ code: 'refused' });
    }
  });

  it('carries on where it was when the connection is cut: nothing missed, nobody shown as gone, rooms kept', async () => {
    const { me: first, user, bob } = await on.pair();
    await first.stop();
    const wire = await relay(on.prosody.ports.c2s);
    const memory = new Map<string, string>();
    const before = await on.imux(user, memory, wire.port);
    await before.host.next('presence', (event) => event.user === bob.bare);
    const room = await before.session.rooms?.join('resumed@conference.localhost');
    if (!room) throw new Error('no room');

    const from = bob.stanzas.length;
    wire.cut();
    expect((await before.ended)?.code).toBe('unreachable');
    bob.send(xml('message', { to: before.jid, type: 'chat', id: 'while-you-were-out' }, xml('body', {}, 'hello?')));
    await bob.iq('get', 'localhost', xml('ping', { xmlns: 'urn:xmpp:ping' }));
    expect(bob.stanzas.slice(from).some(({ attrs }) => attrs.type === 'unavailable')).toBe(false);

    const after = await on.imux(user, memory, wire.port);
    const { message } = await after.host.next('message', (event) => event.message.text === 'hello?');
    expect(message.id).toBe('while-you-were-out');
    await after.host.next('presence', (event) => event.user === bob.bare && event.state === 'online');
    expect((await after.host.next('roster')).chats.map(({ id }) => id)).toEqual([room.id]);
    await after.host.next('members', (event) => event.chat === room.id);
    await after.session.send(room.id, 'still here', nonce());
    await after.stop();
    await bob.next(({ attrs }) => attrs.type === 'unavailable' && attrs.from?.startsWith(before.jid) === true, from);
    await wire.stop();
  });
});
