import type { Session } from '../contract.ts';
import { AdapterError } from '../errors.ts';
import { invitation, subject } from './invitations.ts';
import { bare, parseAddress } from './jid.ts';
import type { Online } from './online.ts';
import * as outbound from './outbound.ts';
import { readProfile, searchPeople, writeProfile } from './people.ts';
import { members } from './room.ts';
import { sendText, target } from './texts.ts';
import { asideId } from './wire.ts';
import { NS } from './xml.ts';

type Facets = Omit<Session, 'run' | 'send' | 'resolve' | 'limits'>;

/** All abilities beyond sending text; `acting` throws while there is no connection. */
export function facets(acting: () => Online): Facets {
  return { ...peopleFacets(acting), ...messageFacets(acting), ...placeFacets(acting) };
}

function placeFacets(acting: () => Online): Pick<Facets, 'rooms' | 'files'> {
  return {
    rooms: {
      join: async (name, options) => await acting().rooms.join(roomAddress(name), options),
      leave: async (chat) => await acting().rooms.leave(chat),
      async topic(chat, text) {
        const { sending, rooms } = acting();
        await sending.send(subject(rooms.entered(chat), asideId(), text));
      },
      async invite(chat, user) {
        const { sending, rooms } = acting();
        await sending.send(invitation(rooms.entered(chat), asideId(), user));
      },
      members: async (chat) => members(acting().rooms.entered(chat)),
    },
    files: {
      async send(chat, file, nonce, options) {
        const online = acting();
        target(online, chat);
        const url = await online.uploads.put(file, options?.signal);
        return await sendText(online, chat, url, nonce, { ...options, url: true });
      },
      read: (id) => acting().uploads.read(id),
    },
  };
}

function roomAddress(name: string): string {
  const jid = bare(parseAddress(name));
  if (!jid.includes('@'))
    throw new AdapterError('bad-data', `"${name}" is no room: one looks like tea@conference.example.org`);
  return jid;
}

function peopleFacets(acting: () => Online): Pick<Facets, 'contacts' | 'presence' | 'profiles' | 'people'> {
  return {
    contacts: {
      add: async (who) => await acting().roster.add(who),
      remove: async (user) => await acting().roster.remove(user),
      rename: async (user, name) => await acting().roster.change(user, { name }),
      group: async (user, groups) => await acting().roster.change(user, { groups }),
      answer: async (request, accept) => await acting().requests.answer(request, accept),
      block: async (user, blocked) => await block(acting(), user, blocked),
    },
    presence: { set: async (state, note) => await acting().presences.set(state, note) },
    profiles: {
      read: async (user) => {
        const { wire } = acting();
        return await readProfile(wire, user === wire.self ? undefined : user);
      },
      write: async (profile) => await writeProfile(acting().wire, profile),
    },
    people: {
      search: async (query) => {
        const { wire, disco } = acting();
        return await searchPeople(wire, disco, query);
      },
    },
  };
}

async function block({ wire, disco }: Online, user: string, blocked: boolean): Promise<void> {
  if (!(await disco.info(wire.domain)).features.has(NS.blocking)) {
    throw new AdapterError('unsupported', `${wire.domain} cannot block people`);
  }
  await wire.set(undefined, outbound.blocking(user, blocked));
}

type MessageFacets = Pick<Facets, 'typing' | 'reading' | 'history' | 'edits' | 'retractions' | 'reactions' | 'lookup'>;

function messageFacets(acting: () => Online): MessageFacets {
  return {
    typing: {
      async set(chat, active) {
        const online = acting();
        const { to, type } = target(online, chat);
        // XEP-0085 5.1: not to somebody who is away or whose client may not know of it.
        if (type === 'chat' && !online.presences.isThere(chat) && !online.typing.understood(chat)) return;
        if (!online.typing.changes(chat, active)) return;
        online.wire.stream.send(outbound.typing(to, type, asideId(), active));
      },
    },
    reading: {
      async mark(chat, upTo) {
        const { rooms, receipts, displayed, archives, timeline } = acting();
        // Of before this connection: the archive knows by which id the others know it.
        if (!timeline.find(chat, upTo)) await archives.page(chat, undefined).catch(() => undefined);
        receipts.read(chat, upTo, rooms.get(chat) !== undefined);
        await displayed.publish(chat, timeline.find(chat, upTo)?.archived ?? '');
      },
    },
    history: { page: async (chat, before) => await acting().archives.page(chat, before) },
    edits: {
      async edit(chat, id, text) {
        const online = acting();
        const { to, type, inRoom } = target(online, chat);
        const known = online.timeline.find(chat, id);
        if (type === 'groupchat' && !known) {
          throw new AdapterError('refused', 'the message is too long ago to be changed in this room');
        }
        const replaces = known?.wire ?? id;
        await online.sending.send(outbound.message({ to, type, id: asideId(), text, inRoom, replaces }));
      },
    },
    retractions: {
      async retract(chat, id) {
        const online = acting();
        const { to, type } = target(online, chat);
        await online.sending.send(outbound.retraction(to, type, asideId(), id));
      },
    },
    reactions: {
      async set(chat, id, emoji) {
        const online = acting();
        const { to, type } = target(online, chat);
        const of = type === 'groupchat' ? id : (online.timeline.find(chat, id)?.wire ?? id);
        await online.sending.send(outbound.reactions(to, type, asideId(), of, emoji));
      },
    },
    lookup: { find: async (chat, nonce) => await acting().archives.find(chat, nonce) },
  };
}
