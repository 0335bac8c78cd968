import type { ChatId, Contact, Member, Presence, UserId } from '../../adapters/contract.ts';
import type { Archive, Conversation } from '../archive/types.ts';
import type { Ability, AccountState, ConversationKey, LinkError, PromptView, RequestView } from '../link/messages.ts';

/** What core asks of the archive while events come in. */
export type Store = Pick<
  Archive,
  | 'conversation'
  | 'conversations'
  | 'import'
  | 'get'
  | 'find'
  | 'receive'
  | 'receipt'
  | 'bounce'
  | 'edit'
  | 'retract'
  | 'react'
  | 'byId'
  | 'markRead'
>;

/** The one picture of all accounts, contacts and rooms. `reduce` and its neighbours change it in place. */
export interface State {
  readonly accounts: Map<string, AccountEntry>;
  readonly entries: Map<ConversationKey, Entry>;
  readonly requests: Map<string, Request>;
  readonly prompts: Map<string, PromptView>;
  /** For the ids of requests and prompts. */
  counter: number;
}

export interface Core {
  readonly state: State;
  readonly store: Store;
}

export interface AccountEntry {
  readonly account: string;
  readonly network: string;
  self?: UserId;
  /** The own address or nick, cleaned, for showing. */
  id: string;
  name: string;
  state: AccountState;
  error?: LinkError | undefined;
  retryAt?: number | undefined;
  enabled: boolean;
  /** What the person wants to be seen as, whenever the account is online. */
  wanted: Presence;
  note?: string | undefined;
  abilities: readonly Ability[];
  /** Finds the own name as a word. */
  mention?: RegExp;
  readonly byChat: Map<ChatId, Entry>;
  readonly byUser: Map<UserId, Entry>;
  readonly byAddress: Map<string, Entry>;
  readonly presences: Map<UserId, Seen>;
  /** Counts connections; `rosterEpoch` is the one in which the last full roster came. */
  epoch: number;
  rosterEpoch: number;
  /** Counts roster snapshots. */
  generation: number;
}

/** Presence as the network told it, and in which connection. */
export interface Seen {
  readonly state: Presence;
  readonly note: string | undefined;
  readonly epoch: number;
}

/** One row of the merged list: one conversation of one account. Texts are cleaned, ids are the adapter's own. */
export interface Entry {
  readonly key: ConversationKey;
  readonly account: AccountEntry;
  readonly chat: ChatId;
  kind: 'direct' | 'room';
  address: string;
  title: string;
  topic: string | undefined;
  contact: Contact | undefined;
  listed: boolean;
  /** As last announced to the fronts. */
  presence: Presence;
  status: string | undefined;
  unread: number;
  mentions: number;
  last: number;
  /** The roster snapshot that named it last. */
  generation: number;
  members: Map<UserId, Member> | undefined;
  typing: Map<UserId, string> | undefined;
}

export interface Request {
  readonly view: RequestView;
  /** The adapter's own id. */
  readonly native: string;
}

/** More presences than this of one account are not remembered: a server could send them without end. */
export const presenceLimit = 200_000;

export function createCore(store: Store): Core {
  return {
    state: { accounts: new Map(), entries: new Map(), requests: new Map(), prompts: new Map(), counter: 0 },
    store,
  };
}

export interface AccountStart {
  readonly account: string;
  readonly network: string;
  readonly enabled: boolean;
}

/** Adds an account with the conversations that the archive has of it; they count as listed until its roster comes. */
export function addAccount(core: Core, start: AccountStart): AccountEntry {
  const account: AccountEntry = {
    ...start,
    id: '',
    name: '',
    state: 'offline',
    abilities: [],
    wanted: 'online',
    byChat: new Map(),
    byUser: new Map(),
    byAddress: new Map(),
    presences: new Map(),
    epoch: 0,
    rosterEpoch: 0,
    generation: 0,
  };
  core.state.accounts.set(account.account, account);
  for (const conversation of core.store.conversations(account.account)) addEntry(core, account, conversation, true);
  return account;
}

/** Forgets an account and all its rows; the archive keeps its messages. */
export function removeAccount(core: Core, name: string): AccountEntry | undefined {
  const { accounts, entries, requests, prompts } = core.state;
  const account = accounts.get(name);
  if (!account) return undefined;
  accounts.delete(name);
  for (const entry of account.byChat.values()) entries.delete(entry.key);
  for (const [id, request] of requests) if (request.view.account === name) requests.delete(id);
  for (const [id, prompt] of prompts) if (prompt.account === name) prompts.delete(id);
  return account;
}

export function addEntry(core: Core, account: AccountEntry, conversation: Conversation, listed: boolean): Entry {
  const entry: Entry = {
    key: conversation.key,
    account,
    chat: conversation.chat,
    kind: conversation.kind,
    address: conversation.address,
    title: conversation.title,
    topic: conversation.topic,
    contact: undefined,
    listed,
    presence: 'unknown',
    status: undefined,
    unread: conversation.unread,
    mentions: conversation.mentions,
    last: conversation.last,
    generation: 0,
    members: undefined,
    typing: undefined,
  };
  core.state.entries.set(entry.key, entry);
  account.byChat.set(entry.chat, entry);
  account.byAddress.set(entry.address, entry);
  return entry;
}

export function dropEntry(core: Core, entry: Entry): void {
  core.state.entries.delete(entry.key);
  entry.account.byChat.delete(entry.chat);
  if (entry.account.byAddress.get(entry.address) === entry) entry.account.byAddress.delete(entry.address);
}

/** What an entry is called in the list. */
export function nameOf(entry: Entry): string {
  return entry.contact?.name || entry.title || entry.address;
}

/** `ACCOUNT:ADDRESS`. */
export function targetOf(entry: Entry): string {
  return `${entry.account.account}:${entry.address}`;
}
