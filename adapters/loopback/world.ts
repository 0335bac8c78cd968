import type { Clock, Presence } from '../contract.ts';

/** Stands for a network's server and everybody on it. It lives in this process and is gone with it. */
export interface World {
  /** Begins to hear what happens; gives the function that ends it. One session at a time, as most networks would have it. */
  attach(hear: (packet: Packet) => void, clock: Clock): () => void;
  readonly people: ReadonlyMap<string, Person>;
  readonly rooms: ReadonlyMap<string, Room>;
  readonly letters: readonly Letter[];
  /** What the others see of us. */
  readonly seen: Seen;
  /** A letter of ours; undefined where nobody has that name. */
  post(chat: string, letter: Draft): Letter | undefined;
  /** A letter of somebody else, in their chat with us or in a room. */
  say(from: string, text: string, room?: string): Letter;
  /** Makes somebody up, or changes them; what is shown of a contact is told at once. */
  person(name: string, changes?: Partial<Person>): Person;
  /** Changes text, file or reactions; true where the letter is there. */
  change(id: string, by: string, change: Change): boolean;
  typing(from: string, active: boolean): void;
  join(room: string, who: string): Room;
  leave(room: string, who: string): void;
  topic(room: string, text: string): void;
  /** Somebody asks to be a contact. */
  knock(from: string, text: string): void;
}

export interface Seen {
  state: Presence;
  note: string;
  /** The chat in which we are typing. */
  typing: string | undefined;
  /** By chat, the last letter that we read. */
  readonly read: Map<string, string>;
}

export interface Person {
  readonly name: string;
  readonly shown: string;
  readonly state: Presence;
  readonly note: string;
  readonly groups: readonly string[];
  /** On our list. */
  readonly listed: boolean;
  readonly blocked: boolean;
}

export interface Room {
  readonly name: string;
  topic: string;
  readonly here: Set<string>;
}

export interface Draft {
  readonly text: string;
  readonly nonce?: string;
  readonly replyTo?: string;
  readonly file?: Enclosure;
}

export interface Enclosure {
  readonly name: string;
  readonly mime: string;
  readonly bytes: Uint8Array;
}

