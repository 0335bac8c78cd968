import type { Member } from '../../adapters/contract.ts';
import type { ConversationKey, MessageView } from '../link/messages.ts';

/** The loaded end of one conversation. */
export interface Conversation {
  readonly key: ConversationKey;
  /** Oldest first. */
  messages: MessageView[];
  /** Cursor of the page before the first message; undefined: the archive has no older one. */
  before: string | undefined;
  state: 'empty' | 'loading' | 'loaded';
  /** The first message that was unread when the person came: the line `new` stands above it. */
  newFrom: string | undefined;
  /** What is read: messages arriving below it do not move it. Undefined: the end is in view. */
  anchor: Anchor | undefined;
  /** Who is typing, and until when that may be believed (ms, monotonic). */
  readonly typing: Map<string, number>;
  members: Map<string, Member> | undefined;
  /** The last message that came in under the person's eyes; the list does not count it, and the hub is to be told. */
  seen: string | undefined;
  /** The last message told to the hub as read. */
  readUpTo: string | undefined;
  /** The network has no older messages, or cannot be asked. */
  filled: boolean;
}

/** The lowest message in view, and how many of its rows are below the view. */
export interface Anchor {
  readonly id: string;
  readonly hidden: number;
}

/** Messages kept of a conversation whose end is in view; older ones are loaded again when wanted. */
const KEPT = 400;
const SLACK = 200;
export const PAGE = 60;

export function newConversation(key: ConversationKey): Conversation {
  return {
    key,
    messages: [],
    before: undefined,
    state: 'empty',
    newFrom: undefined,
    anchor: undefined,
    typing: new Map(),
    members: undefined,
    seen: undefined,
    readUpTo: undefined,
    filled: false,
  };
}

/** From the end, as what is asked for is nearly always there. */
export function indexOf(conversation: Conversation, id: string): number {
  for (let i = conversation.messages.length - 1; i >= 0; i--) if (conversation.messages[i]?.id === id) return i;
  return -1;
}

export function messageOf(conversation: Conversation, id: string): MessageView | undefined {
  return conversation.messages[indexOf(conversation, id)];
}

/** The latest own message that still stands. */
export function lastOwn(conversation: Conversation, fits: (message: MessageView) => boolean = () => true) {
  return conversation.messages.findLast((message) => message.from.self && !message.retracted && fits(message));
}

/** As the archive has it: clocks differ, and what is older than the last message by less than this follows it. */
const CLOCKS_MS = 60_000;

/** A message that arrived; one that is known already is brought up to date. Back-fill goes where its time belongs. */
export function addMessage(conversation: Conversation, message: MessageView, live: boolean): void {
  const { messages } = conversation;
  const known = indexOf(conversation, message.id);
  if (known >= 0) {
    messages[known] = message;
    return;
  }
  let at = messages.length;
  const ahead = Date.parse(messages.at(-1)?.at ?? message.at) - Date.parse(message.at);
  if (!live && ahead > CLOCKS_MS) while (at > 0 && (messages[at - 1]?.at ?? '') > message.at) at--;
  if (at === messages.length) messages.push(message);
  else messages.splice(at, 0, message);
  if (!conversation.anchor && messages.length > KEPT + SLACK) {
    conversation.messages = messages.slice(-KEPT);
    conversation.before = conversation.messages[0]?.id;
  }
}

export function changeMessage(conversation: Conversation, message: MessageView): void {
  const at = indexOf(conversation, message.id);
  if (at >= 0) conversation.messages[at] = message;
}

export function addPage(
  conversation: Conversation,
  page: { readonly messages: readonly MessageView[]; readonly before?: string },
): void {
  const known = new Set(conversation.messages.map((message) => message.id));
  const older = page.messages.filter((message) => !known.has(message.id));
  conversation.messages = [...older, ...conversation.messages];
  conversation.before = page.before;
  conversation.state = 'loaded';
}

/** Puts the `new` line above the first of the last `unread` messages of others. */
export function markNew(conversation: Conversation, unread: number): void {
  let left = unread;
  conversation.newFrom = undefined;
  for (let i = conversation.messages.length - 1; i >= 0 && left > 0; i--) {
    const message = conversation.messages[i];
    if (!message || message.from.self) continue;
    conversation.newFrom = message.id;
    left--;
  }
}
