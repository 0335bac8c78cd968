import { describe } from 'vitest';
import { mutual, type PlainClient, plainClient } from '../adapters/xmpp/client.ts';
import { freePort, need } from '../servers/process.ts';
import { type Prosody, startProsody } from '../servers/prosody.ts';
import type { Driver } from './driver.ts';
import { contractSuite } from './suite.ts';
import { badXmppSettings, hostileStanzas, xmpp } from './xmpp.driver.ts';
import { xmppPeer } from './xmpp.peer.ts';

let server: Prosody | undefined;
let count = 0;
const running = (): Prosody => {
  if (!server) throw new Error('the server is not running');
  return server;
};
const deaf = await freePort();

const register = async (kind: string) => {
  const user = { user: `${kind}${++count}`, password: `pw${count}`, port: running().ports.c2s };
  await (await plainClient({ ...user, register: true })).close();
  return user;
};

const peers = new Map<string, PlainClient>();

const driver: Driver = {
  adapter: xmpp,
  start: async () => {
    server = await startProsody();
  },
  stop: async () => await running().stop(),
  outage: { begin: async () => await running().kill(), end: async () => await running().start() },
  account: async () => {
    const { user, password } = await register('me');
    const { ports, ca } = running();
    // Half of them by STARTTLS, half by TLS from the first byte.
    const [tls, port] = count % 2 ? ['starttls', ports.c2s] : ['direct', ports.direct];
    const settings = { jid: `${user}@localhost`, server: `127.0.0.1:${port}`, tls, ca };
    return { settings, secrets: { password }, address: settings.jid };
  },
  wrongSecret: (account) => ({ ...account, secrets: { password: 'not-the-password' } }),
  unreachable: (account) => ({ ...account, settings: { ...account.settings, server: `127.0.0.1:${deaf}` } }),
  badSettings: badXmppSettings,
  peer: async () => {
    const peer = await xmppPeer(await register('peer'));
    peers.set(peer.address, peer.client);
    return peer;
  },
  befriend: async (account, peer) => {
    const own = { user: account.address.split('@')[0] ?? '', password: account.secrets.password ?? '' };
    const client = await plainClient({ ...own, port: running().ports.c2s });
    const friend = peers.get(peer.address);
    if (!friend) throw new Error(`${peer.address} is none of ours`);
    await mutual(client, friend);
    await client.close();
  },
  room: async () => `room${++count}@${running().rooms}`,
  keeps: { direct: true, rooms: true },
  nobody: 'nobody@localhost',
  // What a contact can do; what only a server can do is tried on the demo server.
  hostile: hostileStanzas
    .filter(({ xml }) => xml.startsWith('<message') && !xml.includes('<presence') && !xml.includes('<iq'))
    .map(({ name, xml }) => ({
      name,
      inject: async ({ address }) => {
        const peer = await xmppPeer(await register('evil'));
        peer.client.raw(xml.replace(/<message( from='[^']*')?/, `<message to='${address}'`));
        await peer.close();
      },
    })),
};

describe.skipIf(!need('XMPP on Prosody', 'prosody', 'openssl'))('Prosody', () => {
  contractSuite('XMPP on Prosody', driver);
});
