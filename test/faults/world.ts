import { type BotApiServer, type Person, startBotApi } from '../../src/demo/bot-api.ts';
import { type IrcServer, startIrcServer } from '../../src/demo/irc-server.ts';
import { startXmppServer, type XmppServer } from '../../src/demo/xmpp-server.ts';
import type { AccountInput } from '../../src/link/messages.ts';

/** The demo's servers with a ledger of all that reached them, and people who write. */
export interface FaultWorld {
  readonly xmpp: XmppServer;
  readonly irc: IrcServer;
  readonly telegram: BotApiServer;
  readonly person: Person;
  /** Texts that each network took from us, in order. */
  readonly taken: Readonly<Record<Network, string[]>>;
  readonly accounts: Readonly<Record<Network, AccountInput>>;
  readonly env: NodeJS.ProcessEnv;
  /** Somebody of that network writes to us. */
  say(network: Network, text: string): void;
  /** Where to write to that person. */
  readonly target: Readonly<Record<Network, string>>;
  stop(): Promise<void>;
}

export const networks = ['xmpp', 'irc', 'telegram'] as const;
export type Network = (typeof networks)[number];

export async function faultWorld(): Promise<FaultWorld> {
  const xmpp = await startXmppServer({
    users: [
      { name: 'me', password: 'mepw' },
      { name: 'bob', password: 'bobpw' },
    ],
    roster: { me: [{ jid: 'bob@localhost', name: 'Bob' }] },
  });
  const irc = await startIrcServer({
    people: [{ nick: 'ida' }],
    channels: [{ name: '#flood', members: ['ida'] }],
  });
  const person: Person = { id: 1001, name: 'Tina', username: 'tina' };
  const telegram = await startBotApi({ people: [person] });
  const taken = { xmpp: [] as string[], irc: [] as string[], telegram: [] as string[] };
  xmpp.onMessage((from, _, body) => from === 'me@localhost' && taken.xmpp.push(body));
  // Or me_, where the server has not noticed yet that the former connection is dead.
  irc.onMessage((from, _, text) => from.startsWith('me') && taken.irc.push(text));
  telegram.onMessage((sent) => sent.text !== undefined && taken.telegram.push(sent.text));

  return {
    xmpp,
    irc,
    telegram,
    person,
    taken,
    env: { FAULTS_XMPP: 'mepw', FAULTS_TELEGRAM: telegram.token },
    accounts: {
      xmpp: {
        network: 'xmpp',
        name: 'xmpp',
        settings: { jid: 'me@localhost', server: `127.0.0.1:${xmpp.port}`, tls: 'none' },
        secrets: { password: { kind: 'env', variable: 'FAULTS_XMPP' } },
      },
      irc: {
        network: 'irc',
        name: 'irc',
        settings: {
          server: `127.0.0.1:${irc.port}`,
          tls: 'off',
          nick: 'me',
          sasl: 'none',
          join: '#flood',
          pace: 'none',
        },
        secrets: {},
      },
      telegram: {
        network: 'telegram',
        name: 'telegram',
        settings: { api: telegram.root },
        secrets: { token: { kind: 'env', variable: 'FAULTS_TELEGRAM' } },
      },
    },
    target: { xmpp: 'xmpp:bob@localhost', irc: 'irc:#flood', telegram: 'telegram:@tina' },
    say(network, text) {
      switch (network) {
        case 'xmpp':
          return xmpp.say('bob@localhost', 'me@localhost', text);
        case 'irc':
          return irc.say('ida', '#flood', text);
        case 'telegram':
          return void telegram.say(person, text);
      }
    },
    async stop() {
      await Promise.all([xmpp.stop(), irc.stop(), telegram.stop()]);
    },
  };
}
