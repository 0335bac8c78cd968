/**
 * The one interface that every network implements. Types only.
 *
 * An adapter turns a network's wire into the events below and the calls below into the network's wire; it knows nothing
 * of other accounts, of storage or of the screen. Only plain data crosses this line.
 */
import type { ErrorCode } from './errors.ts';

declare const kind: unique symbol;
type Id<K extends string> = string & { readonly [kind]: K };
/** Native and opaque: only the adapter that minted an id may read it. */
export type ChatId = Id<'chat'>;
export type UserId = Id<'user'>;
export type MessageId = Id<'message'>;
export type FileId = Id<'file'>;
/** Ours, made before sending; pairs our copy of a message with the network's echo. */
export type Nonce = Id<'nonce'>;

/** One per network. `parse` turns stored settings into typed ones or throws an Error a person can act on; `open` does no I/O. */
export interface Adapter<Settings = unknown> {
  readonly network: string;
  readonly about: About;
  parse(raw: unknown): Settings;
  open(settings: Settings, host: Host): Session;
  /**
   * Looks at the way to the account's server step by step, on a connection of its own and without signing in: name, TCP,
   * TLS, ways to sign in. Ends after the first step that failed; throws nothing.
   */
  diagnose?(settings: Settings, host: Pick<Host, 'secret' | 'clock'>, signal: AbortSignal): AsyncIterable<Diagnosis>;
}

/** One step of `Adapter.diagnose`. Its text may quote the server. */
export interface Diagnosis {
  /** `dns`, `tcp`, `tls`, `sasl` and the like. */
  readonly step: string;
  readonly ok: boolean;
  readonly text: string;
  /** Of a step that failed. */
  readonly code?: ErrorCode;
  /** What a person can do about it; with a step that is well, what to look after before it fails. */
  readonly remedy?: string;
}

/** What `imux networks` and the account wizard show: questions to ask, what the network can and cannot do. */
export interface About {
  readonly title: string;
  readonly fields: readonly Field[];
  readonly can: readonly string[];
  readonly cannot: readonly string[];
  /** How a person writes an address here, for example `alice@example.org`. */
  readonly addressExample: string;
}

/** A `secret` field is kept by the secrets ladder and reaches the adapter through `Host.secret`, never through settings. */
export interface Field {
  readonly key: string;
  readonly label: string;
  readonly secret?: boolean;
  readonly optional?: boolean;
  readonly hint?: string;
  readonly choices?: readonly string[];
  /** What stands when nothing is given. */
  readonly preset?: string;
}

/** What one account lends its session, bound to that account: a session cannot name another. */
export interface Host {
  /** In order, never throws; stored with the next commit. */
  emit(event: AdapterEvent): void;
  /** Resolves when all emitted so far is on disk. Await it before telling the network that it was received. */
  saved(): Promise<void>;
  /** Asks the person; rejects with `auth` where nobody can answer. */
  ask(prompt: Prompt): Promise<string>;
  secret(key: string): Promise<string | undefined>;
  /** Small state that must outlive the process: offsets, resumption ids, roster versions. */
  readonly memory: Memory;
  readonly clock: Clock;
  /** The text may hold no secret and no message body. */
  log(level: 'debug' | 'info' | 'warn', text: string): void;
}

export interface Memory {
  get(key: string): string | undefined;
  /** `undefined` forgets the key. Stored with the same commit as the events emitted before it. */
  set(key: string, value: string | undefined): void;
}

/** Milliseconds since the epoch; `sleep` rejects with the signal's reason when aborted. */
export interface Clock {
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Prompt {
  readonly kind: 'password' | 'code' | 'text' | 'qr' | 'form';
  readonly text: string;
  readonly fields?: readonly Field[];
}

/**
 * One connection of one account, used for one `run`. A facet that is absent is an ability that the network lacks; one
 * that only this server lacks throws `unsupported`. Calls made before `online` or after the end throw `unreachable`.
 */
export interface Session {
  /**
   * Lives as long as the connection. Resolves after `signal` aborts and all is closed; rejects with AdapterError otherwise.
   * Where the signal's reason is an AdapterError, what arrived could not be stored: the connection breaks off without a
   * farewell, so that the network keeps it and brings it again.
   */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Resolves once the network has accepted the text; later receipts come as events. The adapter emits no `message`
   * event for what it sends itself, except for an echo by the network that carries the nonce.
   * @throws AdapterError `certain: false` where the text may have gone out.
   */
  send(chat: ChatId, text: string, nonce: Nonce, options?: SendOptions): Promise<MessageId>;
  /**
   * The chat that an address written by a person means here, with no message sent; throws `not-found` or `refused`.
   * A room that must be entered before one can speak there is entered, unless `look`: then nothing changes anywhere.
   */
  resolve(address: string, signal: AbortSignal, look?: boolean): Promise<Chat>;
  limits(chat: ChatId): Limits;

