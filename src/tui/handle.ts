import { type App, CHAT, draftOf, editorIn, focusedRow, setEditor, tell } from './app.ts';
import { noteTyping, submit } from './chat.ts';
import { runCommand } from './commands/command.ts';
import { complete, endCompletion } from './complete.ts';
import { walkHistory } from './draft.ts';
import { clear, type Edit, edit, editorOf, emptyEditor, insert, moveLine, paste } from './editor.ts';
import { focusBeside, focusOn, focusPlace, focusUnread, readSoon, scroll, scrollToEnd } from './focus.ts';
import type { InputEvent } from './input.ts';
import { type Action, actionFor, editFor, placeFor } from './keys.ts';
import { bodySize, layoutOf } from './layout.ts';
import type { Mouse } from './mouse.ts';
import { showHelp } from './page.ts';
import { switchCommands } from './panes/main.ts';
import { answerPrompt, answerRequest } from './questions.ts';
import { openResult, openSearch, searchSoon } from './search.ts';
import { matchesOf } from './switcher.ts';
import { answerWizard, openWizard, wizardBack } from './wizard-flow.ts';

const WHEEL_ROWS = 3;

/** Everything that the person does comes through here. */
export function handle(app: App, event: InputEvent): void {
  switch (event.type) {
    case 'text':
      typed(app, event.text);
      break;
    case 'paste':
      pasted(app, event.text);
      break;
    case 'key':
      pressed(app, event.key);
      break;
    case 'mouse':
      pointed(app, event);
      break;
    case 'focus':
      app.attended = event.focused;
      readSoon(app);
      return;
  }
  app.redraw('key');
}

function typed(app: App, text: string): void {
  if (app.mode.kind === 'ask') {
    const choice = app.mode.choices.find((one) => one.key === text);
    if (choice) {
      app.mode = CHAT;
      choice.run();
    }
    return;
  }
  if (app.mode.kind === 'page') app.mode = CHAT;
  if (app.mode.kind === 'chat' && !editorIn(app).text) {
    if (text === '?') {
      showHelp(app);
      return;
    }
    if (welcomed(app, text)) return;
  }
  // The list's own filter begins with a / that is not part of it.
  if (app.mode.kind === 'list' && !app.mode.editor.text && text === '/') return;
  setEditor(app, insert(editorIn(app), text));
  edited(app);
}

function welcomed(app: App, text: string): boolean {
  if (app.store.accounts.size > 0 || app.store.focus !== undefined || app.link !== 'up') return false;
  if (text === '1') openWizard(app);
  else if (text === '2') tell(app, 'leave with Ctrl-D, then run: imux demo');
  else if (text === '3') tell(app, 'leave with Ctrl-D, then see: imux import --help');
  else return false;
  return true;
}

/** A pasted block is text, whatever is in it: no key, no answer, nothing sent. */
function pasted(app: App, text: string): void {
  if (app.mode.kind === 'ask') return;
  if (app.mode.kind === 'page') app.mode = CHAT;
  const oneLine = app.mode.kind === 'wizard' || app.mode.kind === 'answer';
  setEditor(app, paste(editorIn(app), oneLine ? text.replace(/[\r\n]+$/, '') : text));
  edited(app);
}

/** After the text of the prompt has changed. */
function edited(app: App): void {
  const { mode } = app;
  endCompletion(app);
  if (mode.kind === 'chat') {
    draftOf(app).at = undefined;
    noteTyping(app);
  }
  if (mode.kind === 'list' || mode.kind === 'switch') mode.index = 0;
  if (mode.kind === 'search') searchSoon(app);
}

function pressed(app: App, key: string): void {
  const place = placeFor(key);
  if (place !== undefined) {
    focusPlace(app, place);
    return;
  }
  if (key === 'shift-tab') {
    complete(app, -1);
    return;
  }
  const action = actionFor(key);
  if (action) {
    act(app, action);
    return;
  }
  const step = editFor(key);
  if (step && app.mode.kind !== 'ask') editText(app, step);
}

