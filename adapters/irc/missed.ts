import type { ChatId, Message, MessageId } from '../contract.ts';
import type { Connection } from './connection.ts';
import { type History, messageOf, timestamp } from './history.ts';
import { type Mark, readMarker } from './read-marks.ts';
import type { Reading } from './reading.ts';
import type { Rooms } from './rooms.ts';
import type { Talk } from './talk.ts';
import { type IrcLine, tag } from './transport/message.ts';

/**
 * What was said while we were away: from the server's history where it has one, else from what it or a bouncer plays back
 * by itself. Where the next look begins is stored with the messages before it.
 */
export interface Missed {
  /** Signed in: asks for private chats. */
  online(): void;
  /** We entered a channel. */
  entered(chat: ChatId): void;
  /** True: the line waits until what was missed before it is told. */
  holds(chat: ChatId, line: IrcLine): boolean;
  /** Tells of a message; one of a playback that was told before is left out. */
  tell(message: Message, line: IrcLine, played: boolean): void;
  /** How far another client of ours has read (https://ircv3.net/specs/extensions/read-marker). */
  marked(line: IrcLine): void;
  /** Tells the other clients. @throws AdapterError `unsupported`, `not-found` */
  mark(chat: ChatId, upTo: MessageId): Promise<void>;
  keep(): void;
}

export interface MissedParts {
  readonly connection: Connection;
  readonly talk: Talk;
  readonly rooms: Rooms;
  readonly reading: Reading;
  readonly history: History;
  readonly signal: AbortSignal;
  /** Takes a line that had to wait. */
  take(line: IrcLine): void;
}

/** What came longer after it was said than this is no news, however it came. */
const newsMs = 5 * 60_000;
const firstSize = 50;
const mostPages = 200;
const longestMs = 30_000;
const mostHeld = 2_000;
const mostReplayed = 10_000;
const lastKey = 'at';
const keyOf = (chat: ChatId): string => `at.${chat}`;
/** Private messages wait together: until the server was asked, nobody knows in which chat some were missed. */
const PRIVATE = 'private' as ChatId;

