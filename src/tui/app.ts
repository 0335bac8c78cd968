import type {
  Ability,
  ContactView,
  ConversationKey,
  MessageView,
  Method,
  Params,
  PromptView,
  Result,
} from '../link/messages.ts';
import type { Conversation } from './conversation.ts';
import { type Draft, newDraft } from './draft.ts';
import { type Editor, emptyEditor } from './editor.ts';
import type { LinkState } from './link.ts';
import type { Row, Spot } from './list.ts';
import { newStore, type Store } from './store.ts';
import type { Theme } from './theme.ts';
import type { Wizard } from './wizard.ts';

/** What the person is doing. The prompt line always belongs to the mode; the cursor never leaves it. */
export type Mode =
  | { readonly kind: 'chat' }
  | { readonly kind: 'list'; editor: Editor; index: number }
  | { readonly kind: 'switch'; editor: Editor; index: number }
  | { readonly kind: 'search'; editor: Editor; index: number; query: string; results: readonly MessageView[] }
  | WizardMode
  /** `within`: the account that is being added asks for it, and its wizard goes on after the answer. */
  | { readonly kind: 'answer'; editor: Editor; readonly prompt: PromptView; readonly within?: WizardMode }
  | { readonly kind: 'ask'; readonly question: string; readonly choices: readonly Choice[] }
  | { readonly kind: 'page'; readonly title: string; lines: readonly PageLine[]; top: number };

interface WizardMode {
  readonly kind: 'wizard';
  editor: Editor;
  wizard: Wizard;
  /** The hub is at work on it. */
  busy: boolean;
  fault: string;
}

export interface Choice {
  readonly key: string;
  readonly label: string;
  run(): void;
}

export interface Command {
  readonly name: string;
  readonly usage: string;
  readonly about: string;
  /** Without it in the open conversation's network, the command is greyed and refuses. */
  readonly needs?: Ability;
  /** Words that Tab offers for each place of the arguments. */
  readonly words?: readonly Words[];
  /** `rest`: what follows the name, trimmed. @throws Error with a text for the person, who then keeps what was typed. */
  run(app: App, rest: string): void;
}

export type Words = 'account' | 'target' | readonly string[];

/** Plain text; styled when drawn. `term`: a first column. */
export interface PageLine {
  readonly text: string;
  readonly term?: string;
  readonly tone?: 'strong' | 'faint' | 'alert';
}

export interface Notice {
  readonly text: string;
  readonly alert: boolean;
  /** ms, monotonic. */
  readonly until: number;
}

/** What a click on a row of the screen does. */
export interface Hit {
  readonly row: number;
  readonly left: number;
  readonly right: number;
  readonly spot: Spot;
}

/** The whole screen, in one place. Changed in place by whoever acts; drawn by draw.ts, which changes nothing it means. */
export interface App {
  readonly store: Store;
  readonly theme: Theme;
  readonly commands: readonly Command[];
  readonly profile: string;
  readonly drafts: Map<ConversationKey, Draft>;
  /** The prompt while no conversation is open. */
  readonly loose: Draft;
  mode: Mode;
  spot: Spot | undefined;
  columns: number;
  rows: number;
  /** The terminal has the keyboard's focus, as far as it tells. */
  attended: boolean;
  link: 'connecting' | LinkState;
  notice: Notice | undefined;
  /** First line of the list in view. */
  listTop: number;
  /** The spot that the list was last brought into view for. */
  listSpot: Spot | undefined;
  hits: readonly Hit[];
  killed: { readonly text: string; readonly from: ConversationKey | undefined };
  /** When a character was last typed (ms, monotonic). */
  typedAt: number;
  /** The conversation that was last told that we are typing. */
  typingTo: ConversationKey | undefined;
  /** When (ms, monotonic). */
  typingToldAt: number;
  /** By lower-case name: where the person last wrote to somebody so called. */
  readonly wroteTo: Map<string, ConversationKey>;
  /** ms, monotonic. */
  now(): number;
  call<M extends Method>(method: M, params: Params<M>, signal?: AbortSignal): Promise<Result<M>>;
  /** `key`: the person waits for it; `data`: it may wait for others. */
  redraw(cause: 'key' | 'data'): void;
  /** Runs later, unless the screen ends first. */
  later(run: () => void, ms: number): void;
  mouse(on: boolean): void;
  bell(): void;
  repaint(): void;
  /** Starts the hub again after it was stopped. */
  connect(): void;
  exit(code: number): void;
}

export type AppPorts = Pick<
  App,
  | 'theme'
  | 'commands'
  | 'profile'
  | 'columns'
  | 'rows'
  | 'now'
  | 'call'
  | 'redraw'
  | 'later'
  | 'mouse'
  | 'bell'
  | 'repaint'
  | 'connect'
  | 'exit'
>;

export const CHAT: Mode = { kind: 'chat' };

export function newApp(ports: AppPorts): App {
  return {
    ...ports,
    store: newStore(),
    drafts: new Map(),
    loose: newDraft(),
    mode: CHAT,
    spot: undefined,
    attended: true,
    link: 'connecting',
    notice: undefined,
    listTop: 0,
    listSpot: undefined,
    hits: [],
    killed: { text: '', from: undefined },
    typedAt: Number.NEGATIVE_INFINITY,
    typingTo: undefined,
    typingToldAt: 0,
    wroteTo: new Map(),
  };
}

export function draftOf(app: App): Draft {
  const { focus } = app.store;
  if (focus === undefined) return app.loose;
  let draft = app.drafts.get(focus);
  if (!draft) {
    draft = newDraft();
    app.drafts.set(focus, draft);
  }
  return draft;
}

/** The editor that typing goes to. */
export function editorIn(app: App): Editor {
  const { mode } = app;
  if (mode.kind === 'chat') return draftOf(app).editor;
  return 'editor' in mode ? mode.editor : emptyEditor;
}

export function setEditor(app: App, editor: Editor): void {
  const { mode } = app;
  if (mode.kind === 'chat') draftOf(app).editor = editor;
  else if ('editor' in mode) mode.editor = editor;
}

export function focusedRow(app: App): Row | undefined {
  return app.store.focus === undefined ? undefined : app.store.rows.get(app.store.focus);
}

export function focusedConversation(app: App): Conversation | undefined {
  return app.store.focus === undefined ? undefined : app.store.open.get(app.store.focus);
}

const NOTICE_MS = 8_000;
const ALERT_MS = 20_000;

/** A line above the prompt, for a while. */
export function tell(app: App, text: string, alert = false): void {
  const ms = alert ? ALERT_MS : NOTICE_MS;
  app.notice = { text, alert, until: app.now() + ms };
  app.later(() => app.redraw('data'), ms + 10);
  app.redraw('key');
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Runs a call whose outcome matters only when it fails; the error names what was tried. */
export function attempt(app: App, what: string, run: () => Promise<unknown>, done?: string): void {
  run().then(
    () => (done ? tell(app, done) : app.redraw('key')),
    (error: unknown) => tell(app, `${what}: ${textOf(error)}`, true),
  );
}

export function can(app: App, contact: ContactView, ability: string): boolean {
  return app.store.accounts.get(contact.account)?.abilities.some((one) => one === ability) ?? false;
}