function editText(app: App, step: Edit): void {
  const before = editorIn(app);
  const { editor, killed } = edit(before, step);
  if (killed !== undefined) app.killed = { text: killed, from: app.mode.kind === 'chat' ? app.store.focus : undefined };
  setEditor(app, editor);
  if (editor.text !== before.text) edited(app);
}

function act(app: App, action: Action): void {
  switch (action) {
    case 'send':
      enter(app);
      break;
    case 'complete':
      if (app.mode.kind === 'chat') complete(app, 1);
      break;
    case 'back':
      back(app);
      break;
    case 'leave':
      leave(app);
      break;
    case 'interrupt':
      interrupt(app);
      break;
    case 'switch':
      app.mode = app.mode.kind === 'switch' ? CHAT : { kind: 'switch', editor: emptyEditor, index: 0 };
      break;
    case 'search':
      openSearch(app);
      break;
    case 'help':
      showHelp(app);
      break;
    case 'list':
      app.mode = app.mode.kind === 'list' ? CHAT : { kind: 'list', editor: emptyEditor, index: 0 };
      break;
    case 'redraw':
      app.repaint();
      break;
    case 'yank':
      yank(app);
      break;
    case 'up':
      vertical(app, -1);
      break;
    case 'down':
      vertical(app, 1);
      break;
    case 'page-up':
      page(app, 1);
      break;
    case 'page-down':
      page(app, -1);
      break;
    case 'oldest':
    case 'newest':
      scrollToEnd(app, action);
      break;
    case 'previous':
      focusBeside(app, -1);
      break;
    case 'next':
      focusBeside(app, 1);
      break;
    case 'next-unread':
      focusUnread(app);
      break;
    case 'yes':
    case 'no':
      answerRequest(app, action === 'yes');
      break;
  }
}

function enter(app: App): void {
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

function back(app: App): void {
  const { mode } = app;
  if (mode.kind === 'wizard') wizardBack(app);
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

function leave(app: App): void {
  if (editorIn(app).text) editText(app, 'delete-right');
  else if (app.mode.kind === 'chat') app.exit(0);
  else app.mode = CHAT;
}

/** Ctrl-C empties the prompt; undo brings it back. */
function interrupt(app: App): void {
  if (app.mode.kind !== 'chat') app.mode = CHAT;
  else if (editorIn(app).text) {
    setEditor(app, clear(editorIn(app)));
    edited(app);
  } else tell(app, 'Ctrl-D leaves (the hub stays); /quit ends the hub');
}

function yank(app: App): void {
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
function vertical(app: App, step: 1 | -1): void {
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

function choicesIn(app: App): number {
  const { mode } = app;
  if (mode.kind === 'search') return mode.results.length;
  if (mode.kind === 'list') return matchesOf(app, mode.editor.text).length;
  if (mode.kind !== 'switch') return 0;
  const rows = mode.editor.text.startsWith('/') ? 0 : matchesOf(app, mode.editor.text).length;
  return rows + switchCommands(app, mode.editor.text).length;
}

const clamp = (index: number, size: number): number => Math.max(0, Math.min(index, size - 1));

function page(app: App, up: 1 | -1): void {
  const { mode } = app;
  const { height } = bodySize(app);
  const step = Math.max(1, height - 1);
  if (mode.kind === 'page') mode.top -= up * step;
  else if ('index' in mode) mode.index = clamp(mode.index - up * step, choicesIn(app));
  else scroll(app, up * step);
}

function pointed(app: App, event: Mouse): void {
  const layout = layoutOf(app.columns, app.rows);
  const overList = event.column < layout.list;
  if (event.what === 'press') {
    const hit = app.hits.find((one) => one.row === event.row && event.column >= one.left && event.column < one.right);
    if (hit) focusOn(app, hit.spot.row, hit.spot.section);
    else if (overList && event.row === 0) act(app, 'list');
    return;
  }
  const up = event.what === 'wheel-up' ? WHEEL_ROWS : -WHEEL_ROWS;
  if (overList) app.listTop = Math.max(0, app.listTop - up);
  else if (app.mode.kind === 'page') app.mode.top -= up;
  else if ('index' in app.mode) app.mode.index = clamp(app.mode.index - Math.sign(up), choicesIn(app));
  else scroll(app, up);
}
