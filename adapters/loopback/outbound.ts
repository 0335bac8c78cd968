import type { ChatId, ContactsFacet, FilesFacet, MessageId, RoomsFacet, SendOptions, Session } from '../contract.ts';
import { AdapterError } from '../errors.ts';
import { contactOf, memberOf, messageId, messageOf, roomChat } from './inbound.ts';
import { type Change, type Draft, type Letter, ME, type World } from './world.ts';

/** UTF-8 bytes of one text; bytes of one file. */
export const LIMITS = { textBytes: 65_536, fileBytes: 10_000_000, receipts: true };
const PAGE = 50;

export function post(world: World, chat: ChatId, draft: Draft, { replyTo, signal }: SendOptions = {}): MessageId {
  if (signal?.aborted) throw new AdapterError('unreachable', 'cancelled before it was sent');
  if (Buffer.byteLength(draft.text) > LIMITS.textBytes)
    throw new AdapterError('too-long', `a text may have ${LIMITS.textBytes} bytes`);
  if (world.people.get(chat)?.blocked) throw new AdapterError('refused', 'you have blocked them');
  const letter = world.post(chat, replyTo === undefined ? draft : { ...draft, replyTo });
  if (!letter) throw new AdapterError('not-found', 'nobody here has that name');
  return messageId(letter.id);
}

/** Ours alone may be edited or taken back; anybody's may be reacted to. */
export function change(world: World, id: MessageId, change: Change): void {
  const letter = world.letters.find((one) => one.id === id);
  if (!letter) throw new AdapterError('not-found', 'there is no such message');
  if (change.kind !== 'react' && letter.from !== ME) throw new AdapterError('refused', 'somebody else wrote it');
  world.change(id, ME, change);
}

export function contacts(world: () => World): ContactsFacet {
  const known = (name: string): string => {
    if (!world().people.has(name)) throw new AdapterError('not-found', 'nobody here has that name');
    return name;
  };
  return {
    add: async (who) => void world().person(known(who), { listed: true }),
    remove: async (user) => void world().person(known(user), { listed: false }),
    rename: async (user, name) => void world().person(known(user), { shown: name }),
    group: async (user, groups) => void world().person(known(user), { groups }),
    answer: async (request, accept) => void world().person(known(request), { listed: accept }),
    block: async (user, blocked) => void world().person(known(user), { blocked }),
  };
}

export function rooms(world: () => World): RoomsFacet {
  const known = (name: string): string => {
    if (!world().rooms.has(name)) throw new AdapterError('not-found', 'there is no such room');
    return name;
  };
  return {
    async join(name) {
      if (!name.startsWith('#')) throw new AdapterError('refused', 'the name of a room begins with #');
      return roomChat(world().join(name, ME));
    },
    leave: async (chat) => world().leave(known(chat), ME),
    topic: async (chat, text) => world().topic(known(chat), text),
    invite: async (chat, user) => void world().join(known(chat), user),
    members: async (chat) => [...(world().rooms.get(known(chat))?.here ?? [])].map(memberOf),
  };
}

export function files(world: () => World): FilesFacet {
  return {
    async send(chat, { name, mime, bytes, data }, nonce, options) {
      if (bytes > LIMITS.fileBytes) throw new AdapterError('too-long', `a file may have ${LIMITS.fileBytes} bytes`);
      const parts: Uint8Array[] = [];
      for await (const part of data()) parts.push(part);
      return post(world(), chat, { text: '', nonce, file: { name, mime, bytes: Buffer.concat(parts) } }, options);
    },
    async *read(id) {
      const letter: Letter | undefined = world().letters.find((one) => one.id === id);
      if (!letter?.file) throw new AdapterError('not-found', 'there is no such file');
      yield letter.file.bytes;
    },
  };
}

/** What others see of us without a letter. */
export function signs(world: () => World): Required<Pick<Session, 'presence' | 'typing' | 'reading'>> {
  return {
    presence: {
      async set(state, note = '') {
        const { seen } = world();
        seen.state = state;
        seen.note = note;
      },
    },
    typing: {
      async set(chat, active) {
        world().seen.typing = active ? chat : undefined;
      },
    },
    reading: {
      async mark(chat, upTo) {
        world().seen.read.set(chat, upTo);
      },
    },
  };
}

/** Abilities to look things up: older letters, people, and what became of a send. */
export function lookups(world: () => World): Required<Pick<Session, 'history' | 'people' | 'profiles' | 'lookup'>> {
  return {
    history: {
      async page(chat, before) {
        const all = world().letters.filter((letter) => letter.chat === chat);
        const end =
          before === undefined
            ? all.length
            : Math.max(
                0,
                all.findIndex(({ id }) => id === before),
              );
        const start = Math.max(0, end - PAGE);
        const messages = all.slice(start, end).map(messageOf);
        const oldest = all[start];
        return start > 0 && oldest ? { messages, before: oldest.id } : { messages };
      },
    },
    people: {
      async search(query) {
        const wanted = query.toLowerCase();
        return [...world().people.values()].filter(({ shown }) => shown.toLowerCase().includes(wanted)).map(contactOf);
      },
    },
    profiles: {
      async read(user) {
        const person = world().people.get(user);
        if (!person) throw new AdapterError('not-found', 'nobody here has that name');
        return { name: person.shown, note: person.note };
      },
    },
    lookup: {
      async find(chat, nonce) {
        const letter = world().letters.find((one) => one.chat === chat && one.nonce === nonce);
        return letter && messageId(letter.id);
      },
    },
  };
}
