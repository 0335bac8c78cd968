import type { ChatId, Contact, ContactsFacet, UserId } from '../contract.ts';
import { AdapterError } from '../errors.ts';
import type { Connection } from './connection.ts';
import { presenceWatch } from './presence.ts';
import type { Rooms } from './rooms.ts';
import type { Talk } from './talk.ts';
import type { IrcLine } from './transport/message.ts';

/** IRC keeps no contact list, so imux does: these are the keys of it in the account's memory. */
const CONTACTS = 'contacts';
const BLOCKED = 'blocked';

interface Entry {
  readonly nick: string;
  readonly name: string;
  readonly groups: readonly string[];
}

export interface Roster extends ContactsFacet {
  /** Reads what was kept; not before the server has told of its CASEMAPPING. */
  restore(): void;
  list(): readonly Contact[];
  start(signal: AbortSignal): void;
  isBlocked(nick: string): boolean;
  handle(line: IrcLine): boolean;
}

export function roster(connection: Connection, talk: Talk, rooms: Rooms): Roster {
  const { host, fold, client } = connection;
  /** By id, which is the nick that was added, folded. */
  const entries = new Map<string, Entry>();
  const blocked = new Set<string>(stored(host.memory.get(BLOCKED)).filter((id) => typeof id === 'string'));
  const invites = new Map<string, string>();
  const watch = presenceWatch(connection, talk);

  const keep = (): void => host.memory.set(CONTACTS, JSON.stringify([...entries.values()]));
  const contactOf = (id: string, { nick, name, groups }: Entry): Contact => ({
    id: id as UserId,
    chat: id as ChatId,
    address: nick,
    name,
    groups,
  });

  const change = (user: UserId, patch: Partial<Entry>): void => {
    const entry = entries.get(user);
    if (!entry) throw new AdapterError('not-found', `${user} is not on the contact list`);
    const changed = { ...entry, ...patch };
    entries.set(user, changed);
    keep();
    host.emit({ type: 'contact', contact: contactOf(user, changed) });
  };

  client.on('invite', ({ nick, invited, channel }) => {
    // With invite-notify, operators hear of the invitations of others as well.
    if (channel === undefined || invited === undefined || !connection.isMe(invited) || blocked.has(fold(nick))) return;
    const id = `invite ${fold(channel)}`;
    invites.set(id, channel);
    if (invites.size > 100) invites.delete(invites.keys().next().value ?? '');
    host.emit({ type: 'request', id, kind: 'invite', from: nick, text: channel });
  });

  return {
    restore() {
      for (const entry of stored(host.memory.get(CONTACTS)).filter(isEntry)) entries.set(fold(entry.nick), entry);
    },
    list: () => [...entries].map(([id, entry]) => contactOf(id, entry)),
    start(signal) {
      for (const id of entries.keys()) talk.keep(id as UserId);
      watch.start(
        [...entries].map(([id, { nick }]) => ({ id: id as UserId, nick })),
        signal,
      );
    },
    isBlocked: (nick) => blocked.size > 0 && blocked.has(talk.people.id(nick)),
    handle: watch.handle,
    async add(who) {
      const nick = checkNick(who, connection);
      const id = talk.people.id(nick);
      const entry = entries.get(id) ?? { nick, name: nick, groups: [] };
      entries.set(id, entry);
      keep();
      talk.keep(id);
      host.emit({ type: 'contact', contact: contactOf(id, entry) });
      watch.add({ id, nick });
    },
    async remove(user) {
      if (!entries.delete(user)) throw new AdapterError('not-found', `${user} is not on the contact list`);
      keep();
      watch.remove(user);
      host.emit({ type: 'contact-removed', user });
    },
    rename: async (user, name) => change(user, { name: name === '' ? (entries.get(user)?.nick ?? user) : name }),
    group: async (user, groups) => change(user, { groups: [...groups] }),
    async answer(request, accept) {
      const channel = invites.get(request);
      if (channel === undefined) throw new AdapterError('not-found', 'that invitation is no longer open');
      invites.delete(request);
      if (accept) await rooms.join(channel);
    },
    async block(user, isBlocked) {
      if (isBlocked) blocked.add(user);
      else blocked.delete(user);
      host.memory.set(BLOCKED, blocked.size === 0 ? undefined : JSON.stringify([...blocked]));
    },
  };
}

/** @throws AdapterError `bad-data` for what no server takes as a nick. */
export function checkNick(who: string, { isChannel }: Connection): string {
  if (who === '' || isChannel(who) || /[\s,*?!@:\0\x07]/.test(who)) {
    throw new AdapterError('bad-data', `"${who}" is neither a nick nor a channel`);
  }
  return who;
}

function stored(json: string | undefined): readonly unknown[] {
  if (json === undefined) return [];
  const value: unknown = JSON.parse(json);
  return Array.isArray(value) ? value : [];
}

function isEntry(value: unknown): value is Entry {
  return (
    typeof value === 'object' &&
    value !== null &&
    'nick' in value &&
    typeof value.nick === 'string' &&
    'name' in value &&
    typeof value.name === 'string' &&
    'groups' in value &&
    Array.isArray(value.groups)
  );
}
