import { startBotApi } from '../../src/demo/bot-api.ts';
import { startProsody } from '../servers/prosody.ts';
import { benchHub } from './hub.ts';
import { ircBurst } from './irc-burst.ts';
import { type Figure, memoryOf, settled } from './measure.ts';
import { xmppBot } from './xmpp-bot.ts';

const MORE = 20;
const MESSAGES = 20_000;
const MB = 1_000_000;

/** Resident memory of the hub: idle with an account of each network, after a flood, and of one more account. */
export async function memory(): Promise<readonly Figure[]> {
  const users = ['me', 'bot', ...Array.from({ length: MORE }, (_, at) => `me${at}`)];
  const prosody = await startProsody({
    withoutModules: ['mam'],
    users: users.map((name) => ({ name, password: 'mepw' })),
  });
  const irc = await ircBurst();
  const telegram = await startBotApi();
  const hub = await benchHub({ BENCH_SECRET: 'mepw', BENCH_TOKEN: telegram.token });
  const resident = async (): Promise<number> => {
    await settled(hub.pid);
    return memoryOf(hub.pid) / MB;
  };
  const addXmpp = async (name: string): Promise<void> => {
    const settings = { jid: `${name}@localhost`, server: `127.0.0.1:${prosody.ports.c2s}`, ca: prosody.ca };
    const secrets = { password: { kind: 'env', variable: 'BENCH_SECRET' } } as const;
    await hub.add({ network: 'xmpp', name, settings: { ...settings, resource: 'bench' }, secrets });
    await hub.online(name);
  };

  const empty = await resident();
  await addXmpp('me');
  const settings = { server: `127.0.0.1:${irc.port}`, tls: 'off', nick: 'bench', sasl: 'none', join: '#flood' };
  await hub.add({ network: 'irc', name: 'irc', settings, secrets: {} });
  const token = { kind: 'env', variable: 'BENCH_TOKEN' } as const;
  await hub.add({ network: 'telegram', name: 'tg', settings: { api: telegram.root }, secrets: { token } });
  await hub.online('irc');
  await hub.online('tg');
  const idle = await resident();
  for (let at = 0; at < MORE; at++) await addXmpp(`me${at}`);
  const more = await resident();
  const bot = await xmppBot(prosody.ports.c2s, 'localhost', 'bot', 'mepw');
  await Promise.all([bot.flood('me@localhost/bench', MESSAGES), hub.seen.until('messages', MESSAGES, 120_000)]);
  const flooded = await resident();

  bot.close();
  await hub.stop();
  await telegram.stop();
  irc.stop();
  await prosody.stop();
  const networks = 'one each of XMPP, IRC and Telegram';
  return [
    { name: 'hub: memory without an account', value: empty, unit: 'MB' },
    { name: 'hub: memory, idle with 3 accounts', value: idle, unit: 'MB', note: networks },
    {
      name: 'hub: memory of one more XMPP account',
      value: (more - idle) / MORE,
      unit: 'MB',
      note: `mean of ${MORE}, each over TLS`,
    },
    { name: 'hub: memory after 20,000 messages', value: flooded, unit: 'MB', note: `with ${3 + MORE} accounts` },
  ];
}
