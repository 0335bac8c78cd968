import { afterEach, expect, test } from 'vitest';
import type { ChatId, Nonce, UserId } from '../../../adapters/contract.ts';
import { type IrcServer, type IrcServerOptions, startIrcServer } from '../../../src/demo/irc-server.ts';
import { realClock } from '../../contract/host.ts';
import { waitFor } from '../../servers/process.ts';
import { type Client, plainServer, scriptedServer, startClient, welcome } from './scripted.ts';

const servers: IrcServer[] = [];
const clients: Client[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.stop()));
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function serve(options: IrcServerOptions = {}): Promise<IrcServer> {
  const server = await startIrcServer({
    people: [{ nick: 'hatter' }, { nick: 'dormouse', away: 'asleep' }],
    channels: [
      { name: '#tea', topic: 'always six', members: ['hatter', 'dormouse'] },
      { name: '#locked', key: 'sesame', members: ['hatter'] },
      { name: '#closed', inviteOnly: true, members: ['hatter'] },
    ],
    ...options,
  });
  servers.push(server);
  return server;
}

async function signIn(
  server: IrcServer,
  settings: Readonly<Record<string, string>> = {},
  options: Parameters<typeof startClient>[2] = {},
): Promise<Client> {
  const client = startClient(server.port, settings, options);
  clients.push(client);
  await client.host.next('roster');
  return client;
}

let nonces = 0;
const nonce = (): Nonce => `n${nonces++}` as Nonce;
const id = <T extends string>(text: string): T => text as T;

test('a channel brings its topic, and its people with their roles', async () => {
  const client = await signIn(await serve(), { join: '#tea' });
  const { members } = await client.host.next('members');
  expect(members).toEqual([
    { id: 'hatter', name: 'hatter', role: 'moderator' },
    { id: 'dormouse', name: 'dormouse', role: 'member' },
    { id: 'me', name: 'me', role: 'member' },
  ]);
  await client.host.next('chat', ({ chat }) => chat.topic === 'always six');
});

test('channels joined by hand are joined again with their keys, and one that was left is not', async () => {
  const server = await serve();
  const memory = new Map<string, string>();
  const first = await signIn(server, {}, { memory });
  await first.session.rooms?.join('#locked', { password: 'sesame' });
  await first.session.rooms?.join('#tea');
  await first.session.rooms?.leave(id<ChatId>('#tea'));
  await first.host.next('chat-left', ({ chat }) => chat === '#tea');
  await first.stop();
  const second = await signIn(server, {}, { memory });
  expect((await second.host.next('roster')).chats).toMatchObject([{ id: '#locked', kind: 'room' }]);
  await second.host.next('members', ({ chat }) => chat === '#locked');
});

test.each([
  ['#locked', 'refused', /key/],
  ['#closed', 'refused', /invited/],
  ['#no,commas', 'bad-data', /no name/],
])('joining %s is `%s`', async (name, code, words) => {
  const client = await signIn(await serve());
  await expect(client.session.rooms?.join(name)).rejects.toMatchObject({ code, message: expect.stringMatching(words) });
});

test('a channel of the settings that does not let us in is told, and is no reason to leave', async () => {
  const client = await signIn(await serve(), { join: '#locked,#tea' });
  expect(await client.host.next('chat-left')).toMatchObject({ chat: '#locked', reason: expect.stringMatching(/key/) });
  await client.host.next('members', ({ chat }) => chat === '#tea');
});

test('channels that a bouncer has us in already are part of the first snapshot, and are not joined again', async () => {
  const server = await scriptedServer((line, say) => {
    plainServer(line, say, 'CASEMAPPING=ascii CHANTYPES=#');
    if (line.startsWith('USER')) say(':me!u@h JOIN #kept[1]');
  });
  const client = startClient(server.port, { join: '#Kept[1]' });
  clients.push(client);
  expect((await client.host.next('roster')).chats).toMatchObject([{ id: '#kept[1]', address: '#kept[1]' }]);
  await client.session.send(id<ChatId>('#kept[1]'), 'x', nonce());
  expect(server.lines.filter((line) => line.startsWith('JOIN'))).toEqual([]);
  await client.stop();
  await server.stop();
});

