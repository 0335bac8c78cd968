import type { Chat, Host, Session } from '../contract.ts';
import { AdapterError } from '../errors.ts';
import { type Connection, createConnection, type LineHandler } from './connection.ts';
import { type History, history } from './history.ts';
import { inbound } from './inbound.ts';
import { type Missed, missed } from './missed.ts';
import { type Outbound, outbound } from './outbound.ts';
import { type Reading, reading } from './reading.ts';
import { type Rooms, rooms } from './rooms.ts';
import { checkNick, type Roster, roster } from './roster.ts';
import type { IrcSettings } from './settings.ts';
import type { Secrets } from './sign-in.ts';
import { forgetOrKeepSts, stsEndpoint, stsPort } from './sts.ts';
import { type Talk, talk } from './talk.ts';
import { connect, type Endpoint, isLoopback } from './transport/connect.ts';
import type { IrcLine } from './transport/message.ts';

/** What there is while the account is online. */
interface Live {
  readonly connection: Connection;
  readonly talk: Talk;
  readonly rooms: Rooms;
  readonly roster: Roster;
  readonly outbound: Outbound;
  readonly reading: Reading;
  readonly history: History;
  readonly missed: Missed;
}

export function openSession(settings: IrcSettings, host: Host): Session {
  let live: Live | undefined;
  const online = (): Live => {
    if (!live) throw new AdapterError('unreachable', 'not connected');
    return live;
  };

  return {
    run: (signal) =>
      runSession(settings, host, signal, (now) => {
        live = now;
      }),
    woke: () => live?.connection.woke(),
    send: async (...message) => await online().outbound.send(...message),
    limits: () => live?.outbound.limits() ?? { textBytes: 4_096 },
    resolve: async (address, signal, look = false) => await resolve(online(), address, signal, look),
    contacts: {
      add: async (who) => await online().roster.add(who),
      remove: async (user) => await online().roster.remove(user),
      rename: async (user, name) => await online().roster.rename(user, name),
      group: async (user, groups) => await online().roster.group(user, groups),
      answer: async (request, accept) => await online().roster.answer(request, accept),
      block: async (user, blocked) => await online().roster.block(user, blocked),
    },
    presence: { set: async (state, note) => await online().outbound.presence(state, note) },
    rooms: {
      join: async (name, options) => await online().rooms.join(name, options?.password),
      leave: async (chat) => await online().rooms.leave(chat),
      topic: async (chat, text) => await online().rooms.topic(chat, text),
      invite: async (chat, user) => await online().rooms.invite(chat, user),
      members: async (chat) => online().rooms.members(chat),
    },
    reading: { mark: async (chat, upTo) => await online().missed.mark(chat, upTo) },
    history: { page: async (chat, before) => await online().history.page(chat, before) },
    typing: { set: async (chat, active) => await online().outbound.typing(chat, active) },
  };
}

async function resolve(
  { connection, rooms: channels, talk: chats }: Live,
  address: string,
  signal: AbortSignal,
  look: boolean,
): Promise<Chat> {
  signal.throwIfAborted();
  if (connection.isChannel(address)) return look ? channels.at(address) : await channels.join(address);
  const nick = checkNick(address, connection);
  return look ? { id: chats.people.chat(nick), kind: 'direct', address: nick, title: nick } : chats.open(nick);
}

