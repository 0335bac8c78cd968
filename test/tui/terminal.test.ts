import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOSTILE } from './hostile.ts';
import { type Shown, type Stage, stageOf } from './pty.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await stageOf('./dev.ts');
});
afterAll(() => stage.close());

const ready = (screen: Shown): Promise<void> => screen.until((text) => text.includes('Alice Liddell'), 'the list');
const open = async (screen: Shown, key: string, what: string): Promise<void> => {
  await ready(screen);
  screen.send(key);
  await screen.until((text) => text.includes(what), what);
};

/** What imux itself may write: moves, erasing, colours of its palette, and the modes that it takes. */
const OWN =
  /\x1b\[(?:\d*[ABCDEFGHJK]|\d+;\d+H|(?:0|1|2|4|7|22|24|27|3[0-7]|39|9[0-7])?m|\?(?:25|1000|1004|1006|1049|2004|2026)[hl])|\x1b\[2J|\x1b\[H/g;

describe('in a terminal', () => {
  it('puts the cursor in the prompt, behind what is typed, wide characters counted', async () => {
    const screen = stage.open();
    await open(screen, '\x1ba', 'ou: can you');
    screen.send('hi 你好 👍');
    await screen.until((text) => text.includes('你好 👍'), 'the text');
    const { x, y } = screen.cursor();
    expect(screen.rows()[y]).toContain('libera ▸ hi 你好 👍');
    expect(x).toBe(screen.columnOf(y, 'hi') + 'hi 1122 33'.length);
    screen.send('\x04\x15\x04');
    expect(await screen.exited).toBe(0);
  });

  it('V8 keeps the conversation in its column beside names that terminals see differently', async () => {
    const screen = stage.open(['widths'], { columns: 120, rows: 60 });
    await screen.until((text) => text.includes('Nobody is chosen'), 'the screen');
    screen.send('\x1b[B\x1b[1;3B');
    await screen.until((text) => text.includes('No messages yet'), 'a conversation');
    screen.send('/help\r');
    await screen.until((text) => text.includes('neighbour in the list'), 'help');
    const columns = ['Help', 'Enter', 'Esc', 'Tab'].map((word) =>
      screen.rows().findIndex((_, y) => screen.columnOf(y, ` ${word}`) === 37),
    );
    expect(columns.every((row) => row >= 0)).toBe(true);
    screen.send('\x1b\x1b');
    screen.pty.kill('SIGTERM');
    expect(await screen.exited).toBe(143);
  });

  it('V1 V2 V3 V9 nothing that a network sent reaches the terminal as a sequence', async () => {
    const screen = stage.open(['hostile'], { columns: 140, rows: 50 });
    await ready(screen);
    screen.send('\x1ba');
    await screen.until((text) => text.includes('enquire'), 'the last message');
    for (const key of ['\x1b[5~', '\x1b[5~', '\x1b[5~', '\x0be', '\x1b', '\x1b[1;3B', '\x1b[1;3B']) screen.send(key);
    screen.send('fin');
    await screen.until((text) => /▸ .*fin/.test(text), 'the end');
    const foreign = screen
      .raw()
      .replace(OWN, '')
      .replace(/[\r\n]/g, '');
    expect(foreign.match(/[\x00-\x1f\x7f-\x9f].{0,12}/gu) ?? []).toEqual([]);
    expect(screen.replies()).toBe('');
    expect(HOSTILE.length).toBeGreaterThan(25);
    screen.pty.kill('SIGTERM');
    await screen.exited;
  });

  it('V4 a paste with an end mark and a return inside is text in the prompt', async () => {
    const screen = stage.open();
    await open(screen, '\x1ba', 'can you look');
    screen.send('\x1b[200~one\x1b[201~\r/quit\r\x1b[201~');
    await screen.until((text) => text.includes('/quit'), 'the paste');
    expect(screen.text()).toMatch(/▸ one\n/);
    expect(screen.text()).not.toMatch(/you +one/);
    screen.pty.kill('SIGHUP');
    expect(await screen.exited).toBe(129);
  });

  it('is right after a storm of sizes', async () => {
    const screen = stage.open();
    await open(screen, '\x1ba', 'can you look');
    for (let i = 0; i < 30; i++) screen.resize(60 + ((i * 37) % 100), 10 + ((i * 13) % 40));
    screen.resize(100, 30);
    await screen.until((text) => {
      const rows = text.split('\n');
      return (
        rows.length === 30 &&
        /● work {2}● libera/.test(rows[29] ?? '') &&
        /libera ▸/.test(rows[28] ?? '') &&
        rows[0]?.startsWith(' Contacts') === true &&
        text.match(/Contacts/g)?.length === 1
      );
    }, 'the picture for 100x30');
    screen.resize(58, 12);
    await screen.until((text) => /^ libera ▸/.test(text.split('\n')[11] ?? ''), 'the picture for 58x12');
    screen.pty.kill('SIGTERM');
    await screen.exited;
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])('gives the terminal back on %s', async (signal, code) => {
    const screen = stage.open();
    await ready(screen);
    expect(screen.alternate()).toBe(true);
    screen.pty.kill(signal);
    expect(await screen.exited).toBe(code);
    expectRestored(screen);
  });

  it('gives the terminal back after a fault of its own, and says what it was', async () => {
    const screen = stage.open(['crash']);
    await open(screen, '\x1b3', 'Bob   ');
    screen.send('\x1b1');
    screen.send('x');
    expect(await screen.exited).toBe(70);
    expectRestored(screen);
    expect(screen.text()).toContain('a fault of ours');
  });

  it('opens on the fewest rows and columns without a word too wide', async () => {
    const screen = stage.open(['talk'], { columns: 20, rows: 5 });
    await screen.until((text) => text.includes('▸'), 'the prompt');
    screen.pty.kill('SIGTERM');
    expect(await screen.exited).toBe(143);
  });

  it('needs a terminal, and says so', async () => {
    const { openScreen } = await import('../../src/tui/index.ts');
    expect(() => openScreen({ connect: () => Promise.reject(new Error('no')) })).toThrow(/needs a terminal/);
  });
});

function expectRestored(screen: Shown): void {
  expect(screen.alternate()).toBe(false);
  const modes = new Map<string, string>();
  for (const [, mode = '', state = ''] of screen.raw().matchAll(/\x1b\[\?(\d+)([hl])/g)) modes.set(mode, state);
  expect(Object.fromEntries(modes)).toMatchObject({ 25: 'h', 1000: 'l', 1004: 'l', 1006: 'l', 1049: 'l', 2004: 'l' });
}
