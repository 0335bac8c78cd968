import type {
  AccountView,
  Change,
  ContactView,
  ConversationKey,
  MessageView,
  PromptView,
  RequestView,
  Snapshot,
} from '../link/messages.ts';
import { addMessage, type Conversation, changeMessage, newConversation } from './conversation.ts';
import { displace, fill, type List, newList, place, type Row } from './list.ts';
import { tameLine } from './width.ts';

/**
 * What the screen knows of the hub. Changed in place by `apply`; nothing is derived here but what keeps the list in
 * order, so a change costs the same with ten contacts or ten thousand.
 */
export interface Store {
  readonly accounts: Map<string, AccountView>;
  /** Each account's colour, as a number; kept for the life of the screen. */
  readonly accents: Map<string, number>;
  readonly rows: Map<ConversationKey, Row>;
  list: List;
  /** Conversations that were opened, latest last. Messages of others are not kept here: the hub has them. */
  readonly open: Map<ConversationKey, Conversation>;
  readonly requests: Map<string, RequestView>;
  readonly prompts: Map<string, PromptView>;
  /** The open conversation stays among the unread until the person leaves it. */
  focus: ConversationKey | undefined;
  focusKeepsUnread: boolean;
  unread: number;
  mentions: number;
  /** Counts up, to order what became unread. */
  arrivals: number;
}

/** How long a "typing" is believed when no end of it is told. */
const TYPING_MS = 30_000;
const OPEN_LIMIT = 20;

export function newStore(): Store {
  return {
    accounts: new Map(),
    accents: new Map(),
    rows: new Map(),
    list: newList(),
    open: new Map(),
    requests: new Map(),
    prompts: new Map(),
    focus: undefined,
    focusKeepsUnread: false,
    unread: 0,
    mentions: 0,
    arrivals: 0,
  };
}

/** Takes a whole snapshot; what was opened stays open, its messages are loaded again when next looked at. */
export function reset(store: Store, snapshot: Snapshot): void {
  store.accounts.clear();
  for (const account of snapshot.accounts) setAccount(store, account);
  store.rows.clear();
  store.list = newList();
  store.unread = 0;
  store.mentions = 0;
  const unread: Row[] = [];
  for (const contact of snapshot.contacts) {
    const row = newRow(contact);
    store.rows.set(row.key, row);
    store.unread += row.unread;
    store.mentions += row.mentions;
    if (row.unread > 0) unread.push(row);
  }
  unread.sort((a, b) => ((a.last ?? '') < (b.last ?? '') ? -1 : 1));
  for (const row of unread) row.order.unread = ++store.arrivals;
  fill(store.list, store.rows.values());
  store.requests.clear();
  for (const request of snapshot.requests) store.requests.set(request.id, request);
  store.prompts.clear();
  for (const prompt of snapshot.prompts) store.prompts.set(prompt.id, prompt);
  for (const conversation of store.open.values()) {
    conversation.state = 'empty';
    conversation.typing.clear();
  }
  store.focusKeepsUnread = false;
}

function setAccount(store: Store, account: AccountView): void {
  store.accounts.set(account.account, account);
  if (!store.accents.has(account.account)) store.accents.set(account.account, store.accents.size);
}

function newRow(contact: ContactView): Row {
  return {
    key: contact.conversation,
    contact,
    presence: contact.presence,
    status: contact.status,
    unread: contact.unread,
    mentions: contact.mentions,
    last: contact.last,
    found: foundBy(contact),
    order: { unread: 0 },
    places: [],
  };
}

const foundBy = (contact: ContactView): string =>
  `${tameLine(contact.name)}\x01${tameLine(contact.target)}`.toLowerCase();

function setContact(store: Store, contact: ContactView): void {
  const row = store.rows.get(contact.conversation);
  if (!row) {
    const fresh = newRow(contact);
    fresh.unread = 0;
    fresh.mentions = 0;
    store.rows.set(fresh.key, fresh);
    count(store, fresh, contact.unread, contact.mentions);
    settle(store, fresh);
    return;
  }
  if (row.contact.name !== contact.name || row.contact.target !== contact.target) row.found = foundBy(contact);
  row.contact = contact;
  row.presence = contact.presence;
  row.status = contact.status;
  row.last = contact.last;
  count(store, row, contact.unread, contact.mentions);
  settle(store, row);
}

function count(store: Store, row: Row, unread: number, mentions: number): void {
  if (unread > 0 && row.unread === 0) row.order.unread = ++store.arrivals;
  store.unread += unread - row.unread;
  store.mentions += mentions - row.mentions;
  row.unread = unread;
  row.mentions = mentions;
}