test('of several lines some of which were refused, the rest may have arrived, and that is not certain', async () => {
  let count = 0;
  const server = await scriptedServer((line, say) => {
    if (line.startsWith('CAP LS')) say(':s CAP * LS :echo-message');
    else if (line.startsWith('CAP REQ')) say(':s CAP * ACK :echo-message');
    else if (line === 'CAP END') welcome('me', say, 'CHANTYPES=#');
    else if (line.startsWith('PRIVMSG')) say(count++ === 0 ? `:me!u@h ${line}` : ':s 404 me #c :too fast');
    else if (line.startsWith('PING')) say(`:s PONG s ${line.slice(5)}`);
  });
  const client = startClient(server.port);
  clients.push(client);
  await client.host.next('roster');
  await expect(client.session.send(id<ChatId>('#c'), 'one\ntwo', nonce())).rejects.toMatchObject({
    code: 'refused',
    certain: false,
  });
  await expect(client.session.send(id<ChatId>('#c'), 'three', nonce())).rejects.toMatchObject({
    code: 'refused',
    certain: true,
  });
  await client.stop();
  await server.stop();
});

test('a look at a channel does not enter it', async () => {
  const server = await serve();
  const client = await signIn(server);
  const looked = await client.session.resolve('#Tea', AbortSignal.timeout(5_000), true);
  expect(looked).toMatchObject({ id: '#tea', kind: 'room' });
  const joins = () => server.received.filter((line) => /\bJOIN :?#tea/i.test(line));
  expect(joins()).toEqual([]);
  expect((await client.session.resolve('#tea', AbortSignal.timeout(5_000))).id).toBe(looked.id);
  expect(joins()).toHaveLength(1);
});

test('an invitation is a request; accepted, it leads into the channel', async () => {
  const server = await serve();
  const client = await signIn(server);
  server.raw(':hatter!demo@demo.example INVITE me #tea');
  const request = await client.host.next('request');
  expect(request).toMatchObject({ kind: 'invite', from: 'hatter', text: '#tea' });
  await client.session.contacts?.answer(request.id, true);
  await client.host.next('members', ({ chat }) => chat === '#tea');
  await expect(client.session.contacts?.answer(request.id, true)).rejects.toMatchObject({ code: 'not-found' });
});

test('who is put out of a channel is told by whom, and does not come back by itself', async () => {
  const server = await serve();
  const memory = new Map<string, string>();
  const client = await signIn(server, {}, { memory });
  await client.session.rooms?.join('#tea');
  server.raw(':hatter!demo@demo.example KICK #tea me :no room');
  expect(await client.host.next('chat-left')).toMatchObject({ chat: '#tea', reason: 'hatter put you out: no room' });
  expect(memory.get('channels')).toBeUndefined();
});

test('contacts are kept by imux and outlive the session', async () => {
  const server = await serve();
  const memory = new Map<string, string>();
  const first = await signIn(server, {}, { memory });
  await first.session.contacts?.add('Hatter');
  await first.session.contacts?.rename(id<UserId>('hatter'), 'The Hatter');
  await first.session.contacts?.group(id<UserId>('hatter'), ['Tea']);
  await first.host.next('presence', ({ user, state }) => user === 'hatter' && state === 'online');
  await first.stop();
  const second = await signIn(server, {}, { memory });
  expect((await second.host.next('roster')).contacts).toEqual([
    { id: 'hatter', chat: 'hatter', address: 'Hatter', name: 'The Hatter', groups: ['Tea'] },
  ]);
  await second.session.contacts?.remove(id<UserId>('hatter'));
  await second.host.next('contact-removed', ({ user }) => user === 'hatter');
  expect(memory.get('contacts')).toBe('[]');
});

test('presence by MONITOR: away with its note, back, gone and here again', async () => {
  const server = await serve();
  const client = await signIn(server);
  await client.session.contacts?.add('dormouse');
  await client.host.next('presence', ({ state }) => state === 'away');
  server.away('dormouse');
  await client.host.next('presence', ({ state }) => state === 'online', 3);
  server.away('dormouse', 'in the pot');
  await client.host.next('presence', ({ state, note }) => state === 'away' && note === 'in the pot');
  server.quit('dormouse');
  await client.host.next('presence', ({ state }) => state === 'offline');
  const from = client.host.events.length;
  server.come({ nick: 'dormouse' });
  await client.host.next('presence', ({ state }) => state === 'online', from);
});

test('presence by ISON where the server knows no MONITOR', async () => {
  const server = await serve({ monitor: false, caps: [] });
  const wakes: (() => void)[] = [];
  const clock = {
    now: () => Date.now(),
    sleep: (ms: number, signal?: AbortSignal) =>
      ms === 30_000
        ? new Promise<void>((resolve, reject) => {
            wakes.push(resolve);
            signal?.addEventListener('abort', () => reject(signal.reason));
          })
        : realClock.sleep(ms, signal),
  };
  const client = await signIn(server, {}, { clock });
  await client.session.contacts?.add('hatter');
  await client.host.next('presence', ({ state }) => state === 'online');
  server.quit('hatter');
  for (const wake of wakes) wake();
  await client.host.next('presence', ({ state }) => state === 'offline');
});

test('a private chat follows a person to a new nick, and another bearer of the old nick is somebody else', async () => {
  const server = await serve();
  const client = await signIn(server, { join: '#tea' });
  await client.host.next('members');
  server.say('hatter', 'me', 'hello');
  await client.host.next('message', ({ message }) => message.text === 'hello');
  server.rename('hatter', 'mad');
  expect(await client.host.next('chat', ({ chat }) => chat.address === 'mad')).toMatchObject({
    chat: { id: 'hatter' },
  });
  server.say('mad', 'me', 'still me');
  const still = await client.host.next('message', ({ message }) => message.text === 'still me');
  expect(still.message).toMatchObject({ chat: 'hatter', from: 'hatter' });
  await client.session.send(id<ChatId>('hatter'), 'to the new nick', nonce());
  expect(server.received.some((line) => line.endsWith('PRIVMSG mad :to the new nick'))).toBe(true);

  server.come({ nick: 'hatter' });
  server.say('hatter', 'me', 'another one');
  const other = await client.host.next('message', ({ message }) => message.text === 'another one');
  expect(other.message.chat).not.toBe('hatter');
  expect(other.message.from).not.toBe('hatter');
  await client.session.send(other.message.chat, 'to the other', nonce());
  expect(server.received.some((line) => line.endsWith('PRIVMSG hatter :to the other'))).toBe(true);
});

test('two open chats are never made one when a nick changes to the other', async () => {
  const server = await serve();
  const client = await signIn(server, { join: '#tea' });
  await client.host.next('members');
  for (const nick of ['hatter', 'dormouse']) server.say(nick, 'me', `I am ${nick}`);
  await client.host.next('message', ({ message }) => message.text === 'I am dormouse');
  server.quit('dormouse');
  server.rename('hatter', 'dormouse');
  expect(await client.host.next('notice')).toMatchObject({ text: expect.stringContaining('stays apart') });
});

test('typing comes and goes, and is not sent more often than each three seconds', async () => {
  const server = await serve();
  const client = await signIn(server);
  const { id: chat } = await client.session.resolve('hatter', AbortSignal.timeout(1_000));
  server.typing('hatter', 'me', 'active');
  server.typing('hatter', 'me', 'done');
  await client.host.next('typing', ({ active }) => active);
  await client.host.next('typing', ({ active }) => !active);
  for (let count = 0; count < 5; count++) await client.session.typing?.set(chat, true);
  await client.session.typing?.set(chat, false);
  await client.session.send(chat, 'x', nonce());
  expect(server.received.filter((line) => line.includes('TAGMSG'))).toEqual([
    '@+typing=active TAGMSG :hatter',
    '@+typing=done TAGMSG :hatter',
  ]);
});

test('a server without tags makes typing `unsupported`', async () => {
  const client = await signIn(await serve({ caps: [] }));
  await expect(client.session.typing?.set(id<ChatId>('hatter'), true)).rejects.toMatchObject({ code: 'unsupported' });
});

test('/me and notices have their style, and codes are taken out', async () => {
  const server = await serve();
  const client = await signIn(server);
  server.say('hatter', 'me', '\x01ACTION pours \x02tea\x02\x01');
  server.notice('hatter', 'me', 'a \x0304notice');
  expect((await client.host.next('message')).message).toMatchObject({ text: 'pours tea', style: 'action' });
  const notice = await client.host.next('message', ({ message }) => message.style === 'notice');
  expect(notice.message.text).toBe('a notice');
});

test('what begins with /me goes out as an action, each line of it within 512 bytes', async () => {
  const server = await serve();
  const client = await signIn(server);
  const { id: chat } = await client.session.resolve('hatter', AbortSignal.timeout(1_000));
  await client.session.send(chat, '/me pours tea', nonce());
  await client.session.send(chat, `/me ${'тea '.repeat(200)}`, nonce());
  await client.session.send(chat, '/mean', nonce());
  await client.session.send(chat, '/me', nonce());
  const sent = server.received.flatMap((line) => /PRIVMSG hatter :(.*)$/.exec(line)?.[1] ?? []);
  expect(sent[0]).toBe('\x01ACTION pours tea\x01');
  expect(sent.slice(-2)).toEqual(['/mean', '/me']);
  const long = sent.slice(1, -2);
  expect(long.length).toBeGreaterThan(1);
  for (const line of long) expect(line).toMatch(/^\x01ACTION [^\x01]+\x01$/);
  for (const line of long) expect(Buffer.byteLength(line)).toBeLessThan(512 - 'me!user@host PRIVMSG hatter :'.length);
});

test('a blocked person is not heard', async () => {
  const server = await serve();
  const client = await signIn(server);
  await client.session.contacts?.block(id<UserId>('hatter'), true);
  server.say('hatter', 'me', 'can you hear me?');
  server.say('dormouse', 'me', 'zzz');
  await client.host.next('message', ({ message }) => message.text === 'zzz');
  await client.session.contacts?.block(id<UserId>('hatter'), false);
  server.say('hatter', 'me', 'and now?');
  await client.host.next('message', ({ message }) => message.text === 'and now?');
  expect(client.host.events.filter(({ type }) => type === 'message')).toHaveLength(2);
});

test('with labels and echo the message has the id that the network gave it', async () => {
  const server = await serve();
  const client = await signIn(server);
  const { id: chat } = await client.session.resolve('hatter', AbortSignal.timeout(1_000));
  expect(await client.session.send(chat, 'hi', nonce())).toMatch(/^m/);
  expect(server.received.some((line) => /^@label=\S+ PRIVMSG hatter :hi$/.test(line))).toBe(true);
  expect(server.received.some((line) => line.startsWith('PING') && server.received.indexOf(line) > 8)).toBe(false);
});

test('without labels a PING stands behind the message, and a refusal comes before its PONG', async () => {
  const server = await serve({ caps: ['echo-message', 'message-tags'] });
  const client = await signIn(server);
  const { id: chat } = await client.session.resolve('hatter', AbortSignal.timeout(1_000));
  expect(await client.session.send(chat, 'hi', nonce())).toMatch(/^m/);
  await expect(client.session.send(id<ChatId>('nobody'), 'hi', nonce())).rejects.toMatchObject({
    code: 'not-found',
    certain: true,
  });
  await expect(client.session.send(id<ChatId>('#tea'), 'hi', nonce())).rejects.toMatchObject({ code: 'refused' });
  expect(client.host.events.filter(({ type }) => type === 'message')).toEqual([]);
});

test('what we said from another client comes as ours', async () => {
  const server = await serve({ caps: ['echo-message', 'message-tags'] });
  const client = await signIn(server);
  server.raw('@msgid=elsewhere :me!user@demo.example PRIVMSG hatter :from my telephone');
  const { message } = await client.host.next('message');
  expect(message).toMatchObject({ id: 'elsewhere', from: 'self', chat: 'hatter', text: 'from my telephone' });
});

test('a playback is shown but not announced, and what happened in it does not happen now', async () => {
  const server = await serve();
  const client = await signIn(server, { join: '#tea' });
  await client.host.next('members');
  server.raw('BATCH +p chathistory #tea');
  server.raw('@batch=p;time=2024-05-06T07:08:09.000Z;msgid=old :hatter!demo@demo.example PRIVMSG #tea :long ago');
  server.raw('@batch=p;time=2024-05-06T07:08:10.000Z :hatter!demo@demo.example PART #tea');
  server.raw('BATCH -p');
  const { message, live } = await client.host.next('message');
  expect([message.id, message.at.toISOString(), live]).toEqual(['old', '2024-05-06T07:08:09.000Z', false]);
  expect(await client.session.rooms?.members(id<ChatId>('#tea'))).toHaveLength(3);
});

test('away is told to the server and taken back', async () => {
  const server = await serve();
  const client = await signIn(server);
  await client.session.presence?.set('away', 'at lunch');
  await client.session.presence?.set('online');
  expect(server.received.filter((line) => line.includes('AWAY')).map((line) => line.replace(/^@\S+ /, ''))).toEqual([
    'AWAY :at lunch',
    'AWAY',
  ]);
  await expect(client.session.presence?.set('offline')).rejects.toMatchObject({ code: 'unsupported' });
});

test('NickServ gets the password where there is no SASL, and an echo of it reaches nobody', async () => {
  const server = await serve({ people: [{ nick: 'NickServ' }] });
  const client = await signIn(server, { sasl: 'none', login: 'melogin' }, { secrets: { password: 'hush' } });
  expect(server.received.some((line) => line.endsWith('PRIVMSG NickServ :IDENTIFY melogin hush'))).toBe(true);
  expect(JSON.stringify([client.host.events, client.host.logs])).not.toContain('hush');
});

test('lines leave no faster than the pace of the settings allows', async () => {
  const server = await serve({ caps: [] });
  const slept: number[] = [];
  let now = 0;
  const clock = {
    now: () => now,
    sleep: (ms: number, signal?: AbortSignal) =>
      ms >= 15_000
        ? realClock.sleep(ms, signal)
        : new Promise<void>((resolve) => {
            slept.push(ms);
            now += ms;
            setImmediate(resolve);
          }),
  };
  const client = await signIn(server, { pace: '3/2000' }, { clock });
  await client.session.send(
    id<ChatId>('hatter'),
    Array.from({ length: 10 }, (_, at) => `line ${at}`).join('\n'),
    nonce(),
  );
  expect(slept.filter((ms) => ms === 2_000)).toHaveLength(7);
});

test('a silent server is asked after 15 s and given up after 28 s', async () => {
  let now = 0;
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  const clock = {
    now: () => now,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        sleepers.add({ at: now + ms, wake: resolve });
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
  };
  const server = await serve();
  const client = await signIn(server, {}, { clock });
  const advance = (ms: number): void => {
    now += ms;
    for (const sleeper of [...sleepers].filter(({ at }) => at <= now)) {
      sleepers.delete(sleeper);
      sleeper.wake();
    }
  };
  advance(15_000);
  await waitFor(() => server.received.some((line) => line.includes('alive')));
  // The answer counts as a sign of life; then the server falls silent for good.
  await waitFor(() => {
    advance(1_000);
    return server.received.filter((line) => line.includes('alive')).length === 2;
  });
  expect(client.host.logs).toEqual([]);
  const callbacks = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  let over = false;
  void client.ended.then(() => {
    over = true;
  });
  await waitFor(async () => {
    // Asked, and no answer gets a turn before the time is up.
    for (let step = 0; step < 4; step++) {
      advance(15_000);
      await callbacks();
    }
    return over;
  });
  expect(await client.ended).toMatchObject({ code: 'unreachable', message: expect.stringMatching(/28 s/) });
});

test('a server that says nothing while TLS is due is given up', async () => {
  const server = await scriptedServer(() => {});
  const clock = {
    now: () => Date.now(),
    sleep: (ms: number, signal?: AbortSignal) => realClock.sleep(ms / 200, signal),
  };
  const client = startClient(server.port, { tls: 'on' }, { clock });
  expect(await client.ended).toMatchObject({ code: 'unreachable', message: expect.stringContaining('20 s') });
  await server.stop();
});

test('L19 a lost connection ends the session at once, and a message then is `unreachable` and not dropped in silence', async () => {
  const server = await serve();
  const client = await signIn(server);
  server.dropConnections();
  expect(await client.ended).toMatchObject({ code: 'unreachable' });
  await expect(client.session.send(id<ChatId>('hatter'), 'x', nonce())).rejects.toMatchObject({
    code: 'unreachable',
    certain: true,
  });
});

test('a send that was on its way when the connection broke is not certain', async () => {
  const server = await serve({ people: [{ nick: 'hatter' }] });
  const client = await signIn(server);
  server.onMessage(() => server.dropConnections());
  await expect(client.session.send(id<ChatId>('hatter'), 'x', nonce())).rejects.toMatchObject({
    code: 'unreachable',
    certain: false,
  });
});

test('20,000 messages take at most 0.8 s of CPU, and none is lost or out of order', async () => {
  const server = await serve();
  const client = await signIn(server, { join: '#tea' });
  await client.host.next('members');
  const lines = Array.from(
    { length: 20_000 },
    (_, at) =>
      `@time=2026-01-02T03:04:05.678Z;msgid=f${at} :p${at % 20}!u@h.example PRIVMSG #tea :message ${at} ${'x'.repeat(50)}`,
  );
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\nPING :end\r\n`);
  const before = process.cpuUsage();
  server.raw(bytes);
  await waitFor(() => server.received.includes('PONG :end'));
  const { user, system } = process.cpuUsage(before);
  const ids = client.host.events.flatMap((event) => (event.type === 'message' ? [event.message.id] : []));
  expect(ids).toEqual(lines.map((_, at) => `f${at}`));
  expect((user + system) / 1e6).toBeLessThan(0.8);
});
