import type { Chat, Host, Session } from '../contract.ts';
import { AdapterError } from '../errors.ts';
import { contactOf, eventsOf, memberOf, personChat, presenceOf, roomChat, userId } from './inbound.ts';
import { change, contacts, files, LIMITS, lookups, post, rooms, signs } from './outbound.ts';
import type { LoopbackSettings } from './settings.ts';
import { ME, type World, worldOf } from './world.ts';

/** The plainest session there is: what others do with sockets happens here by calls. */
export function openSession(settings: LoopbackSettings, host: Host): Session {
  let online: World | undefined;
  const world = (): World => {
    if (!online) throw new AdapterError('unreachable', 'this account is not online');
    return online;
  };

  return {
    async run(signal) {
      if (signal.aborted) return;
      const here = worldOf(settings.seed);
      const detach = here.attach((packet) => {
        for (const event of eventsOf(packet)) host.emit(event);
      }, host.clock);
      online = here;
      greet(here, host);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      online = undefined;
      detach();
    },
    send: async (chat, text, nonce, options) => post(world(), chat, { text, nonce }, options),
    resolve: async (address) => resolve(world(), address),
    limits: () => LIMITS,
    contacts: contacts(world),
    rooms: rooms(world),
    edits: { edit: async (_chat, id, text) => change(world(), id, { kind: 'edit', text }) },
    retractions: { retract: async (_chat, id) => change(world(), id, { kind: 'erase' }) },
    reactions: { set: async (_chat, id, emoji) => change(world(), id, { kind: 'react', emoji }) },
    files: files(world),
    ...signs(world),
    ...lookups(world),
  };
}

function greet(world: World, host: Host): void {
  const people = [...world.people.values()].filter(({ listed }) => listed);
  const joined = [...world.rooms.values()].filter(({ here }) => here.has(ME));
  host.emit({ type: 'online', self: userId(ME), name: 'me' });
  host.emit({ type: 'roster', contacts: people.map(contactOf), chats: joined.map(roomChat) });
  for (const person of people) host.emit(presenceOf(person));
  for (const { name, here } of joined)
    host.emit({ type: 'members', chat: roomChat({ name, here, topic: '' }).id, members: [...here].map(memberOf) });
}

function resolve(world: World, address: string): Chat {
  const room = world.rooms.get(address);
  if (room) return roomChat(room);
  const person = world.people.get(address);
  if (!person) throw new AdapterError('not-found', `nobody here is called "${address}"`);
  return personChat(person);
}
