import type { ReadStream, WriteStream } from 'node:tty';
import { type App, newApp } from './app.ts';
import { openCanvas } from './canvas.ts';
import { COMMANDS } from './commands/table.ts';
import { draw } from './draw.ts';
import { makeFrames } from './frames.ts';
import { guard, SIGNALS } from './guards.ts';
import { handle } from './handle.ts';
import { decodeInput } from './input.ts';
import { layoutOf } from './layout.ts';
import { type Connect, makeLink } from './link.ts';
import { linkChanged, takeChanges, takeSnapshot, tick } from './live.ts';
import { takeTerminal } from './terminal.ts';
import { makeTheme } from './theme.ts';
import { makeTimers } from './timers.ts';

export interface ScreenOptions {
  /** Attaches to the hub, starting one where none runs; called again whenever the link is lost. */
  readonly connect: Connect;
  readonly stdin?: ReadStream;
  readonly stdout?: WriteStream;
  /** Shown in the status line; empty for the usual one. */
  readonly profile?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Leaves when aborted. */
  readonly signal?: AbortSignal;
}

/** A hub that runs answers sooner: the first picture then has the list in it, and need not be drawn twice. */
const FIRST_PICTURE_MS = 40;
/** A terminal may answer a storm of sizes with a picture of its own; ours is drawn anew when it is over. */
const SETTLED_MS = 80;

/**
 * Opens the screen and resolves with the exit code when the person leaves. The terminal is given back in every case.
 * @throws Error where standard input or output is no terminal.
 */
export function openScreen(options: ScreenOptions): Promise<number> {
  const { stdin = process.stdin, stdout = process.stdout } = options;
  if (!stdin.isTTY || !stdout.isTTY)
    throw new Error('imux needs a terminal; for scripts there are its verbs (imux --help)');
  return new Promise((resolve) => run({ ...options, stdin, stdout }, resolve));
}

function run(options: ScreenOptions & Terminals, done: (code: number) => void): void {
  const { stdin, stdout, signal } = options;
  const timers = makeTimers();
  const canvas = openCanvas(stdin, stdout, () => layoutOf(app.columns, app.rows).list);
  const frames = makeFrames(() => canvas.show(draw(app)), timers);
  const link = makeLink({
    connect: options.connect,
    later: timers.later,
    snapshot: (snapshot) => takeSnapshot(app, snapshot),
    changes: (changes) => takeChanges(app, changes),
    state: (state, error) => linkChanged(app, state, error),
  });
  let over = false;
  const giveBack = (): void => {
    if (over) return;
    over = true;
    stop();
    try {
      terminal.restore();
      canvas.close();
    } catch {
      terminal.rescue();
    }
  };
  const exit = (code: number): void => {
    if (over) return;
    giveBack();
    // What ink still has to write goes out before anybody else writes.
    // The guards stay until then: a library under ink kills the process where it finds itself alone with a signal.
    stdout.write('', () => {
      unguard();
      done(code);
    });
  };
  const app = newApp({
    theme: makeTheme(options.env ?? process.env),
    commands: COMMANDS,
    profile: options.profile ?? '',
    columns: stdout.columns || 80,
    rows: stdout.rows || 24,
    now: timers.now,
    call: link.call,
    redraw: frames.request,
    later: timers.later,
    mouse: (on) => terminal.mouse(on),
    bell: () => void stdout.write('\x07'),
    connect: () => link.wake(),
    repaint: () => {
      canvas.wipe();
      canvas.show(draw(app));
    },
    exit,
  });
  const decoder = decodeInput((event) => handle(app, event), timers);
  link.start();
  const terminal = takeTerminal(stdin, stdout, decoder.push);
  const unguard = guard(stdin, stdout, exit, giveBack);
  const unwatch = watchSize(app, stdout, () => canvas.show(draw(app)), timers.setTimer);
  const aborted = (): void => exit(SIGNALS.SIGTERM);
  signal?.addEventListener('abort', aborted, { once: true });
  const stop = (): void => {
    frames.end();
    decoder.end();
    link.end();
    timers.end();
    unwatch();
    signal?.removeEventListener('abort', aborted);
  };
  timers.later(() => app.redraw('data'), FIRST_PICTURE_MS);
  tick(app);
}

type Terminals = Required<Pick<ScreenOptions, 'stdin' | 'stdout'>>;

function watchSize(
  app: App,
  stdout: WriteStream,
  show: () => void,
  setTimer: (run: () => void, ms: number) => () => void,
): () => void {
  let settle = (): void => {};
  const resized = (): void => {
    app.columns = stdout.columns || app.columns;
    app.rows = stdout.rows || app.rows;
    show();
    settle();
    settle = setTimer(app.repaint, SETTLED_MS);
  };
  // Before ink hears of it, so that it lays out the picture of the new size and not the old one.
  stdout.on('resize', resized);
  return () => stdout.off('resize', resized);
}
