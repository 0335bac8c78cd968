import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ChatId, Nonce, UserId } from '../../../adapters/contract.ts';
import { realClock, type TestHostOptions } from '../../contract/host.ts';
import { type IrcPeer, ircPeer } from '../../contract/irc.peer.ts';
import { type TestCa, testCa } from '../../servers/ca.ts';
import { type Inspircd, startInspircd } from '../../servers/inspircd.ts';
import { type Ngircd, startNgircd } from '../../servers/ngircd.ts';
import { need } from '../../servers/process.ts';
import { type Client, startClient } from './scripted.ts';

const clients: Client[] = [];
const peers: IrcPeer[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.stop()));
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
});

let ca: TestCa;
beforeAll(async () => {
  ca = await testCa();
});
afterAll(() => ca.remove());

const id = <T extends string>(text: string): T => text as T;
let nonces = 0;
const nonce = (): Nonce => `n${nonces++}` as Nonce;

async function signIn(
  port: number,
  settings: Readonly<Record<string, string>>,
  options: TestHostOptions = {},
): Promise<Client> {
  const client = startClient(port, settings, options);
  clients.push(client);
  await client.host.next('roster');
  return client;
}

async function peer(port: number, caps?: string): Promise<IrcPeer> {
  const made = await ircPeer(port, caps);
  peers.push(made);
  return made;
}

describe.skipIf(!need('IRC on InspIRCd with Atheme', 'inspircd', 'atheme-services'))('InspIRCd with Atheme', () => {
  let server: Inspircd;
  beforeAll(async () => {
    server = await startInspircd(ca);
    await server.register(new Map([['alice', 'alice-secret-1']]));
  });
  afterAll(() => server.stop());

  test('L17 the certificate is checked against the name that was asked for, and by the CA that was given', async () => {
    const good = startClient(0, { server: `localhost:${server.ports.tls}`, tls: 'on', ca: ca.caFile, nick: 'good' });
    clients.push(good);
    await good.host.next('online');
    const unknown = startClient(0, { server: `localhost:${server.ports.tls}`, tls: 'on', nick: 'unknown' });
    expect(await unknown.ended).toMatchObject({ code: 'protocol', message: expect.stringContaining('certificate') });
  });

  test('SASL PLAIN signs in at the services, with a login other than the nick', async () => {
    const settings = {
      server: `127.0.0.1:${server.ports.tls}`,
      tls: 'on',
      ca: ca.caFile,
      nick: 'notalice',
      login: 'alice',
    };
    const client = await signIn(server.ports.tls, settings, { secrets: { password: 'alice-secret-1' } });
    const bob = await peer(server.ports.plain);
    bob.write('WHOIS notalice');
    expect(await bob.line((line) => / 330 /.test(line))).toContain(' notalice alice ');
    expect(client.host.events.some(({ type }) => type === 'online')).toBe(true);
  });

  test('a message has the id that the network gave it, and its peer gets that very id', async () => {
    const client = await signIn(server.ports.plain, { nick: 'sender' });
    const bob = await peer(server.ports.plain, 'message-tags');
    const sent = await client.session.send(id<ChatId>(bob.nick), 'with an id', nonce());
    const line = await bob.line((text) => text.includes('with an id'));
    expect(line).toContain(`msgid=${sent}`);
  });

  test('MONITOR and away-notify follow a contact without a common channel', async () => {
    const client = await signIn(server.ports.plain, { nick: 'watcher' });
    const bob = await peer(server.ports.plain);
    await client.session.contacts?.add(bob.nick);
    await client.host.next('presence', ({ state }) => state === 'online');
    await bob.present?.('away', 'in the garden');
    await client.host.next('presence', ({ state, note }) => state === 'away' && note === 'in the garden');
    await bob.present?.('offline');
    await client.host.next('presence', ({ state }) => state === 'offline');
  });

  test('what begins with /me arrives at others as an action, with an id as any text', async () => {
    const client = await signIn(server.ports.plain, { nick: 'actor' });
    const bob = await peer(server.ports.plain, 'message-tags');
    const sent = await client.session.send(id<ChatId>(bob.nick), '/me pours тea', nonce());
    const line = await bob.line((text) => text.includes('pours'));
    expect(line).toMatch(/ PRIVMSG \S+ :\x01ACTION pours тea\x01$/);
    expect(line).toContain(`msgid=${sent}`);
  });

  test('typing goes out and comes in', async () => {
    const client = await signIn(server.ports.plain, { nick: 'typist' });
    const bob = await peer(server.ports.plain, 'message-tags');
    const chat = (await client.session.resolve(bob.nick, AbortSignal.timeout(5_000))).id;
    await client.session.typing?.set(chat, true);
    await bob.line((line) => /\+typing=active.* TAGMSG typist2?|\+typing=active.*TAGMSG/.test(line));
    bob.write('@+typing=active TAGMSG typist');
    expect(await client.host.next('typing')).toMatchObject({ chat, user: id<UserId>(bob.nick), active: true });
  });

  test('the playback of a channel is history and not news', async () => {
    const bob = await peer(server.ports.plain);
    bob.write('JOIN #past');
    bob.write('MODE #past +H 50:1h');
    await bob.sayInRoom('#past', 'before you came');
    const client = await signIn(server.ports.plain, { nick: 'late', join: '#past' });
    const { message, live } = await client.host.next('message');
    expect([message.text, message.from, live]).toEqual(['before you came', bob.nick, false]);
    await bob.sayInRoom('#past', 'after you came');
    expect(await client.host.next('message', (event) => event.message.text === 'after you came')).toMatchObject({
      live: true,
    });
  });

  test('I4 the longest lines of a text of many bytes arrive whole at others', async () => {
    const client = await signIn(server.ports.plain, { nick: 'novelist', join: '#long' });
    const bob = await peer(server.ports.plain);
    await bob.sayInRoom('#long', 'go on');
    await client.host.next('message');
    const text = 'Съешь же ещё этих мягких французских булок 👩‍👩‍👧‍👦 '.repeat(20);
    await client.session.send(id<ChatId>('#long'), text, nonce());
    await bob.heard((heard) => heard.replaceAll('\n', '').includes(text), '#long');
  });

  test('a nick change of a contact in a channel is followed', async () => {
    const client = await signIn(server.ports.plain, { nick: 'follower', join: '#nicks' });
    const bob = await peer(server.ports.plain);
    await bob.sayInRoom('#nicks', 'here');
    await bob.say({ settings: {}, secrets: {}, address: 'follower' }, 'hello');
    await client.host.next('message', ({ message }) => message.text === 'hello');
    bob.write(`NICK ${bob.nick}b`);
    await client.host.next('chat', ({ chat }) => chat.id === bob.nick && chat.address === `${bob.nick}b`);
    await client.session.send(id<ChatId>(bob.nick), 'still you', nonce());
    await bob.line((line) => line.endsWith(`PRIVMSG ${bob.nick}b :still you`));
  });
});

