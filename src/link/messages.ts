/**
 * The whole protocol between the hub and its fronts, shared by both ends: JSON-RPC 2.0, one message a line of UTF-8.
 * A front calls `hello`, then any other method; after `subscribe` the hub sends `changes` notifications.
 */

import type { Delivery, Field, Limits, Member, Presence, Profile, Prompt } from '../../adapters/contract.ts';
import type { ErrorCode } from '../../adapters/errors.ts';

export const LINK_VERSION = 1;

declare const conversation: unique symbol;
/** Minted by the hub for one chat of one account; a key that it did not mint is refused. */
export type ConversationKey = string & { readonly [conversation]: true };

export type AccountState = 'offline' | 'connecting' | 'online' | 'waiting' | 'failed';
/** Abilities beyond sending text: the facets that an account's network has. */
export type Ability =
  | 'contacts'
  | 'presence'
  | 'rooms'
  | 'typing'
  | 'reading'
  | 'history'
  | 'edits'
  | 'retractions'
  | 'reactions'
  | 'files'
  | 'profiles'
  | 'people'
  | 'lookup';
/** What a verb may fail with: an adapter's code, or one of the hub's own. */
export type LinkErrorCode = ErrorCode | 'usage' | 'ambiguous' | 'hub' | 'timeout' | 'disk' | 'settings' | 'cancelled';

export interface LinkError {
  readonly code: LinkErrorCode;
  readonly message: string;
  /** Seconds. */
  readonly retryAfter?: number;
  /** False: it may have gone out. */
  readonly certain?: boolean;
  /** The targets that an ambiguous name may mean. */
  readonly candidates?: readonly string[];
}

export interface AccountView {
  /** The name that the person gave. */
  readonly account: string;
  readonly network: string;
  /** The own address or nick; empty before the first sign-in. */
  readonly id: string;
  readonly state: AccountState;
  readonly error?: LinkError;
  /** ISO 8601: when the next try is due, in the state `waiting`. */
  readonly retryAt?: string;
  readonly enabled: boolean;
  readonly presence: Presence;
  readonly abilities: readonly Ability[];
}

/** One row of the merged list: a person or a room, of exactly one account. */
export interface ContactView {
  readonly conversation: ConversationKey;
  readonly account: string;
  readonly network: string;
  /** The address within the network. */
  readonly id: string;
  /** `ACCOUNT:ADDRESS`. */
  readonly target: string;
  readonly name: string;
  readonly kind: 'person' | 'room';
  readonly groups: readonly string[];
  readonly presence: Presence;
  readonly status?: string;
  readonly topic?: string;
  /** The foreign network of a contact behind a gateway. */
  readonly via?: string;
  readonly subscription?: 'both' | 'to' | 'from' | 'none' | 'asked';
  /** In the network's own contact list, or a room that the account is in; false for a chat with a stranger or a left room. */
  readonly listed: boolean;
  readonly unread: number;
  readonly mentions: number;
  /** ISO 8601 of the last message. */
  readonly last?: string;
}

export type MessageState = 'queued' | 'sent' | Delivery | 'failed' | 'unknown';

export interface FileView {
  readonly id: string;
  readonly name: string;
  readonly mime?: string;
  readonly bytes?: number;
}

export interface MessageView {
  /** Ours: rises with the order of arrival over all accounts, so `--since ID` can resume from it. Decimal digits. */
  readonly id: string;
  readonly conversation: ConversationKey;
  readonly account: string;
  readonly network: string;
  readonly target: string;
  readonly kind: 'person' | 'room';
  readonly from: { readonly id: string; readonly name: string; readonly self: boolean };
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly text: string;
  readonly style?: 'action' | 'notice';
  /** Own messages only. */
  readonly state?: MessageState;
  /** Why it failed, or why it waits. */
  readonly error?: LinkError;
  /** The id (ours) of the message that this one answers. */
  readonly replyTo?: string;
  readonly edited?: boolean;
  readonly retracted?: boolean;
  readonly mention?: boolean;
  readonly files?: readonly FileView[];
  readonly reactions?: Readonly<Record<string, readonly string[]>>;
  /** The `--id` of `imux send`. */
  readonly key?: string;
}

export interface RequestView {
  readonly id: string;
  readonly account: string;
  readonly kind: 'subscription' | 'invite';
  readonly from: string;
  readonly text?: string;
}

export interface PromptView {
  readonly id: string;
  readonly account: string;
  readonly prompt: Prompt;
}

/** Everything a screen needs to draw its first frame; messages come by `messages.page`. */
export interface Snapshot {
  readonly accounts: readonly AccountView[];
  readonly contacts: readonly ContactView[];
  readonly requests: readonly RequestView[];
  readonly prompts: readonly PromptView[];
  /** Id of the newest message; what comes after it comes as a change. */
  readonly last?: string;
}

