import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { type Element, xml } from '@xmpp/xml';
import { type ClientConnection, serve, type Tls } from './xmpp/connection.ts';
import { demoRooms, MUC } from './xmpp/rooms.ts';

export interface DemoContact {
  readonly jid: string;
  readonly name?: string;
  readonly groups?: readonly string[];
  readonly subscription?: 'both' | 'to' | 'from' | 'none';
}

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

const CHAT_STATES = 'http://jabber.org/protocol/chatstates';
const bare = (jid: string): string => jid.split('/', 1)[0] ?? jid;

export async function startXmppServer(options: XmppServerOptions): Promise<XmppServer> {
  const domain = options.domain ?? 'localhost';
  const passwords = new Map(options.users.map(({ name, password }) => [name, password]));
  const rosters = new Map<string, Map<string, DemoContact>>();
  const setRoster = (user: string, contacts: readonly DemoContact[]): void =>
    void rosters.set(user, new Map(contacts.map((contact) => [contact.jid, contact])));
  for (const [user, contacts] of Object.entries(options.roster ?? {})) setRoster(user, contacts);
  const present = new Map<string, Element>();
  const clients = new Set<ClientConnection>();
  const messageListeners = new Set<(from: string, to: string, body: string) => void>();
  const stanzaListeners = new Set<(stanza: Element) => void>();

  const clientsOf = (jid: string): ClientConnection[] =>
    [...clients].filter((client) => client.jid === jid || bare(client.jid) === jid);
  const rosterOf = (user: string): Map<string, DemoContact> => {
    const roster = rosters.get(user) ?? new Map<string, DemoContact>();
    rosters.set(user, roster);
    return roster;
  };
  const lives = (jid: string): boolean =>
    present.has(jid) ||
    [...rosters.values()].some((roster) => roster.has(jid)) ||
    passwords.has(jid.split('@', 1)[0] ?? '');
  const deliver = (to: string, stanza: Element): boolean => {
    const receivers = clientsOf(to);
    stanza.attrs.to = to;
    for (const client of receivers) client.send(stanza);
    return receivers.length > 0;
  };
  const rooms = demoRooms(`conference.${domain}`, deliver);

  const sees = (client: ClientConnection, jid: string): boolean => {
    const { subscription = 'both' } = rosterOf(client.user).get(jid) ?? { subscription: 'none' };
    return subscription === 'both' || subscription === 'to';
  };
  const broadcast = (jid: string, stanza: Element): void => {
    for (const client of clients) if (client.available && sees(client, jid)) client.send(stanza);
  };
  const push = (user: string, item: Element): void => {
    for (const client of clientsOf(`${user}@${domain}`)) {
      const query = xml('query', { xmlns: 'jabber:iq:roster' }, item);
      client.send(xml('iq', { type: 'set', id: randomUUID(), to: client.jid }, query));
    }
  };

  const takePresence = (client: ClientConnection, stanza: Element): void => {
    const { to, type } = stanza.attrs;
    const own = bare(client.jid);
    if (to?.includes(rooms.service)) return rooms.stanza(stanza);
    if (to && type === 'subscribe') {
      const before = rosterOf(client.user).get(to);
      const contact: DemoContact = { ...before, jid: to, subscription: 'both' };
      if (deliver(to, xml('presence', { from: own, type }))) return;
      if (!lives(to) || !present.has(to)) return;
      rosterOf(client.user).set(to, contact);
      push(client.user, itemOf(contact));
      client.send(xml('presence', { from: to, type: 'subscribed', to: client.jid }));
      const state = present.get(to);
      if (state) client.send(state);
    } else if (to) deliver(to, stanza);
    else {
      const arrives = type === undefined && !client.available;
      client.available = type === undefined ? stanza : undefined;
      if (arrives) for (const [jid, state] of present) if (sees(client, jid)) client.send(state);
      if (arrives)
        for (const other of clients) if (other.available && sees(client, bare(other.jid))) client.send(other.available);
      broadcast(own, stanza);
    }
  };

  const takeMessage = (client: ClientConnection, stanza: Element): void => {
    const { to = bare(client.jid), id, type } = stanza.attrs;
    const body = stanza.getChildText('body');
    if (to.includes(rooms.service)) rooms.stanza(stanza);
    else if (!deliver(to, stanza) && !lives(bare(to))) {
      const error = xml('error', { type: 'cancel' }, unavailable());
      return client.send(xml('message', { from: to, to: client.jid, type: 'error', id }, error));
    } else if (id && !clientsOf(to).length && stanza.getChild('request', 'urn:xmpp:receipts')) {
      const received = xml('received', { xmlns: 'urn:xmpp:receipts', id });
      client.send(xml('message', { from: to, to: client.jid, id: randomUUID(), type: type ?? 'chat' }, received));
    }
    if (body) for (const listener of messageListeners) listener(bare(client.jid), to, body);
  };

  const takeRequest = (client: ClientConnection, stanza: Element): void => {
    const { id, to, type } = stanza.attrs;
    if (type !== 'get' && type !== 'set') return;
    const request = stanza.getChildElements()[0];
    const answer = request && answerTo(client, to, type, request);
    const payload = answer === undefined ? xml('error', { type: 'cancel' }, unavailable()) : answer;
    client.send(xml('iq', { type: answer === undefined ? 'error' : 'result', id, from: to, to: client.jid }, payload));
  };

  /** `null`: done. Undefined: there is no such thing here. */
  const answerTo = (
    client: ClientConnection,
    to: string | undefined,
    type: string,
    request: Element,
  ): Element | null | undefined => {
    const ns = request.getNS();
    const roster = rosterOf(client.user);
    if (ns === 'jabber:iq:roster' && type === 'get')
      return xml('query', { xmlns: ns }, ...[...roster.values()].map(itemOf));
    if (ns === 'jabber:iq:roster') {
      const item = request.getChild('item');
      const jid = item?.attrs.jid ?? '';
      if (item?.attrs.subscription === 'remove') roster.delete(jid);
      else roster.set(jid, readItem(roster.get(jid), jid, item));
      const after = roster.get(jid);
      push(client.user, after ? itemOf(after) : xml('item', { jid, subscription: 'remove' }));
      return null;
    }
    if (ns === 'urn:xmpp:ping' || ns === 'urn:xmpp:carbons:2') return null;
    if (ns === 'http://jabber.org/protocol/disco#items') {
      return xml('query', { xmlns: ns }, to === domain ? xml('item', { jid: rooms.service }) : null);
    }
    return ns === 'http://jabber.org/protocol/disco#info' ? infoOf(to, ns) : undefined;
  };

  const infoOf = (to: string | undefined, ns: string): Element | undefined => {
    const features = (...all: string[]): Element[] => all.map((name) => xml('feature', { var: name }));
    if (to?.includes(rooms.service)) {
      if (to !== rooms.service && !rooms.names().includes(to)) return undefined;
      const identity = xml('identity', { category: 'conference', type: 'text', name: to.split('@')[0] });
      return xml('query', { xmlns: ns }, identity, ...features(MUC, 'urn:xmpp:sid:0'));
    }
    const category = to === domain ? 'server' : 'account';
    return xml('query', { xmlns: ns }, xml('identity', { category, type: 'im' }), ...features('urn:xmpp:carbons:2'));
  };

  const server = createServer((socket) => {
    socket.setNoDelay(true);
    const client = serve(socket, {
      domain,
      tls: options.tls,
      password: (user) => passwords.get(user),
      bound: (bound) => void clients.add(bound),
      stanza(sender, stanza) {
        for (const listener of stanzaListeners) listener(stanza);
        if (stanza.name === 'message') takeMessage(sender, stanza);
        else if (stanza.name === 'presence') takePresence(sender, stanza);
        else if (stanza.name === 'iq') takeRequest(sender, stanza);
      },
      closed(gone) {
        sockets.delete(client);
        if (!clients.delete(gone)) return;
        rooms.gone(gone.jid);
        if (gone.available) broadcast(bare(gone.jid), xml('presence', { from: gone.jid, type: 'unavailable' }));
      },
    });
    sockets.add(client);
  });
  const sockets = new Set<ClientConnection>();
  const dropConnections = (): void => {
    for (const client of sockets) client.drop();
  };
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;

  return {
    port,
    domain,
    rooms: rooms.service,
    dropConnections,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      dropConnections();
      await closed;
    },
    onMessage: (listener) => listen(messageListeners, listener),
    onStanza: (listener) => listen(stanzaListeners, listener),
    say(from, to, body) {
      const request = xml('request', { xmlns: 'urn:xmpp:receipts' });
      const active = xml('active', { xmlns: CHAT_STATES });
      const attrs = { from: `${from}/demo`, type: 'chat', id: randomUUID() };
      deliver(to, xml('message', attrs, xml('body', {}, body), request, active));
    },
    sayInRoom: rooms.say,
    subject: rooms.subject,
    presence(jid, show, status) {
      const gone = show === 'unavailable';
      const attrs = { from: `${jid}/demo`, type: gone ? show : undefined };
      const stanza = xml(
        'presence',
        attrs,
        show && !gone && xml('show', {}, show),
        status && xml('status', {}, status),
      );
      if (gone) present.delete(jid);
      else present.set(jid, stanza);
      broadcast(jid, stanza);
    },
    typing(from, to, active) {
      const state = xml(active ? 'composing' : 'paused', { xmlns: CHAT_STATES });
      deliver(to, xml('message', { from: `${from}/demo`, type: 'chat' }, state));
    },
    inject(user, text) {
      for (const client of clientsOf(`${user}@${domain}`)) client.raw(text);
    },
    addUser: (name, password) => void passwords.set(name, password),
    setRoster,
  };
}

function listen<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

const unavailable = (): Element => xml('service-unavailable', { xmlns: 'urn:ietf:params:xml:ns:xmpp-stanzas' });

function itemOf({ jid, name, groups = [], subscription = 'both' }: DemoContact): Element {
  return xml('item', { jid, name, subscription }, ...groups.map((group) => xml('group', {}, group)));
}

function readItem(before: DemoContact | undefined, jid: string, item: Element | undefined): DemoContact {
  const groups = item?.getChildren('group').map((group) => group.getText()) ?? [];
  const name = item?.attrs.name;
  return { jid, groups, subscription: before?.subscription ?? 'none', ...(name ? { name } : undefined) };
}
