import { afterEach, describe, expect, it } from 'vitest';
import type { ChatId, MessageId, Nonce } from '../../../adapters/contract.ts';
import type { EventOf } from '../../contract/host.ts';
import { waitFor } from '../../servers/process.ts';
import { type HistoryServer, type HistoryServerOptions, historyServer } from './history-server.ts';
import { type Client, startClient } from './scripted.ts';

const clients: Client[] = [];
let server: HistoryServer;
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.stop()));
  await server.stop();
});

const room = '#tea' as ChatId;
const told = (client: Client): readonly EventOf<'message'>[] =>
  client.host.events.filter((event) => event.type === 'message');
const texts = (client: Client): readonly string[] => told(client).map(({ message }) => message.text);
const numbers = (count: number, from = 0): readonly string[] =>
  Array.from({ length: count }, (_, at) => `number ${from + at}`);
const heard = async (client: Client, text: string) =>
  await client.host.next('message', ({ message }) => message.text === text);

async function connect(memory?: Map<string, string>): Promise<Client> {
  const client = startClient(server.port, { join: room }, memory ? { memory } : {});
  clients.push(client);
  await client.host.next('members');
  return client;
}

/** The account was here before and heard one message in the channel and one in private. */
async function known(options: HistoryServerOptions = {}): Promise<Map<string, string>> {
  server = await historyServer(options);
  const client = await connect();
  server.say('alice', room, 'heard in the channel');
  server.say('bob', 'me', 'heard in private');
  await heard(client, 'heard in the channel');
  await heard(client, 'heard in private');
  await client.stop();
  return client.host.memory.entries;
}

describe.each([
  ['with ids', { ids: true }],
  ['with times only', { ids: false }],
])('chathistory %s', (_, options) => {
  it('F20 what was said in a channel while we were away is told once, in order, over several pages', async () => {
    const memory = await known({ ...options, limit: 20 });
    for (const text of numbers(90)) server.say('alice', room, text);
    const back = await connect(memory);
    await heard(back, 'number 89');
    server.say('alice', room, 'and now');
    expect((await heard(back, 'and now')).live).toBe(true);
    expect(texts(back)).toEqual([...numbers(90), 'and now']);
    expect(told(back).filter(({ live, seen }) => !live && !seen)).toHaveLength(90);
    await back.stop();

    const again = await connect(memory);
    server.say('alice', room, 'nothing else');
    await heard(again, 'nothing else');
    expect(texts(again)).toEqual(['nothing else']);
  });

  it('F20 what was said in private while we were away is told once, own words from elsewhere as own', async () => {
    const memory = await known(options);
    server.say('bob', 'me', 'are you there?');
    server.say('me', 'bob', 'yes, on my phone');
    server.say('carol', 'me', 'and I am new');
    const back = await connect(memory);
    await heard(back, 'and I am new');
    expect(told(back).map(({ message, live, seen }) => [message.chat, message.from, live, seen])).toEqual(
      expect.arrayContaining([
        ['bob', 'bob', false, undefined],
        ['bob', 'self', false, undefined],
        ['carol', 'carol', false, undefined],
      ]),
    );
    expect(texts(back)).not.toContain('heard in private');
    expect(told(back)).toHaveLength(3);
  });

  it('F20 what comes in meanwhile waits, and is told once', async () => {
    const memory = await known(options);
    for (const text of numbers(30)) server.say('alice', room, text);
    server.say('bob', 'me', 'private 0');
    const release = server.hold();
    const back = await connect(memory);
    for (const text of numbers(5, 30)) server.say('alice', room, text);
    server.say('bob', 'me', 'private 1');
    await waitFor(() => server.lines.some((line) => line.includes('CHATHISTORY AFTER #tea')));
    expect(texts(back)).toEqual([]);
    release();
    await heard(back, 'number 34');
    await heard(back, 'private 1');
    expect(texts(back).filter((text) => text.startsWith('number'))).toEqual(numbers(35));
    expect(texts(back).filter((text) => text.startsWith('private'))).toEqual(['private 0', 'private 1']);
    const news = told(back).filter(({ live }) => live);
    expect(news.map(({ message }) => message.text).sort()).toEqual([...numbers(5, 30), 'private 1']);
  });

  it('pages back through the channel to its beginning', async () => {
    const memory = await known({ ...options, limit: 20 });
    for (const text of numbers(45)) server.say('alice', room, text, Date.now() - 3_600_000 + Number(text.slice(7)));
    const back = await connect(memory);
    const found: string[] = [];
    for (let before: string | undefined; ; ) {
      const page = await back.session.history?.page(room, before);
      found.unshift(...(page?.messages.map(({ text }) => text) ?? []));
      if (page?.before === undefined) break;
      before = page.before;
    }
    expect(found.filter((text) => text.startsWith('number'))).toEqual(numbers(45));
    expect(told(back).map(({ message }) => message.text)).not.toContain('number 0');
  });
});

