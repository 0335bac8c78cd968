import type { Element } from '@xmpp/xml';
import { AdapterError, asAdapterError } from '../errors.ts';
import type { Disco } from './disco.ts';
import { type Reading, readMessage } from './inbound.ts';
import { bare } from './jid.ts';
import type { Found, Mam, MamPage } from './mam.ts';
import type { Room } from './room.ts';
import type { Wire } from './wire.ts';
import { NS } from './xml.ts';

/** A message out of an archive. `seen`: of before our first look at it, and not known to be unread. */
export interface Past {
  readonly archived: string;
  readonly seen: boolean;
}

/**
 * Fills the gap since the last connection from the archives (XEP-0313) of the account and of each room. What comes in
 * meanwhile waits, so that each chat keeps its order. Where the next one begins is stored with the messages before it.
 */
export interface CatchUp {
  /** Before the first presence, and so before any message: where nothing is archived, nothing waits. */
  ready(): Promise<void>;
  /** After the sign-in. `marks`: how far each chat was read on other devices, by the archive's id. */
  account(marks: ReadonlyMap<string, string>): Promise<void>;
  /** Before the room is entered: how many messages of its own playback are wanted. */
  opens(room: Room): number;
  /** The room was entered. */
  room(room: Room): Promise<void>;
  /** The room was not entered. */
  gaveUp(room: Room): void;
  /** True: that stanza waits until what was missed before it is told. */
  holds(archive: string, stanza: Element): boolean;
  /** A live message was told. False: it was told before, from the archive. */
  isNew(archive: string, id: string): boolean;
  reached(archive: string, id: string): void;
  /** Stores how far it came. */
  keep(): void;
}

export interface CatchUpNeeds {
  readonly mam: Mam;
  readonly disco: Disco;
  /** Tells of a message of the archive of the account, or of that room. */
  past(reading: Reading, room: Room | undefined, past: Past): void;
  /** Takes a stanza that had to wait. */
  take(stanza: Element): void;
  /** All that was missed is told. */
  filled(): void;
}

