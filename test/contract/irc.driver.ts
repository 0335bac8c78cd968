import { type IrcSettings, irc } from '../../adapters/irc/index.ts';
import type { Driver, Hostile, TestAccount } from './driver.ts';
import { ircPeer } from './irc.peer.ts';

export interface IrcDriverParts {
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** The port for the account and the one (in clear) for raw peers. */
  readonly ports: () => { readonly account: number; readonly peers: number };
  readonly outage?: NonNullable<Driver['outage']>;
  /** Settings that this server's accounts need besides the usual. */
  readonly settings?: () => Readonly<Record<string, string>>;
  /** Registers a login; absent where the server knows none. */
  readonly register?: (nick: string, password: string) => Promise<void>;
  readonly hostile?: readonly Hostile[];
  /** False where presence comes by asking each half minute, which has a test of its own. */
  readonly tellsPresence: boolean;
  readonly keeps?: NonNullable<Driver['keeps']>;
  /** The server takes blanks off the end of each line. */
  readonly trimsLines?: boolean;
}

let accounts = 0;
let rooms = 0;

/** The driver for IRC servers, which differ in how they are started and in what they know. */
export function ircDriver({
  start,
  stop,
  ports,
  outage,
  settings,
  register,
  hostile = [],
  tellsPresence,
  keeps,
  trimsLines = false,
}: IrcDriverParts): Driver {
  const base = (nick: string): Readonly<Record<string, string>> => ({
    server: `127.0.0.1:${ports().account}`,
    nick,
    pace: 'none',
    ...settings?.(),
  });
  /** Contacts by nick of the account. */
  const befriended = new Map<string, string>();
  return {
    adapter: {
      ...irc,
      open(raw, host) {
        const parsed = raw as IrcSettings;
        // The contact list is no matter of the server: imux keeps it in the account's memory.
        const friend = befriended.get(parsed.nick);
        if (friend) host.memory.set('contacts', JSON.stringify([{ nick: friend, name: friend, groups: [] }]));
        return irc.open(parsed, host);
      },
    },
    start,
    stop,
    ...(outage === undefined ? {} : { outage }),
    async account(): Promise<TestAccount> {
      const nick = `acc${accounts++}`;
      if (!register) return { settings: base(nick), secrets: {}, address: nick };
      const password = `pw-of-${nick}`;
      await register(nick, password);
      return { settings: base(nick), secrets: { password }, address: nick };
    },
    ...(register === undefined
      ? {}
      : { wrongSecret: (account: TestAccount) => ({ ...account, secrets: { password: 'certainly-wrong' } }) }),
    unreachable: (account) => ({ ...account, settings: { ...account.settings, server: '127.0.0.1:1' } }),
    badSettings: [
      { settings: { server: 'libera' }, names: 'nick' },
      { settings: { nick: 'bob' }, names: 'server' },
      { settings: { server: 'libera', nick: 'bob', tls: 'perhaps' }, names: 'tls' },
    ],
    peer: () => ircPeer(ports().peers),
    ...(tellsPresence ? { befriend: async (account, peer) => void befriended.set(account.address, peer.address) } : {}),
    room: async () => `#room${rooms++}`,
    ...(keeps === undefined ? {} : { keeps }),
    nobody: 'nobodyatall',
    hostile,
    altered: {
      'an empty line inside': (text) => text.replace('\n\n', '\n'),
      ...(trimsLines ? { 'leading and trailing blanks': (text: string) => text.trimEnd() } : {}),
    },
  };
}
