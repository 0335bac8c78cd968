import { randomUUID } from 'node:crypto';
import { type Element, xml } from '@xmpp/xml';
import type { ClientConnection } from './connection.ts';

export interface DemoContact {
  readonly jid: string;
  readonly name?: string;
  readonly groups?: readonly string[];
  readonly subscription?: 'both' | 'to' | 'from' | 'none';
}

/** Who has an account, who is connected, who lives here without a connection, and whose contacts they are. */
export interface World {
  readonly domain: string;
  readonly passwords: Map<string, string>;
  readonly clients: Set<ClientConnection>;
  /** Last presence by bare JID of those who need no connection. */
  readonly present: Map<string, Element>;
  /** By bare or full JID. */
  clientsOf(jid: string): ClientConnection[];
  rosterOf(user: string): Map<string, DemoContact>;
  setRoster(user: string, contacts: readonly DemoContact[]): void;
  /** Somebody gets messages there. */
  lives(jid: string): boolean;
  /** False: nobody is connected there. A message for somebody with an account here is then kept. */
  deliver(to: string, stanza: Element): boolean;
  /** A stanza for the next time that they are here (XEP-0160); only messages are worth that. */
  keep(jid: string, stanza: string): void;
  /** What was kept for them, once. */
  kept(jid: string): readonly string[];
  sees(client: ClientConnection, jid: string): boolean;
  /** To everybody who sees that JID. */
  broadcast(jid: string, stanza: Element): void;
  /** A change of a contact list to each client of its owner. */
  push(user: string, item: Element): void;
}

export const bare = (jid: string): string => jid.split('/', 1)[0] ?? jid;

export function newWorld(domain: string): World {
  const passwords = new Map<string, string>();
  const clients = new Set<ClientConnection>();
  const present = new Map<string, Element>();
  const waiting = new Map<string, string[]>();
  const rosters = new Map<string, Map<string, DemoContact>>();
  const clientsOf = (jid: string): ClientConnection[] =>
    [...clients].filter((client) => client.jid === jid || bare(client.jid) === jid);
  const rosterOf = (user: string): Map<string, DemoContact> => {
    const roster = rosters.get(user) ?? new Map<string, DemoContact>();
    rosters.set(user, roster);
    return roster;
  };
  const sees = (client: ClientConnection, jid: string): boolean => {
    const { subscription = 'both' } = rosterOf(client.user).get(jid) ?? { subscription: 'none' };
    return subscription === 'both' || subscription === 'to';
  };
  const keep = (jid: string, stanza: string): void => {
    const all = waiting.get(jid) ?? [];
    waiting.set(jid, all);
    if (stanza.startsWith('<message')) all.push(stanza);
  };
  return {
    keep,
    kept(jid) {
      const all = waiting.get(jid) ?? [];
      waiting.delete(jid);
      return all;
    },
    domain,
    passwords,
    clients,
    present,
    clientsOf,
    rosterOf,
    setRoster: (user, contacts) => void rosters.set(user, new Map(contacts.map((contact) => [contact.jid, contact]))),
    lives: (jid) =>
      present.has(jid) ||
      [...rosters.values()].some((roster) => roster.has(jid)) ||
      (jid.endsWith(`@${domain}`) && passwords.has(jid.split('@', 1)[0] ?? '')),
    deliver(to, stanza) {
      const receivers = clientsOf(to);
      stanza.attrs.to = to;
      for (const client of receivers) client.send(stanza);
      const { type } = stanza.attrs;
      const worth = stanza.is('message') && stanza.getChild('body') && type !== 'error' && type !== 'groupchat';
      const user = bare(to).split('@', 1)[0] ?? '';
      if (receivers.length === 0 && worth && bare(to) === `${user}@${domain}` && passwords.has(user))
        keep(bare(to), stanza.toString());
      return receivers.length > 0;
    },
    sees,
    broadcast(jid, stanza) {
      for (const client of clients) if (client.available && sees(client, jid)) client.send(stanza);
    },
    push(user, item) {
      for (const client of clientsOf(`${user}@${domain}`)) {
        const query = xml('query', { xmlns: 'jabber:iq:roster' }, item);
        client.send(xml('iq', { type: 'set', id: randomUUID(), to: client.jid }, query));
      }
    },
  };
}

export function itemOf({ jid, name, groups = [], subscription = 'both' }: DemoContact): Element {
  return xml('item', { jid, name, subscription }, ...groups.map((group) => xml('group', {}, group)));
}
