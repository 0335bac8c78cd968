import type { App } from './app.ts';
import { bodySize, layoutOf } from './layout.ts';
import { drawnWidth } from './message-rows.ts';
import { drawHead, drawRule } from './panes/conversation.ts';
import { drawList } from './panes/list.ts';
import { drawMain } from './panes/main.ts';
import { drawPrompt } from './panes/prompt.ts';
import { drawStatus } from './panes/status.ts';
import { drawTray } from './panes/tray.ts';
import { COLUMN_MARK, fit } from './width.ts';

/** One picture: as many rows as the terminal has, none wider than it. */
export interface Picture {
  readonly rows: readonly string[];
  readonly cursor: { readonly x: number; readonly y: number };
}

export function draw(app: App): Picture {
  const { columns, rows: height } = app;
  const layout = layoutOf(columns, height);
  const body = bodySize(app);
  const folded = layout.list === 0;
  const tray = drawTray(app, layout.main);
  const prompt = drawPrompt(app, layout.main);
  const main: string[] = [
    ...(layout.head > 0 ? [drawHead(app, layout.main), app.theme.faint('─'.repeat(layout.main))] : []),
    ...filled(drawMain(app, layout.main, body.height, folded), body.height),
    ...tray,
    drawRule(app, layout.main, body.height),
    ...prompt.rows,
  ];
  const list = folded ? undefined : listColumn(app, layout.list, height - layout.status);
  if (app.mode.kind !== 'list' && folded) app.hits = [];
  else if (folded) app.hits = drawList(app, layout.main, body.height, layout.head).hits;
  const joined = main
    .slice(0, height - layout.status)
    .map((row, y) => (list ? `${list[y] ?? ''}${COLUMN_MARK}${row}` : row));
  if (layout.status > 0) joined.push(drawStatus(app, columns));
  const left = folded ? 0 : layout.list + 1;
  return {
    rows: joined,
    cursor: { x: left + prompt.cursor.x, y: layout.head + body.height + tray.length + 1 + prompt.cursor.y },
  };
}

function filled(rows: readonly string[], height: number): string[] {
  return rows.length >= height ? rows.slice(0, height) : [...rows, ...new Array<string>(height - rows.length).fill('')];
}

function listColumn(app: App, width: number, height: number): string[] {
  const head = app.mode.kind === 'list' ? app.theme.strong(fit(' Contacts', width - 2)) : fit(' Contacts', width - 2);
  const { rows, hits } = drawList(app, width, height - 2, 2);
  app.hits = hits;
  return [`${head}${app.theme.faint('/')} `, ' '.repeat(width), ...rows].map((row) => padded(row, width));
}

const padded = (row: string, width: number): string => {
  const missing = width - drawnWidth(row);
  return missing > 0 ? row + ' '.repeat(missing) : row;
};
