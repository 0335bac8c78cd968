import { startXmppServer, type XmppServer } from '../../src/demo/xmpp-server.ts';
import { freePort } from '../servers/process.ts';
import type { Driver } from './driver.ts';
import { contractSuite } from './suite.ts';
import { badXmppSettings, hostileStanzas, xmpp } from './xmpp.driver.ts';
import { xmppPeer } from './xmpp.peer.ts';

let server: XmppServer | undefined;
let port = 0;
let count = 0;

const running = (): XmppServer => {
  if (!server) throw new Error('the server is not running');
  return server;
};
const users: { name: string; password: string }[] = [];
const newUser = (kind: string): { name: string; password: string } => {
  const user = { name: `${kind}${++count}`, password: `pässwörd ${count}` };
  users.push(user);
  running().addUser(user.name, user.password);
  return user;
};
const start = async (): Promise<void> => {
  server = await startXmppServer({ users, port });
  port = server.port;
};

const driver: Driver = {
  adapter: xmpp,
  start,
  stop: async () => await running().stop(),
  outage: { begin: async () => await running().stop(), end: start },
  account: async () => {
    const { name, password } = newUser('me');
    const settings = { jid: `${name}@localhost`, server: `127.0.0.1:${port}`, tls: 'none' };
    return { settings, secrets: { password }, address: settings.jid };
  },
  wrongSecret: (account) => ({ ...account, secrets: { password: 'not-the-password' } }),
  unreachable: (account) => ({ ...account, settings: { ...account.settings, server: `127.0.0.1:${deaf}` } }),
  badSettings: badXmppSettings,
  peer: async () => {
    const { name, password } = newUser('peer');
    return await xmppPeer({ port, user: name, password });
  },
  befriend: async (account, peer) => {
    const [user = '', friend = ''] = [account.address, peer.address].map((jid) => jid.split('@')[0]);
    running().setRoster(user, [{ jid: peer.address }]);
    running().setRoster(friend, [{ jid: account.address }]);
  },
  room: async () => `room${++count}@${running().rooms}`,
  nobody: 'nobody@localhost',
  hostile: [
    ...hostileStanzas,
    { name: 'text that is no XML', xml: 'HTTP/1.1 400 Bad Request\r\n\r\n' },
    { name: 'an element that is not closed', xml: '<message><body></message>' },
    { name: 'a document type', xml: `<!DOCTYPE x [<!ENTITY a "b">]><message><body>&a;</body></message>` },
    { name: 'the end of the stream', xml: '</stream:stream>' },
  ].map(({ name, xml }) => ({
    name,
    inject: async ({ address }) => running().inject(address.split('@')[0] ?? '', xml),
  })),
};

const deaf = await freePort();
contractSuite('XMPP on the demo server', driver);
