import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { type Element, xml } from '@xmpp/xml';
import { type ClientConnection, type Left, serve, type Tls } from './xmpp/connection.ts';
import { type DemoRooms, demoRooms } from './xmpp/rooms.ts';
import { route } from './xmpp/routes.ts';
import { bare, type DemoContact, newWorld, type World } from './xmpp/world.ts';

export type { DemoContact };

export interface XmppServerOptions {
  readonly users: readonly { readonly name: string; readonly password: string }[];
  /** By user name. */
  readonly roster?: Readonly<Record<string, readonly DemoContact[]>>;
  /** 0: any that is free. */
  readonly port?: number;
  /** `localhost` where not given. */
  readonly domain?: string;
  /** With it, STARTTLS is offered and demanded; without, all is in clear text. */
  readonly tls?: Tls;
}

/** A small XMPP server in this process for the demo, tests and the bench: its contacts live by the calls below. */
export interface XmppServer {
  readonly port: number;
  readonly domain: string;
  /** `conference.` and the domain. */
  readonly rooms: string;
  stop(): Promise<void>;
  dropConnections(): void;
  /** Each message of a client with a body, to a person or a room. Returns what ends it. */
  onMessage(listener: (from: string, to: string, body: string) => void): () => void;
  /** Addresses are bare JIDs; a client of `to` need not be online. */
  say(from: string, to: string, body: string): void;
  sayInRoom(room: string, nick: string, body: string): void;
  subject(room: string, nick: string, text: string): void;
  /** `undefined` is online; `unavailable` is gone. */
  presence(jid: string, show?: 'away' | 'dnd' | 'unavailable', status?: string): void;
  typing(from: string, to: string, active: boolean): void;
  /** Sent to each client of that user as it is, well-formed or not. */
  inject(user: string, text: string): void;
  /** Every stanza of clients, for tests. */
  onStanza(listener: (stanza: Element) => void): () => void;
  addUser(name: string, password: string): void;
  setRoster(user: string, contacts: readonly DemoContact[]): void;
}

/** How long a session waits for its client to come back. */
const RESUME_MS = 300_000;
const CHAT_STATES = 'http://jabber.org/protocol/chatstates';

export async function startXmppServer(options: XmppServerOptions): Promise<XmppServer> {
  const world = newWorld(options.domain ?? 'localhost');
  for (const { name, password } of options.users) world.passwords.set(name, password);
  for (const [user, contacts] of Object.entries(options.roster ?? {})) world.setRoster(user, contacts);
  const rooms = demoRooms(`conference.${world.domain}`, world.deliver);
  const messageListeners = new Set<(from: string, to: string, body: string) => void>();
  const stanzaListeners = new Set<(stanza: Element) => void>();
  const listening = await listen(options, world, rooms, (client, stanza) => {
    for (const listener of stanzaListeners) listener(stanza);
    const body = stanza.name === 'message' ? stanza.getChildText('body') : null;
    const to = stanza.attrs.to ?? bare(client.jid);
    route(world, rooms, client, stanza);
    if (body) for (const listener of messageListeners) listener(bare(client.jid), to, body);
  });
  return {
    ...listening,
    domain: world.domain,
    rooms: rooms.service,
    onMessage: (listener) => subscribe(messageListeners, listener),
    onStanza: (listener) => subscribe(stanzaListeners, listener),
    ...speech(world),
    sayInRoom: rooms.say,
    subject: rooms.subject,
    inject(user, text) {
      for (const client of world.clientsOf(`${user}@${world.domain}`)) client.raw(text);
    },
    addUser: (name, password) => void world.passwords.set(name, password),
    setRoster: world.setRoster,
  };
}

/** What those who live here do. */
function speech(world: World): Pick<XmppServer, 'say' | 'presence' | 'typing'> {
  return {
    say(from, to, body) {
      const request = xml('request', { xmlns: 'urn:xmpp:receipts' });
      const active = xml('active', { xmlns: CHAT_STATES });
      const attrs = { from: `${from}/demo`, type: 'chat', id: randomUUID() };
      world.deliver(to, xml('message', attrs, xml('body', {}, body), request, active));
    },
    presence(jid, show, status) {
      const gone = show === 'unavailable';
      const attrs = { from: `${jid}/demo`, type: gone ? show : undefined };
      const shown = show !== undefined && !gone && xml('show', {}, show);
      const stanza = xml('presence', attrs, shown, status && xml('status', {}, status));
      if (gone) world.present.delete(jid);
      else world.present.set(jid, stanza);
      world.broadcast(jid, stanza);
    },
    typing(from, to, active) {
      const state = xml(active ? 'composing' : 'paused', { xmlns: CHAT_STATES });
      world.deliver(to, xml('message', { from: `${from}/demo`, type: 'chat' }, state));
    },
  };
}

async function listen(
  options: XmppServerOptions,
  world: World,
  rooms: DemoRooms,
  stanza: (client: ClientConnection, stanza: Element) => void,
): Promise<Pick<XmppServer, 'port' | 'stop' | 'dropConnections'>> {
  const sockets = new Set<{ drop(): void }>();
  const sessions = new Map<string, Left>();
  const gone = (client: ClientConnection): void => {
    if (!world.clients.delete(client)) return;
    rooms.gone(client.jid);
    if (client.available) world.broadcast(bare(client.jid), xml('presence', { from: client.jid, type: 'unavailable' }));
  };
  /** What a session that nobody resumes was not able to give goes to its user's next one. */
  const abandon = ({ client, management }: Left): void => {
    sessions.delete(management.id);
    gone(client);
    for (const text of management.unacknowledged()) world.keep(bare(client.jid), text);
  };
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    const connection = serve(socket, {
      domain: world.domain,
      tls: options.tls,
      password: (user) => world.passwords.get(user),
      bound(bound) {
        for (const one of sessions.values()) if (one.client.jid === bound.jid) abandon(one);
        world.clients.add(bound);
      },
      stanza,
      managed: (session) => void sessions.set(session.management.id, session),
      left(id, user) {
        const found = sessions.get(id);
        return found?.client.user === user ? found : undefined;
      },
      closed(client, resumable) {
        if (resumable) {
          const { management } = resumable;
          setTimeout(() => management.write ?? abandon(resumable), RESUME_MS).unref();
          return;
        }
        for (const [id, session] of sessions) if (session.client === client) sessions.delete(id);
        gone(client);
      },
    });
    sockets.add(connection);
    socket.once('close', () => sockets.delete(connection));
  });
  const dropConnections = (): void => {
    for (const connection of sockets) connection.drop();
  };
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    dropConnections,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      dropConnections();
      await closed;
    },
  };
}

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
