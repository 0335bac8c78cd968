import type { Socket } from 'node:net';
import type { Change, ChangeType } from './messages.ts';

/** Changes that all wait for one write: each wish for kinds of change is encoded once, however many fronts share it. */
export interface Batch {
  encoded(only: Wish | undefined): Buffer | undefined;
}

/** The kinds of change that a front asked for; the same kinds are the same object. */
export interface Wish {
  readonly kinds: ReadonlySet<ChangeType>;
}

const wishes = new Map<string, Wish>();

export function wishOf(only: readonly ChangeType[] | undefined): Wish | undefined {
  if (!only) return undefined;
  const name = [...new Set(only)].sort().join();
  let wish = wishes.get(name);
  if (!wish) {
    wish = { kinds: new Set(only) };
    if (wishes.size < 1000) wishes.set(name, wish);
  }
  return wish;
}

export function batchOf(changes: readonly Change[]): Batch {
  const lines = new Map<Wish | undefined, Buffer | undefined>();
  return {
    encoded(only) {
      if (lines.has(only)) return lines.get(only);
      const wanted = only ? changes.filter((change) => only.kinds.has(change.type)) : changes;
      const line =
        wanted.length === 0
          ? undefined
          : Buffer.from(`{"jsonrpc":"2.0","method":"changes","params":{"changes":${JSON.stringify(wanted)}}}\n`);
      lines.set(only, line);
      return line;
    },
  };
}

const resync = Buffer.from('{"jsonrpc":"2.0","method":"resync","params":{}}\n');

/** One front's side of the socket that changes go out by. */
export interface Feed {
  subscribe(only: readonly ChangeType[] | undefined): void;
  /** Undefined: every kind; false: it has not subscribed. */
  wish(): Wish | undefined | false;
  send(batch: Batch): void;
  /** An answer: never dropped, and what it holds does not count against the bound. */
  answer(line: string): void;
}

/**
 * A front that does not read costs at most `limit` bytes (and the answers it asked for). Beyond that its changes are
 * dropped until all is read; then it is told to subscribe again.
 */
export function feedOf(socket: Socket, limit: number): Feed {
  let wish: Wish | undefined | false = false;
  let behind = false;
  let answers = 0;
  socket.on('drain', () => {
    answers = 0;
    if (!behind) return;
    behind = false;
    socket.write(resync);
  });
  return {
    subscribe(only) {
      wish = wishOf(only);
      behind = false;
    },
    wish: () => wish,
    send(batch) {
      if (wish === false) return;
      const line = batch.encoded(wish);
      if (!line) return;
      if (socket.writableLength - answers > limit) {
        behind = true;
        wish = false;
        return;
      }
      socket.write(line);
    },
    answer(line) {
      if (!socket.write(line)) answers += Buffer.byteLength(line);
    },
  };
}