async function runSession(
  settings: IrcSettings,
  host: Host,
  signal: AbortSignal,
  report: (live: Live | undefined) => void,
): Promise<void> {
  const secrets: Secrets = {
    password: await host.secret('password'),
    serverPassword: await host.secret('server-password'),
  };
  let endpoint = stsEndpoint(
    { host: settings.host, port: settings.port, tls: settings.tls, ca: settings.ca, cert: settings.cert },
    host,
  );
  try {
    for (;;) {
      const upgrade = await runConnection(settings, endpoint, host, secrets, signal, report);
      if (upgrade === undefined) return;
      endpoint = { ...endpoint, port: upgrade, tls: true };
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    report(undefined);
  }
}

/** Gives the port to come back to by TLS, where the server's policy asks for that. */
async function runConnection(
  settings: IrcSettings,
  endpoint: Endpoint,
  host: Host,
  secrets: Secrets,
  signal: AbortSignal,
  report: (live: Live | undefined) => void,
): Promise<number | undefined> {
  const socket = await connect(endpoint, signal, host.clock);
  if (!endpoint.tls && hasSecret(settings, secrets) && !isLoopback(socket.remoteAddress ?? '')) {
    socket.destroy();
    throw new AdapterError('auth', 'the password would travel in clear: turn tls on');
  }
  let handler: LineHandler = () => false;
  const connection = createConnection({
    settings,
    endpoint,
    socket,
    host,
    onLine: (line, batch) => handler(line, batch),
    onPast: (line, batch) => past.takes(line, batch),
  });
  const stop = new AbortController();
  const live = assemble(connection, stop.signal, (line) => handler(line, undefined));
  const past = live.history;
  handler = inbound(live);
  const leave = (): void => void connection.quit();
  signal.addEventListener('abort', leave, { once: true });
  try {
    await connection.start(secrets);
    forgetOrKeepSts(connection.sts, endpoint, host);
    await identify(connection, settings, secrets);
    live.rooms.restore();
    live.roster.restore();
    // Before the events: whoever hears `online` may send at once.
    report(live);
    goOnline(live, stop.signal);
    const end = await connection.ended;
    if (signal.aborted) return undefined;
    throw end;
  } catch (error) {
    const port = endpoint.tls ? undefined : stsPort(connection.sts);
    if (port === undefined || signal.aborted) throw error;
    return port;
  } finally {
    signal.removeEventListener('abort', leave);
    report(undefined);
    live.missed.keep();
    stop.abort();
    await connection.quit();
  }
}

function assemble(connection: Connection, signal: AbortSignal, take: (line: IrcLine) => void): Live {
  const chats = talk(connection);
  const channels: Rooms = rooms(connection, chats, (chat) => gap.entered(chat));
  const reader = reading(connection, chats, channels);
  const past = history(connection, chats, channels, reader);
  const gap: Missed = missed({
    connection,
    talk: chats,
    rooms: channels,
    reading: reader,
    history: past,
    signal,
    take,
  });
  return {
    connection,
    talk: chats,
    rooms: channels,
    reading: reader,
    history: past,
    missed: gap,
    roster: roster(connection, chats, channels),
    outbound: outbound(connection, chats, channels, reader),
  };
}

function goOnline(
  { connection, talk: chats, rooms: channels, roster: contacts, missed: gap }: Live,
  signal: AbortSignal,
): void {
  const { host, self, client } = connection;
  const tell = (): void => host.emit({ type: 'online', self: chats.people.id(self.nick), name: self.nick });
  // On the wire before any text that waits for us to be online: one for a channel must find us in it.
  channels.rejoin();
  tell();
  client.on('nick', ({ new_nick: next }) => {
    if (next !== undefined && connection.isMe(next)) tell();
  });
  host.emit({ type: 'roster', contacts: contacts.list(), chats: channels.list() });
  contacts.start(signal);
  gap.online();
}

function hasSecret({ sasl }: IrcSettings, { password, serverPassword }: Secrets): boolean {
  return password !== undefined || serverPassword !== undefined || sasl === 'EXTERNAL';
}

/** The way of networks without SASL. Asked for and not just sent, so that an echo of the password is swallowed. */
async function identify(connection: Connection, { sasl, login }: IrcSettings, { password }: Secrets): Promise<void> {
  if (sasl !== 'none' || password === undefined) return;
  try {
    await connection.ask([{ command: 'PRIVMSG', params: ['NickServ', `IDENTIFY ${login} ${password}`] }]);
  } catch (error) {
    throw new AdapterError('auth', 'NickServ is not there to take the password', { cause: error });
  }
}
