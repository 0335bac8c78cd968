import { type App, draftOf, editorIn, focusedRow } from '../app.ts';
import type { Paint } from '../theme.ts';
import { tameLine, truncate, widthOf, wrap, wrapRanges } from '../width.ts';
import { questionOf } from '../wizard.ts';
import { nameOf } from './list.ts';

export interface Prompt {
  readonly rows: readonly string[];
  /** Cells from the prompt's own corner. */
  readonly cursor: { readonly x: number; readonly y: number };
}

const ROWS_MAX = 6;

/** The prompt: by which account the words will leave, then the words; the cursor is always in it. */
export function drawPrompt(app: App, width: number): Prompt {
  if (app.mode.kind === 'ask') return drawQuestion(app, app.mode.question, width);
  const label = labelOf(app);
  const text = ` ${truncate(label.text, Math.floor(width / 2))} `;
  const indent = widthOf(text);
  const editor = editorIn(app);
  const room = Math.max(4, width - indent - 1);
  const head = label.paint(text);
  if (label.hidden)
    return {
      rows: [head + app.theme.faint(truncate('(not shown while you type)', room))],
      cursor: { x: indent, y: 0 },
    };
  if (!editor.text) return { rows: [head + app.theme.faint(truncate(hintOf(app), room))], cursor: { x: indent, y: 0 } };
  const ranges = wrapRanges(editor.text, room);
  let at = ranges.findLastIndex(([start]) => start <= editor.cursor);
  if (at < 0) at = 0;
  const shown = Math.max(1, Math.min(ROWS_MAX, Math.floor(app.rows / 3)));
  const from = Math.max(0, Math.min(at - shown + 1, ranges.length - shown));
  const rows = ranges.slice(from, from + shown).map(([start, end], i) => {
    const words = visible(editor.text.slice(start, end));
    return i + from === 0 ? head + words : ' '.repeat(indent) + words;
  });
  const [start] = ranges[at] ?? [0, 0];
  const column = widthOf(visible(editor.text.slice(start, editor.cursor)));
  return { rows, cursor: { x: indent + Math.min(column, room), y: at - from } };
}

/** What was typed is the person's own, and still may hold what a terminal would obey. */
function visible(text: string): string {
  return text.includes('\n') ? tameLine(text.replaceAll('\n', '')) : tameLine(text);
}

function drawQuestion(app: App, question: string, width: number): Prompt {
  const choices = app.mode.kind === 'ask' ? app.mode.choices.map((one) => `[${one.key}] ${one.label}`) : [];
  const lines = wrap(` ${tameLine(question)}  ${choices.join('  ')}  [esc] back`, width - 1, ROWS_MAX);
  const last = lines.at(-1) ?? '';
  return {
    rows: lines.map((line) => app.theme.alert(line)),
    cursor: { x: Math.min(width - 1, widthOf(last) + 1), y: lines.length - 1 },
  };
}

interface Label {
  readonly text: string;
  readonly paint: Paint;
  readonly hidden?: boolean;
}

function labelOf(app: App): Label {
  const { mode, theme } = app;
  switch (mode.kind) {
    case 'list':
      return { text: 'Filter ▸', paint: theme.strong };
    case 'switch':
      return { text: 'Go to ▸', paint: theme.strong };
    case 'search':
      return { text: 'Search ▸', paint: theme.strong };
    case 'wizard': {
      const question = questionOf(mode.wizard);
      return { text: `${question.label} ▸`, paint: theme.strong, hidden: question.secret };
    }
    case 'answer': {
      const { kind } = mode.prompt.prompt;
      const accent = theme.accent(app.store.accents.get(mode.prompt.account) ?? 0);
      return { text: `${mode.prompt.account} asks ▸`, paint: accent, hidden: kind === 'password' };
    }
    case 'chat':
    case 'ask':
    case 'page': {
      const row = focusedRow(app);
      if (!row) return { text: '▸', paint: theme.strong };
      const accent = theme.accent(app.store.accents.get(row.contact.account) ?? 0);
      const pen = draftOf(app).editing === undefined ? '▸' : '✎';
      return { text: `${tameLine(row.contact.account)} ${pen}`, paint: (text) => accent(theme.strong(text)) };
    }
  }
}

function hintOf(app: App): string {
  switch (app.mode.kind) {
    case 'list':
      return 'type to filter · ↑↓ choose · Enter opens · Esc back';
    case 'switch':
      return 'a name, or / and a command';
    case 'search':
      return 'words · "a phrase" · from: in: account: before: after:';
    case 'wizard':
      return questionOf(app.mode.wizard).hint;
    case 'answer':
      return 'Enter answers · Esc back';
    case 'page':
      return 'Esc back · PgUp PgDn';
    case 'chat':
    case 'ask': {
      const row = focusedRow(app);
      if (!row) return app.store.accounts.size > 0 ? 'Ctrl-K to choose somebody · ? help' : '1, 2 or 3 · ? help';
      return `to ${nameOf(row)} · ? help`;
    }
  }
}