function settle(store: Store, row: Row): void {
  place(store.list, row, store.focusKeepsUnread && store.focus === row.key);
}

/** Moves the focus; what was left goes back to its place. */
export function setFocus(store: Store, key: ConversationKey | undefined): void {
  const left = store.focus === undefined ? undefined : store.rows.get(store.focus);
  store.focus = key;
  const row = key === undefined ? undefined : store.rows.get(key);
  store.focusKeepsUnread = (row?.unread ?? 0) > 0;
  if (left) settle(store, left);
  if (row) settle(store, row);
}

/** The conversation's loaded end; opened now where it was not. Those not looked at for long are let go. */
export function openConversation(store: Store, key: ConversationKey): Conversation {
  const conversation = store.open.get(key) ?? newConversation(key);
  store.open.delete(key);
  store.open.set(key, conversation);
  if (store.open.size > OPEN_LIMIT) {
    const oldest = store.open.keys().next().value;
    if (oldest !== undefined) store.open.delete(oldest);
  }
  return conversation;
}

/** Takes one change from the hub; `now` in ms, monotonic. */
export function apply(store: Store, change: Change, now: number): void {
  switch (change.type) {
    case 'account':
      setAccount(store, change.account);
      break;
    case 'account-removed':
      removeAccount(store, change.account);
      break;
    case 'contact':
      setContact(store, change.contact);
      break;
    case 'contact-removed':
      removeRow(store, change.conversation);
      break;
    case 'message':
      addArrived(store, change.message, change.live);
      break;
    case 'message-changed': {
      const conversation = store.open.get(change.message.conversation);
      if (conversation) changeMessage(conversation, change.message);
      break;
    }
    case 'presence':
      setPresence(store, change);
      break;
    case 'typing':
      setTyping(store, change, now);
      break;
    case 'unread':
      setUnread(store, change);
      break;
    case 'members':
    case 'member':
      setMembers(store, change);
      break;
    case 'request':
      store.requests.set(change.request.id, change.request);
      break;
    case 'request-done':
      store.requests.delete(change.id);
      break;
    case 'prompt':
      store.prompts.set(change.prompt.id, change.prompt);
      break;
    case 'prompt-done':
      store.prompts.delete(change.id);
      break;
    case 'notice':
      break;
  }
}

type Of<T extends Change['type']> = Extract<Change, { type: T }>;

function removeAccount(store: Store, name: string): void {
  store.accounts.delete(name);
  for (const row of [...store.rows.values()]) if (row.contact.account === name) removeRow(store, row.key);
  for (const [id, request] of store.requests) if (request.account === name) store.requests.delete(id);
  for (const [id, prompt] of store.prompts) if (prompt.account === name) store.prompts.delete(id);
}

function removeRow(store: Store, key: ConversationKey): void {
  const row = store.rows.get(key);
  if (!row) return;
  count(store, row, 0, 0);
  displace(store.list, row);
  store.rows.delete(key);
  store.open.delete(key);
  if (store.focus === key) setFocus(store, undefined);
}

function addArrived(store: Store, message: MessageView, live: boolean): void {
  const conversation = store.open.get(message.conversation);
  if (!conversation || conversation.state === 'empty') return;
  addMessage(conversation, message, live);
  if (!message.from.self) conversation.typing.delete(message.from.name);
}

function setPresence(store: Store, change: Of<'presence'>): void {
  const row = store.rows.get(change.conversation);
  if (!row) return;
  row.presence = change.presence;
  row.status = change.status;
  settle(store, row);
}

function setTyping(store: Store, change: Of<'typing'>, now: number): void {
  const conversation = store.open.get(change.conversation);
  if (!conversation) return;
  if (change.active) conversation.typing.set(change.name, now + TYPING_MS);
  else conversation.typing.delete(change.name);
}

function setUnread(store: Store, change: Of<'unread'>): void {
  const row = store.rows.get(change.conversation);
  if (!row) return;
  if (change.last !== undefined) row.last = change.last;
  count(store, row, change.unread, change.mentions);
  if (store.focus === row.key && row.unread > 0) store.focusKeepsUnread = true;
  settle(store, row);
}

function setMembers(store: Store, change: Of<'members'> | Of<'member'>): void {
  const conversation = store.open.get(change.conversation);
  if (!conversation) return;
  if (change.type === 'members') {
    conversation.members = new Map(change.members.map((member) => [member.id, member]));
  } else if (change.present) {
    conversation.members?.set(change.member.id, change.member);
  } else conversation.members?.delete(change.member.id);
}
