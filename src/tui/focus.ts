import type { ContactView, ConversationKey } from '../link/messages.ts';
import { type App, attempt, CHAT, can, draftOf, focusedConversation, focusedRow, tell } from './app.ts';
import { addPage, type Conversation, indexOf, markNew, PAGE } from './conversation.ts';
import { bodySize } from './layout.ts';
import { neighbour, type Row, type Spot, spotAt, UNREAD } from './list.ts';
import { frameOf } from './panes/conversation.ts';
import { apply, openConversation, setFocus } from './store.ts';
import { anchorAt, scrolled, viewOf } from './viewport.ts';

/** Who leaves a half-written text so soon after the last key may not have meant to. */
const SURPRISE_MS = 1_500;
const READ_AFTER_MS = 120;

/** Opens a conversation. */
export function focusOn(app: App, row: Row, section?: string): void {
  const { store } = app;
  app.mode = CHAT;
  if (store.focus !== row.key) {
    const left = store.focus;
    const torn = left !== undefined && draftOf(app).editor.text !== '' && app.now() - app.typedAt < SURPRISE_MS;
    stopTyping(app);
    const old = focusedConversation(app);
    if (old) {
      old.newFrom = undefined;
      tellRead(app, old, old.seen);
    }
    setFocus(store, row.key);
    if (torn) draftOf(app).doubt = { from: left };
    openConversation(store, row.key);
  }
  app.spot = spotFor(row, section);
  load(app);
  readSoon(app);
  app.redraw('key');
}

function spotFor(row: Row, section: string | undefined): Spot | undefined {
  const place = row.places.find((one) => one.section === section) ?? row.places[0];
  return place && { section: place.section, row };
}

export function focusKey(app: App, key: ConversationKey): void {
  const row = app.store.rows.get(key);
  if (row) focusOn(app, row);
}

/** Opens the conversation of an answer, which may be here before the change that tells of it. */
export function focusContact(app: App, contact: ContactView): void {
  if (!app.store.rows.has(contact.conversation)) apply(app.store, { type: 'contact', contact }, app.now());
  focusKey(app, contact.conversation);
}

/** After the list has changed: the spot is where the row is. */
export function keepSpot(app: App): void {
  const row = focusedRow(app);
  const spot = row && spotFor(row, app.spot?.section);
  if (spot?.row !== app.spot?.row || spot?.section !== app.spot?.section) app.spot = spot;
}

export function focusBeside(app: App, steps: 1 | -1): void {
  const spot = neighbour(app.store.list, app.spot, steps);
  if (spot) focusOn(app, spot.row, spot.section);
}

export function focusPlace(app: App, index: number): void {
  const spot = spotAt(app.store.list, index);
  if (spot) focusOn(app, spot.row, spot.section);
}

/** Mentions first, then what has waited longest. */
export function focusUnread(app: App): void {
  const entries = app.store.list.sections.get(UNREAD)?.entries ?? [];
  const waiting = entries.map((entry) => entry.row).filter((row) => row.unread > 0 && row.key !== app.store.focus);
  const row = waiting.findLast((one) => one.mentions > 0) ?? waiting.at(-1);
  if (row) focusOn(app, row, UNREAD);
  else tell(app, 'nothing else is unread');
}

/** Gets the last page of the open conversation, where it is not there yet. */
export function load(app: App): void {
  const conversation = focusedConversation(app);
  const row = focusedRow(app);
  if (!conversation || !row || conversation.state !== 'empty' || app.link !== 'up') return;
  const stale = new Set(conversation.messages);
  const unread = row.unread;
  conversation.state = 'loading';
  const done = app.call('messages.page', { conversation: row.key, limit: PAGE }).then((page) => {
    conversation.messages = conversation.messages.filter((message) => !stale.has(message));
    addPage(conversation, page);
    if (unread > 0) markNew(conversation, unread);
    readSoon(app);
  });
  done.catch(() => {
    conversation.state = 'empty';
  });
  attempt(app, row.contact.account, () => done);
  if (row.contact.kind === 'room' && row.contact.listed && !conversation.members) loadMembers(app, conversation);
}

function loadMembers(app: App, conversation: Conversation): void {
  app.call('rooms.members', { conversation: conversation.key }).then(
    ({ members }) => {
      conversation.members = new Map(members.map((member) => [member.id, member]));
    },
    // Names are only missed in completion; the account's own state tells what is wrong.
    () => {},
  );
}

