import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileId, MessageId, Upload } from '../../../adapters/contract.ts';
import { CLOUD_FILES, outbound } from '../../../adapters/telegram/outbound.ts';
import { BotApi } from '../../../adapters/telegram/transport/client.ts';
import { lanes } from '../../../adapters/telegram/transport/lanes.ts';
import type { Group } from '../../../src/demo/bot-api.ts';
import { waitFor } from '../../servers/process.ts';
import { type BotApiServer, fakeClock, nonce, type Opened, online, startBotApi } from './fixture.ts';

const alice = { id: 41, name: 'Alice Liddell', username: 'alice' };
const hatter = { id: 42, name: 'Hatter' };
const stranger = { id: 43, name: 'Cheshire', stranger: true };
const party: Group = {
  id: -1_001_000_000_001,
  kind: 'supergroup',
  title: 'Tea party',
  username: 'teaparty',
  members: [42, 41],
};
const forum: Group = {
  id: -1_001_000_000_002,
  kind: 'supergroup',
  title: 'Court',
  topics: { 7: 'Tarts', 8: 'Croquet' },
  members: [42],
};
const news: Group = { id: -1_001_000_000_003, kind: 'channel', title: 'News', username: 'wonderland', members: [42] };

let server: BotApiServer;
let one: Opened;
const opened: Opened[] = [];
const connect = async (options = {}): Promise<Opened> => {
  const made = await online(server, options);
  opened.push(made);
  return made;
};

beforeEach(async () => {
  server = await startBotApi({ people: [alice, hatter, stranger], groups: [party, forum, news] });
  one = await connect();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((made) => made.stop()));
  await server.stop();
});

const upload = (name: string, bytes: Uint8Array, said = bytes.length): Upload => ({
  name,
  mime: 'text/plain',
  bytes: said,
  async *data() {
    for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
  },
});
const read = async (id: FileId, from: Opened): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of from.session.files?.read(id) ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
};
const heard = (text: string, by = one) => by.host.next('message', ({ message }) => message.text === text);

describe('text', () => {
  it('T1 reserved characters of every markup go out and come in as they are, with no parse_mode', async () => {
    const chat = await one.chat('41');
    const texts = [
      '_*[]()~`>#+-=|{}.!\\',
      '<b>bold</b> &amp; &lt;',
      '[link](http://x) **b** ||s||',
      '@alice /start #tag $USD',
    ];
    for (const text of texts) {
      await one.session.send(chat, text, nonce);
      server.say(alice, text);
      expect((await heard(text)).message.text).toBe(text);
    }
    expect(server.sent.map(({ text }) => text)).toEqual(texts);
    for (const { payload } of server.calls.filter(({ method }) => method === 'sendMessage')) {
      expect(payload).not.toHaveProperty('parse_mode');
      expect(payload).not.toHaveProperty('entities');
    }
  });

  it('4096 UTF-16 units go out, 4097 do not leave', async () => {
    const chat = await one.chat('41');
    const most = '🐇'.repeat(2048);
    expect(one.session.limits(chat).textChars).toBe(4096);
    await one.session.send(chat, most, nonce);
    await expect(one.session.send(chat, `${most}x`, nonce)).rejects.toMatchObject({ code: 'too-long', certain: true });
    await expect(one.session.send(chat, ' \n ', nonce)).rejects.toMatchObject({ code: 'refused', certain: true });
    expect(server.sent.map(({ text }) => text)).toEqual([most]);
  });

  it('replies, edits and reactions go both ways; own messages are taken back', async () => {
    const chat = await one.chat('41');
    const { session, host } = one;
    const sent = await session.send(chat, 'why is a raven', nonce);
    const theirs = server.say(alice, 'like a writing-desk?', { replyTo: Number(sent) });
    const { message } = await host.next('message');
    expect(message.replyTo).toBe(sent);

    await session.send(chat, 'no idea', nonce, { replyTo: message.id });
    expect(server.sent.at(-1)?.replyTo).toBe(theirs);
    server.edit(theirs, 'like a desk?');
    expect(await host.next('edited')).toMatchObject({ chat, id: message.id, by: message.from, text: 'like a desk?' });
    await session.edits?.edit(chat, sent, 'why is a crow');
    await session.edits?.edit(chat, sent, 'why is a crow');
    expect(server.sent[0]?.text).toBe('why is a crow');

    server.react(alice, Number(sent), ['🔥', '👍']);
    expect(await host.next('reactions')).toMatchObject({ chat, id: sent, by: message.from, emoji: ['🔥', '👍'] });
    await session.reactions?.set(chat, sent, ['❤']);
    expect(server.sent[0]?.reactions).toEqual(['❤']);
    await session.reactions?.set(chat, sent, []);
    expect(server.sent[0]?.reactions).toEqual([]);

    await session.retractions?.retract(chat, sent);
    expect(server.sent[0]?.deleted).toBe(true);
    await expect(session.edits?.edit(chat, '999999' as MessageId, 'x')).rejects.toMatchObject({ code: 'not-found' });
    await expect(session.edits?.edit(chat, message.id, 'x')).rejects.toMatchObject({ code: 'refused' });
  });

  it('typing goes out at most once in four seconds', async () => {
    const clock = fakeClock();
    const two = await connect({ clock, token: server.addBot('second') });
    const chat = await two.chat('41');
    await two.session.typing?.set(chat, true);
    await two.session.typing?.set(chat, true);
    expect(server.actions).toEqual([{ chat: 41, action: 'typing' }]);
    clock.advance(4000);
    await two.session.typing?.set(chat, true);
    await two.session.typing?.set(chat, false);
    expect(server.actions.length).toBe(2);
  });
});

