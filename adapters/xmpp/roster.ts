import { Element, xml } from '@xmpp/xml';
import type { Contact } from '../contract.ts';
import { AdapterError } from '../errors.ts';
import { bare, domain, local, parseAddress } from './jid.ts';
import { chatId, userId, type Wire } from './wire.ts';
import { child, elements, NS } from './xml.ts';

export interface Item {
  readonly jid: string;
  readonly name: string;
  readonly subscription: 'both' | 'to' | 'from' | 'none';
  /** We asked to see their presence and they did not answer yet. */
  readonly asked: boolean;
  readonly groups: readonly string[];
}

/** The contact list that the server keeps (RFC 6121 section 2). */
export interface Roster {
  /** Asks the server, or takes our copy where the server says that it still holds (2.6). */
  load(): Promise<void>;
  /** A change announced by the server (2.1.6). False: it did not come from our own account and was ignored. */
  push(stanza: Element): boolean;
  item(jid: string): Item | undefined;
  contacts(): readonly Contact[];
  contact(jid: string): Contact | undefined;
  /** Whether they may know that we are here: receipts and answers go to nobody else. */
  seesUs(jid: string): boolean;
  add(who: string): Promise<void>;
  change(jid: string, with_: { readonly name?: string; readonly groups?: readonly string[] }): Promise<void>;
  remove(jid: string): Promise<void>;
  /** Keeps a copy for the next sign-in. */
  keep(): void;
}

export interface RosterWatch {
  changed(contact: Contact): void;
  removed(jid: string): void;
}

const kept = 'roster';

export function roster(wire: Wire, via: (domain: string) => string | undefined, watch: RosterWatch): Roster {
  const items = new Map<string, Item>();
  let version: string | undefined;
  let dirty = false;

  const toContact = (item: Item): Contact => {
    const network = item.jid.includes('@') ? via(domain(item.jid)) : undefined;
    return {
      id: userId(item.jid),
      chat: chatId(item.jid),
      address: item.jid,
      name: item.name || local(item.jid) || item.jid,
      groups: item.groups,
      subscription: item.subscription === 'none' && item.asked ? 'asked' : item.subscription,
      ...(network ? { via: network } : undefined),
    };
  };
  const store = (jid: string, name: string, groups: readonly string[]): Promise<Element> => {
    const parts = groups.map((group) => xml('group', {}, group));
    return wire.set(
      undefined,
      xml('query', { xmlns: NS.roster }, xml('item', { jid, name: name || undefined }, ...parts)),
    );
  };

  return {
    async load() {
      const copy = readCopy(wire.host.memory.get(kept));
      const reply = await wire.get(undefined, xml('query', { xmlns: NS.roster, ver: copy?.version ?? '' }));
      const query = child(reply, 'query', NS.roster);
      items.clear();
      version = query ? query.attrs.ver : copy?.version;
      // An empty result means that our copy is current; changes since then come as pushes.
      const all = query ? readItems(query) : (copy?.items ?? []);
      for (const item of all) items.set(item.jid, item);
      dirty = query !== undefined;
    },
    push(stanza) {
      const { from } = stanza.attrs;
      if (from && from !== wire.self) return false;
      const query = child(stanza, 'query', NS.roster);
      const node = query && elements(query).find((part) => part.getName() === 'item');
      if (!query || !node?.attrs.jid) return true;
      version = query.attrs.ver ?? version;
      if (!dirty) wire.host.memory.set(kept, undefined);
      dirty = true;
      const item = readItem(node);
      if (!item) {
        const jid = bare(node.attrs.jid);
        if (items.delete(jid)) watch.removed(jid);
      } else {
        items.set(item.jid, item);
        watch.changed(toContact(item));
      }
      return true;
    },
    item: (jid) => items.get(jid),
    contacts: () => Array.from(items.values(), toContact),
    contact: (jid) => {
      const item = items.get(jid);
      return item && toContact(item);
    },
    seesUs: (jid) => {
      const subscription = items.get(jid)?.subscription;
      return subscription === 'both' || subscription === 'from' || jid === wire.self;
    },
    async add(who) {
      const jid = bare(parseAddress(who));
      if (jid === wire.self) throw new AdapterError('refused', 'this is your own address');
      const item = items.get(jid);
      if (!item) await store(jid, '', []);
      if (item?.subscription !== 'both' && item?.subscription !== 'to') {
        await wire.stream.accepted(xml('presence', { to: jid, type: 'subscribe' }));
      }
    },
    async change(jid, { name, groups }) {
      const item = items.get(jid);
      if (!item) throw new AdapterError('not-found', `${jid} is not in your contact list`);
      await store(jid, name ?? item.name, groups ?? item.groups);
    },
    async remove(jid) {
      if (!items.has(jid)) throw new AdapterError('not-found', `${jid} is not in your contact list`);
      const item = xml('item', { jid, subscription: 'remove' });
      await wire.set(undefined, xml('query', { xmlns: NS.roster }, item));
    },
    keep() {
      if (!dirty || !version) return;
      wire.host.memory.set(kept, JSON.stringify({ version, items: [...items.values()] }));
      dirty = false;
    },
  };
}

function readItems(query: Element): Item[] {
  const items: Item[] = [];
  for (const node of query.children) {
    const item = node instanceof Element && node.name === 'item' ? readItem(node) : undefined;
    if (item) items.push(item);
  }
  return items;
}

/** Undefined for an item that was removed, or that names nobody. */
function readItem(node: Element): Item | undefined {
  const { jid, name = '', subscription = 'none', ask } = node.attrs;
  if (!jid || subscription === 'remove') return undefined;
  const groups: string[] = [];
  for (const part of node.children) {
    if (part instanceof Element && part.name === 'group') groups.push(part.getText());
  }
  const known = subscription === 'both' || subscription === 'to' || subscription === 'from';
  return { jid: bare(jid), name, subscription: known ? subscription : 'none', asked: ask === 'subscribe', groups };
}

interface Copy {
  readonly version: string;
  readonly items: readonly Item[];
}

/** Our own writing; anything else there counts as nothing. */
function readCopy(text: string | undefined): Copy | undefined {
  if (text === undefined) return undefined;
  try {
    const copy: Partial<Copy> = JSON.parse(text);
    return typeof copy.version === 'string' && Array.isArray(copy.items)
      ? { version: copy.version, items: copy.items }
      : undefined;
  } catch {
    return undefined;
  }
}
