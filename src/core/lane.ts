import type { ConversationKey } from '../link/messages.ts';
import { type Attempts, attempt, type Item, type Line } from './attempt.ts';

/** The messages of one account on their way: in order within a conversation, side by side over several. */
export interface Lane {
  add(item: Item): void;
  /** The account came online or went: what waited for a connection is tried. */
  wake(): void;
  /** Takes a message out; false where it is being sent just now. */
  take(row: number): boolean;
  /** Gives a message that waits another text; false where it is being sent just now. */
  edit(row: number, text: string): boolean;
  queued(): number;
  busy(): boolean;
  items(): Iterable<Item>;
  stop(): void;
}

/** Messages of different conversations under way at once. */
const concurrency = 8;

interface Hold {
  readonly stop: () => void;
  readonly firm: boolean;
}

export function createLane(account: string, port: Attempts, settled: (item: Item) => void): Lane {
  const queues = new Map<ConversationKey, Item[]>();
  /** Conversations whose first message may go now. */
  const ready = new Set<ConversationKey>();
  /** Conversations that wait for a time, or for the next connection. */
  const held = new Map<ConversationKey, Hold>();
  let running = 0;
  let alone = false;
  let stopped = false;

  const pump = (): void => {
    const line = port.line(account);
    if (!line || stopped) return;
    for (const key of ready) {
      if (running >= concurrency || alone || !line.online()) return;
      const item = queues.get(key)?.[0];
      // What a connection may have died on goes alone, so that it takes no other message with it.
      const suspect = item !== undefined && isSuspect(item, line.epoch());
      if (suspect && running > 0) return;
      ready.delete(key);
      if (item) void run(line, item, suspect);
    }
  };

  const run = async (line: Line, item: Item, suspect: boolean): Promise<void> => {
    running += 1;
    alone = suspect;
    const next = await attempt(port, line, item);
    running -= 1;
    if (suspect) alone = false;
    if (next === 'settled') advance(item);
    else held.set(item.key, { stop: port.after(next.afterMs, () => release(item.key)), firm: next.firm });
    pump();
  };

  const advance = (item: Item): void => {
    const queue = queues.get(item.key);
    if (queue?.[0] === item) queue.shift();
    if (queue && queue.length > 0) ready.add(item.key);
    else queues.delete(item.key);
    settled(item);
  };

  const release = (key: ConversationKey): void => {
    held.get(key)?.stop();
    held.delete(key);
    if (queues.has(key)) ready.add(key);
    pump();
  };

  const isUnderWay = (key: ConversationKey, at: number): boolean => at === 0 && !ready.has(key) && !held.has(key);

  return {
    add(item) {
      const queue = queues.get(item.key);
      if (queue) {
        queue.push(item);
        return;
      }
      queues.set(item.key, [item]);
      ready.add(item.key);
      pump();
    },
    wake() {
      const online = port.line(account)?.online() ?? false;
      if (online) for (const [key, hold] of [...held]) if (!hold.firm) release(key);
      pump();
    },
    take(row) {
      for (const [key, queue] of queues) {
        const at = queue.findIndex((item) => item.row === row);
        const [item] = at < 0 ? [] : queue.slice(at, at + 1);
        if (!item) continue;
        if (isUnderWay(key, at)) return false;
        queue.splice(at, 1);
        if (queue.length === 0) drop(key);
        else if (at === 0) release(key);
        settled(item);
        return true;
      }
      return true;
    },
    edit(row, text) {
      for (const [key, queue] of queues) {
        const at = queue.findIndex((item) => item.row === row);
        const item = queue[at];
        if (!item) continue;
        if (isUnderWay(key, at) || item.uncertain) return false;
        item.text = text;
      }
      return true;
    },
    queued: () => {
      let count = 0;
      for (const queue of queues.values()) count += queue.length;
      return count;
    },
    busy: () => running > 0,
    items: () => [...queues.values()].flat(),
    stop() {
      stopped = true;
      for (const hold of held.values()) hold.stop();
      held.clear();
    },
  };

  function drop(key: ConversationKey): void {
    held.get(key)?.stop();
    held.delete(key);
    ready.delete(key);
    queues.delete(key);
  }
}

/** An earlier connection ended while it was being sent. */
const isSuspect = (item: Item, epoch: number): boolean =>
  item.deaths > 0 || (item.failedIn !== undefined && item.failedIn !== epoch);