describe('people and rooms', () => {
  it('who wrote is a contact from then on, after a restart too, and without writing anew each time', async () => {
    expect((await one.host.next('roster')).contacts).toEqual([]);
    server.say(alice, 'one');
    server.say(alice, 'two');
    await heard('two');
    server.say(hatter, 'three', { group: party.id });
    await heard('three');
    const kinds = one.host.events.map(({ type }) => type);
    expect(kinds.slice(2)).toEqual(['contact', 'message', 'message', 'chat', 'member', 'message']);

    const later = await connect({ memory: one.host.memory.entries, token: server.addBot('other') });
    const { contacts, chats } = await later.host.next('roster');
    expect(contacts).toEqual([{ id: '41', chat: '41', address: '@alice', name: 'Alice Liddell', groups: [] }]);
    expect(chats).toEqual([{ id: String(party.id), kind: 'room', address: '@teaparty', title: 'Tea party' }]);
  });

  it('a new name of a person or a group is told once', async () => {
    server.say(alice, 'one');
    server.push('message', {
      message_id: 900,
      chat: { id: 41, type: 'private', first_name: 'Alicia' },
      from: { id: 41 },
      date: 1,
      text: 'two',
    });
    await heard('two');
    const names = one.host.events.flatMap((event) => (event.type === 'contact' ? [event.contact.name] : []));
    expect(names).toEqual(['Alice Liddell', 'Alicia']);
    server.push('message', {
      message_id: 901,
      chat: { id: party.id, type: 'supergroup', title: 'Mad tea party' },
      from: { id: 42 },
      date: 1,
      new_chat_title: 'x',
    });
    expect((await one.host.next('chat')).chat.title).toBe('Mad tea party');
  });

  it('resolves names, ids and links; says `not-found` of strangers, `bad-data` of what is no address and `refused` where it was blocked', async () => {
    const signal = AbortSignal.timeout(5000);
    const { session } = one;
    expect(await session.resolve('@teaparty', signal)).toMatchObject({
      id: String(party.id),
      kind: 'room',
      topic: 'About Tea party',
    });
    expect(await session.resolve('https://t.me/wonderland', signal)).toMatchObject({ title: 'News' });
    expect(await session.resolve('41', signal)).toMatchObject({ kind: 'direct', title: 'Alice Liddell' });
    // A name leads to people only once they are known: the Bot API looks up none but groups and channels.
    expect(await session.resolve('ALICE', signal)).toMatchObject({ id: '41' });
    for (const nobody of ['43', '@cheshire', '77777', '-1009'])
      await expect(session.resolve(nobody, signal)).rejects.toMatchObject({ code: 'not-found' });
    for (const none of ['not an address', '', '../getMe', `@${'x'.repeat(99)}`])
      await expect(session.resolve(none, signal)).rejects.toMatchObject({ code: 'bad-data' });

    server.expel(alice, alice);
    expect((await one.host.next('notice')).text).toContain('Alice Liddell has blocked');
    const blocked = await session.send(await one.chat('41'), 'hello?', nonce).catch((error: unknown) => error);
    expect(blocked).toMatchObject({ code: 'refused', message: 'they have blocked this bot', certain: true });
  });

  it('each topic of a forum is a room of its own, with its name', async () => {
    server.say(hatter, 'who stole them?', { group: forum.id, thread: 7 });
    server.say(hatter, 'off with their heads', { group: forum.id, thread: 8 });
    server.say(hatter, 'in general', { group: forum.id });
    await heard('in general');
    const chats = one.host.events.flatMap((event) => (event.type === 'chat' ? [event.chat] : []));
    expect(chats.map(({ id, title }) => [id, title])).toEqual([
      [`${forum.id}/7`, 'Court / Tarts'],
      [`${forum.id}/8`, 'Court / Croquet'],
      [String(forum.id), 'Court'],
    ]);
    const stolen = (await heard('who stole them?')).message;
    expect(stolen).toMatchObject({ chat: `${forum.id}/7` });
    expect(stolen.replyTo).toBeUndefined();

    await one.session.send(await one.chat(`${forum.id}/7`), 'the knave', nonce);
    expect(server.sent.at(-1)).toMatchObject({ chat: forum.id, thread: 7 });
    server.react(hatter, Number(stolen.id), ['😁']);
    expect((await one.host.next('reactions')).chat).toBe(`${forum.id}/7`);
  });

  it('channel posts come from the channel', async () => {
    const id = server.say(hatter, 'news!', { group: news.id });
    const { message } = await heard('news!');
    expect(message).toMatchObject({ chat: String(news.id), from: String(news.id), fromName: 'News' });
    server.edit(id, 'old news');
    expect(await one.host.next('edited')).toMatchObject({ by: String(news.id), text: 'old news' });
  });

  it('members are the admins and those who were seen; who left is gone', async () => {
    server.say(alice, 'hello', { group: party.id });
    const { message } = await heard('hello');
    const members = await one.session.rooms?.members(message.chat);
    expect(members).toEqual([
      { id: '41', name: 'Alice Liddell' },
      { id: '42', name: 'Hatter', role: 'owner' },
    ]);
    server.push('message', {
      message_id: 902,
      chat: { id: party.id, type: 'supergroup', title: 'Tea party' },
      date: 1,
      from: { id: 41 },
      left_chat_member: { id: 41, first_name: 'Alice' },
    });
    expect(await one.host.next('member', ({ present }) => !present)).toMatchObject({ member: { id: '41' } });
    expect((await one.session.rooms?.members(message.chat))?.map(({ id }) => id)).toEqual(['42']);
  });

  it('a room it was removed from is left, and is not in the next roster', async () => {
    server.say(hatter, 'hello', { group: party.id });
    await heard('hello');
    server.expel(hatter, party);
    expect(await one.host.next('chat-left')).toMatchObject({ chat: String(party.id), reason: 'the bot was removed' });
    await expect(one.session.send(String(party.id) as never, 'x', nonce)).rejects.toMatchObject({ code: 'refused' });
    await expect(one.session.rooms?.join('@teaparty')).rejects.toMatchObject({ code: 'refused' });
    const later = await connect({ memory: one.host.memory.entries });
    expect((await later.host.next('roster')).chats).toEqual([]);
  });

  it('a group that has become a supergroup is followed there, in and out', async () => {
    server.addGroup({ id: -77, kind: 'group', title: 'Small', members: [42] });
    server.say(hatter, 'here', { group: -77 });
    const { message } = await heard('here');
    server.fail('sendMessage', {
      kind: 'status',
      status: 400,
      description: 'Bad Request: group chat was upgraded to a supergroup chat',
      parameters: { migrate_to_chat_id: party.id },
    });
    await one.session.send(message.chat, 'where to?', nonce);
    expect(server.sent.map(({ chat }) => chat)).toEqual([party.id]);
    server.push('message', {
      message_id: 903,
      chat: { id: -77, type: 'group', title: 'Small' },
      date: 1,
      migrate_to_chat_id: -1_001_000_000_009,
    });
    expect(await one.host.next('chat-left')).toMatchObject({ chat: '-77' });
    expect(one.host.events.findLast(({ type }) => type === 'chat')).toMatchObject({ chat: { id: '-1001000000009' } });
  });

  it('what bots cannot do is an error, not a silence', async () => {
    const chat = await one.chat(String(party.id));
    await expect(one.session.rooms?.invite(chat, '41' as never)).rejects.toMatchObject({ code: 'unsupported' });
    expect(one.session.presence).toBeUndefined();
    expect(one.session.history).toBeUndefined();
    expect(one.session.contacts).toBeUndefined();
    expect(one.session.lookup).toBeUndefined();
  });
});

