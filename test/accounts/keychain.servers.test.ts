import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runWithKeyring, type SessionOptions } from '../servers/gnome-keyring.ts';
import { need, type TempDir, tempDir } from '../servers/process.ts';

const child = fileURLToPath(new URL('keychain-child.ts', import.meta.url));
const here = need('the keychain', 'gnome-keyring-daemon', 'dbus-run-session', 'secret-tool');
const CANARY = 'cänary-😀 "42"';

interface Answer {
  readonly value?: unknown;
  readonly code?: string;
  readonly message?: string;
  readonly ms: number;
}

type Call = readonly [verb: string, account?: string, secret?: string];

const answersIn = (stdout: string): readonly Answer[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
const lines = (calls: readonly Call[]): string => calls.map((call) => `${JSON.stringify(call)}\n`).join('');

describe.skipIf(!here)('the keychain on a real gnome-keyring (needs it and a D-Bus session)', () => {
  let home: TempDir;
  beforeAll(async () => {
    home = await tempDir('keyring');
  });
  afterAll(() => home.remove());

  async function inSession(calls: readonly Call[], options: Partial<SessionOptions> = {}): Promise<readonly Answer[]> {
    const { stdout, stderr } = await runWithKeyring([process.execPath, child], {
      home: home.path,
      password: 'login password',
      input: lines(calls),
      ...options,
    });
    const answers = answersIn(stdout);
    if (answers.length !== calls.length) throw new Error(`the session failed:\n${stderr}`);
    return answers;
  }

  const values = (answers: readonly Answer[]): unknown[] => answers.map(({ value, message }) => message ?? value);

  it('stores, gives back, lists and deletes a secret by the four verbs', async () => {
    const answers = await inSession([
      ['get', 'work/password'],
      ['set', 'work/password', CANARY],
      ['get', 'work/password'],
      ['set', 'work/password', 'newer'],
      ['find'],
      ['delete', 'work/password'],
      ['delete', 'work/password'],
      ['find'],
    ]);
    expect(values(answers)).toEqual([
      null,
      null,
      CANARY,
      null,
      [{ account: 'work/password', password: 'newer' }],
      true,
      false,
      [],
    ]);
  });

  it('U12 stores in the Secret Service itself, where other programs find it, and it is there after a restart', async () => {
    await inSession([['set', 'home/password', CANARY]]);
    const tool = ['secret-tool', 'lookup', 'service', 'imux', 'username', 'home/password'];
    const { stdout } = await runWithKeyring(tool, { home: home.path, password: 'login password' });
    expect(stdout).toBe(CANARY);
    expect(values(await inSession([['get', 'home/password'], ['new-kernel-keys']]))).toEqual([CANARY, []]);
  });

  it('U12 says that a locked keychain is locked, and keeps nothing elsewhere', async () => {
    await inSession([['set', 'locked/password', CANARY]]);
    const answers = await inSession(
      [
        ['get', 'locked/password'],
        ['set', 'locked/password', 'other'],
        ['set', 'new/password', 'x'],
        ['new-kernel-keys'],
      ],
      { password: 'not the password' },
    );
    for (const { code, message } of answers.slice(0, 3)) {
      expect(code).toBe('auth');
      expect(message).toMatch(/^the keychain is locked and was not unlocked; unlock it .*--secret-file/);
    }
    expect(answers[3]?.value).toEqual([]);
    expect(
      values(
        await inSession([
          ['get', 'locked/password'],
          ['get', 'new/password'],
        ]),
      ),
    ).toEqual([CANARY, null]);
  });

  it('U12 says that no keychain runs in a session without one, and keeps nothing elsewhere', async () => {
    const answers = await inSession([['get', 'a/b'], ['set', 'a/b', 'x'], ['new-kernel-keys']], { service: 'none' });
    for (const { code, message } of answers.slice(0, 2)) {
      expect(code).toBe('unreachable');
      expect(message).toMatch(/^no keychain runs in this session .*--secret-file/);
    }
    expect(answers[2]?.value).toEqual([]);
  });

  it('U12 says that there is no D-Bus session, and keeps nothing elsewhere', async () => {
    const { DBUS_SESSION_BUS_ADDRESS: _bus, XDG_RUNTIME_DIR: _runtime, DISPLAY: _display, ...env } = process.env;
    const running = promisify(execFile)(process.execPath, [child], { env });
    running.child.stdin?.end(lines([['get', 'a/b'], ['set', 'a/b', 'x'], ['new-kernel-keys']]));
    const answers = answersIn((await running).stdout);
    for (const { code, message } of answers.slice(0, 2)) {
      expect(code).toBe('unreachable');
      expect(message).toMatch(/^the keychain cannot be reached: no D-Bus session here; .*--secret-file/);
    }
    expect(answers[2]?.value).toEqual([]);
  });

  it('a keychain that hangs is told within the bound, and never blocks the event loop for 200 ms', async () => {
    const calls: readonly Call[] = [
      ['set', 'hung/password', CANARY],
      ['freeze'],
      ['get', 'hung/password'],
      ['worst-delay'],
      ['thaw'],
      ['get', 'hung/password'],
    ];
    const { stdout } = await runWithKeyring(['env', 'TIMEOUT_MS=1500', process.execPath, child], {
      home: home.path,
      password: 'login password',
      input: lines(calls),
    });
    const [, , hung, delay, , after] = answersIn(stdout);
    expect(hung).toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/^the keychain does not answer/),
    });
    expect(hung?.ms).toBeLessThan(2_500);
    expect(delay?.value).toBeLessThan(200);
    expect(after?.value).toBe(CANARY);
  });

  it('U5 shows the secret neither in the arguments nor in the environment', async () => {
    const answers = await inSession([
      ['set', 'a/b', CANARY],
      ['get', 'a/b'],
      ['exposed', CANARY],
      ['exposed', 'node'],
    ]);
    expect(answers[2]?.value).toEqual([]);
    expect(answers[3]?.value).toContain('cmdline');
  });
});
