import { type App, attempt, CHAT, tell, textOf } from './app.ts';
import { editorOf } from './editor.ts';
import { jumpTo } from './focus.ts';

const WAIT_MS = 80;
const LIMIT = 100;

export function openSearch(app: App, query = ''): void {
  app.mode = { kind: 'search', editor: editorOf(query), index: 0, query: '', results: [] };
  searchSoon(app);
  app.redraw('key');
}

/** Asks the hub once the person pauses; an answer to an older query is dropped. */
export function searchSoon(app: App): void {
  if (app.mode.kind !== 'search') return;
  const { mode } = app;
  const query = mode.editor.text.trim();
  app.later(() => {
    if (app.mode !== mode || mode.editor.text.trim() !== query || mode.query === query) return;
    mode.query = query;
    if (!query) {
      mode.results = [];
      app.redraw('key');
      return;
    }
    app.call('search', { query, limit: LIMIT }).then(
      ({ messages }) => {
        if (app.mode !== mode || mode.query !== query) return;
        mode.results = messages;
        mode.index = 0;
        app.redraw('key');
      },
      (error: unknown) => tell(app, `search: ${textOf(error)}`, true),
    );
  }, WAIT_MS);
}

export function openResult(app: App): void {
  if (app.mode.kind !== 'search') return;
  const found = app.mode.results[app.mode.index];
  if (!found) return;
  app.mode = CHAT;
  attempt(app, 'search', () => jumpTo(app, found.conversation, found.id));
}