describe('an account that the bot is linked to (updates newer than telegraf knows)', () => {
  it('its chats come as chats of that person, and what goes out there goes out as that person', async () => {
    const link = server.link(alice);
    expect((await one.host.next('notice')).text).toBe('Alice Liddell has linked this bot to their account');
    server.say(hatter, 'no room!', { business: { link, chat: hatter } });
    const { message } = await heard('no room!');
    expect(message.chat).toBe(`b:${link}/42`);
    expect(message.from).toBe(`b:${link}/42`);
    expect((await one.host.next('contact')).contact).toMatchObject({
      chat: message.chat,
      address: '@alice/42',
      name: 'Hatter',
      groups: ['Alice Liddell'],
    });

    // Written by Alice on her telephone.
    server.say(alice, 'plenty of room!', { business: { link, chat: hatter } });
    expect((await heard('plenty of room!')).message).toMatchObject({ chat: message.chat, from: 'self' });

    const sent = await one.session.send(await one.chat('@alice/42'), 'I shall sit down', nonce);
    expect(server.sent.at(-1)).toMatchObject({ chat: 42, business: link });
    await one.session.edits?.edit(message.chat, sent, 'I sit down');
    expect(server.sent.at(-1)?.text).toBe('I sit down');
    await one.session.retractions?.retract(message.chat, sent);
    expect(server.sent.at(-1)?.deleted).toBe(true);
    await expect(one.session.reactions?.set(message.chat, message.id, ['👍'])).rejects.toMatchObject({
      code: 'unsupported',
    });

    server.remove(link, hatter, [Number(message.id)]);
    await one.host.next('retracted', ({ by }) => by === 'self');
    expect(await one.host.next('retracted', ({ by }) => by !== 'self')).toMatchObject({
      chat: message.chat,
      id: message.id,
      by: message.from,
    });
  });

  it('the same person is two contacts: of the bot, and of the linked account', async () => {
    const link = server.link(alice);
    server.say(hatter, 'to the bot');
    server.say(hatter, 'to Alice', { business: { link, chat: hatter } });
    const [bot, own] = [await heard('to the bot'), await heard('to Alice')];
    expect(bot.message.chat).not.toBe(own.message.chat);
    await one.session.send(bot.message.chat, 'from the bot', nonce);
    expect(server.sent.at(-1)).not.toHaveProperty('business');
  });

  it('a link that began while we were away is asked for; its end is told', async () => {
    const link = server.link(alice);
    await one.host.next('notice');
    const memory = new Map<string, string>([['offset', one.host.memory.get('offset') ?? '']]);
    await one.stop();
    server.say(alice, 'mine', { business: { link, chat: hatter } });
    const later = await connect({ memory });
    expect((await heard('mine', later)).message.from).toBe('self');
    server.unlink(link);
    await later.host.next('notice', ({ text }) => text.includes('unlinked'));
    await expect(later.session.send(`b:${link}/42` as never, 'x', nonce)).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('what this server lacks or is not ready for', () => {
  it('a method that the server does not know is `unsupported`', async () => {
    const chat = await one.chat('41');
    server.fail('sendMessage', { kind: 'status', status: 404, description: 'Not Found: method not found' });
    await expect(one.session.send(chat, 'x', nonce)).rejects.toMatchObject({ code: 'unsupported', certain: true });
  });

  it('a message of a connection that cannot be asked about is shown all the same, or comes again', async () => {
    server.say(hatter, 'unknown', { business: { link: 'gone', chat: hatter } });
    expect((await heard('unknown')).message.chat).toBe('b:gone/42');

    const parameters = { retry_after: 3 };
    server.fail('getBusinessConnection', { kind: 'status', status: 429, description: 'Too Many Requests', parameters });
    server.say(hatter, 'later', { business: { link: server.link(alice), chat: hatter } });
    server.push('business_message', {
      business_connection_id: 'other',
      message_id: 800,
      date: 1,
      chat: { id: 42, type: 'private' },
      text: 'held',
    });
    expect(await one.ended).toMatchObject({ code: 'rate-limited', retryAfter: 3 });
    const later = await connect({ memory: one.host.memory.entries });
    await heard('held', later);
  });
});

describe('files', () => {
  it('go out whole, with any name, and come in whole', async () => {
    const chat = await one.chat('41');
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 31) % 256));
    const name = 'a "b"\r\nX-Evil: 1; имя.txt';
    await one.session.files?.send(chat, upload(name, bytes), nonce);
    const sent = server.sent.at(-1)?.file;
    expect(Buffer.from(sent?.bytes ?? []).equals(bytes)).toBe(true);
    expect(sent?.name).toBe('a %22b%22%0D%0AX-Evil: 1; имя.txt');

    server.say(alice, 'look', { file: { name: 'tarts.bin', mime: 'application/x-tarts', bytes } });
    const [file] = (await heard('look')).message.files ?? [];
    expect(file).toMatchObject({ name: 'tarts.bin', mime: 'application/x-tarts', bytes: 300_000 });
    expect(file && (await read(file.id, one)).equals(bytes)).toBe(true);
  });

  it('a file whose size changes on the way is not sent, and that is certain', async () => {
    const chat = await one.chat('41');
    for (const said of [50, 200])
      await expect(one.session.files?.send(chat, upload('x', Buffer.alloc(100), said), nonce)).rejects.toMatchObject({
        certain: true,
        code: 'refused',
      });
    await expect(one.session.files?.send(chat, upload('x', Buffer.alloc(1), 3e9), nonce)).rejects.toMatchObject({
      code: 'too-long',
    });
    expect(server.sent).toEqual([]);
    await one.session.send(chat, 'still works', nonce);
  });

  it('T7 a path that leads elsewhere is not fetched', async () => {
    const paths = [
      '../../x',
      '/etc/passwd',
      'a/../../b',
      'https://evil.example/x',
      '//evil.example/x',
      '..%2f..%2fx',
      'a\\..\\b',
      'x\0y',
      'a/./b',
      '',
      'x?y',
      'x#y',
      'a'.repeat(5000),
    ];
    for (const file_path of [...paths, undefined, 7]) {
      server.fail('getFile', { kind: 'page', body: JSON.stringify({ ok: true, result: { file_id: 'x', file_path } }) });
      await expect(read('x' as FileId, one)).rejects.toMatchObject({ code: 'protocol' });
    }
    expect(server.calls.filter(({ method }) => method === 'file')).toEqual([]);
  });

  it('T7 more than 20 MB is refused, whatever size was told, without being read to the end', async () => {
    const api = new BotApi(server.token, new URL(server.root), one.host.clock);
    const { readFile } = outbound(api, lanes(one.host.clock), CLOUD_FILES);
    const bytes = new Uint8Array(30 * 1024 * 1024);
    server.say(alice, 'big', { file: { name: 'big', mime: 'x/y', bytes } });
    const [file] = (await heard('big')).message.files ?? [];
    const id = file?.id ?? ('' as FileId);
    await expect(readFile(id)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'too-long' });

    const result = { file_id: id, file_size: 5, file_path: 'documents/file_1.bin' };
    server.fail('getFile', { kind: 'page', body: JSON.stringify({ ok: true, result }) });
    let got = 0;
    const reading = async (): Promise<void> => {
      for await (const chunk of readFile(id)) got += chunk.length;
    };
    await expect(reading()).rejects.toMatchObject({ code: 'too-long' });
    expect(got).toBeLessThanOrEqual(CLOUD_FILES.read);
    expect(got).toBeGreaterThan(0);
    api.disconnect();
  });

  it('a file that is gone is `not-found`; one that breaks off is `unreachable`', async () => {
    await expect(read('none' as FileId, one)).rejects.toMatchObject({ code: 'not-found' });
    server.say(alice, 'f', { file: { name: 'f', mime: 'x/y', bytes: Buffer.alloc(100_000) } });
    const [file] = (await heard('f')).message.files ?? [];
    server.fail('file', { kind: 'drop' });
    await expect(read(file?.id ?? ('' as FileId), one)).rejects.toMatchObject({ code: 'unreachable' });
    await waitFor(async () => (await read(file?.id ?? ('' as FileId), one)).length === 100_000);
  });
});
