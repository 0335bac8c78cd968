import type { App, Hit } from '../app.ts';
import { type Line, lengthOf, lineOf, linesOf, type Row } from '../list.ts';
import { matchesOf } from '../switcher.ts';
import { presenceMark } from '../theme.ts';
import { fit, tameLine, truncate, widthOf } from '../width.ts';

/** The merged list as rows of exactly `width` columns, and what a click on each means. */
export function drawList(
  app: App,
  width: number,
  height: number,
  top: number,
  left = 0,
): { rows: string[]; hits: Hit[] } {
  const lines = app.mode.kind === 'list' && app.mode.editor.text ? filtered(app, height) : windowOf(app, height);
  const hits: Hit[] = [];
  const rows = lines.map((line, i) => {
    if (line.type === 'blank') return ' '.repeat(width);
    if (line.type === 'title') return app.theme.strong(fit(` ${tameLine(line.title)}`, width));
    hits.push({ row: top + i, left, right: left + width, spot: { section: line.section, row: line.row } });
    return drawRow(app, line.row, width, isChosen(app, line));
  });
  while (rows.length < height) rows.push(' '.repeat(width));
  return { rows, hits };
}

type RowLine = Extract<Line, { type: 'row' }>;

/** With `list` open, the row that Enter takes; else the open conversation, marked once. */
function isChosen(app: App, line: RowLine): boolean {
  if (app.mode.kind === 'list' && app.mode.editor.text) {
    return matchesOf(app, app.mode.editor.text)[app.mode.index]?.row === line.row;
  }
  return app.spot?.row === line.row && app.spot.section === line.section;
}

function filtered(app: App, height: number): Line[] {
  if (app.mode.kind !== 'list') return [];
  const matches = matchesOf(app, app.mode.editor.text);
  const from = Math.max(0, Math.min(app.mode.index - Math.floor(height / 2), matches.length - height));
  return matches.slice(from, from + height).map(({ row }) => ({ type: 'row', row, section: '' }));
}

function windowOf(app: App, height: number): Line[] {
  const { list } = app.store;
  const at = app.spot && lineOf(list, app.spot);
  // The wheel may leave the open conversation behind; opening another one comes back to it.
  if (at !== undefined && app.listSpot !== app.spot) {
    app.listSpot = app.spot;
    if (at < app.listTop + 1) app.listTop = at - 1;
    if (at > app.listTop + height - 1) app.listTop = at - height + 1;
  }
  app.listTop = Math.max(0, Math.min(app.listTop, lengthOf(list) - height));
  return linesOf(list, app.listTop, height);
}

/** Columns of a row besides name and tag: the mark, the count, and the blanks between. */
const BESIDE_NAME = 9;

function drawRow(app: App, row: Row, width: number, chosen: boolean): string {
  const { contact } = row;
  const { theme } = app;
  const accent = theme.accent(app.store.accents.get(contact.account) ?? 0);
  const count = row.unread > 0 ? `${row.unread > 99 ? '99+' : row.unread}${row.mentions > 0 ? '@' : ''}` : '';
  const tag = tameLine(contact.via ? `${contact.via}@${contact.account}` : contact.account);
  const tagWidth = Math.min(widthOf(tag), Math.max(4, Math.floor(width / 3)));
  const nameWidth = Math.max(3, width - tagWidth - BESIDE_NAME);
  const name = fit(nameOf(row), nameWidth);
  const mark = contact.kind === 'room' ? (contact.listed ? '#' : theme.faint('#')) : presenceMark(theme, row.presence);
  const painted = row.unread > 0 ? theme.strong(name) : contact.listed ? name : theme.faint(name);
  const number = row.mentions > 0 ? theme.alert(count.padStart(4)) : theme.strong(count.padStart(4));
  const drawn = ` ${mark} ${painted} ${accent(fit(truncate(tag, tagWidth), tagWidth))}${number} `;
  const rest = width - nameWidth - tagWidth - BESIDE_NAME;
  const whole = drawn + ' '.repeat(Math.max(0, rest));
  return chosen ? theme.selected(whole) : whole;
}

/** A room's leading # is its mark. */
export function nameOf(row: Row): string {
  const name = tameLine(row.contact.name || row.contact.id);
  return row.contact.kind === 'room' && name.startsWith('#') && name.length > 1 ? name.slice(1) : name;
}
