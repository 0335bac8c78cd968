import { randomBytes } from 'node:crypto';
import { telegram } from '../../adapters/telegram/index.ts';
import { waitFor } from '../servers/process.ts';
import { startTelegramTestApi, type TelegramTestApi } from '../servers/telegram-test-api.ts';
import type { Driver, Peer, TestAccount } from './driver.ts';
import { contractSuite } from './suite.ts';

let api: TelegramTestApi;
let made = 0;
const tokenOf = (account: TestAccount): string => account.secrets.token ?? '';

/** What telegram-test-api has: messages in and out. Rooms, files and hostile input are tested on our own server. */
const driver: Driver = {
  adapter: telegram,
  async start() {
    api = await startTelegramTestApi();
  },
  stop: () => api.stop(),
  outage: { begin: () => api.pause(), end: () => api.resume() },
  async account() {
    const token = `${++made}:${randomBytes(26).toString('base64url')}`;
    api.tokens.add(token);
    return { settings: { api: api.root }, secrets: { token }, address: '666' };
  },
  wrongSecret: (account) => ({ ...account, secrets: { token: `${tokenOf(account)}x` } }),
  unreachable: (account) => ({ ...account, settings: { api: 'http://127.0.0.1:1' } }),
  badSettings: [],
  peer: async () => newPeer(),
  nobody: '999999999',
  hostile: [],
};

function newPeer(): Peer {
  const id = 1000 + ++made;
  const [firstName, userName] = ['Alice', `alice_${id}`];
  api.people.set(id, { name: firstName, username: userName });
  const texts = (): readonly string[] =>
    api.server.storage.botMessages
      .filter(({ message }) => Number(message.chat_id) === id)
      .map(({ message }) => String(message.text));
  return {
    address: String(id),
    async say(to, text) {
      const client = api.server.getClient(tokenOf(to), { userId: id, chatId: id, firstName, userName });
      await client.sendMessage(client.makeMessage(text));
    },
    heard: (passes) => waitFor(() => texts().find(passes), { what: 'a text of ours', timeoutMs: 5_000 }),
    texts,
    sayInRoom: async () => {
      throw new Error('telegram-test-api has no rooms');
    },
    close: async () => {},
  };
}

contractSuite('telegram on telegram-test-api', driver);
