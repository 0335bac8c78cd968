import { type App, newApp } from '../../src/tui/app.ts';
import { COMMANDS } from '../../src/tui/commands/table.ts';
import { draw } from '../../src/tui/draw.ts';
import { handle } from '../../src/tui/handle.ts';
import { makeLink } from '../../src/tui/link.ts';
import { linkChanged, takeChanges, takeSnapshot } from '../../src/tui/live.ts';
import { makeTheme } from '../../src/tui/theme.ts';
import { COLUMN_MARK } from '../../src/tui/width.ts';
import { type FakeHub, fakeHub, smallTalk } from './fake-hub.ts';

/** The whole screen without a terminal: its pictures as text, its keys by name, its clock moved by hand. */
export interface Harness {
  readonly app: App;
  readonly hub: FakeHub;
  type(text: string): Promise<void>;
  press(...keys: string[]): Promise<void>;
  /** Lets what was asked of the hub be answered. */
  settle(): Promise<void>;
  wait(ms: number): Promise<void>;
  /** Rows without styles. */
  rows(): string[];
  text(): string;
  /** The prompt's first row. */
  prompt(): string;
  readonly exits: number[];
  readonly bells: number[];
  sent(): { readonly conversation?: string; readonly text: string }[];
}

export async function openApp(
  options: { hub?: FakeHub; columns?: number; rows?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<Harness> {
  const hub = options.hub ?? fakeHub(undefined, smallTalk());
  const exits: number[] = [];
  const bells: number[] = [];
  let now = 1_000_000;
  let timers: { at: number; run: () => void }[] = [];
  const later = (run: () => void, ms: number): void => void timers.push({ at: now + ms, run });
  const link = makeLink({
    connect: () => hub.connect(),
    later,
    snapshot: (snapshot) => takeSnapshot(app, snapshot),
    changes: (changes) => takeChanges(app, changes),
    state: (state, error) => linkChanged(app, state, error),
  });
  const app = newApp({
    theme: makeTheme(options.env ?? {}),
    commands: COMMANDS,
    profile: '',
    columns: options.columns ?? 120,
    rows: options.rows ?? 32,
    now: () => now,
    call: link.call,
    redraw: () => {},
    later,
    mouse: () => {},
    bell: () => void bells.push(now),
    connect: () => link.wake(),
    repaint: () => {},
    exit: (code) => void exits.push(code),
  });
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await new Promise<void>((resolve) => setImmediate(resolve));
  };
  const wait = async (ms: number): Promise<void> => {
    for (const end = now + ms; now < end; ) {
      now = Math.min(end, ...timers.map((timer) => Math.max(now, timer.at)));
      const due = timers.filter((timer) => timer.at <= now);
      timers = timers.filter((timer) => timer.at > now);
      for (const timer of due) timer.run();
      await settle();
    }
  };
  const rows = (): string[] =>
    draw(app).rows.map((row) =>
      row
        .replaceAll(COLUMN_MARK, ' ')
        .replace(/\x1b\[[\d;]*m/g, '')
        .trimEnd(),
    );
  link.start();
  await settle();
  return {
    app,
    hub,
    exits,
    bells,
    settle,
    wait,
    rows,
    text: () => rows().join('\n'),
    prompt: () =>
      rows()
        .at(draw(app).cursor.y)
        ?.slice(options.columns && options.columns < 80 ? 0 : 37) ?? '',
    async type(text) {
      for (const letter of text) {
        now += 20;
        handle(app, { type: 'text', text: letter });
      }
      await settle();
    },
    async press(...keys) {
      for (const key of keys) {
        handle(app, { type: 'key', key });
        await settle();
      }
    },
    sent: () => hub.calls.filter((call) => call.method === 'send').map((call) => call.params as { text: string }),
  };
}
