import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TempDir, tempDir, waitFor } from '../servers/process.ts';
import { program } from './build.ts';
import { isAlive } from './home.ts';
import { openTerminal, type Terminal } from './terminal.ts';

/** Columns of the list, in a terminal of 100. */
const LIST = 30;

let dir: TempDir;
let screen: Terminal;
beforeEach(async () => {
  dir = await tempDir('demo');
  const env = { TMPDIR: dir.path, CI: undefined, NO_COLOR: undefined, HOME: dir.path };
  screen = openTerminal(process.execPath, [program, 'demo'], { columns: 100, rows: 30, env });
  await screen.shows(/● work +● tea +● tg/, 20_000);
});
afterEach(async () => {
  screen.kill('SIGKILL');
  await dir.remove();
});

/** Its one folder, while it runs. */
function folder(): string {
  const [only, ...more] = readdirSync(dir.path).filter((name) => name.startsWith('imux-demo-'));
  if (only === undefined || more.length > 0) throw new Error(`${only}, ${more}`);
  return join(dir.path, only);
}

const hubPid = (): number => Number(/process (\d+)/.exec(readFileSync(join(folder(), 'data/hub.log'), 'utf8'))?.[1]);

it('shows the contacts of three networks in one list, and each answers', async () => {
  await screen.seen((rows) =>
    ['work', 'tea', 'tg'].every((tag) => rows.some((row) => row.slice(0, LIST).includes(tag))),
  );
  for (const [name, account] of [
    ['Alice Liddell', 'work'],
    ['White Rabbit', 'tg'],
    ['teaparty', 'tea'],
  ] as const) {
    screen.type('\x0b');
    await screen.shows('▸');
    screen.type(`${name}\r`);
    await screen.shows(new RegExp(`${account} ▸`));
    screen.type(`hello ${account}, are you there?\r`);
    await screen.shows(new RegExp(`you +hello ${account}, are you there\\?`));
    const after = (rows: readonly string[]): readonly string[] =>
      rows.slice(rows.findLastIndex((row) => row.includes(`hello ${account}, are`)) + 1);
    await screen.seen((rows) => after(rows).some((row) => /^ *\d\d:\d\d +(?!you)\S/.test(row.slice(LIST))), 15_000);
  }
  const hub = hubPid();
  screen.type('\x04');
  expect(await screen.exited).toBe(0);
  expect(readdirSync(dir.path)).toEqual([]);
  expect(isAlive(hub)).toBe(false);
});

it('leaves no file and no process behind when its terminal is closed', async () => {
  const hub = hubPid();
  screen.kill('SIGHUP');
  await screen.exited;
  await waitFor(() => !isAlive(hub), { what: 'the hub to be gone' });
  expect(readdirSync(dir.path)).toEqual([]);
});
