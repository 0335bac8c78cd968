import type { Attachment, Chat, ChatId, MessageId, Nonce, UserId } from '../../adapters/contract.ts';
import type { AdapterErrorOptions, ErrorCode } from '../../adapters/errors.ts';
import type { ConversationKey, MessageState } from '../link/messages.ts';

/** One chat of one account, for ever under the same key. */
export interface Conversation {
  readonly key: ConversationKey;
  readonly account: string;
  readonly chat: ChatId;
  readonly kind: Chat['kind'];
  readonly address: string;
  readonly title: string;
  readonly topic?: string;
  readonly unread: number;
  readonly mentions: number;
  /** Row of the last message read; 0: none. */
  readonly readUpTo: number;
  /** Milliseconds since the epoch of the last message; 0: none. */
  readonly last: number;
}

/** A message as it stands on disk, its texts already sanitised. */
export interface Row {
  /** Rises with the order of arrival over all accounts. */
  readonly row: number;
  readonly key: ConversationKey;
  readonly account: string;
  readonly id?: MessageId;
  readonly nonce?: Nonce;
  readonly from: UserId | 'self';
  readonly fromName: string;
  /** Milliseconds since the epoch, as the network tells it. */
  readonly at: number;
  readonly text: string;
  readonly style?: 'action' | 'notice';
  /** The network's id of the message answered. */
  readonly replyTo?: MessageId;
  readonly files: readonly Attachment[];
  readonly state?: MessageState;
  readonly error?: StoredError;
  readonly edited: boolean;
  readonly retracted: boolean;
  readonly mention: boolean;
  readonly reactions: Readonly<Record<string, readonly string[]>>;
  /** The `--id` of the sender's script. */
  readonly scriptKey?: string;
}

export interface StoredError extends Pick<AdapterErrorOptions, 'retryAfter' | 'certain'> {
  readonly code: ErrorCode;
  readonly message: string;
}

export interface Incoming {
  readonly key: ConversationKey;
  readonly id: MessageId;
  readonly nonce?: Nonce;
  readonly from: UserId | 'self';
  readonly fromName: string;
  readonly at: number;
  readonly text: string;
  readonly style?: 'action' | 'notice';
  readonly replyTo?: MessageId;
  readonly files?: readonly Attachment[];
  readonly mention: boolean;
  /** False: stored and read already, never unread. */
  readonly unread: boolean;
  /**
   * It stands where its time belongs, not behind what came before it: `older` messages were asked for, `missed` ones come
   * by themselves and in order, so that only what is clearly older than the last message stands above it.
   */
  readonly filled?: 'older' | 'missed';
}

/** A message of another archive or program: read already, never announced, never to be sent. */
export interface Imported extends Omit<Incoming, 'id' | 'unread' | 'filled'> {
  /** Without one it is known again by its nonce alone. */
  readonly id?: MessageId;
  readonly state?: MessageState;
  readonly error?: StoredError;
  readonly edited?: boolean;
  readonly retracted?: boolean;
  readonly reactions?: Row['reactions'];
  readonly scriptKey?: string;
}

export interface Outgoing {
  readonly key: ConversationKey;
  readonly nonce: Nonce;
  readonly text: string;
  readonly at: number;
  readonly replyTo?: MessageId;
  readonly scriptKey?: string;
  /** Path of a file to send, for the outbox; its name and size stand in `files`. */
  readonly path?: string;
  /** What to show of the file; its base name where this is absent. */
  readonly files?: readonly Attachment[];
}

/**
 * Messages, conversations, outbox and adapter memory in one SQLite database. Calls are synchronous and quick (tens of
 * microseconds). Writes marked "grouped" join the open group, which `flush` (or 20 ms) commits; the rest commit at once.
 * @throws ArchiveError (./error.ts) with an ArchiveFault as its code and the SQLite error as its cause.
 */
export interface Archive {
  /** Finds or mints the conversation of a chat; title, address and topic are brought up to date. Grouped. */
  conversation(account: string, chat: Chat): Conversation;
  find(account: string, chat: ChatId): Conversation | undefined;
  get(key: ConversationKey): Conversation | undefined;
  conversations(account?: string): readonly Conversation[];