export type Change =
  | { readonly type: 'account'; readonly account: AccountView }
  | { readonly type: 'account-removed'; readonly account: string }
  | { readonly type: 'contact'; readonly contact: ContactView }
  | { readonly type: 'contact-removed'; readonly conversation: ConversationKey }
  /** `live: false`: back-fill, never announced. */
  | { readonly type: 'message'; readonly message: MessageView; readonly live: boolean }
  /** An own message's state rose, or a message was edited, retracted or reacted to: the whole message as it now stands. */
  | {
      readonly type: 'message-changed';
      readonly message: MessageView;
      readonly what: 'state' | 'edited' | 'retracted' | 'reactions';
    }
  | {
      readonly type: 'presence';
      readonly conversation: ConversationKey;
      readonly presence: Presence;
      readonly status?: string;
    }
  | { readonly type: 'typing'; readonly conversation: ConversationKey; readonly name: string; readonly active: boolean }
  | {
      readonly type: 'unread';
      readonly conversation: ConversationKey;
      readonly unread: number;
      readonly mentions: number;
      readonly last?: string;
    }
  | { readonly type: 'members'; readonly conversation: ConversationKey; readonly members: readonly Member[] }
  | {
      readonly type: 'member';
      readonly conversation: ConversationKey;
      readonly member: Member;
      readonly present: boolean;
    }
  | { readonly type: 'request'; readonly request: RequestView }
  | { readonly type: 'request-done'; readonly id: string }
  | { readonly type: 'prompt'; readonly prompt: PromptView }
  | { readonly type: 'prompt-done'; readonly id: string }
  | { readonly type: 'notice'; readonly account: string; readonly text: string };

export type ChangeType = Change['type'];

export interface NetworkView {
  readonly network: string;
  readonly title: string;
  readonly fields: readonly Field[];
  readonly can: readonly string[];
  readonly cannot: readonly string[];
  readonly addressExample: string;
}

/** Where a secret is kept. Only `given` carries the secret itself, once, over the socket, on its way into the ladder. */
export type SecretSource =
  /** Without `into` it is kept where the one before was, the first one in the keychain. */
  | { readonly kind: 'given'; readonly secret: string; readonly into?: 'keychain' | 'file' }
  | { readonly kind: 'command'; readonly command: string }
  | { readonly kind: 'env'; readonly variable: string };

export interface AccountInput {
  readonly network: string;
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
  /** By the key of a secret field. */
  readonly secrets: Readonly<Record<string, SecretSource>>;
  readonly enabled?: boolean;
}

