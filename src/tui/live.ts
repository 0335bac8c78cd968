import type { Change, MessageView, PromptView, Snapshot } from '../link/messages.ts';
import { type App, CHAT, focusedConversation, focusedRow, tell, textOf } from './app.ts';
import { emptyEditor } from './editor.ts';
import { isSeen, keepSpot, load, readSoon } from './focus.ts';
import { type LinkState, RESTART } from './link.ts';
import { apply, openConversation, reset } from './store.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
/** Not more than one bell in so long. */
const BELL_MS = 3_000;

export function takeSnapshot(app: App, snapshot: Snapshot): void {
  reset(app.store, snapshot);
  keepSpot(app);
  app.redraw('data');
}

/** What the hub tells of, in order. */
export function takeChanges(app: App, changes: readonly Change[]): void {
  const now = app.now();
  for (const change of changes) {
    apply(app.store, asSeen(app, change), now);
    if (change.type === 'notice') tell(app, `${change.account}: ${change.text}`);
    else if (change.type === 'message') arrived(app, change.message, change.live);
    else if (change.type === 'prompt') asked(app, change.prompt);
    else if (change.type === 'prompt-done' && app.mode.kind === 'answer' && app.mode.prompt.id === change.id)
      app.mode = app.mode.within ?? CHAT;
  }
  keepSpot(app);
  readSoon(app);
  app.redraw('data');
}

/** The account that is being added asks for what only the person knows: it cannot go on before, so the question opens. */
function asked(app: App, prompt: PromptView): void {
  const { mode } = app;
  if (mode.kind !== 'wizard' || !mode.busy || mode.wizard.name !== prompt.account) return;
  app.mode = { kind: 'answer', editor: emptyEditor, prompt, within: mode };
}

/** What comes in under the person's eyes is never unread: it would only flicker in the list until the hub is told. */
function asSeen(app: App, change: Change): Change {
  if (change.type !== 'unread' || change.unread === 0 || change.conversation !== app.store.focus) return change;
  const conversation = focusedConversation(app);
  const row = focusedRow(app);
  if (!conversation || !isSeen(app, conversation) || conversation.state !== 'loaded' || row?.unread !== 0)
    return change;
  conversation.seen = conversation.messages.at(-1)?.id;
  return { ...change, unread: 0, mentions: 0 };
}

const rung = new WeakMap<App, number>();

function arrived(app: App, message: MessageView, live: boolean): void {
  if (!live || message.from.self) return;
  const conversation = focusedConversation(app);
  const isOpen = conversation?.key === message.conversation;
  // Nobody is looking: where the unread begin is marked for when they come back.
  if (isOpen && !app.attended && conversation.newFrom === undefined) conversation.newFrom = message.id;
  const calls = message.mention === true || message.kind === 'person';
  if (app.attended || !calls || app.now() - (rung.get(app) ?? Number.NEGATIVE_INFINITY) < BELL_MS) return;
  rung.set(app, app.now());
  app.bell();
}

export function linkChanged(app: App, state: LinkState, error?: unknown): void {
  const before = app.link;
  app.link = state;
  if (state === 'up') {
    if (before === 'lost' || before === 'stopped') tell(app, 'the hub is back');
    const row = focusedRow(app);
    if (row) openConversation(app.store, row.key);
    load(app);
  } else if (state === 'stopped') {
    if (before !== 'stopped') tell(app, `the hub was stopped; ${RESTART}, Ctrl-D leaves`, true);
  } else if (before !== 'lost') {
    for (const conversation of app.store.open.values())
      if (conversation.state === 'loading') conversation.state = 'empty';
    tell(
      app,
      `the hub is lost${error ? ` (${textOf(error)})` : ''}; connecting again. What you write stays here`,
      true,
    );
  }
  app.redraw('data');
}

/** Keeps what is counted in seconds or minutes right, and sleeps otherwise. */
export function tick(app: App): void {
  const counting =
    [...app.store.accounts.values()].some((account) => account.state === 'waiting') ||
    (focusedConversation(app)?.typing.size ?? 0) > 0;
  app.later(
    () => {
      app.redraw('data');
      tick(app);
    },
    counting ? SECOND_MS : Math.min(5 * SECOND_MS, MINUTE_MS - (Date.now() % MINUTE_MS) + 20),
  );
}
