import type { Client } from 'irc-framework';
import { AdapterError } from '../errors.ts';
import type { IrcSettings } from './settings.ts';

/** Who we are on this connection; what the server has not yet told is empty. */
export interface Self {
  nick: string;
  user: string;
  host: string;
}

const NICK_TRIES = 8;

export interface SelfParts {
  readonly client: Client;
  readonly settings: IrcSettings;
  isMe(nick: string): boolean;
  /** Whether the sign-in is over: then a nick that is taken is a matter of who asked for it. */
  isIn(): boolean;
  fail(error: AdapterError): void;
}

/** Keeps up with what the server makes of our nick and mask, and finds a nick that is free. */
export function followSelf(self: Self, { client, settings, isMe, isIn, fail }: SelfParts): void {
  let tries = 0;
  let nick = settings.nick;

  client.on('nick', ({ nick: before, new_nick: next }) => {
    if (next !== undefined && isMe(before)) self.nick = next;
  });
  client.on('displayed host', ({ nick: whose, hostname }) => {
    if (isMe(whose) && hostname) self.host = hostname;
  });
  client.on('user updated', ({ nick: whose, new_ident: user, new_hostname: host }) => {
    if (!isMe(whose)) return;
    if (user) self.user = user;
    if (host) self.host = host;
  });
  client.on('nick in use', () => {
    if (isIn()) return;
    if (++tries > NICK_TRIES) {
      fail(new AdapterError('refused', `the nick ${settings.nick} is taken, and so is ${nick}`));
      return;
    }
    nick = tries < 4 ? `${nick}_` : `${settings.nick}${Math.floor(Math.random() * 9_000) + 1_000}`;
    client.changeNick(nick);
  });
  client.on('nick invalid', ({ reason = '' }) => {
    if (!isIn()) fail(new AdapterError('refused', `the server does not take the nick ${settings.nick}: ${reason}`));
  });
}
