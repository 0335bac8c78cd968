import { telegram } from '../../adapters/telegram/index.ts';
import { type BotApiServer, startBotApi } from '../../src/demo/bot-api.ts';
import { waitFor } from '../servers/process.ts';
import type { Driver, Hostile, Peer, TestAccount } from './driver.ts';
import { contractSuite } from './suite.ts';

let server: BotApiServer;
let bots = 0;
let groups = 0;
const tokenOf = (account: TestAccount): string => account.secrets.token ?? '';

/** Our own Bot API server: the whole suite. */
const driver: Driver = {
  adapter: telegram,
  async start() {
    server = await startBotApi();
  },
  stop: () => server.stop(),
  outage: { begin: () => server.pause(), end: () => server.resume() },
  async account() {
    const token = server.addBot(`bot_${bots++}`);
    return { settings: { api: server.root }, secrets: { token }, address: token.split(':')[0] ?? '' };
  },
  wrongSecret: (account) => ({ ...account, secrets: { token: `${tokenOf(account)}x` } }),
  unreachable: (account) => ({ ...account, settings: { api: 'http://127.0.0.1:1' } }),
  badSettings: [
    { settings: { api: 'not an address' }, names: 'api' },
    { settings: { api: 'ftp://example.org' }, names: 'api' },
    { settings: { api: 'http://bots.example.org' }, names: 'https://' },
    { settings: { api: 'https://me:secret@bots.example.org' }, names: 'password' },
  ],
  peer: async () => newPeer(),
  async room() {
    const id = -1_001_000_000_000 - groups++;
    // The owner is there, and speaks before anybody asks for the list.
    server.addGroup({ id, kind: 'supergroup', title: 'Tea party', members: [server.addPerson({ name: 'Hatter' }).id] });
    return String(id);
  },
  nobody: '999999999',
  hostile: hostileUpdates(),
  // The real server takes blanks off both ends, and ours does so too.
  altered: { 'leading and trailing blanks': (text) => text.trim() },
};

function newPeer(): Peer {
  const person = server.addPerson({ name: 'Alice Liddell', username: `alice_${bots++}` });
  const spoken: string[] = [];
  const heard = (room?: string): readonly string[] => [
    ...server.sent.filter((sent) => sent.chat === Number(room ?? person.id) && !sent.deleted).map((sent) => sent.text),
    ...(room === undefined ? [] : spoken),
  ];
  return {
    address: String(person.id),
    async say(to, text) {
      server.say(person, text.trim(), { token: tokenOf(to) });
    },
    heard: (passes, room) => waitFor(() => heard(room).find(passes), { what: 'a text of ours', timeoutMs: 5_000 }),
    texts: () => heard(),
    async sayInRoom(room, text) {
      server.say(person, text, { group: Number(room) });
      spoken.push(text);
    },
    close: async () => {},
  };
}

function hostileUpdates(): readonly Hostile[] {
  const odd: readonly (readonly [string, string, Record<string, unknown>])[] = [
    ['a message without anything', 'message', {}],
    [
      'a message whose parts have the wrong type',
      'message',
      { message_id: 'x', chat: 7, from: [], date: {}, text: null },
    ],
    ['ids beyond what is exact', 'message', { message_id: 1e300, chat: { id: 2 ** 60, type: 'private' }, text: 'x' }],
    [
      'a date at the end of time',
      'message',
      { message_id: 5, chat: { id: 1, type: 'private' }, date: 9e15, text: 'x' },
    ],
    ['names that are prototypes', '__proto__', { message_id: 5, chat: { id: 1, type: 'private' }, text: 'x' }],
    [
      'a business connection nobody knows',
      'business_message',
      { business_connection_id: 'none', message_id: 1, chat: { id: 1, type: 'private' }, text: 'x' },
    ],
    [
      'entities beyond the text',
      'message',
      {
        message_id: 6,
        chat: { id: 1, type: 'private' },
        text: 'x',
        entities: [{ type: 'text_link', offset: -9, length: 1e9, url: 'https://x' }, null, 7],
      },
    ],
  ];
  const pushed = odd.map(
    ([name, kind, body]): Hostile => ({
      name,
      inject: async (to) => server.push(kind, body, tokenOf(to)),
    }),
  );
  const answers: readonly (readonly [string, string])[] = [
    ['a sign-in page in place of the answer', '<html>please sign in</html>'],
    ['half a JSON text', '{"ok":true,"result":['],
    ['JSON of another shape', '[1,2,3]'],
    ['a result that is no list', '{"ok":true,"result":{"length":1e9}}'],
    ['an answer of 20 MB', `{"ok":true,"result":"${'x'.repeat(20 * 1024 * 1024)}"}`],
    ['deep nesting', `{"ok":true,"result":${'['.repeat(100_000)}`],
  ];
  const answered = answers.map(
    ([name, body]): Hostile => ({
      name,
      async inject(to) {
        server.fail(
          'getUpdates',
          { kind: 'page', body, headers: { 'content-type': 'application/json' } },
          1,
          tokenOf(to),
        );
        server.push('message', { message_id: 1 }, tokenOf(to));
      },
    }),
  );
  return [...pushed, ...answered];
}

contractSuite('telegram on our own Bot API server', driver);
