import type { Presence, UserId } from '../contract.ts';
import type { Connection } from './connection.ts';
import type { Talk } from './talk.ts';
import type { IrcLine } from './transport/message.ts';

/** Milliseconds between two ISON on servers without MONITOR. */
const POLL = 30_000;
/** Bytes of nicks in one line, well inside 512. */
const NICK_BYTES = 380;
/** USERHOST takes five nicks. */
const USERHOST_NICKS = 5;

export interface Watched {
  /** The contact's id, which stays when the nick changes. */
  readonly id: UserId;
  readonly nick: string;
}

export interface Watch {
  /** Begins to watch, and goes on until the signal. */
  start(contacts: readonly Watched[], signal: AbortSignal): void;
  add(contact: Watched): void;
  remove(id: UserId): void;
  handle(line: IrcLine): boolean;
}

/**
 * Who of the contact list is online: by MONITOR (https://ircv3.net/specs/extensions/monitor) with away-notify and
 * USERHOST for who is away, by ISON again and again where the server knows no MONITOR or its list is full.
 */
export function presenceWatch(connection: Connection, talk: Talk): Watch {
  const { client, host, post, fold, isMe } = connection;
  /** By folded nick, the present one. */
  const watched = new Map<string, Watched>();
  const polled = new Set<string>();
  const states = new Map<UserId, string>();
  /** The nicks of each ISON that is still unanswered, oldest first. */
  const asked: (readonly string[])[] = [];
  let running = false;

  const set = (nick: string, state: Presence, note?: string): void => {
    const contact = watched.get(fold(nick));
    const key = `${state} ${note ?? ''}`;
    if (!contact || states.get(contact.id) === key) return;
    states.set(contact.id, key);
    host.emit({ type: 'presence', user: contact.id, state, ...(note ? { note } : {}) });
  };

  const isAway = (nick: string): boolean => {
    const contact = watched.get(fold(nick));
    return contact !== undefined && (states.get(contact.id)?.startsWith('away') ?? false);
  };

  const askWhoIsAway = (nicks: readonly string[]): void => {
    for (let at = 0; at < nicks.length; at += USERHOST_NICKS) post('USERHOST', nicks.slice(at, at + USERHOST_NICKS));
  };

  const cameOnline = (nicks: readonly string[]): void => {
    const ours = nicks.filter((nick) => watched.has(fold(nick)));
    for (const nick of ours) if (!isAway(nick)) set(nick, 'online');
    askWhoIsAway(ours);
  };

  const poll = (): void => {
    if (asked.length > 0) return;
    const nicks = [...polled].flatMap((folded) => watched.get(folded)?.nick ?? []);
    for (const group of groups(nicks)) {
      asked.push(group);
      post('ISON', [group.join(' ')]);
    }
  };

  const loop = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      poll();
      await host.clock.sleep(POLL, signal);
    }
  };

  const hasMonitor = (): boolean => client.network.supports('MONITOR') !== undefined;

  const begin = (nicks: readonly string[]): void => {
    if (!hasMonitor()) for (const nick of nicks) polled.add(fold(nick));
    else for (const group of groups(nicks)) post('MONITOR', ['+', group.join(',')]);
  };

  const cease = (nick: string): void => {
    watched.delete(fold(nick));
    if (!polled.delete(fold(nick)) && hasMonitor()) post('MONITOR', ['-', nick]);
  };

  /** Goes on watching a contact under another nick. */
  const move = (contact: Watched, nick: string): void => {
    cease(contact.nick);
    watched.set(fold(nick), { id: contact.id, nick });
    begin([nick]);
  };

  const wentOffline = (nick: string): void => {
    const contact = watched.get(fold(nick));
    set(nick, 'offline');
    talk.left(nick);
    if (!contact) return;
    // Who was followed to another nick is expected back under the first one.
    const first = talk.people.nick(contact.id);
    if (fold(first) !== fold(nick)) move(contact, first);
  };

  client.on('users online', ({ nicks }) => cameOnline(nicks));
  client.on('users offline', ({ nicks }) => {
    for (const nick of nicks) wentOffline(nick);
  });
  client.on('quit', ({ nick }) => wentOffline(nick));
  client.on('away', ({ nick, message, self }) => {
    if (!self && !isMe(nick)) set(nick, 'away', message);
  });
  client.on('back', ({ nick, self }) => {
    if (!self && !isMe(nick)) set(nick, 'online');
  });
  client.on('nick', ({ nick, new_nick: next }) => {
    const contact = next === undefined ? undefined : watched.get(fold(nick));
    if (next === undefined || !contact || isMe(next)) return;
    if (fold(talk.people.nick(contact.id)) === fold(next)) move(contact, next);
    else set(nick, 'offline');
  });

  const isonAnswer = (line: IrcLine): void => {
    const group = asked.shift();
    if (!group) return;
    const online = new Set((line.params.at(-1) ?? '').split(' ').map(fold));
    for (const nick of group) if (!online.has(fold(nick))) set(nick, 'offline');
    cameOnline(group.filter((nick) => online.has(fold(nick))));
  };

  const userhostAnswer = (line: IrcLine): void => {
    for (const [, nick = '', here] of (line.params.at(-1) ?? '').matchAll(/([^\s=*]+)\*?=([+-])\S*/g)) {
      if (here === '+') set(nick, 'online');
      else if (!isAway(nick)) set(nick, 'away');
    }
  };

  return {
    start(contacts, signal) {
      running = true;
      for (const contact of contacts) watched.set(fold(contact.nick), contact);
      begin(contacts.map(({ nick }) => nick));
      loop(signal).catch(() => {});
    },
    add(contact) {
      watched.set(fold(contact.nick), contact);
      if (!running) return;
      begin([contact.nick]);
      poll();
    },
    remove(id) {
      const contact = [...watched.values()].find((entry) => entry.id === id);
      if (contact) cease(contact.nick);
      states.delete(id);
    },
    handle(line) {
      switch (line.command) {
        case '303':
          isonAnswer(line);
          return true;
        case '302':
          userhostAnswer(line);
          return true;
        case '401':
          set(line.params[1] ?? '', 'offline');
          return false;
        case '734':
          // The server's list is full: the rest is asked for in the old way.
          for (const nick of (line.params[2] ?? '').split(',')) if (watched.has(fold(nick))) polled.add(fold(nick));
          poll();
          return true;
        default:
          return false;
      }
    },
  };
}

function groups(nicks: readonly string[]): readonly (readonly string[])[] {
  const all: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const nick of nicks) {
    const size = Buffer.byteLength(nick) + 1;
    if (bytes + size > NICK_BYTES) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)?.push(nick);
    bytes += size;
  }
  return all;
}