describe('chathistory', () => {
  it('a place in it that the server forgot is looked for by its time', async () => {
    const memory = await known();
    server.say('alice', room, 'still there');
    server.forget(Math.max(...JSON.parse(`[${JSON.parse(memory.get('at.#tea') ?? '{}').at}]`)) + 1);
    const back = await connect(memory);
    await heard(back, 'still there');
    expect(texts(back)).toEqual(['still there']);
    expect(back.host.logs.join('\n')).not.toContain('not complete');
  });

  it('the past of a channel that is new to us counts as read, and there is not all of it', async () => {
    server = await historyServer();
    for (const text of numbers(80)) server.say('alice', room, text);
    const client = await connect();
    await heard(client, 'number 79');
    expect(texts(client)).toEqual(numbers(50, 30));
    expect(told(client).every(({ live, seen }) => !live && seen === true)).toBe(true);
  });

  it('our own message is not told again by the history', async () => {
    const memory = await known();
    const client = await connect(memory);
    const id = await client.session.send(room, 'from imux', 'n1' as Nonce);
    expect(id).toMatch(/^id-/);
    await client.stop();
    const back = await connect(memory);
    const own = await heard(back, 'from imux');
    expect(own.message).toMatchObject({ id, from: 'self' });
  });

  it('a CTCP in the history is answered no more', async () => {
    const memory = await known();
    server.say('bob', room, '\x01VERSION\x01');
    server.say('bob', room, 'after it');
    const back = await connect(memory);
    await heard(back, 'after it');
    expect(texts(back)).toEqual(['after it']);
    expect(server.lines.some((line) => line.includes('NOTICE'))).toBe(false);
  });

  it('a server that has none says so, and is not asked', async () => {
    server = await historyServer({ caps: ['batch', 'server-time', 'message-tags'] });
    const client = await connect();
    await expect(client.session.history?.page(room)).rejects.toMatchObject({ code: 'unsupported' });
    await expect(client.session.reading?.mark(room, 'x' as MessageId)).rejects.toMatchObject({ code: 'unsupported' });
    expect(server.lines.some((line) => line.includes('CHATHISTORY'))).toBe(false);
  });
});

describe('read-marker', () => {
  it('what another client has read is told, in a channel and in private', async () => {
    const memory = await known();
    const client = await connect(memory);
    const [said, last] = [server.say('alice', room, 'read this'), server.say('alice', room, 'not this')];
    const priv = server.say('bob', 'me', 'read this too');
    await heard(client, last.text);
    await heard(client, priv.text);
    server.read(room, said.at);
    await client.host.next('read-elsewhere', (event) => event.chat === room && event.upTo === said.id);
    server.read('bob', priv.at);
    await client.host.next('read-elsewhere', (event) => event.chat === 'bob' && event.upTo === priv.id);
  });

  it('what was read elsewhere while we were away is told after what was missed', async () => {
    const memory = await known();
    const said = server.say('alice', room, 'read on the phone');
    server.say('alice', room, 'not read');
    const priv = server.say('bob', 'me', 'read as well');
    server.read(room, said.at);
    server.read('bob', priv.at);
    const back = await connect(memory);
    await back.host.next('read-elsewhere', (event) => event.chat === room && event.upTo === said.id);
    await back.host.next('read-elsewhere', (event) => event.chat === 'bob' && event.upTo === priv.id);
    const kinds = back.host.events.filter((event) => event.type === 'message' || event.type === 'read-elsewhere');
    const inRoom = kinds.filter((event) => (event.type === 'message' ? event.message.chat : event.chat) === room);
    expect(inRoom.map(({ type }) => type)).toEqual(['message', 'message', 'read-elsewhere']);
  });

  it('a mark on a message of before this connection is found in the history', async () => {
    const memory = await known();
    const { id, at } = JSON.parse(memory.get(`at.${room}`) ?? '{}');
    const back = await connect(memory);
    server.read(room, at);
    await back.host.next('read-elsewhere', (event) => event.chat === room && event.upTo === id);
  });

  it('what is read here is told to the other clients, also a message of before this connection', async () => {
    const memory = await known();
    const { id, at } = JSON.parse(memory.get(`at.${room}`) ?? '{}');
    const back = await connect(memory);
    await back.session.reading?.mark(room, id);
    expect(server.marks.get(room)).toBe(`timestamp=${new Date(at).toISOString()}`);
    const said = server.say('bob', 'me', 'read here');
    await heard(back, 'read here');
    await back.session.reading?.mark('bob' as ChatId, said.id as MessageId);
    expect(server.marks.get('bob')).toBe(`timestamp=${new Date(said.at).toISOString()}`);
  });

  it('in a channel that is new to us, what stands behind the mark is unread', async () => {
    server = await historyServer();
    const said = server.say('alice', room, 'read');
    server.read(room, said.at);
    server.say('alice', room, 'not read');
    const client = await connect();
    await heard(client, 'not read');
    expect(told(client).map(({ seen }) => seen ?? false)).toEqual([true, false]);
  });
});
