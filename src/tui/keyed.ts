import { type App, CHAT, draftOf, editorIn, focusedRow, setEditor, tell } from './app.ts';
import { submit } from './chat.ts';
import { runCommand } from './commands/command.ts';
import { walkHistory } from './draft.ts';
import { edited, editText } from './edited.ts';
import { clear, editorOf, emptyEditor, moveLine, paste } from './editor.ts';
import { focusBeside, focusOn, scroll, scrollToEnd } from './focus.ts';
import { bodySize } from './layout.ts';
import { switchCommands } from './panes/main.ts';
import { answerPrompt } from './questions.ts';
import { openResult } from './search.ts';
import { matchesOf } from './switcher.ts';
import { answerWizard, wizardBack } from './wizard-flow.ts';

/** What the keys with a meaning of their own do in each mode. */
export function enter(app: App): void {
  const { mode } = app;
  switch (mode.kind) {
    case 'chat':
      submit(app);
      break;
    case 'list': {
      const row = mode.editor.text ? matchesOf(app, mode.editor.text)[mode.index]?.row : focusedRow(app);
      app.mode = CHAT;
      if (row) focusOn(app, row);
      break;
    }
    case 'switch':
      chooseSwitch(app);
      break;
    case 'search':
      openResult(app);
      break;
    case 'wizard':
      answerWizard(app);
      break;
    case 'answer':
      answerPrompt(app);
      break;
    case 'page':
      app.mode = CHAT;
      break;
    case 'ask':
      break;
  }
}

function chooseSwitch(app: App): void {
  if (app.mode.kind !== 'switch') return;
  const { index, editor } = app.mode;
  const rows = editor.text.startsWith('/') ? [] : matchesOf(app, editor.text);
  const row = rows[index]?.row;
  if (row) {
    focusOn(app, row);
    return;
  }
  app.mode = CHAT;
  if (editor.text.trim().includes(' ') && editor.text.startsWith('/')) {
    runCommand(app, editor.text);
    return;
  }
  const name = switchCommands(app, editor.text)[index - rows.length];
  const command = app.commands.find((one) => one.name === name);
  if (!command) return;
  // One that takes words is put in the prompt for them; the rest run.
  if (/[ [A-Z]/.test(command.usage.slice(command.name.length + 1))) {
    if (draftOf(app).editor.text) tell(app, `your text stays; type ${command.usage} after it is sent`);
    else setEditor(app, editorOf(`/${command.name} `));
  } else runCommand(app, `/${command.name}`);
}

export function back(app: App): void {
  const { mode } = app;
  if (mode.kind === 'wizard') wizardBack(app);
  else if (mode.kind === 'answer') app.mode = mode.within ?? CHAT;
  else if (mode.kind !== 'chat') app.mode = CHAT;
  else if (app.notice) app.notice = undefined;
  else {
    const draft = draftOf(app);
    if (draft.editing !== undefined) {
      draft.editing = undefined;
      draft.editor = emptyEditor;
    }
    scrollToEnd(app, 'newest');
  }
}

export function leave(app: App): void {
  if (editorIn(app).text) editText(app, 'delete-right');
  else if (app.mode.kind === 'chat') app.exit(0);
  else app.mode = CHAT;
}

/** Ctrl-C empties the prompt; undo brings it back. */
export function interrupt(app: App): void {
  if (app.mode.kind !== 'chat') app.mode = CHAT;
  else if (editorIn(app).text) {
    setEditor(app, clear(editorIn(app)));
    edited(app);
  } else tell(app, 'Ctrl-D leaves (the hub stays); /quit ends the hub');
}

export function yank(app: App): void {
  if (!app.killed.text || app.mode.kind === 'ask' || app.mode.kind === 'page') return;
  setEditor(app, paste(editorIn(app), app.killed.text));
  const { from } = app.killed;
  const { focus } = app.store;
  if (app.mode.kind === 'chat' && from !== undefined && focus !== undefined && from !== focus) {
    draftOf(app).doubt = { from };
  }
  edited(app);
}

/** Up and down: in what is chosen from, in the text, then in what was sent before. */
export function vertical(app: App, step: 1 | -1): void {
  const { mode } = app;
  if (mode.kind === 'chat') {
    const draft = draftOf(app);
    const moved = moveLine(draft.editor, step);
    if (moved) draft.editor = moved;
    else walkHistory(draft, step);
    return;
  }
  if (mode.kind === 'page') mode.top += step;
  else if (mode.kind === 'list' && !mode.editor.text) {
    focusBeside(app, step);
    app.mode = mode;
  } else if ('index' in mode) mode.index = clamp(mode.index + step, choicesIn(app));
}

export function choicesIn(app: App): number {
  const { mode } = app;
  if (mode.kind === 'search') return mode.results.length;
  if (mode.kind === 'list') return matchesOf(app, mode.editor.text).length;
  if (mode.kind !== 'switch') return 0;
  const rows = mode.editor.text.startsWith('/') ? 0 : matchesOf(app, mode.editor.text).length;
  return rows + switchCommands(app, mode.editor.text).length;
}

export const clamp = (index: number, size: number): number => Math.max(0, Math.min(index, size - 1));

export function page(app: App, up: 1 | -1): void {
  const { mode } = app;
  const { height } = bodySize(app);
  const step = Math.max(1, height - 1);
  if (mode.kind === 'page') mode.top -= up * step;
  else if ('index' in mode) mode.index = clamp(mode.index - up * step, choicesIn(app));
  else scroll(app, up * step);
}
