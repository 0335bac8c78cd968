import { isPlain, segments } from './width.ts';

/** The text being written. Plain data; every function returns a new one. Offsets are UTF-16 units on grapheme borders. */
export interface Editor {
  readonly text: string;
  readonly cursor: number;
  /** Older states, latest last. */
  readonly undo: readonly { readonly text: string; readonly cursor: number }[];
  /** The last edit was the typing of a word: typing on does not add to `undo`. */
  readonly typing: boolean;
}

const UNDO_LIMIT = 200;

export const emptyEditor: Editor = { text: '', cursor: 0, undo: [], typing: false };

export function editorOf(text: string): Editor {
  return { ...emptyEditor, text, cursor: text.length };
}

function change(editor: Editor, text: string, cursor: number, typing = false): Editor {
  const joins = typing && editor.typing;
  const undo = joins
    ? editor.undo
    : [...editor.undo.slice(-UNDO_LIMIT + 1), { text: editor.text, cursor: editor.cursor }];
  return { text, cursor, undo, typing };
}

function moveTo(editor: Editor, cursor: number): Editor {
  return { ...editor, cursor, typing: false };
}

/** Typed text. A space ends the step that undo takes back. */
export function insert(editor: Editor, text: string): Editor {
  const next = editor.text.slice(0, editor.cursor) + text + editor.text.slice(editor.cursor);
  const edited = change(editor, next, editor.cursor + text.length, true);
  return /\s/.test(text) ? { ...edited, typing: false } : edited;
}

/** Pasted text: one step for undo, line ends as line feeds, and no other control character. */
export function paste(editor: Editor, text: string): Editor {
  const clean = pastedText(text);
  if (!clean) return editor;
  const next = editor.text.slice(0, editor.cursor) + clean + editor.text.slice(editor.cursor);
  return change(editor, next, editor.cursor + clean.length);
}

export function pastedText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/\t/g, '    ')
    .replace(/\x1b\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]/g, '')
    .replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, '');
}

export function undo(editor: Editor): Editor {
  const last = editor.undo.at(-1);
  return last ? { ...last, undo: editor.undo.slice(0, -1), typing: false } : editor;
}

export function clear(editor: Editor): Editor {
  return editor.text ? change(editor, '', 0) : editor;
}

/** Offset of the grapheme border before or after an offset. */
function border(text: string, offset: number, direction: -1 | 1): number {
  if (direction > 0) {
    for (const { index } of segments(text.slice(offset, offset + 256))) if (index > 0) return offset + index;
    return Math.min(text.length, offset + 256);
  }
  if (offset === 0) return 0;
  const start = Math.max(0, offset - 256);
  const near = text.slice(start, offset);
  if (isPlain(near.slice(-2))) return offset - 1;
  let last = 0;
  for (const { index } of segments(near)) last = index;
  return start + last;
}

const isWordPart = (character: string): boolean => /[\p{L}\p{N}\p{M}_]/u.test(character);

function wordBorder(text: string, offset: number, direction: -1 | 1): number {
  const at = (i: number): string => text[direction < 0 ? i - 1 : i] ?? '';
  const end = direction < 0 ? 0 : text.length;
  let i = offset;
  while (i !== end && !isWordPart(at(i))) i += direction;
  while (i !== end && isWordPart(at(i))) i += direction;
  return i;
}

const lineStart = (editor: Editor): number => editor.text.lastIndexOf('\n', editor.cursor - 1) + 1;
const lineEnd = (editor: Editor): number => {
  const found = editor.text.indexOf('\n', editor.cursor);
  return found < 0 ? editor.text.length : found;
};

/** A step of the text cursor, or an edit; named as bound in keys.ts. */
export type Edit =
  | 'left'
  | 'right'
  | 'word-left'
  | 'word-right'
  | 'line-start'
  | 'line-end'
  | 'delete-left'
  | 'delete-right'
  | 'kill-word'
  | 'kill-word-right'
  | 'kill-line-start'
  | 'kill-line-end'
  | 'transpose'
  | 'undo'
  | 'newline';

/** `killed`: what the edit took out, for the kill buffer. */
export function edit(editor: Editor, action: Edit): { readonly editor: Editor; readonly killed?: string } {
  const { text, cursor } = editor;
  switch (action) {
    case 'left':
      return { editor: moveTo(editor, border(text, cursor, -1)) };
    case 'right':
      return { editor: moveTo(editor, border(text, cursor, 1)) };
    case 'word-left':
      return { editor: moveTo(editor, wordBorder(text, cursor, -1)) };
    case 'word-right':
      return { editor: moveTo(editor, wordBorder(text, cursor, 1)) };
    case 'line-start':
      return { editor: moveTo(editor, lineStart(editor)) };
    case 'line-end':
      return { editor: moveTo(editor, lineEnd(editor)) };
    case 'delete-left':
      return { editor: take(editor, border(text, cursor, -1), cursor).editor };
    case 'delete-right':
      return { editor: take(editor, cursor, border(text, cursor, 1)).editor };
    case 'kill-word':
      return take(editor, wordBorder(text, cursor, -1), cursor);
    case 'kill-word-right':
      return take(editor, cursor, wordBorder(text, cursor, 1));
    case 'kill-line-start':
      return take(editor, lineStart(editor) === cursor ? Math.max(0, cursor - 1) : lineStart(editor), cursor);
    case 'kill-line-end':
      return take(editor, cursor, lineEnd(editor) === cursor ? Math.min(text.length, cursor + 1) : lineEnd(editor));
    case 'transpose':
      return { editor: transpose(editor) };
    case 'undo':
      return { editor: undo(editor) };
    case 'newline':
      return { editor: insert(editor, '\n') };
  }
}

function take(editor: Editor, start: number, end: number): { readonly editor: Editor; readonly killed?: string } {
  if (start === end) return { editor };
  const text = editor.text.slice(0, start) + editor.text.slice(end);
  return { editor: change(editor, text, start), killed: editor.text.slice(start, end) };
}

function transpose(editor: Editor): Editor {
  const { text } = editor;
  const right = editor.cursor === text.length ? editor.cursor : border(text, editor.cursor, 1);
  const middle = border(text, right, -1);
  const left = border(text, middle, -1);
  if (left === middle) return editor;
  const swapped = text.slice(0, left) + text.slice(middle, right) + text.slice(left, middle) + text.slice(right);
  return change(editor, swapped, right);
}

/** Replaces a stretch, as completion does; the cursor stands behind it. */
export function replace(editor: Editor, start: number, end: number, by: string): Editor {
  return change(editor, editor.text.slice(0, start) + by + editor.text.slice(end), start + by.length);
}

/** Up or down one line of the text itself; undefined at its first or last line, where history takes over. */
export function moveLine(editor: Editor, direction: -1 | 1): Editor | undefined {
  const start = lineStart(editor);
  const column = editor.cursor - start;
  if (direction < 0) {
    if (start === 0) return undefined;
    const above = editor.text.lastIndexOf('\n', start - 2) + 1;
    return moveTo(editor, Math.min(above + column, start - 1));
  }
  const end = lineEnd(editor);
  if (end === editor.text.length) return undefined;
  const next = editor.text.indexOf('\n', end + 1);
  return moveTo(editor, Math.min(end + 1 + column, next < 0 ? editor.text.length : next));
}
