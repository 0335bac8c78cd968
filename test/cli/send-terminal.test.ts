import { afterEach, expect, it } from 'vitest';
import { openTerminal } from '../e2e/terminal.ts';
import { type FakeHub, fakeHub } from './fake-hub.ts';
import { program } from './run.ts';

let hub: FakeHub | undefined;
afterEach(() => hub?.close());

it.each([
  ['send', 'work:a@b'],
  ['send', '--file', '-', 'work:a@b'],
  ['ask', 'work:a@b'],
  ['outbox', 'edit', '7'],
])('S7 in a terminal %s %s without a text is a usage error, not a wait for one', async (...args) => {
  const now = await fakeHub({});
  hub = now;
  const terminal = openTerminal(process.execPath, [program, ...args], { env: { IMUX_HOME: now.home } });
  expect(await terminal.exited).toBe(64);
  expect(now.calls.map(({ method }) => method)).toEqual([]);
});