export function missed(parts: MissedParts): Missed {
  const { connection, talk, reading, history, signal } = parts;
  const { host, isChannel } = connection;
  const { memory, clock, log } = host;
  const held = new Map<ChatId, IrcLine[]>();
  const due = new Map<string, string>();
  /** As the chat stood when we came. */
  const before = new Map<ChatId, Mark | undefined>();
  /** What came out of the past, by chat and id: it may come once more. */
  let replayed = new Set<string>();
  /** Whose gap is not closed: their place stays where it was. */
  const gaps = new Set<ChatId>();
  let last = Number(memory.get(lastKey)) || 0;
  const since = last;
  let scheduled = false;

  const keep = (): void => {
    scheduled = false;
    for (const [key, value] of due) memory.set(key, value);
    due.clear();
  };
  const keepSoon = (key: string, value: string): void => {
    due.set(key, value);
    if (!scheduled) setImmediate(keep);
    scheduled = true;
  };

  const readMarks = readMarker({ ...parts, waits: (chat) => held.has(placeOf(chat)) });

  const placeOf = (chat: ChatId): ChatId => (isChannel(chat) ? chat : PRIVATE);
  const stood = (chat: ChatId): Mark | undefined => {
    if (!before.has(chat)) before.set(chat, readMark(memory.get(keyOf(chat))));
    return before.get(chat);
  };

  const reached = (chat: ChatId, { id, at }: Mark): void => {
    readMarks.remember(chat, { id, at });
    if (gaps.has(placeOf(chat))) return;
    keepSoon(keyOf(chat), JSON.stringify({ id, at } satisfies Mark));
    if (at > last && !gaps.has(PRIVATE)) {
      last = at;
      keepSoon(lastKey, String(at));
    }
  };

  const emit = (message: Message, live: boolean, seen: boolean): void =>
    host.emit({ type: 'message', message, live, ...(seen ? { seen } : {}) });

  const release = (place: ChatId): void => {
    const waiting = held.get(place) ?? [];
    held.delete(place);
    for (const line of waiting) parts.take(line);
  };

  const isTold = (chat: ChatId, id: string): boolean => replayed.size > 0 && replayed.has(`${chat} ${id}`);
  const replay = (message: Message, seen: boolean): void => {
    const { chat, id } = message;
    if (replayed.size > mostReplayed) replayed = new Set();
    replayed.add(`${chat} ${id}`);
    emit(message, false, seen);
  };

  /** Tells what stands in a page of the history. */
  const tellPage = (chat: ChatId, lines: readonly IrcLine[], fresh: boolean): Mark | undefined => {
    // What has come by itself meanwhile waits, and is the news that it is.
    const waiting = new Set((held.get(placeOf(chat)) ?? []).map(reading.idOf));
    let all = true;
    let end: Mark | undefined;
    for (const line of lines) {
      const message = messageOf(line, reading);
      if (!message || message.chat !== chat) continue;
      const at = message.at.getTime();
      end = { id: message.id, at };
      if (isTold(chat, message.id)) continue;
      if (waiting.has(message.id)) {
        all = false;
        continue;
      }
      replay(message, fresh && readMarks.covers(chat, at));
      readMarks.remember(chat, { id: message.id, at });
    }
    // Not past what still waits: should we end here, the next look begins before it.
    if (end && all) memory.set(keyOf(chat), JSON.stringify(end));
    return end;
  };

  const goOn = async (chat: ChatId, from: Mark): Promise<void> => {
    let mark = from;
    // By its time the last one told comes again.
    replayed.add(`${chat} ${from.id}`);
    const after = async (chat: ChatId, { id, at }: Mark): Promise<readonly IrcLine[]> => {
      const order = { how: 'AFTER', limit: history.limit() } as const;
      try {
        return await history.fetch(chat, { ...order, from: history.reference(id, at - 1) });
      } catch (error) {
        // A history is kept for a time only, and then the id says nothing any more.
        if (id === '' || mark !== from) throw error;
        return await history.fetch(chat, { ...order, from: timestamp(at - 1) });
      }
    };
    for (let page = 0; page < mostPages; page++) {
      // By the time, others of the same millisecond would be passed over: those told before are known by their id.
      const end = tellPage(chat, await after(chat, mark), false);
      if (!end || (end.id === mark.id && end.at === mark.at)) return;
      mark = end;
    }
  };

  const fill = async (chat: ChatId): Promise<void> => {
    const mark = stood(chat);
    if (mark) return await goOn(chat, mark);
    tellPage(chat, await history.fetch(chat, { how: 'LATEST', from: '*', limit: firstSize }), true);
  };

  const filled = async (place: ChatId, work: () => Promise<void>): Promise<void> => {
    gaps.add(place);
    const over = new AbortController();
    // A server that forgets to answer must not keep back what is said now.
    const late = clock.sleep(longestMs, AbortSignal.any([signal, over.signal]));
    late.then(() => release(place)).catch(() => undefined);
    try {
      await work();
      gaps.delete(place);
    } catch (error) {
      if (!signal.aborted) log('warn', `${place}: what was missed is not complete: ${String(error)}`);
    } finally {
      over.abort();
      if (!signal.aborted) release(place);
    }
  };

  const fillPrivate = async (): Promise<void> => {
    for (const nick of await history.partners(since)) {
      const id = talk.people.chat(nick);
      if (connection.caps.has('draft/read-marker')) await connection.ask([{ command: 'MARKREAD', params: [nick] }]);
      // Somebody who was never talked to here before wrote while we were away, unless this is the first sign-in.
      if (stood(id) === undefined && since > 0) before.set(id, { id: '', at: since });
      await fill(id);
    }
  };

  return {
    online() {
      if (connection.caps.has('znc.in/playback')) {
        // https://wiki.znc.in/Playback: with this ZNC plays nothing by itself.
        connection.post('PRIVMSG', ['*playback', `PLAY * ${since > 0 ? (since / 1_000).toFixed(3) : 0}`]);
      }
      if (!history.has()) return;
      held.set(PRIVATE, []);
      void filled(PRIVATE, fillPrivate).then(() => {
        for (const chat of readMarks.chats()) if (!isChannel(chat)) readMarks.apply(chat);
      });
    },
    entered(chat) {
      keep();
      const mark = readMark(memory.get(keyOf(chat)));
      before.set(chat, mark);
      if (!mark) keepSoon(keyOf(chat), JSON.stringify({ id: '', at: clock.now() } satisfies Mark));
      if (!history.has()) return;
      held.set(chat, []);
      void filled(chat, () => fill(chat)).then(() => readMarks.apply(chat));
    },
    holds(chat, line) {
      const place = placeOf(chat);
      const waiting = held.get(place);
      if (!waiting) return false;
      if (waiting.length >= mostHeld) {
        release(place);
        return false;
      }
      waiting.push(line);
      return true;
    },
    tell(message, line, played) {
      const { chat, id } = message;
      const stamped = tag(line, 'time') !== undefined;
      const at = message.at.getTime();
      const old = played || (stamped && clock.now() - at > newsMs);
      if (!stamped) return emit(message, !old, false);
      if (old) {
        const mark = stood(chat);
        // A playback may count in seconds; what it has of that one is known by its id.
        if (isTold(chat, id) || (mark && (at < wholeSecond(mark.at) || id === mark.id))) return;
        const fresh = mark === undefined && (isChannel(chat) || since === 0);
        replay(message, fresh && readMarks.covers(chat, at));
      } else {
        if (isTold(chat, id)) return;
        emit(message, true, false);
      }
      reached(chat, { id, at });
    },
    marked: readMarks.marked,
    mark: readMarks.mark,
    keep,
  };
}

const wholeSecond = (at: number): number => Math.floor(at / 1_000) * 1_000;

function readMark(text: string | undefined): Mark | undefined {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    if (typeof value !== 'object' || value === null || !('id' in value) || !('at' in value)) return undefined;
    return typeof value.id === 'string' && typeof value.at === 'number' ? { id: value.id, at: value.at } : undefined;
  } catch {
    return undefined;
  }
}
