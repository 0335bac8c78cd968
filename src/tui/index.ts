import type { ReadStream, WriteStream } from 'node:tty';
import { type Instance, render } from 'ink';
import { createElement } from 'react';
import { type App, newApp } from './app.ts';
import { COMMANDS } from './commands/table.ts';
import { draw, type Picture } from './draw.ts';
import { makeFrames } from './frames.ts';
import { handle } from './handle.ts';
import { decodeInput } from './input.ts';
import { layoutOf } from './layout.ts';
import { type Connect, makeLink } from './link.ts';
import { linkChanged, takeChanges, takeSnapshot, tick } from './live.ts';
import { Screen } from './screen.ts';
import { takeTerminal, withColumns } from './terminal.ts';
import { makeTheme } from './theme.ts';

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

const SIGNALS = { SIGHUP: 129, SIGTERM: 143 } as const;
const CRASHED = 70;
/** A terminal may answer a storm of sizes with a picture of its own; ours is drawn anew when it is over. */
const SETTLED_MS = 80;

/**
 * Opens the screen and resolves with the exit code when the person leaves. The terminal is given back in every case.
 * @throws Error where standard input or output is no terminal.
 */
export function openScreen(options: ScreenOptions): Promise<number> {
  const { stdin = process.stdin, stdout = process.stdout, env = process.env } = options;
  if (!stdin.isTTY || !stdout.isTTY)
    throw new Error('imux needs a terminal; for scripts there are its verbs (imux --help)');
  return new Promise((resolve) => run({ ...options, stdin, stdout, env }, resolve));
}

type Given = ScreenOptions & Required<Pick<ScreenOptions, 'stdin' | 'stdout' | 'env'>>;

function run(options: Given, done: (code: number) => void): void {
  const { stdin, stdout } = options;
  const clock = timers();
  let instance: Instance | undefined;
  let shown: Picture | undefined;
  let over = false;

  const paint = (): void => {
    if (over) return;
    const picture = draw(app);
    if (shown && same(shown, picture)) return;
    shown = picture;
    instance?.rerender(createElement(Screen, { picture }));
  };
  const repaint = (): void => {
    if (over) return;
    instance?.clear();
    stdout.write('\x1b[2J\x1b[H');
    shown = undefined;
    paint();
  };
  const exit = (code: number): void => {
    if (over) return;
    over = true;
    frames.end();
    decoder.end();
    link.end();
    clock.end();
    for (const undo of undos) undo();
    terminal.restore();
    instance?.unmount();
    // What ink still has to write goes out before anybody else writes.
    stdout.write('', () => done(code));
  };

  const giveBack = (): void => {
    if (over) return;
    over = true;
    try {
      terminal.restore();
      instance?.unmount();
    } catch {
      terminal.rescue();
    }
  };

  const frames = makeFrames(paint, clock);
  const link = makeLink({
    connect: options.connect,
    later: clock.later,
    snapshot: (snapshot) => takeSnapshot(app, snapshot),
    changes: (changes) => takeChanges(app, changes),
    state: (state, error) => linkChanged(app, state, error),
  });
  const app: App = newApp({
    theme: makeTheme(options.env),
    commands: COMMANDS,
    profile: options.profile ?? '',
    columns: stdout.columns || 80,
    rows: stdout.rows || 24,
    now: clock.now,
    call: link.call,
    redraw: frames.request,
    later: clock.later,
    mouse: (on) => terminal.mouse(on),
    bell: () => void stdout.write('\x07'),
    repaint,
    exit,
  });
  const decoder = decodeInput((event) => handle(app, event), clock);
  link.start();

  let settle = (): void => {};
  const resized = (): void => {
    app.columns = stdout.columns || app.columns;
    app.rows = stdout.rows || app.rows;
    paint();
    settle();
    settle = clock.setTimer(repaint, SETTLED_MS);
  };
  // Before ink hears of it, so that it lays out the picture of the new size and not the old one.
  stdout.on('resize', resized);
  instance = render(createElement(Screen, { picture: draw(app) }), {
    stdin,
    stdout: withColumns(stdout, () => layoutOf(app.columns, app.rows).list),
    alternateScreen: true,
    incrementalRendering: true,
    interactive: true,
    exitOnCtrlC: false,
    patchConsole: false,
    // Frames are spaced here, not there.
    maxFps: 1000,
  });
  const terminal = takeTerminal(stdin, stdout, decoder.push);
  const undos = [() => stdout.off('resize', resized), ...guards(stdin, stdout, exit, giveBack)];
  const aborted = (): void => exit(SIGNALS.SIGTERM);
  options.signal?.addEventListener('abort', aborted, { once: true });
  undos.push(() => options.signal?.removeEventListener('abort', aborted));
  tick(app);
}

function same(a: Picture, b: Picture): boolean {
  if (a.cursor.x !== b.cursor.x || a.cursor.y !== b.cursor.y || a.rows.length !== b.rows.length) return false;
  return a.rows.every((row, i) => row === b.rows[i]);
}

function timers() {
  const running = new Set<NodeJS.Timeout>();
  const setTimer = (action: () => void, ms: number): (() => void) => {
    const timer = setTimeout(() => {
      running.delete(timer);
      action();
    }, ms);
    running.add(timer);
    return () => {
      clearTimeout(timer);
      running.delete(timer);
    };
  };
  return {
    now: () => performance.now(),
    setTimer,
    later: (action: () => void, ms: number): void => void setTimer(action, ms),
    end: () => {
      for (const timer of running) clearTimeout(timer);
      running.clear();
    },
  };
}

/** Leaves in order on signals and a closed terminal; after a fault of ours, at least the terminal is put right. */
function guards(
  stdin: ReadStream,
  stdout: WriteStream,
  exit: (code: number) => void,
  giveBack: () => void,
): (() => void)[] {
  const undos: (() => void)[] = [];
  for (const [signal, code] of Object.entries(SIGNALS)) {
    const leave = (): void => exit(code);
    process.on(signal, leave);
    undos.push(() => process.off(signal, leave));
  }
  const hungUp = (): void => exit(SIGNALS.SIGHUP);
  stdin.on('end', hungUp);
  stdin.on('error', hungUp);
  stdout.on('error', hungUp);
  const crash = (error: unknown): void => {
    giveBack();
    process.stderr.write(`imux: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(CRASHED);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  process.on('exit', giveBack);
  undos.push(() => {
    stdin.off('end', hungUp);
    process.off('uncaughtException', crash);
    process.off('unhandledRejection', crash);
    process.off('exit', giveBack);
  });
  return undos;
}
