import { createHash } from 'node:crypto';
import type { ImportedChat, ImportedMessage } from '../../link/messages.ts';

/** A chat as a log names it; `account` is what the log says of it: a name, an own address, or nothing. */
export interface LoggedChat extends Omit<ImportedChat, 'account'> {
  readonly account?: string;
}

/** What one line (or object) of a log is. */
export type Entry =
  | { readonly kind: 'message'; readonly chat: LoggedChat; readonly message: Omit<ImportedMessage, 'chat'> }
  | { readonly kind: 'account'; readonly account: LoggedAccount }
  /** A conversation in which nothing may have been said. */
  | { readonly kind: 'chat'; readonly chat: LoggedChat }
  /** Understood, and no message: someone joined, a day began. */
  | { readonly kind: 'event' }
  | { readonly kind: 'odd'; readonly line: number; readonly text: string };

export interface LoggedAccount {
  readonly account: string;
  readonly network: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

/** A log to read. */
export interface Log {
  /** As the person gave it; `-` is standard input. */
  readonly path: string;
  readonly lines: () => AsyncIterable<string>;
  /** The conversation, where the person named it; else the path tells. */
  readonly chat?: string;
  /** Own nicks and names, in small letters, where the log does not tell who is who. */
  readonly me: ReadonlySet<string>;
}

/** Reads a log from its beginning; messages come in the log's own order. */
export type Reader = (log: Log) => AsyncIterable<Entry>;

/** A message of a log that names no ids. */
export interface Said {
  readonly from: string;
  readonly name: string;
  readonly self: boolean;
  readonly at: number;
  readonly text: string;
  readonly style?: 'action' | 'notice';
}

/**
 * Gives what a log says without ids an id that comes out the same each time: of chat, second, sender and text, and of how
 * often that was said in that time before. A log that has grown can so be read again.
 */
export function identify(chat: LoggedChat): (said: Said) => Entry {
  const times = new Map<string, number>();
  let now = Number.NaN;
  return ({ from, name, self, at, text, style }) => {
    if (at !== now) times.clear();
    now = at;
    const same = JSON.stringify([chat.address.toLowerCase(), at, self ? '' : from, text, style]);
    const nth = (times.get(same) ?? 0) + 1;
    times.set(same, nth);
    const id = `log:${createHash('sha1').update(`${same}${nth}`).digest('base64url')}`;
    const message = { id, name, at, text, ...(self ? {} : { from }), ...(style ? { style } : {}) };
    return { kind: 'message', chat, message };
  };
}

/** A room of IRC begins with one of these. */
export const kindOf = (address: string): 'room' | 'person' => (/^[#&+!]/.test(address) ? 'room' : 'person');

/** Milliseconds of a time of the local zone; undefined where there is no such day or hour. */
export function localTime(date: string, time: string): number | undefined {
  const at = new Date(`${date}T${time}`).getTime();
  return Number.isNaN(at) ? undefined : at;
}

/** A file name without its folders; the folders alone, innermost last. */
export function partsOf(path: string): { readonly name: string; readonly folders: readonly string[] } {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return { name: parts.at(-1) ?? '', folders: parts.slice(0, -1) };
}