/** Older messages: from the archive, and past its beginning from the network. */
export async function loadOlder(app: App, conversation: Conversation): Promise<boolean> {
  if (conversation.state !== 'loaded' || app.link !== 'up') return false;
  if (conversation.before === undefined) return fillFromNetwork(app, conversation);
  conversation.state = 'loading';
  const size = conversation.messages.length;
  try {
    const page = await app.call('messages.page', {
      conversation: conversation.key,
      before: conversation.before,
      limit: PAGE,
    });
    addPage(conversation, page);
  } finally {
    conversation.state = 'loaded';
    app.redraw('key');
  }
  return conversation.messages.length > size;
}

async function fillFromNetwork(app: App, conversation: Conversation): Promise<boolean> {
  const row = app.store.rows.get(conversation.key);
  if (!row || conversation.filled || !can(app, row.contact, 'history')) return false;
  conversation.filled = true;
  const { stored, more } = await app.call('history.fill', { conversation: conversation.key });
  conversation.filled = !more;
  if (stored === 0) return false;
  const page = await app.call('messages.page', {
    conversation: conversation.key,
    limit: conversation.messages.length + stored,
  });
  conversation.messages = [];
  addPage(conversation, page);
  app.redraw('key');
  return true;
}

/** Up by some rows (down where negative). What is read stays in place when older messages come in above it. */
export function scroll(app: App, up: number): void {
  const conversation = focusedConversation(app);
  if (!conversation) return;
  const { width, height } = bodySize(app);
  const frame = frameOf(app, width);
  conversation.anchor = scrolled(conversation, up, height, frame);
  const view = viewOf(conversation, height, frame);
  if (up > 0 && view.atTop) {
    attempt(app, 'older messages', async () => {
      if (!(await loadOlder(app, conversation)) || focusedConversation(app) !== conversation) return;
      conversation.anchor = scrolled(conversation, Math.max(1, up - 1), height, frame) ?? conversation.anchor;
    });
  }
  readSoon(app);
  app.redraw('key');
}

export function scrollToEnd(app: App, end: 'oldest' | 'newest'): void {
  const conversation = focusedConversation(app);
  if (!conversation) return;
  if (end === 'newest') conversation.anchor = undefined;
  else scroll(app, 1_000_000);
  readSoon(app);
  app.redraw('key');
}

const JUMP_PAGES = 50;

/** Opens the conversation at one message, loading back to it. */
export async function jumpTo(app: App, key: ConversationKey, id: string): Promise<void> {
  focusKey(app, key);
  const conversation = focusedConversation(app);
  if (!conversation || conversation.key !== key) throw new Error('that conversation is not in the list');
  for (let i = 0; i < JUMP_PAGES && indexOf(conversation, id) < 0; i++) {
    if (conversation.state === 'loading') await new Promise<void>((resolve) => app.later(resolve, 10));
    else if (!(await loadOlder(app, conversation))) break;
  }
  if (app.store.focus !== key) return;
  const { width, height } = bodySize(app);
  conversation.anchor = anchorAt(conversation, id, height, frameOf(app, width));
  if (indexOf(conversation, id) < 0) tell(app, 'that message is too far back to show here');
  app.redraw('key');
}

const waiting = new WeakSet<App>();

/** Tells the hub what has been seen: in view, at the end, with the terminal in front of the person. Not at each message. */
export function readSoon(app: App): void {
  if (waiting.has(app)) return;
  waiting.add(app);
  app.later(() => {
    waiting.delete(app);
    read(app);
  }, READ_AFTER_MS);
}

/** In front of the person, with its end in view. */
export function isSeen(app: App, conversation: Conversation): boolean {
  return app.attended && app.mode.kind === 'chat' && !conversation.anchor && conversation.key === app.store.focus;
}

function read(app: App): void {
  const conversation = focusedConversation(app);
  const row = focusedRow(app);
  if (!conversation || !row || app.link !== 'up' || conversation.state !== 'loaded') return;
  // What was filled in above the last message that was told as read is new all the same.
  if (row.unread > 0) conversation.readUpTo = undefined;
  const last = isSeen(app, conversation) ? conversation.messages.at(-1)?.id : conversation.seen;
  if (row.unread > 0 || conversation.seen !== undefined) tellRead(app, conversation, last);
}

function tellRead(app: App, conversation: Conversation, upTo: string | undefined): void {
  if (upTo === undefined || conversation.readUpTo === upTo) return;
  conversation.seen = undefined;
  conversation.readUpTo = upTo;
  app.call('read', { conversation: conversation.key, upTo }).catch(() => {
    conversation.readUpTo = undefined;
  });
}

export function stopTyping(app: App): void {
  const key = app.typingTo;
  if (key === undefined) return;
  app.typingTo = undefined;
  app.call('typing', { conversation: key, active: false }).catch(() => {});
}
