import type { FileView, MessageView } from '../link/messages.ts';
import { type Paint, stateMark, type Theme } from './theme.ts';
import { fit, tame, tameLine, truncate, widthOf, wrap } from './width.ts';

/** What drawing a message depends on besides the message. */
export interface MessageFrame {
  readonly width: number;
  readonly theme: Theme;
  readonly accent: Paint;
  /** The message that another one answers, where it is loaded. */
  quoted(id: string): MessageView | undefined;
}

export interface Laid {
  readonly rows: readonly string[];
  /** Day in the reader's zone, as yyyymmdd. */
  readonly day: number;
}

/** More of one message is not drawn: a frame stays cheap whatever was sent. The archive has it whole. */
const SHOWN_UNITS = 24_000;
const SHOWN_ROWS = 400;
const COMPACT_BELOW = 48;

// A changed message is another object, so identity and width are all there is to ask.
const cache = new WeakMap<MessageView, Laid & { readonly width: number }>();

/** A message as styled rows, one string a row; made once for each width. */
export function layMessage(message: MessageView, frame: MessageFrame): Laid {
  const known = cache.get(message);
  if (known?.width === frame.width) return known;
  const told = new Date(message.at);
  // Whatever a network says of the time, the message is shown.
  const at = Number.isNaN(told.getTime()) ? new Date(0) : told;
  const day = at.getFullYear() * 10_000 + (at.getMonth() + 1) * 100 + at.getDate();
  const laid = { rows: rowsOf(message, frame, clockOf(at)), day, width: frame.width };
  cache.set(message, laid);
  return laid;
}

/** `14:02`, in the reader's zone. */
export function clockOf(at: Date): string {
  return `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
}

function rowsOf(message: MessageView, frame: MessageFrame, time: string): string[] {
  const { theme, width } = frame;
  const compact = width < COMPACT_BELOW;
  const name = message.from.self ? 'you' : tameLine(message.from.name || message.from.id);
  const paintName = message.from.self ? theme.faint : message.mention ? theme.alert : theme.strong;
  const mark = message.state ? stateMark(theme, message.state, frame.accent) : '';
  const nameWidth = Math.min(14, Math.max(8, Math.floor(width * 0.13)));
  const indent = compact ? 2 : 9 + nameWidth;
  const body = bodyOf(
    message,
    frame,
    Math.max(4, width - indent - 3),
    isAction(message) ? tameLine(message.from.name || name) : '',
  );
  const label = message.mention ? `@${shortName(name, nameWidth - 1)}` : shortName(name, nameWidth);
  const head = compact
    ? ` ${theme.faint(time)} ${paintName(truncate(label, width - 11))} ${mark}`
    : ` ${theme.faint(time)}  ${paintName(fit(label, nameWidth))} `;
  if (compact) return [head, ...body.map((row) => `  ${row}`)];
  const margin = ' '.repeat(indent);
  return body.map((row, i) => {
    if (i > 0) return margin + row;
    const room = width - indent - 2 - drawnWidth(row);
    return mark ? `${head}${row}${' '.repeat(Math.max(1, room))}${mark}` : head + row;
  });
}

/** The first of several names, where all of them have no room; one as short as `The` tells too little. */
function shortName(name: string, width: number): string {
  if (widthOf(name) <= width) return name;
  const [first = ''] = name.split(' ');
  return widthOf(first) > 3 ? first : name;
}

/** Columns of a row that already carries our own styles. */
export function drawnWidth(row: string): number {
  return widthOf(row.includes('\x1b') ? row.replace(/\x1b\[[\d;]*m/g, '') : row);
}

function bodyOf(message: MessageView, frame: MessageFrame, width: number, actor: string): string[] {
  const { theme } = frame;
  const rows: string[] = [];
  if (message.replyTo !== undefined) rows.push(theme.faint(quoteOf(frame.quoted(message.replyTo), width)));
  if (message.retracted) rows.push(theme.faint('(taken back)'));
  else rows.push(...textRows(message, theme, width, actor));
  for (const file of message.files ?? []) rows.push(fileRow(file, width));
  const reactions = Object.entries(message.reactions ?? {}).map(([emoji, by]) => `${tameLine(emoji)} ${by.length}`);
  if (reactions.length > 0) rows.push(truncate(reactions.join('  '), width));
  if (message.error) {
    rows.push(...wrap(tameLine(message.error.message), width - 2, 4).map((row) => theme.alert(row)));
  }
  if (message.state === 'failed')
    rows.push(theme.alert(truncate('/retry to send it again, /discard to drop it', width)));
  if (message.state === 'unknown')
    rows.push(theme.alert(truncate('it may have gone out; /retry sends it again', width)));
  return rows.length > 0 ? rows : [''];
}

/** Own words are kept as they were typed. */
function isAction(message: MessageView): boolean {
  return message.style === 'action' || (message.from.self && message.text.startsWith('/me '));
}

function textRows(message: MessageView, theme: Theme, width: number, actor: string): string[] {
  const text = actor && message.text.startsWith('/me ') ? message.text.slice(4) : message.text;
  if (!text && (message.files?.length ?? 0) > 0) return [];
  const shown = tame(text.length > SHOWN_UNITS ? text.slice(0, SHOWN_UNITS) : text);
  const words = actor ? `* ${actor} ${shown}` : shown;
  const rows = wrap(words, width, SHOWN_ROWS);
  const painted = message.style === 'notice' ? rows.map((row) => theme.soft(row)) : rows;
  if (rows.length === SHOWN_ROWS || text.length > SHOWN_UNITS) {
    painted.push(theme.faint(truncate(`… cut here: ${text.length.toLocaleString('en')} characters in all`, width)));
  }
  if (message.edited) painted[painted.length - 1] = `${painted.at(-1) ?? ''} ${theme.faint('(edited)')}`;
  return painted;
}

function quoteOf(message: MessageView | undefined, width: number): string {
  if (!message) return '▏ …';
  const line = tameLine(message.text.slice(0, 400));
  return truncate(`▏ ${message.from.self ? 'you' : tameLine(message.from.name)}: ${line}`, width);
}

function fileRow(file: FileView, width: number): string {
  const size = file.bytes === undefined ? '' : `  ${sizeOf(file.bytes)}`;
  return `▤ ${truncate(tameLine(file.name), Math.max(4, width - 2 - size.length))}${size}`;
}

export function sizeOf(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${Math.round(bytes / 1000)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
