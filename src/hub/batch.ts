import type { Change, ChangeType } from '../link/messages.ts';

/** Gathers changes, so that a flood reaches the fronts in some thirty lines a second and a single one at once. */
export interface Batch {
  push(changes: readonly Change[]): void;
  /** Sends what has gathered now. */
  flush(): void;
  stop(): void;
}

const intervalMs = 33;
/** A front draws between two lines; a line of ten thousand changes would hold it up. */
const mostInLine = 2_000;

export function createBatch(send: (changes: readonly Change[]) => void): Batch {
  let slots: (Change | undefined)[] = [];
  /** Where the newest state of something stands: an older one need not go out. */
  let newest = new Map<ChangeType, Map<string, number>>();
  let timer: NodeJS.Timeout | undefined;
  let soon: NodeJS.Immediate | undefined;
  let last = Number.NEGATIVE_INFINITY;

  const add = (change: Change): void => {
    const about = subjectOf(change);
    if (about !== undefined) {
      const places = newest.get(change.type) ?? new Map<string, number>();
      newest.set(change.type, places);
      const before = places.get(about);
      // At its new place, not its old one: what stands between may be newer than the old.
      if (before !== undefined) slots[before] = undefined;
      places.set(about, slots.length);
    }
    slots.push(change);
  };

  const flush = (): void => {
    cancel();
    if (slots.length === 0) return;
    const changes = slots.filter((change) => change !== undefined);
    slots = [];
    newest = new Map();
    last = performance.now();
    for (let at = 0; at < changes.length; at += mostInLine) {
      send(changes.length <= mostInLine ? changes : changes.slice(at, at + mostInLine));
    }
  };

  const cancel = (): void => {
    clearTimeout(timer);
    clearImmediate(soon);
    timer = undefined;
    soon = undefined;
  };

  return {
    push(changes) {
      if (changes.length === 0) return;
      for (const change of changes) add(change);
      if (timer !== undefined || soon !== undefined) return;
      const wait = last + intervalMs - performance.now();
      if (wait > 0) timer = setTimeout(flush, wait);
      else soon = setImmediate(flush);
    },
    flush,
    stop: cancel,
  };
}

/** What a change gives the whole new state of, where it does; of two such only the newer counts. */
function subjectOf(change: Change): string | undefined {
  switch (change.type) {
    case 'unread':
    case 'presence':
      return change.conversation;
    case 'account':
      return change.account.account;
    default:
      return undefined;
  }
}
