import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { waitFor } from '../servers/process.ts';
import { UnicodeGraphemesAddon } from './graphemes.ts';

export interface Cell {
  readonly text: string;
  readonly width: number;
  /** `#rrggbb`, or undefined for the terminal's own. */
  readonly colour: string | undefined;
  readonly background: string | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly inverse: boolean;
}

/** A program in a pseudo-terminal, with the screen that a real terminal would show of it. */
export interface Terminal {
  readonly pid: number;
  /** All bytes that the program wrote. */
  raw(): string;
  /** The rows as text, right blanks cut. */
  rows(): readonly string[];
  cells(): readonly (readonly Cell[])[];
  cursor(): { readonly column: number; readonly row: number };
  type(keys: string): void;
  resize(columns: number, rows: number): void;
  /** Waits until the screen shows it. */
  shows(what: string | RegExp, timeoutMs?: number): Promise<void>;
  /** Resolves with the time (`performance.now()`) at which the screen first showed it. */
  seen(passes: (rows: readonly string[]) => boolean, timeoutMs?: number): Promise<number>;
  /** Bytes that the terminal itself would have answered with. */
  replies(): string;
  readonly exited: Promise<number>;
  kill(signal?: string): void;
}

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: NodeJS.ProcessEnv;
}

export function openTerminal(command: string, args: readonly string[], options: TerminalOptions = {}): Terminal {
  const { columns = 100, rows = 30 } = options;
  // Where a person sits there is no CI, and programs draw without colours where there is one.
  const { CI: _, ...inherited } = process.env;
  const env = { ...inherited, ...options.env, TERM: 'xterm-256color', COLORTERM: 'truecolor', LANG: 'C.UTF-8' };
  const pty: IPty = spawn(command, [...args], { cols: columns, rows, env });
  const screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 0 });
  screen.loadAddon(new UnicodeGraphemesAddon());
  screen.unicode.activeVersion = '15-graphemes';
  let raw = '';
  let replies = '';
  const watchers = new Set<() => void>();
  pty.onData((data) => {
    raw += data;
    screen.write(data, () => {
      for (const watcher of watchers) watcher();
    });
  });
  screen.onData((data) => {
    replies += data;
  });
  const exited = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
  const text = (): string[] => {
    const buffer = screen.buffer.active;
    return Array.from(
      { length: screen.rows },
      (_, at) => buffer.getLine(buffer.baseY + at)?.translateToString(true) ?? '',
    );
  };
  return {
    pid: pty.pid,
    raw: () => raw,
    rows: text,
    cells: () => cellsOf(screen),
    cursor: () => ({ column: screen.buffer.active.cursorX, row: screen.buffer.active.cursorY }),
    type: (keys) => pty.write(keys),
    resize: (newColumns, newRows) => {
      pty.resize(newColumns, newRows);
      screen.resize(newColumns, newRows);
    },
    shows: async (what, timeoutMs = 10_000) => {
      const is = (shown: string): boolean => (typeof what === 'string' ? shown.includes(what) : what.test(shown));
      try {
        await waitFor(() => is(text().join('\n')), { timeoutMs });
      } catch (cause) {
        throw new Error(`the screen never showed ${what}:\n${text().join('\n')}`, { cause });
      }
    },
    seen: (passes, timeoutMs = 10_000) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!passes(text())) return;
          watchers.delete(look);
          clearTimeout(timer);
          resolve(performance.now());
        };
        const timer = setTimeout(() => {
          watchers.delete(look);
          reject(new Error(`the screen never showed it:\n${text().join('\n')}`));
        }, timeoutMs);
        watchers.add(look);
        look();
      }),
    replies: () => replies,
    exited,
    kill: (signal) => pty.kill(signal),
  };
}

function cellsOf(screen: InstanceType<typeof xterm.Terminal>): Cell[][] {
  const buffer = screen.buffer.active;
  return Array.from({ length: screen.rows }, (_, at) => {
    const line = buffer.getLine(buffer.baseY + at);
    const cells: Cell[] = [];
    for (let column = 0; column < screen.cols; column++) {
      const cell = line?.getCell(column);
      if (!cell || cell.getWidth() === 0) continue;
      const foreground = colourOf(cell.getFgColor(), cell.isFgRGB(), cell.isFgPalette());
      const background = colourOf(cell.getBgColor(), cell.isBgRGB(), cell.isBgPalette());
      cells.push({
        text: cell.getChars() || ' ',
        width: cell.getWidth(),
        colour: foreground,
        background,
        bold: cell.isBold() !== 0,
        dim: cell.isDim() !== 0,
        inverse: cell.isInverse() !== 0,
      });
    }
    return cells;
  });
}

const sixteen = [
  '#1e1e24',
  '#e0606c',
  '#7fc07f',
  '#d8b060',
  '#6fa8dc',
  '#c08fd8',
  '#5fc0c0',
  '#d8d8d8',
  '#707078',
  '#ff7f8a',
  '#9fe09f',
  '#f0d080',
  '#8fc8ff',
  '#e0b0f8',
  '#80e0e0',
  '#ffffff',
];

/** The palette of xterm: 16 named, a cube of 216, 24 greys. */
function colourOf(value: number, rgb: boolean, palette: boolean): string | undefined {
  if (rgb) return `#${value.toString(16).padStart(6, '0')}`;
  if (!palette) return undefined;
  if (value < 16) return sixteen[value];
  const hex = (level: number): string => level.toString(16).padStart(2, '0');
  if (value >= 232) return `#${hex(8 + (value - 232) * 10).repeat(3)}`;
  const level = (step: number): string => hex(step === 0 ? 0 : 55 + step * 40);
  const at = value - 16;
  return `#${level(Math.floor(at / 36))}${level(Math.floor(at / 6) % 6)}${level(at % 6)}`;
}