describe.skipIf(!need('IRC on ngIRCd', 'ngircd'))('ngIRCd', () => {
  let server: Ngircd;
  beforeAll(async () => {
    server = await startNgircd(ca);
  });
  afterAll(() => server.stop());

  test('presence by ISON and USERHOST', async () => {
    const clock = {
      now: () => Date.now(),
      sleep: (ms: number, signal?: AbortSignal) => realClock.sleep(ms === 30_000 ? 100 : ms, signal),
    };
    const client = await signIn(server.ports.plain, { nick: 'watcher' }, { clock });
    const bob = await peer(server.ports.plain);
    await client.session.contacts?.add(bob.nick);
    await client.host.next('presence', ({ state }) => state === 'online');
    await bob.present?.('away', 'in the garden');
    await client.host.next('presence', ({ state }) => state === 'away');
    await bob.present?.('offline');
    await client.host.next('presence', ({ state }) => state === 'offline');
  });

  test('without labels the PING barrier tells a refusal from an acceptance', async () => {
    const client = await signIn(server.ports.plain, { nick: 'sender' });
    const bob = await peer(server.ports.plain);
    const key = nonce();
    expect(await client.session.send(id<ChatId>(bob.nick), 'hello', key)).toBe(key);
    await expect(client.session.send(id<ChatId>('nobodyhere'), 'x', nonce())).rejects.toMatchObject({
      code: 'not-found',
      certain: true,
    });
    bob.write('JOIN #closed');
    bob.write('MODE #closed +n');
    await bob.line((line) => / MODE #closed \+n/.test(line));
    await expect(client.session.send(id<ChatId>('#closed'), 'x', nonce())).rejects.toMatchObject({ code: 'refused' });
  });
});