/** Shown by `imux account show`: never a secret, only where it is kept. */
export interface AccountDetail {
  readonly account: AccountView;
  readonly settings: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

export interface CheckStep {
  readonly step: string;
  readonly ok: boolean;
  readonly text: string;
  /** Of a step that failed. */
  readonly code?: LinkErrorCode;
  /** What a person can do about it; with a step that is well, what to look after before it fails. */
  readonly remedy?: string;
}

/** Where a target leads, whether or not there is a conversation yet. */
export interface Place {
  readonly account: string;
  readonly network: string;
  /** The address within the network. */
  readonly id: string;
  /** `ACCOUNT:ADDRESS`. */
  readonly target: string;
  readonly name: string;
  readonly kind: 'person' | 'room';
}

export interface ReceiptPart {
  readonly id: string;
  readonly state: MessageState;
  readonly error?: LinkError;
}

export type Receipt = {
  readonly target: string;
  readonly account: string;
  readonly network: string;
  readonly id?: string;
  readonly key?: string;
  readonly state: MessageState;
  readonly error?: LinkError;
  /** Of a text that went out in several; `state` is that of the part that fared worst. */
  readonly parts?: readonly ReceiptPart[];
};

/** A message as `imux export` writes it: as it is shown, and with the network's own ids. */
export interface ExportedMessage extends MessageView {
  readonly native: {
    readonly chat: string;
    readonly id?: string;
    readonly nonce?: string;
    /** Absent: the account itself. */
    readonly from?: string;
    readonly replyTo?: string;
  };
}

export interface ExportedConversation {
  readonly account: string;
  readonly network: string;
  readonly target: string;
  /** The network's own id. */
  readonly chat: string;
  readonly address: string;
  readonly kind: 'person' | 'room';
  readonly title: string;
  readonly topic?: string;
  readonly unread: number;
}

export interface ImportedChat {
  readonly account: string;
  /** The network's own id; where it is not known the address, in small letters. */
  readonly id?: string;
  readonly address: string;
  readonly kind: 'person' | 'room';
  readonly title?: string;
  readonly topic?: string;
}

export interface ImportedMessage {
  /** Its place among the `chats` of the call. */
  readonly chat: number;
  /** The network's own id, or one that comes out the same each time; one of `id` and `nonce` must be there. */
  readonly id?: string;
  readonly nonce?: string;
  /** The sender's own id; absent: the account itself. */
  readonly from?: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly text: string;
  readonly style?: 'action' | 'notice';
  /** The network's own id. */
  readonly replyTo?: string;
  readonly files?: readonly FileView[];
  readonly state?: MessageState;
  readonly error?: LinkError;
  readonly edited?: boolean;
  readonly retracted?: boolean;
  readonly mention?: boolean;
  readonly reactions?: Readonly<Record<string, readonly string[]>>;
  readonly key?: string;
}

export type Wait = 'queued' | 'accepted' | 'delivered';

/** A `target` is what a person wrote (ACCOUNT:ADDRESS, a name); a `conversation` is a key from the hub. */
export type Destination = { readonly target: string } | { readonly conversation: ConversationKey };

export interface Methods {
  hello: {
    params: { readonly version: number; readonly front: string; readonly cookie: string };
    result: { readonly version: number; readonly imux: string; readonly pid: number; readonly startedAt: string };
  };
  /** `only` limits the kinds of change sent; the snapshot is whole unless `snapshot` is false. */
  subscribe: {
    params: { readonly only?: readonly ChangeType[]; readonly snapshot?: boolean };
    result: Snapshot;
  };
  'messages.page': {
    params: { readonly conversation: ConversationKey; readonly before?: string; readonly limit: number };
    /** Oldest first; `before` is the cursor of the page before this one. */
    result: { readonly messages: readonly MessageView[]; readonly before?: string };
  };
  /** Messages of all conversations after an id, in order: `watch --since`. */
  'messages.since': {
    params: { readonly after: string; readonly limit: number };
    result: { readonly messages: readonly MessageView[]; readonly last?: string };
  };
  /** Asks the network for older messages and stores them; resolves with how many were new. */
  'history.fill': {
    params: { readonly conversation: ConversationKey };
    result: { readonly stored: number; readonly more: boolean };
  };
  search: {
    params: { readonly query: string; readonly account?: string; readonly limit: number };
    result: { readonly messages: readonly MessageView[] };
  };
  /** Every conversation that the archive knows, also of accounts that are gone. */
  'archive.conversations': {
    params: { readonly account?: string };
    result: { readonly conversations: readonly ExportedConversation[] };
  };
  /** The next messages after an id, in order of arrival; those of other accounts, or older than `since`, are left out. */
  'archive.export': {
    params: { readonly after: string; readonly account?: string; readonly since?: string; readonly limit: number };
    /** `last`: from where to go on; absent: that was all. */
    result: { readonly messages: readonly ExportedMessage[]; readonly last?: string };
  };
  /** Stores messages from elsewhere as read ones and announces none; what is stored already is left as it is. */
  'archive.import': {
    params: { readonly chats: readonly ImportedChat[]; readonly messages: readonly ImportedMessage[] };
    result: { readonly stored: number; readonly known: number };
  };
  contacts: { params: { readonly account?: string }; result: { readonly contacts: readonly ContactView[] } };
  /** Where a target leads, without sending. Fails with `ambiguous` (candidates) or `not-found`. */
  resolve: {
    /** Seconds (30 where not given) to wait for an account that is about to connect. */
    params: { readonly target: string; readonly timeout?: number };
    result: { readonly contact: ContactView; readonly limits: Limits };
  };
  /** As `resolve`, but nothing changes by it: no room is entered, no row is made. */
  look: {
    params: { readonly target: string; readonly timeout?: number };
    result: { readonly place: Place; readonly limits: Limits };
  };
  send: {
    params: Destination & {
      readonly text: string;
      readonly key?: string;
      readonly wait: Wait;
      /** Seconds. */
      readonly timeout: number;
      readonly replyTo?: string;
      /** In parts where the text is over the network's limit. */
      readonly split?: boolean;
    };
    result: Receipt;
  };
  'files.send': {
    params: Destination & {
      readonly path: string;
      readonly key?: string;
      readonly wait: Wait;
      readonly timeout: number;
    };
    result: Receipt;
  };
  /** Waits for own messages (of one conversation) to reach a state; what stands as one receipt was sent as one. */
  receipt: {
    params: { readonly messages: readonly string[]; readonly wait: Wait; readonly timeout: number };
    result: Receipt;
  };
  'files.save': {
    params: { readonly message: string; readonly file: string; readonly folder: string };
    result: { readonly path: string };
  };
  'outbox.list': { params: Record<never, never>; result: { readonly messages: readonly MessageView[] } };
  'outbox.retry': { params: { readonly message: string }; result: Record<never, never> };
  'outbox.discard': { params: { readonly message: string }; result: Record<never, never> };
  /** Another text for a message that waits, or that failed; refused while it is on its way. */
  'outbox.edit': {
    params: { readonly message: string; readonly text: string };
    result: { readonly message: MessageView };
  };
  edit: { params: { readonly message: string; readonly text: string }; result: Record<never, never> };
  retract: { params: { readonly message: string }; result: Record<never, never> };
  react: { params: { readonly message: string; readonly emoji: readonly string[] }; result: Record<never, never> };
  typing: {
    params: { readonly conversation: ConversationKey; readonly active: boolean };
    result: Record<never, never>;
  };
  read: { params: { readonly conversation: ConversationKey; readonly upTo: string }; result: Record<never, never> };
  networks: { params: Record<never, never>; result: { readonly networks: readonly NetworkView[] } };
  'accounts.list': { params: Record<never, never>; result: { readonly accounts: readonly AccountView[] } };
  'accounts.show': { params: { readonly account: string }; result: AccountDetail };
  'accounts.add': {
    params: AccountInput;
    result: { readonly account: AccountView; readonly kept: Readonly<Record<string, string>> };
  };
  'accounts.set': {
    params: {
      readonly account: string;
      readonly settings: Readonly<Record<string, string>>;
      readonly secrets: Readonly<Record<string, SecretSource>>;
    };
    result: { readonly account: AccountView };
  };
  'accounts.remove': { params: { readonly account: string }; result: Record<never, never> };
  'accounts.enable': {
    params: { readonly account: string; readonly enabled: boolean };
    result: { readonly account: AccountView };
  };
  /** Connects at once instead of waiting for the next try. */
  'accounts.retry': { params: { readonly account: string }; result: Record<never, never> };
  /** Signs in with a connection of its own, reports, signs out. */
  'accounts.check': {
    params: { readonly account: string };
    result: { readonly ok: boolean; readonly steps: readonly CheckStep[] };
  };
  'presence.set': {
    params: { readonly account?: string; readonly presence: Presence; readonly note?: string };
    result: Record<never, never>;
  };
  'contacts.add': { params: { readonly account: string; readonly address: string }; result: Record<never, never> };
  'contacts.remove': { params: { readonly conversation: ConversationKey }; result: Record<never, never> };
  'contacts.rename': {
    params: { readonly conversation: ConversationKey; readonly name: string };
    result: Record<never, never>;
  };
  'contacts.group': {
    params: { readonly conversation: ConversationKey; readonly groups: readonly string[] };
    result: Record<never, never>;
  };
  'contacts.block': {
    params: { readonly conversation: ConversationKey; readonly blocked: boolean };
    result: Record<never, never>;
  };
  'requests.answer': { params: { readonly id: string; readonly accept: boolean }; result: Record<never, never> };
  'prompts.answer': { params: { readonly id: string; readonly text: string }; result: Record<never, never> };
  'rooms.join': {
    params: { readonly account: string; readonly address: string; readonly nick?: string; readonly password?: string };
    result: { readonly contact: ContactView };
  };
  'rooms.leave': { params: { readonly conversation: ConversationKey }; result: Record<never, never> };
  'rooms.topic': {
    params: { readonly conversation: ConversationKey; readonly text: string };
    result: Record<never, never>;
  };
  'rooms.invite': {
    params: { readonly conversation: ConversationKey; readonly address: string };
    result: Record<never, never>;
  };
  'rooms.members': {
    params: { readonly conversation: ConversationKey };
    result: { readonly members: readonly Member[] };
  };
  profile: { params: { readonly conversation: ConversationKey }; result: { readonly profile: Profile } };
  'hub.status': {
    params: Record<never, never>;
    result: {
      readonly pid: number;
      readonly imux: string;
      readonly startedAt: string;
      readonly fronts: number;
      readonly accounts: readonly AccountView[];
      readonly memoryBytes: number;
      readonly queued: number;
      readonly kept: boolean;
    };
  };
  /** `keep`: stay when the last front leaves. */
  'hub.keep': { params: { readonly keep: boolean }; result: Record<never, never> };
  'hub.stop': { params: Record<never, never>; result: Record<never, never> };
}

export type Method = keyof Methods;
export type Params<M extends Method> = Methods[M]['params'];
export type Result<M extends Method> = Methods[M]['result'];

/** Sent by the hub without being asked. */
export interface Notifications {
  changes: { readonly changes: readonly Change[] };
  /** The front was too slow and changes were dropped: subscribe again for a new snapshot. */
  resync: Record<never, never>;
  /** The hub ends as somebody wished: a front comes back to one that it finds, and starts none by itself. */
  ending: Record<never, never>;
}

/** What the hub does for each method; the front's connection is not part of it. */
export type Handlers = { readonly [M in Method]: (params: Params<M>) => Promise<Result<M>> };
