import { type IrcServer, startIrcServer } from '../../src/demo/irc-server.ts';
import type { Hostile } from './driver.ts';
import { ircDriver } from './irc.driver.ts';
import { contractSuite } from './suite.ts';

let server: IrcServer;
let port = 0;
const accounts: Record<string, string> = {};

const begin = async (): Promise<void> => {
  server = await startIrcServer({ accounts, port });
  port = server.port;
};

const hostile = (name: string, ...data: readonly (string | Uint8Array)[]): Hostile => ({
  name,
  async inject(to) {
    for (const each of data) server.raw(each, to.address);
  },
});

contractSuite(
  'IRC on the demo server',
  ircDriver({
    start: begin,
    stop: () => server.stop(),
    ports: () => ({ account: port, peers: port }),
    settings: () => ({ tls: 'off' }),
    register: async (nick, password) => {
      accounts[nick] = password;
    },
    outage: { begin: () => server.stop(), end: begin },
    tellsPresence: true,
    hostile: [
      hostile('a line without an end', Buffer.alloc(1_000_000, 'x'), '\r\n'),
      hostile(
        'lines without parameters',
        ...'PRIVMSG NOTICE JOIN PART KICK NICK MODE TOPIC CAP BATCH 001 005 353'.split(' '),
      ),
      hostile('bytes that are no text', Buffer.from(Array.from({ length: 4_096 }, (_, at) => (at * 7) % 256)), '\r\n'),
      hostile('batches that never end', ...Array.from({ length: 200 }, (_, at) => `BATCH +b${at} netjoin`)),
      hostile('another registration', ':s 001 somebodyelse :Welcome', ':s CAP * ACK :labeled-response', ':s 904 x :no'),
    ],
  }),
);
