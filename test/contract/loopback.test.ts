import { loopback } from '../../adapters/loopback/index.ts';
import { type Letter, type World, worldOf } from '../../adapters/loopback/world.ts';
import { waitFor } from '../servers/process.ts';
import type { Driver, Peer, TestAccount } from './driver.ts';
import { contractSuite } from './suite.ts';

let made = 0;
const worlds = new Map<string, World>();
const names = new Set<string>();
const worldFor = (account: TestAccount): World => worldOf(account.settings.seed ?? '');

const driver: Driver = {
  adapter: loopback,
  start: async () => {},
  stop: async () => {},
  async account() {
    const seed = String(++made);
    const world = worldOf(seed);
    worlds.set(seed, world);
    for (const name of names) world.person(name);
    return { settings: { seed }, secrets: {}, address: 'me' };
  },
  badSettings: [
    { settings: { seed: 'spring' }, names: 'seed' },
    { settings: { seed: '-1' }, names: 'seed' },
  ],
  peer: async () => newPeer(),
  async befriend(account, peer) {
    worldFor(account).person(peer.address, { listed: true, state: 'offline' });
  },
  room: async () => `#room-${++made}`,
  nobody: 'nobody',
  hostile: [],
};

function newPeer(): Peer {
  const name = `peer-${++made}`;
  names.add(name);
  for (const world of worlds.values()) world.person(name);
  const letters = (): Letter[] => [...worlds.values()].flatMap((world) => world.letters);
  const texts = (chat = name): readonly string[] =>
    letters()
      .filter((letter) => letter.chat === chat && (letter.from === 'me' || chat !== name))
      .map(({ text }) => text);
  return {
    address: name,
    say: async (to, text) => void worldFor(to).say(name, text),
    heard: (passes, room) => waitFor(() => texts(room).find(passes), { what: 'a text of ours' }),
    texts: () => texts(),
    async sayInRoom(room, text) {
      for (const world of worlds.values()) if (world.rooms.has(room)) world.say(name, text, room);
    },
    async present(state, note) {
      for (const world of worlds.values()) world.person(name, { state, note: note ?? '' });
    },
    typing: async (to) => worldFor(to).typing(name, true),
    close: async () => {},
  };
}

contractSuite('loopback', driver);
