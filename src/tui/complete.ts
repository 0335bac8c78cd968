import { type App, draftOf, editorIn, focusedConversation, focusedRow, setEditor } from './app.ts';
import { commandIn, type Words } from './commands/command.ts';
import { replace } from './editor.ts';
import { nameOf } from './panes/list.ts';
import { tameLine } from './width.ts';

/** What Tab stepped through last; stepping goes on while the text is as it was left. */
interface Cycle {
  readonly text: string;
  readonly start: number;
  readonly options: readonly string[];
  readonly at: number;
}

const cycles = new WeakMap<App, Cycle>();

/** Completes the word before the cursor: a command, its arguments, or a name; again for the next that fits. */
export function complete(app: App, step: 1 | -1): void {
  const editor = editorIn(app);
  const last = cycles.get(app);
  const goesOn = last !== undefined && last.text === editor.text;
  const start = goesOn ? last.start : editor.text.lastIndexOf(' ', editor.cursor - 1) + 1;
  const options = goesOn ? last.options : optionsFor(app, editor.text.slice(0, editor.cursor), start);
  if (options.length === 0) return;
  const at = goesOn ? (last.at + step + options.length) % options.length : 0;
  const next = replace(editor, start, editor.cursor, options[at] ?? '');
  setEditor(app, next);
  cycles.set(app, { text: next.text, start, options, at });
  app.redraw('key');
}

function optionsFor(app: App, before: string, start: number): string[] {
  const word = before.slice(start);
  if (before.startsWith('/') && start === 0) {
    return app.commands.filter((one) => one.name.startsWith(word.slice(1))).map((one) => `/${one.name} `);
  }
  if (before.startsWith('/')) {
    const { command } = commandIn(app.commands, before);
    const place = before.slice(0, start).trim().split(/\s+/).length - 1;
    const kind = command?.words?.[place];
    if (kind)
      return wordsOf(app, kind)
        .filter((one) => startsLike(one, word))
        .map((one) => one + (kind === 'account' && command.name !== 'account' ? ':' : ' '));
  }
  if (!word) return [];
  const suffix = start === 0 ? ': ' : ' ';
  return names(app)
    .filter((one) => startsLike(one, word.replace(/^@/, '')))
    .map((one) => one + suffix);
}

const startsLike = (name: string, word: string): boolean => name.toLowerCase().startsWith(word.toLowerCase());

function wordsOf(app: App, kind: Words): string[] {
  if (typeof kind !== 'string') return [...kind];
  switch (kind) {
    case 'account':
      return [...app.store.accounts.keys()];
    case 'target':
      return [...app.store.rows.values()].map((row) => row.contact.target).filter((one) => !one.includes(' '));
  }
}

/** Who spoke last comes first. */
function names(app: App): string[] {
  const conversation = focusedConversation(app);
  const row = focusedRow(app);
  const found = new Set<string>();
  for (const message of conversation?.messages.toReversed() ?? []) {
    if (!message.from.self) found.add(tameLine(message.from.name));
  }
  for (const member of conversation?.members?.values() ?? []) found.add(tameLine(member.name));
  if (row) found.add(nameOf(row));
  return [...found];
}

/** Typing anything else ends the stepping. */
export function endCompletion(app: App): void {
  if (cycles.get(app)?.text !== draftOf(app).editor.text) cycles.delete(app);
}