export interface Letter extends Draft {
  readonly id: string;
  /** Name of the person or room whose chat it is in. */
  readonly chat: string;
  /** Name of the writer; `me`: us. */
  readonly from: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export type Change =
  | { readonly kind: 'edit'; readonly text: string }
  | { readonly kind: 'erase' }
  | { readonly kind: 'react'; readonly emoji: readonly string[] };

/** What the wire carries to us. */
export type Packet =
  | { readonly kind: 'letter'; readonly letter: Letter }
  | { readonly kind: 'person'; readonly person: Person; readonly was: Person | undefined }
  | { readonly kind: 'typing'; readonly from: string; readonly active: boolean }
  | { readonly kind: 'read'; readonly chat: string; readonly id: string }
  | { readonly kind: 'change'; readonly letter: Letter; readonly by: string; readonly change: Change }
  | { readonly kind: 'room'; readonly room: Room }
  | { readonly kind: 'member'; readonly room: string; readonly who: string; readonly present: boolean }
  | { readonly kind: 'knock'; readonly from: string; readonly text: string };

export const ME = 'me';
const CAST = ['ada', 'bell', 'curie', 'darwin', 'euler', 'faraday', 'gauss', 'hopper', 'ibn', 'joule'];
/** Milliseconds. */
const THINKING = 300;

const worlds = new Map<string, World>();

/** The same seed gives the same people, and within this process the same world. */
export function worldOf(seed: string): World {
  const known = worlds.get(seed);
  if (known) return known;
  const made = newWorld(seed);
  worlds.set(seed, made);
  return made;
}

function newWorld(seed: string): World {
  const people = new Map<string, Person>();
  const rooms = new Map<string, Room>();
  const letters: Letter[] = [];
  const seen: Seen = { state: 'online', note: '', typing: undefined, read: new Map() };
  let written = 0;
  let hear: ((packet: Packet) => void) | undefined;
  let clock: Clock | undefined;
  let stop = new AbortController();

  const write = (chat: string, from: string, draft: Draft): Letter => {
    // Unique over restarts too, as an id once archived is not stored again.
    const at = clock?.now() ?? 0;
    const letter = { ...draft, id: `${at.toString(36)}-${(written++).toString(36)}`, chat, from, at };
    letters.push(letter);
    return letter;
  };
  const tell = (packet: Packet): void => hear?.(packet);
  const after = (step: () => void): void => {
    const { signal } = stop;
    clock?.sleep(THINKING, signal).then(step, () => {});
  };
  const say: World['say'] = (from, text, room) => {
    if (room !== undefined) world.join(room, from);
    const letter = write(room ?? from, from, { text });
    if (room === undefined || rooms.get(room)?.here.has(ME)) tell({ kind: 'letter', letter });
    return letter;
  };

  const world: World = {
    people,
    rooms,
    letters,
    seen,
    say,
    attach(listener, time) {
      [hear, clock, stop] = [listener, time, new AbortController()];
      return () => {
        if (hear === listener) hear = undefined;
        stop.abort();
      };
    },
    post(chat, draft) {
      if (!people.has(chat) && !rooms.has(chat)) return undefined;
      const letter = write(chat, ME, draft);
      if (people.has(chat)) after(() => receive(letter));
      return letter;
    },
    person(name, changes = {}) {
      const was = people.get(name);
      const blank: Person = { name, shown: name, state: 'online', note: '', groups: [], listed: false, blocked: false };
      const person = { ...blank, ...was, ...changes };
      people.set(name, person);
      tell({ kind: 'person', person, was });
      return person;
    },
    change(id, by, change) {
      const at = letters.findIndex((letter) => letter.id === id);
      const letter = letters[at];
      if (!letter) return false;
      if (change.kind === 'edit') letters[at] = { ...letter, text: change.text };
      if (change.kind === 'erase') letters.splice(at, 1);
      if (by !== ME) tell({ kind: 'change', letter, by, change });
      return true;
    },
    typing: (from, active) => tell({ kind: 'typing', from, active }),
    join(name, who) {
      const room = rooms.get(name) ?? { name, topic: '', here: new Set<string>() };
      rooms.set(name, room);
      const fresh = !room.here.has(who);
      room.here.add(who);
      if (who === ME) tell({ kind: 'room', room });
      else if (fresh && room.here.has(ME)) tell({ kind: 'member', room: name, who, present: true });
      return room;
    },
    leave(name, who) {
      const room = rooms.get(name);
      if (room?.here.delete(who) && (who === ME || room.here.has(ME)))
        tell({ kind: 'member', room: name, who, present: false });
    },
    topic(name, text) {
      const room = rooms.get(name);
      if (!room) return;
      room.topic = text;
      tell({ kind: 'room', room });
    },
    knock: (from, text) => tell({ kind: 'knock', from, text }),
  };

  /** Whoever is online reads at once; `echo` also answers, after some typing. */
  const receive = (letter: Letter): void => {
    if (people.get(letter.chat)?.state !== 'offline') tell({ kind: 'read', chat: letter.chat, id: letter.id });
    if (letter.chat !== 'echo') return;
    world.typing('echo', true);
    after(() => {
      world.typing('echo', false);
      say('echo', letter.text);
    });
  };

  populate(world, seed);
  return world;
}

function populate(world: World, seed: string): void {
  world.person('echo', { shown: 'Echo', note: 'says what you say', listed: true });
  const states: readonly Presence[] = ['online', 'away', 'busy', 'offline'];
  const first = [...seed].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 9973, 7);
  for (let at = 0; at < 4; at++) {
    const name = CAST[(first + at) % CAST.length] ?? 'ada';
    const shown = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
    world.person(name, { shown, state: states[at] ?? 'online', groups: at < 2 ? ['Friends'] : [], listed: true });
    world.join('#lobby', name);
  }
  world.join('#lobby', 'echo');
  world.join('#lobby', ME);
  world.topic('#lobby', 'where everybody meets');
}
