import { type App, CHAT, editorIn, setEditor, tell } from './app.ts';
import { complete } from './complete.ts';
import { edited, editText } from './edited.ts';
import { emptyEditor, insert, paste } from './editor.ts';
import { focusBeside, focusOn, focusPlace, focusUnread, readSoon, scroll, scrollToEnd } from './focus.ts';
import type { InputEvent } from './input.ts';
import { back, choicesIn, clamp, enter, interrupt, leave, page, vertical, yank } from './keyed.ts';
import { type Action, actionFor, editFor, placeFor } from './keys.ts';
import { layoutOf } from './layout.ts';
import type { Mouse } from './mouse.ts';
import { showHelp } from './page.ts';
import { answerRequest } from './questions.ts';
import { openSearch } from './search.ts';
import { openWizard } from './wizard-flow.ts';

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
  else if (text === '3') tell(app, 'add an account (1), leave with Ctrl-D, then run: imux import FOLDER');
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
