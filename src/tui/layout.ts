import type { App } from './app.ts';
import { drawPrompt } from './panes/prompt.ts';
import { drawTray } from './panes/tray.ts';

/** What there is room for. Below 80 columns the list folds away, below 60 only conversation and prompt remain. */
export interface Layout {
  /** 0: folded. */
  readonly list: number;
  /** Columns of the conversation. */
  readonly main: number;
  /** Rows of name and line above the conversation. */
  readonly head: number;
  readonly status: number;
}

export function layoutOf(columns: number, rows: number): Layout {
  const list = columns >= 80 ? Math.min(38, Math.max(26, Math.floor(columns * 0.3))) : 0;
  const roomy = columns >= 60 && rows >= 8;
  return { list, main: list > 0 ? columns - list - 1 : columns, head: roomy ? 2 : 0, status: roomy ? 1 : 0 };
}

/** The conversation's own rectangle, as it is drawn now. */
export function bodySize(app: App): { readonly width: number; readonly height: number } {
  const layout = layoutOf(app.columns, app.rows);
  const below = drawTray(app, layout.main).length + 1 + drawPrompt(app, layout.main).rows.length + layout.status;
  return { width: layout.main, height: Math.max(0, app.rows - layout.head - below) };
}