  /**
   * Stores once: undefined where that id is already stored in the conversation, or that nonce by the same sender. Where it
   * is the echo of an own message, that row gets the id and rises to `accepted`; `byId` then finds it. Grouped.
   */
  receive(message: Incoming): Row | undefined;
  /** Stores it where its time belongs; false where its id, or its nonce by the same sender, is stored already. Grouped. */
  import(message: Imported): boolean;
  /**
   * Deletes up to `limit` of the messages of a conversation that are older than `before`, the oldest first: none that is
   * unread, and none that stands in the outbox. Returns how many went. Grouped.
   */
  expire(key: ConversationKey, before: number, limit: number): number;
  /** Gives some of the space that deleted messages left back to the disk; false: none is left. */
  shrink(): boolean;
  /** Stores a text to send, state `queued`, on disk (FULL) when it returns. Under a script key already used it returns that row. */
  enqueue(message: Outgoing): { readonly row: Row; readonly fresh: boolean };
  /** State only rises; undefined where nothing changed. On disk when it returns. */
  settle(
    row: number,
    state: MessageState,
    details?: { readonly id?: MessageId; readonly error?: StoredError },
  ): Row | undefined;
  /** Puts a failed or unknown message back to `queued`, at its old place in the order; `waitsFor`: why not at once. */
  requeue(row: number, waitsFor?: StoredError): Row | undefined;
  /** Counts one more try and returns how many there were. */
  tried(row: number): number;
  discard(row: number): boolean;
  /** Another text for a message that has not gone out: queued or failed. Undefined where it has, or may have. */
  rewrite(row: number, text: string): Row | undefined;
  /** What is queued, sent, failed or unknown, in the order of sending. */
  outbox(account?: string): readonly Row[];
  /** Path of the file that a queued row is to send. */
  pathOf(row: number): string | undefined;
  /**
   * A receipt: own messages up to this id (`single`: it alone) rise to the state. A message without an id yet is known by
   * its nonce. Grouped. Returns those that changed.
   */
  receipt(
    key: ConversationKey,
    upTo: MessageId,
    state: 'accepted' | 'delivered' | 'read',
    single: boolean,
  ): readonly Row[];
  bounce(key: ConversationKey, id: MessageId, error: StoredError): Row | undefined;

  /** Only where `by` wrote the message; undefined otherwise. Grouped. */
  edit(key: ConversationKey, id: MessageId, by: UserId | 'self', text: string): Row | undefined;
  retract(key: ConversationKey, id: MessageId, by: UserId | 'self'): Row | undefined;
  react(key: ConversationKey, id: MessageId, by: string, emoji: readonly string[]): Row | undefined;

  row(row: number): Row | undefined;
  byId(key: ConversationKey, id: MessageId): Row | undefined;
  byScriptKey(scriptKey: string): Row | undefined;
  /** Oldest first, the `limit` messages that stand before row `before` (or the last ones). */
  page(key: ConversationKey, limit: number, before?: number): readonly Row[];
  /** Oldest first, the last `limit` messages written from `from` (inclusive) to `to` (exclusive), milliseconds since the epoch. */
  between(key: ConversationKey, limit: number, from: number, to: number): readonly Row[];
  /** Rows after `after` over all conversations, ascending. */
  since(after: number, limit: number): readonly Row[];
  lastRow(): number;
  /**
   * @throws QueryError (./query.ts) where a filter's value makes no sense.
   * The query language of `imux search`: words, "phrases", from: in: account: before: after: has:file. Latest first.
   */
  search(query: string, limit: number, account?: string): readonly Row[];

  /** Everything that stands up to that row is read, as `page` orders it; never goes back. Returns the conversation as it now stands. Grouped. */
  markRead(key: ConversationKey, upTo: number): Conversation | undefined;

  /** Adapter memory of one account. Set is grouped with the messages received before it. */
  memory(account: string): { get(key: string): string | undefined; set(key: string, value: string | undefined): void };
  /** Drops an account's memory and ends its outbox (queued becomes failed, sent becomes unknown); its messages stay. */
  forget(account: string): void;

  /**
   * Resolves when all written so far (of that account, or of all) is on disk; rejects with ArchiveError where some of it
   * was lost, once for each account: what was received since the last `saved` is then not stored.
   */
  saved(account?: string): Promise<void>;
  /** Commits the open group now. Throws nothing: what could not be written is told by `saved`. */
  flush(): void;
  /** Indexes for search what is not indexed yet, in small steps; resolves when done or aborted. */
  index(signal: AbortSignal): Promise<void>;
  close(): void;
}

/** `damaged`: the next opening sets the database aside. `newer`: written by a newer imux. `io`: any other fault of the disk. */
export type ArchiveFault = 'full' | 'readonly' | 'damaged' | 'newer' | 'io';

export interface ArchiveOptions {
  /** Told in plain words when a database was set aside, salvaged or migrated. */
  readonly notice?: (text: string) => void;
}
