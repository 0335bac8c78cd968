import type { ConversationKey } from '../link/messages.ts';
import { type App, attempt, CHAT, can, draftOf, focusedConversation, focusedRow, tell, textOf } from './app.ts';
import { runCommand } from './commands/command.ts';
import { messageOf } from './conversation.ts';
import { emptied, remember } from './draft.ts';
import { editorOf } from './editor.ts';
import { stopTyping } from './focus.ts';
import type { Row } from './list.ts';
import { nameOf } from './panes/list.ts';

/** How long the hub is given to take a text into its outbox. */
const SEND_SECONDS = 30;
const IDLE_MS = 10_000;
/** Telegram shows that somebody types for 5 s, IRC for 6 s: it is told again while it lasts. */
const TELL_AGAIN_MS = 4_000;

/** What Enter does with the prompt: a command, a correction, or a message. */
export function submit(app: App): void {
  const draft = draftOf(app);
  const { text } = draft.editor;
  if (!text.trim()) return;
  if (text.startsWith('/') && !text.startsWith('//')) {
    if (runCommand(app, text)) {
      remember(draft, text);
      emptied(draft);
      app.redraw('key');
    }
    return;
  }
  const row = focusedRow(app);
  if (!row) {
    tell(app, 'choose somebody to write to first: Ctrl-K', true);
    return;
  }
  const words = text.startsWith('//') ? text.slice(1) : text;
  if (draft.editing !== undefined) correct(app, row, draft.editing, words);
  else if (!asks(app, row, words)) deliver(app, row, words);
}

/** Asks first where the words may be meant for somebody else; true where it does. */
function asks(app: App, row: Row, words: string): boolean {
  const draft = draftOf(app);
  if (draft.doubt) {
    const from = app.store.rows.get(draft.doubt.from);
    const whom = from ? nameOf(from) : 'another conversation';
    app.mode = {
      kind: 'ask',
      question: `this was begun for ${whom}. Send it to ${nameOf(row)} by ${row.contact.account}?`,
      choices: [{ key: 'y', label: 'send', run: () => deliver(app, row, words) }],
    };
    return true;
  }
  const other = app.store.rows.get(app.wroteTo.get(nameOf(row).toLowerCase()) ?? row.key);
  if (row.contact.kind !== 'person' || !other || other.contact.account === row.contact.account) return false;
  const { account } = other.contact;
  app.mode = {
    kind: 'ask',
    question: `last time you wrote ${nameOf(row)} by ${account}. Send by ${row.contact.account}?`,
    choices: [
      { key: 'y', label: 'send', run: () => deliver(app, row, words) },
      { key: 'w', label: `by ${account}`, run: () => deliver(app, other, words) },
    ],
  };
  return true;
}

interface Delivery {
  readonly replyTo?: string;
  /** The words do not come from the open conversation's prompt: what is being written there stays. */
  readonly aside?: boolean;
}

/** Hands a text to the hub for one conversation; where the hub does not take it, it comes back to the prompt. */
export function deliver(app: App, row: Row, words: string, options: Delivery = {}): void {
  const { aside = false, ...more } = options;
  const draft = draftOf(app);
  app.mode = CHAT;
  const typed = aside ? words : draft.editor.text;
  remember(draft, typed || words);
  if (!aside) emptied(draft);
  stopTyping(app);
  const conversation = focusedConversation(app);
  if (conversation?.key === row.key) {
    conversation.anchor = undefined;
    conversation.newFrom = undefined;
  }
  if (row.contact.kind === 'person') app.wroteTo.set(nameOf(row).toLowerCase(), row.key);
  app.redraw('key');
  app
    .call('send', { conversation: row.key, text: words, wait: 'queued', timeout: SEND_SECONDS, ...more })
    .catch((error: unknown) => {
      if (!draft.editor.text && typed) draft.editor = editorOf(typed);
      tell(app, `${row.contact.account}: not sent to ${nameOf(row)}: ${textOf(error)}`, true);
    });
}

export function correct(app: App, row: Row, message: string, words: string): void {
  const draft = draftOf(app);
  emptied(draft);
  stopTyping(app);
  const conversation = focusedConversation(app);
  const state = conversation && messageOf(conversation, message)?.state;
  // What has not gone out is changed here, not on the network.
  const method = state === 'queued' || state === 'failed' ? 'outbox.edit' : 'edit';
  attempt(app, `${row.contact.account}: not corrected`, () => app.call(method, { message, text: words }));
}

/** After each edit of the prompt: the other side learns that we type, where its network knows such a thing. */
export function noteTyping(app: App): void {
  const row = focusedRow(app);
  const { text } = draftOf(app).editor;
  app.typedAt = app.now();
  if (!text) draftOf(app).doubt = undefined;
  if (!row || !can(app, row.contact, 'typing') || app.link !== 'up') return;
  if (!text || text.startsWith('/')) {
    stopTyping(app);
    return;
  }
  const goesOn = app.typingTo === row.key;
  if (goesOn && app.now() - app.typingToldAt < TELL_AGAIN_MS) return;
  app.typingTo = row.key;
  app.typingToldAt = app.now();
  app.call('typing', { conversation: row.key, active: true }).catch(() => {});
  if (!goesOn) watchIdle(app, row.key);
}

function watchIdle(app: App, key: ConversationKey): void {
  app.later(() => {
    if (app.typingTo !== key) return;
    if (app.now() - app.typedAt >= IDLE_MS) stopTyping(app);
    else watchIdle(app, key);
  }, IDLE_MS);
}