/** Where the next catch-up begins; no id: the archive was empty at that time. */
interface Mark {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

const unfinished = 'mam.open';
const markKey = (archive: string): string => `mam.${archive}`;
const pageSize = 100;
/** What an archive that was never looked at before is asked for. */
const firstSize = { account: 100, room: 50 } as const;
/** More than this is not held back: it is told at once, and stands where its time belongs. */
const mostHeld = 2_000;
const mostTold = 5_000;
/** For an archive that forgot our place in it: clocks differ, and a message more is found out by its id. */
const slackMs = 5 * 60_000;

export function catchUp(wire: Wire, needs: CatchUpNeeds): CatchUp {
  const { memory, clock, log } = wire.host;
  const held = new Map<string, Element[]>();
  /** Archives whose gap is closed: live messages move their mark on. */
  const whole = new Set<string>();
  const due = new Map<string, Mark>();
  /** Rooms that said what they are only once they were entered: as a rule they are new, and nothing was missed. */
  const unasked = new Set<string>();
  let told = new Set<string>();
  let scheduled = false;
  let looks = false;

  const keep = (): void => {
    scheduled = false;
    for (const [archive, mark] of due) memory.set(markKey(archive), JSON.stringify(mark));
    due.clear();
  };
  const release = (archive: string): void => {
    const waiting = held.get(archive) ?? [];
    held.delete(archive);
    for (const stanza of waiting) needs.take(stanza);
  };

  if (!wire.stream.resumed || memory.get(unfinished) !== undefined) {
    // Stored before the first stanza that waits is acknowledged: whoever resumes this stream has to look again.
    memory.set(unfinished, '1');
    held.set(wire.self, []);
    looks = true;
  } else if (memory.get(markKey(wire.self)) !== undefined) whole.add(wire.self);

  /** False: some of it has come by itself meanwhile, waits, and will be told as the news that it is. */
  const tell = (found: readonly Found[], room: Room | undefined, seen: (at: Found) => boolean): boolean => {
    const archive = room?.jid ?? wire.self;
    const waiting = new Map((held.get(archive) ?? []).map((stanza) => arrival(stanza, archive)));
    let all = true;
    for (const one of found) {
      if (waiting.get(one.id) === 'now') {
        all = false;
        continue;
      }
      const reading = readMessage(one.message);
      reading.stamp = one.stamp ?? reading.stamp;
      if (told.size >= mostTold) told = new Set();
      told.add(`${archive} ${one.id}`);
      if (reading.type === 'error' || reading.carbon || reading.archived) continue;
      needs.past(reading, room, { archived: one.id, seen: seen(one) && !waiting.has(one.id) });
    }
    return all;
  };

  const reach = (archive: string, page: MamPage): void => {
    const stamp = Date.parse(page.found.at(-1)?.stamp ?? '');
    if (page.last !== undefined)
      memory.set(markKey(archive), JSON.stringify({ id: page.last, at: stamp || clock.now() } satisfies Mark));
  };

  const begin = async (room: Room | undefined, marks: ReadonlyMap<string, string>): Promise<void> => {
    const archive = room?.jid ?? wire.self;
    const page = await needs.mam.page(room?.jid, { before: '', max: room ? firstSize.room : firstSize.account });
    const seen = seenBy(marks, page.found, (one) => (room ? room.jid : peerOf(one, wire.self)));
    if (!tell(page.found, room, seen)) return;
    if (page.last === undefined) memory.set(markKey(archive), JSON.stringify({ id: '', at: clock.now() }));
    else reach(archive, page);
  };

  const goOn = async (room: Room | undefined, mark: Mark): Promise<void> => {
    const since = { start: mark.at - slackMs };
    let from: { readonly start?: number } = mark.id ? {} : since;
    let after: string | undefined = mark.id || undefined;
    let all = true;
    for (;;) {
      try {
        const page = await needs.mam.page(room?.jid, { ...from, after, max: pageSize });
        all = tell(page.found, room, () => false) && all;
        // Not past what still waits: should we end here, the next look begins before it.
        if (all) reach(room?.jid ?? wire.self, page);
        if (page.complete || page.last === undefined || page.last === after) return;
        after = page.last;
      } catch (error) {
        // It keeps messages for a time only, or was begun anew.
        if (asAdapterError(error).code !== 'not-found' || from.start !== undefined) throw error;
        from = since;
        after = undefined;
      }
    }
  };

  const fill = async (room: Room | undefined, marks: ReadonlyMap<string, string>): Promise<void> => {
    const archive = room?.jid ?? wire.self;
    try {
      const info = room ? room.info : await needs.disco.info(wire.self);
      if (!info?.features.has(NS.mam)) {
        if (room) memory.set(markKey(archive), JSON.stringify({ id: '', at: clock.now() }));
        return;
      }
      const mark = readMark(memory.get(markKey(archive)));
      if (unasked.delete(archive)) {
        // Its own playback came already. Where there was a gap, the next entering begins at its start.
        if (mark) return;
        memory.set(markKey(archive), JSON.stringify({ id: '', at: clock.now() } satisfies Mark));
      } else if (mark) await goOn(room, mark);
      else await begin(room, marks);
      whole.add(archive);
    } catch (error) {
      if (!wire.ended.aborted) log('warn', `${archive}: what was missed is not complete: ${String(error)}`);
      throw error instanceof AdapterError ? error : asAdapterError(error);
    } finally {
      if (!wire.ended.aborted) {
        release(archive);
        needs.filled();
      }
    }
  };

  return {
    async ready() {
      if (!looks) return;
      const info = await needs.disco.info(wire.self).catch(() => undefined);
      if (info?.features.has(NS.mam)) return;
      // What waited here and was acknowledged would be lost with the connection: no archive brings it again.
      memory.set(unfinished, undefined);
      release(wire.self);
    },
    async account(marks) {
      if (!looks) return;
      await fill(undefined, marks);
      memory.set(unfinished, undefined);
    },
    opens(room) {
      room.fresh = memory.get(markKey(room.jid)) === undefined;
      if (room.info && !room.info.features.has(NS.mam)) return firstSize.room;
      whole.delete(room.jid);
      if (!held.has(room.jid)) held.set(room.jid, []);
      if (room.info) return 0;
      unasked.add(room.jid);
      return firstSize.room;
    },
    room: async (room) => await fill(room, new Map()),
    gaveUp: (room) => void held.delete(room.jid),
    holds(archive, stanza) {
      const waiting = held.get(archive);
      if (!waiting) return false;
      if (waiting.length >= mostHeld) {
        release(archive);
        return false;
      }
      waiting.push(stanza);
      return true;
    },
    isNew: (archive, id) => told.size === 0 || !told.has(`${archive} ${id}`),
    reached(archive, id) {
      if (!whole.has(archive)) return;
      due.set(archive, { id, at: clock.now() });
      // Once for all that one segment brought; never before the messages themselves.
      if (!scheduled) setImmediate(keep);
      scheduled = true;
    },
    keep,
  };
}

function seenBy(
  marks: ReadonlyMap<string, string>,
  found: readonly Found[],
  chatOf: (one: Found) => string,
): (one: Found) => boolean {
  const ids = new Set(found.map(({ id }) => id));
  const unread = new Set<string>();
  // A mark that stands before this page leaves the whole page unread.
  for (const [chat, id] of marks) if (!ids.has(id)) unread.add(chat);
  return (one) => {
    const chat = chatOf(one);
    const seen = !unread.has(chat);
    if (marks.get(chat) === one.id) unread.add(chat);
    return seen;
  };
}

/**
 * The id that the archive gave to the message in a stanza, or in the copy of one, and when it came: what the server kept
 * for a time (XEP-0160) because nobody was there has been read by nobody, but is no news.
 */
function arrival(stanza: Element, archive: string): readonly [id: string | undefined, when: 'now' | 'kept'] {
  const outer = readMessage(stanza);
  const { stanzaIds, stamp } = outer.carbon ? readMessage(outer.carbon.message) : outer;
  return [stanzaIds.find(({ by }) => by === archive)?.id, stamp === undefined ? 'now' : 'kept'];
}

function peerOf({ message }: Found, self: string): string {
  const { from = '', to = '' } = message.attrs;
  const peer = from && bare(from) !== self ? from : to;
  return peer ? bare(peer) : '';
}

function readMark(text: string | undefined): Mark | undefined {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    if (typeof value !== 'object' || value === null || !('id' in value) || !('at' in value)) return undefined;
    return typeof value.id === 'string' && typeof value.at === 'number' ? { id: value.id, at: value.at } : undefined;
  } catch {
    return undefined;
  }
}
