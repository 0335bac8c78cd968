import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type IPty, spawn } from '@lydell/node-pty';
import headless from '@xterm/headless';
import { UnicodeGraphemesAddon } from '../e2e/graphemes.ts';
import { bundle } from './bundle.ts';

/** A program in a terminal that it cannot tell from a real one, and what that terminal shows. */
export interface Shown {
  readonly pty: IPty;
  send(text: string): void;
  /** Rows as a person sees them. */
  rows(): string[];
  text(): string;
  /** Resolves when the condition holds for what is shown; rejects with the screen after 10 s. */
  until(condition: (text: string) => boolean, what: string): Promise<void>;
  cursor(): { readonly x: number; readonly y: number };
  /** The column of a cell that begins with this text, in a row. */
  columnOf(row: number, text: string): number;
  resize(columns: number, rows: number): void;
  /** All that the program wrote. */
  readonly raw: () => string;
  /** What the terminal itself answered: replies to queries. */
  readonly replies: () => string;
  readonly exited: Promise<number>;
  readonly alternate: () => boolean;
}

export interface Stage {
  open(args?: readonly string[], size?: { columns: number; rows: number }, env?: NodeJS.ProcessEnv): Shown;
  close(): void;
}

const WAIT_MS = 10_000;

/** Builds a fixture as it is released, and runs it in pseudo-terminals. */
export async function stageOf(entry: string): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'imux-tui-'));
  const program = await bundle(entry, folder);
  const running = new Set<IPty>();
  return {
    open(args = [], { columns, rows } = { columns: 120, rows: 32 }, env = {}) {
      const pty = spawn(process.execPath, [program, ...args], {
        cols: columns,
        rows,
        cwd: folder,
        env: {
          PATH: process.env.PATH ?? '',
          HOME: folder,
          TERM: 'xterm-256color',
          LANG: 'C.UTF-8',
          CI: 'true',
          ...env,
        },
      });
      running.add(pty);
      pty.onExit(() => running.delete(pty));
      return show(pty, columns, rows);
    },
    close() {
      for (const pty of running) pty.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function show(pty: IPty, columns: number, height: number): Shown {
  const terminal = new headless.Terminal({ cols: columns, rows: height, allowProposedApi: true });
  terminal.loadAddon(new UnicodeGraphemesAddon());
  let raw = '';
  let replies = '';
  const changed = new Set<() => void>();
  pty.onData((data) => {
    raw += data;
    terminal.write(data, () => {
      for (const tell of changed) tell();
    });
  });
  // Given back to the program, as a terminal does.
  terminal.onData((data) => {
    replies += data;
    pty.write(data);
  });
  const exited = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
  const rows = (): string[] => {
    const { active } = terminal.buffer;
    return Array.from(
      { length: terminal.rows },
      (_, y) => active.getLine(active.baseY + y)?.translateToString(true) ?? '',
    );
  };
  return {
    pty,
    send: (text) => pty.write(text),
    rows,
    text: () => rows().join('\n'),
    until: (condition, what) =>
      new Promise((resolve, reject) => {
        const done = (end: () => void): void => {
          changed.delete(check);
          clearTimeout(timer);
          end();
        };
        const check = (): void => {
          if (condition(rows().join('\n'))) done(resolve);
        };
        const timer = setTimeout(
          () => done(() => reject(new Error(`${what} was not seen in\n${rows().join('\n')}`))),
          WAIT_MS,
        );
        changed.add(check);
        check();
      }),
    cursor: () => ({ x: terminal.buffer.active.cursorX, y: terminal.buffer.active.cursorY }),
    columnOf(row, text) {
      const line = terminal.buffer.active.getLine(terminal.buffer.active.baseY + row);
      for (let x = 0; x < terminal.cols; x++) if (line?.translateToString(false, x).startsWith(text)) return x;
      return -1;
    },
    resize(nextColumns, nextRows) {
      terminal.resize(nextColumns, nextRows);
      pty.resize(nextColumns, nextRows);
    },
    raw: () => raw,
    replies: () => replies,
    exited,
    alternate: () => terminal.buffer.active.type === 'alternate',
  };
}
