import { type App, draftOf, editorIn, setEditor } from './app.ts';
import { noteTyping } from './chat.ts';
import { endCompletion } from './complete.ts';
import { type Edit, edit } from './editor.ts';
import { searchSoon } from './search.ts';

/** After the text of the prompt has changed. */
export function edited(app: App): void {
  const { mode } = app;
  endCompletion(app);
  if (mode.kind === 'chat') {
    draftOf(app).at = undefined;
    noteTyping(app);
  }
  if (mode.kind === 'list' || mode.kind === 'switch') mode.index = 0;
  if (mode.kind === 'search') searchSoon(app);
}

export function editText(app: App, step: Edit): void {
  const before = editorIn(app);
  const { editor, killed } = edit(before, step);
  if (killed !== undefined) app.killed = { text: killed, from: app.mode.kind === 'chat' ? app.store.focus : undefined };
  setEditor(app, editor);
  if (editor.text !== before.text) edited(app);
}
