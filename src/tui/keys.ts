import type { Edit } from './editor.ts';

const FINAL: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  F: 'end',
  H: 'home',
  P: 'f1',
  Q: 'f2',
  R: 'f3',
  S: 'f4',
  M: 'enter',
  Z: 'shift-tab',
};
const TILDE: Readonly<Record<string, string>> = {
  1: 'home',
  2: 'insert',
  3: 'delete',
  4: 'end',
  5: 'pageup',
  6: 'pagedown',
  7: 'home',
  8: 'end',
  11: 'f1',
  12: 'f2',
  13: 'f3',
  14: 'f4',
  15: 'f5',
};
const CODES: Readonly<Record<number, string>> = { 9: 'tab', 13: 'enter', 27: 'esc', 32: 'space', 127: 'backspace' };

/**
 * The name of a key from what a terminal sends for it: one control character, or one whole sequence (xterm, VT, rxvt,
 * Linux console, `CSI u`). Undefined: no key that we know.
 */
export function keyName(input: string): string | undefined {
  if (input.length === 1) return controlName(input);
  if (input.startsWith('\x1bO')) return FINAL[input.slice(-1)];
  if (input.startsWith('\x1b[[')) return `f${input.charCodeAt(3) - 64}`;
  const found = /^\x1b\[([\d;:]*)([A-Za-z~])$/.exec(input);
  if (!found) return undefined;
  const numbers = (found[1] ?? '').split(';').map((part) => Number.parseInt(part, 10) || 0);
  const final = found[2] ?? '';
  if (final === 'u') return withModifiers(codeName(numbers[0] ?? 0), numbers[1]);
  // With other numbers than 1 and modifiers it is a reply of the terminal, such as its cursor's place.
  const isKey = numbers.length === 1 || (numbers[0] === 1 && (numbers[1] ?? 1) <= 16);
  if (final !== '~') return isKey ? withModifiers(FINAL[final], numbers[1]) : undefined;
  // xterm's modifyOtherKeys: CSI 27 ; modifiers ; code ~
  if (numbers[0] === 27) return withModifiers(codeName(numbers[2] ?? 0), numbers[1]);
  return withModifiers(TILDE[numbers[0] ?? 0], numbers[1]);
}

function controlName(character: string): string | undefined {
  const code = character.charCodeAt(0);
  if (code === 0x7f || code === 0x08) return 'backspace';
  if (code === 0x0d) return 'enter';
  // Ctrl-J is what a terminal without Alt-Enter can still send: a new line.
  if (code === 0x0a) return 'ctrl-j';
  if (code === 0x09) return 'tab';
  if (code === 0x1b) return 'esc';
  if (code >= 0x01 && code <= 0x1a) return `ctrl-${String.fromCharCode(code + 0x60)}`;
  if (code === 0x1f) return 'ctrl-_';
  return undefined;
}

function codeName(code: number): string | undefined {
  return CODES[code] ?? (code > 32 && code < 0x110000 ? String.fromCodePoint(code) : undefined);
}

/** xterm: 1 + a bit each for shift, alt, ctrl. */
function withModifiers(name: string | undefined, parameter: number | undefined): string | undefined {
  if (!name) return undefined;
  const bits = Math.max(0, (parameter || 1) - 1);
  return `${bits & 4 ? 'ctrl-' : ''}${bits & 2 ? 'alt-' : ''}${bits & 1 && name.length > 1 ? 'shift-' : ''}${name}`;
}

/** What a key does anywhere on the screen, where no list or question has a use for it first. */
export type Action =
  | 'send'
  | 'complete'
  | 'back'
  | 'leave'
  | 'interrupt'
  | 'switch'
  | 'search'
  | 'help'
  | 'list'
  | 'redraw'
  | 'yank'
  | 'up'
  | 'down'
  | 'page-up'
  | 'page-down'
  | 'oldest'
  | 'newest'
  | 'previous'
  | 'next'
  | 'next-unread'
  | 'yes'
  | 'no';

// Nothing important on Ctrl-A, Ctrl-B (screen, tmux), Ctrl-S or Ctrl-Q (flow control): each has another key too.
const EDITS: Readonly<Record<string, Edit>> = {
  left: 'left',
  'ctrl-b': 'left',
  right: 'right',
  'ctrl-f': 'right',
  'alt-b': 'word-left',
  'ctrl-left': 'word-left',
  'alt-left': 'word-left',
  'alt-f': 'word-right',
  'ctrl-right': 'word-right',
  'alt-right': 'word-right',
  home: 'line-start',
  'ctrl-a': 'line-start',
  end: 'line-end',
  'ctrl-e': 'line-end',
  backspace: 'delete-left',
  'ctrl-h': 'delete-left',
  delete: 'delete-right',
  'ctrl-w': 'kill-word',
  'alt-backspace': 'kill-word',
  'alt-d': 'kill-word-right',
  'ctrl-u': 'kill-line-start',
  'alt-k': 'kill-line-end',
  'ctrl-t': 'transpose',
  'ctrl-_': 'undo',
  'ctrl-z': 'undo',
  'alt-enter': 'newline',
  'shift-enter': 'newline',
  'ctrl-j': 'newline',
};

const ACTIONS: Readonly<Record<string, Action>> = {
  enter: 'send',
  tab: 'complete',
  esc: 'back',
  'ctrl-d': 'leave',
  'ctrl-c': 'interrupt',
  'ctrl-k': 'switch',
  'ctrl-r': 'search',
  f1: 'help',
  f2: 'list',
  'alt-l': 'list',
  'alt-/': 'list',
  'ctrl-l': 'redraw',
  'ctrl-y': 'yank',
  up: 'up',
  'ctrl-p': 'up',
  down: 'down',
  'ctrl-n': 'down',
  pageup: 'page-up',
  pagedown: 'page-down',
  'ctrl-home': 'oldest',
  'ctrl-end': 'newest',
  'alt-up': 'previous',
  'alt-down': 'next',
  'alt-a': 'next-unread',
  'alt-y': 'yes',
  'alt-n': 'no',
};

export function editFor(key: string): Edit | undefined {
  return EDITS[key];
}

export function actionFor(key: string): Action | undefined {
  return ACTIONS[key];
}

/** Alt-1 to Alt-9: the place in the list, from 0. */
export function placeFor(key: string): number | undefined {
  return /^alt-[1-9]$/.test(key) ? Number(key.slice(4)) - 1 : undefined;
}

/** For the help page: what the keys do, in a person's words. */
export const KEY_HELP: readonly (readonly [string, string])[] = [
  ['Enter', 'send'],
  ['Alt-Enter, Ctrl-J', 'new line'],
  ['Ctrl-K', 'go to a contact, or run a command'],
  ['Alt-↑ Alt-↓', 'neighbour in the list'],
  ['Alt-A', 'next unread'],
  ['Alt-1 … Alt-9', 'the first nine of the list'],
  ['Alt-L, F2', 'the list: type to filter'],
  ['PgUp PgDn, wheel', 'scroll; Ctrl-Home oldest, Ctrl-End latest'],
  ['Ctrl-R', 'search all conversations'],
  ['↑ ↓', 'what you sent here before'],
  ['Tab', 'complete a name or a command'],
  ['Alt-Y Alt-N', 'answer the question above the prompt'],
  ['Ctrl-W Ctrl-U Alt-K Ctrl-Y', 'cut a word, to the start, to the end; put back'],
  ['Ctrl-Z', 'undo'],
  ['Esc', 'back, always'],
  ['Ctrl-D', 'leave; the hub stays (/quit ends it)'],
];