  /**
   * The machine slept, or is on another network now: the connection may be dead without a word. Finds out within seconds
   * and ends the session where it is.
   */
  woke?(): void;

  readonly contacts?: ContactsFacet;
  readonly presence?: { set(state: Presence, note?: string): Promise<void> };
  readonly rooms?: RoomsFacet;
  readonly typing?: { set(chat: ChatId, active: boolean): Promise<void> };
  /** Tells the network (and with it, where so configured, the sender) what has been read. */
  readonly reading?: { mark(chat: ChatId, upTo: MessageId): Promise<void> };
  readonly history?: { page(chat: ChatId, before?: string): Promise<Page> };
  readonly edits?: { edit(chat: ChatId, id: MessageId, text: string): Promise<void> };
  readonly retractions?: { retract(chat: ChatId, id: MessageId): Promise<void> };
  readonly reactions?: { set(chat: ChatId, id: MessageId, emoji: readonly string[]): Promise<void> };
  readonly files?: FilesFacet;
  readonly profiles?: { read(user: UserId): Promise<Profile>; write?(profile: Profile): Promise<void> };
  readonly people?: { search(query: string): Promise<readonly Contact[]> };
  /** Whether a message of an uncertain send reached the network; undefined: it did not. Without this facet it stays unknown. */
  readonly lookup?: { find(chat: ChatId, nonce: Nonce): Promise<MessageId | undefined> };
}

export interface ContactsFacet {
  add(who: string): Promise<void>;
  remove(user: UserId): Promise<void>;
  rename(user: UserId, name: string): Promise<void>;
  group(user: UserId, groups: readonly string[]): Promise<void>;
  /** Answers a `request` event by its id. */
  answer(request: string, accept: boolean): Promise<void>;
  block(user: UserId, blocked: boolean): Promise<void>;
}

export interface RoomsFacet {
  join(name: string, options?: { readonly nick?: string; readonly password?: string }): Promise<Chat>;
  leave(chat: ChatId): Promise<void>;
  topic(chat: ChatId, text: string): Promise<void>;
  invite(chat: ChatId, user: UserId): Promise<void>;
  members(chat: ChatId): Promise<readonly Member[]>;
}

export interface FilesFacet {
  send(chat: ChatId, file: Upload, nonce: Nonce, options?: SendOptions): Promise<MessageId>;
  read(id: FileId): AsyncIterable<Uint8Array>;
}

export interface SendOptions {
  readonly replyTo?: MessageId;
  readonly signal?: AbortSignal;
}

export type Presence = 'online' | 'away' | 'busy' | 'offline' | 'unknown';
/** What the network tells of a message; it only ever rises. `queued`, `sent`, `failed` and `unknown` belong to the outbox. */
export type Delivery = 'accepted' | 'delivered' | 'read';

/**
 * `textBytes`: UTF-8 bytes one message may hold here; `textChars`: UTF-16 units, where the network counts those.
 * `receipts`: whether the other side tells when a message has reached it.
 */
export interface Limits {
  readonly textBytes: number;
  readonly textChars?: number;
  readonly fileBytes?: number;
  readonly editSeconds?: number;
  readonly perSecond?: number;
  readonly receipts?: boolean;
}

/** `via` names the foreign network of a contact behind a gateway. */
export interface Contact {
  readonly id: UserId;
  readonly chat: ChatId;
  readonly address: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly via?: string;
  /** Whether they let us see their presence and we let them see ours; absent where the network has no such thing. */
  readonly subscription?: 'both' | 'to' | 'from' | 'none' | 'asked';
}

export interface Chat {
  readonly id: ChatId;
  readonly kind: 'direct' | 'room';
  readonly address: string;
  readonly title: string;
  readonly topic?: string;
}

export interface Member {
  readonly id: UserId;
  readonly name: string;
  readonly role?: 'owner' | 'admin' | 'moderator' | 'member' | 'visitor';
}

export interface Profile {
  readonly [field: string]: string;
}

export interface Upload {
  readonly name: string;
  readonly mime: string;
  readonly bytes: number;
  data(): AsyncIterable<Uint8Array>;
}

export interface Attachment {
  readonly id: FileId;
  readonly name: string;
  readonly mime?: string;
  readonly bytes?: number;
}

export interface Message {
  readonly id: MessageId;
  readonly chat: ChatId;
  readonly from: UserId | 'self';
  readonly fromName?: string;
  readonly at: Date;
  readonly text: string;
  /** `action`: third person, as IRC's /me; `notice`: from a program, never to be answered by one. */
  readonly style?: 'action' | 'notice';
  readonly files?: readonly Attachment[];
  readonly replyTo?: MessageId;
  readonly nonce?: Nonce;
}

/** Oldest first; no cursor means the beginning was reached. */
export interface Page {
  readonly messages: readonly Message[];
  readonly before?: string;
}

export type AdapterEvent =
  /** Again whenever the own id or shown name changes. */
  | { readonly type: 'online'; readonly self: UserId; readonly name?: string }
  /** Full snapshot: what it does not name is gone. Rooms the account is in stand in `chats`. */
  | { readonly type: 'roster'; readonly contacts: readonly Contact[]; readonly chats: readonly Chat[] }
  | { readonly type: 'contact'; readonly contact: Contact }
  | { readonly type: 'contact-removed'; readonly user: UserId }
  /** A chat became known or changed (title, topic). Comes before the first message in it. */
  | { readonly type: 'chat'; readonly chat: Chat }
  | { readonly type: 'chat-left'; readonly chat: ChatId; readonly reason?: string }
  /** Full list of who is in a room; `member` then tells of changes. */
  | { readonly type: 'members'; readonly chat: ChatId; readonly members: readonly Member[] }
  | { readonly type: 'member'; readonly chat: ChatId; readonly member: Member; readonly present: boolean }
  | { readonly type: 'presence'; readonly user: UserId; readonly state: Presence; readonly note?: string }
  /**
   * `live: false`: missed, and now from an archive, a playback or a queue of the network: shown where its time belongs,
   * counted as unread, but never announced as new. `seen`: read already as far as can be told (the network says so, or
   * it is of before the account's first sign-in here): not counted either. A `read-elsewhere` may follow for the others.
   * Within a chat events come in the order of the chat, so what was missed comes before what is live. An own message
   * says that all before it was read.
   */
  | { readonly type: 'message'; readonly message: Message; readonly live: boolean; readonly seen?: boolean }
  | {
      readonly type: 'receipt';
      readonly chat: ChatId;
      readonly upTo: MessageId;
      readonly state: Delivery;
      readonly by?: UserId;
      /** True: this message alone, not those before it. */
      readonly single?: boolean;
    }
  | {
      readonly type: 'bounced';
      readonly chat: ChatId;
      readonly id: MessageId;
      readonly code: ErrorCode;
      readonly text: string;
    }
  | { readonly type: 'read-elsewhere'; readonly chat: ChatId; readonly upTo: MessageId }
  | { readonly type: 'typing'; readonly chat: ChatId; readonly user: UserId; readonly active: boolean }
  | {
      readonly type: 'edited';
      readonly chat: ChatId;
      readonly id: MessageId;
      readonly by: UserId | 'self';
      readonly text: string;
    }
  | { readonly type: 'retracted'; readonly chat: ChatId; readonly id: MessageId; readonly by: UserId | 'self' }
  | {
      readonly type: 'reactions';
      readonly chat: ChatId;
      readonly id: MessageId;
      readonly by: UserId | 'self';
      readonly emoji: readonly string[];
    }
  | {
      readonly type: 'request';
      readonly id: string;
      readonly kind: 'subscription' | 'invite';
      readonly from: string;
      readonly text?: string;
    }
  | { readonly type: 'notice'; readonly text: string };
