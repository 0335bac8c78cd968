import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startXmppServer, type XmppServer } from '../../src/demo/xmpp-server.ts';
import { openTerminal } from '../e2e/terminal.ts';
import { freePort, type TempDir, tempDir } from '../servers/process.ts';
import { imux } from './run.ts';
import { wrongLine } from './schema.ts';

const program = fileURLToPath(new URL('../../bin/imux.ts', import.meta.url));
const CANARY = 'canary-doctor-42';

let dir: TempDir;
let home: string;
let server: XmppServer | undefined;
beforeEach(async () => {
  dir = await tempDir('doctor');
  home = join(dir.path, 'h');
});
afterEach(async () => {
  await imux(['hub', 'stop'], { home });
  await server?.stop();
  server = undefined;
  await dir.remove();
});

interface Found {
  readonly area: string;
  readonly account?: string;
  readonly step: string;
  readonly level: 'ok' | 'warning' | 'fault';
  readonly text: string;
  readonly remedy?: string;
}

interface Report {
  readonly code: number | null;
  readonly all: readonly Found[];
  readonly stdout: string;
  find(area: string, step: string): Found | undefined;
  /** `step level` of each step of an account. */
  steps(account: string): readonly string[];
}

async function doctor(...args: readonly string[]): Promise<Report> {
  const env = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere', WORK_PASSWORD: CANARY };
  const { code, stdout, stderr } = await imux(['doctor', '--json', ...args], { home, env });
  expect(stderr).toBe('');
  const all = stdout.split('\n').flatMap((line): Found[] => (line === '' ? [] : [JSON.parse(line)]));
  expect(stdout).not.toContain(CANARY);
  for (const line of stdout.split('\n')) if (line !== '') expect(wrongLine(line)).toBeUndefined();
  for (const { level, step, remedy } of all)
    expect([step, level !== 'ok', remedy !== undefined]).toEqual([step, level !== 'ok', level !== 'ok']);
  return {
    code,
    all,
    stdout,
    find: (area, step) => all.find((found) => found.area === area && found.step === step),
    steps: (account) => all.flatMap((found) => (found.account === account ? [`${found.step} ${found.level}`] : [])),
  };
}

/** What an accounts file of these accounts holds. */
function accountsFile(accounts: object, more: object = {}): void {
  for (const folder of ['config', 'data', 'run']) mkdirSync(join(home, folder), { recursive: true, mode: 0o700 });
  writeFileSync(join(home, 'config', 'accounts.json'), JSON.stringify({ accounts, ...more }, null, 1), { mode: 0o600 });
}

const xmppAccount = (port: number, secret: object = { kind: 'env', variable: 'WORK_PASSWORD' }): object => ({
  network: 'xmpp',
  settings: { jid: 'me@localhost', server: `127.0.0.1:${port}`, tls: 'none' },
  secrets: { password: secret },
});

describe('imux doctor', () => {
  it('finds nothing wrong where nothing is there yet, and makes nothing', async () => {
    const report = await doctor();
    expect(report.code).toBe(0);
    expect(report.find('folders', 'config')?.text).toContain('is made when it is needed');
    expect(report.find('hub', 'process')?.text).toBe('none runs');
    expect(() => readFileSync(home)).toThrow('ENOENT');
  });

  it('follows an account from its settings to its roster, starting a hub for it', async () => {
    server = await startXmppServer({
      users: [{ name: 'me', password: CANARY }],
      roster: { me: [{ jid: 'alice@localhost', name: 'Alice', groups: [], subscription: 'both' }] },
    });
    accountsFile({ work: xmppAccount(server.port) });
    const report = await doctor();
    expect(report.find('hub', 'process')?.text).toMatch(/started for this, version/);
    expect(report.steps('work')).toEqual(
      expect.arrayContaining([
        'settings ok',
        'secret ok',
        'dns ok',
        'tcp ok',
        'tls ok',
        'sasl ok',
        'sign-in ok',
        'roster ok',
      ]),
    );
    expect(report.all.find(({ step }) => step === 'roster')?.text).toContain('1 contact');
    expect(report.code).toBe(0);
    // The account is online by now, and stays so.
    const again = await doctor('work');
    expect(again.find('account', 'sign-in')?.text).toBe('online as me@localhost');
    expect(again.steps('work')).not.toContain('sign-out ok');
  });

  it('exits with 77 for a wrong password, with what to do', async () => {
    server = await startXmppServer({ users: [{ name: 'me', password: 'another' }] });
    accountsFile({ work: xmppAccount(server.port) });
    const report = await doctor();
    expect(report.find('account', 'sign-in')).toMatchObject({
      level: 'fault',
      remedy: expect.stringContaining('account set work'),
    });
    expect(report.code).toBe(77);
  });

  it('exits with 69 for a server that is not there, and names the step', async () => {
    accountsFile({ work: xmppAccount(await freePort()) });
    const report = await doctor('--no-hub');
    expect(report.steps('work')).toEqual(['settings ok', 'secret ok', 'dns ok', 'tcp fault']);
    expect(report.code).toBe(69);
  });

  it('without a hub looks as far as it can without losing what a sign-in would bring', async () => {
    server = await startXmppServer({ users: [] });
    accountsFile({ work: xmppAccount(server.port) });
    const report = await doctor('--no-hub');
    expect(report.steps('work')).toEqual([
      'settings ok',
      'secret ok',
      'dns ok',
      'tcp ok',
      'tls ok',
      'sasl ok',
      'sign-in warning',
    ]);
    expect([report.code, report.find('hub', 'process')?.text]).toEqual([0, 'none runs']);
  });

  it('says which rung of the ladder fails, and who needs it', async () => {
    accountsFile({
      work: xmppAccount(1, { kind: 'keychain' }),
      other: xmppAccount(1, { kind: 'env', variable: 'NOT_SET' }),
    });
    const report = await doctor('--no-hub');
    expect(report.find('secrets', 'keychain')).toMatchObject({
      level: 'fault',
      text: expect.stringContaining('work needs it'),
    });
    expect(report.steps('other')).toContain('secret fault');
    expect(report.all.filter(({ step }) => step === 'secret')[1]?.text).toContain('NOT_SET');
  });

  it('names settings that are wrong and networks that are unknown', async () => {
    accountsFile({
      a: { network: 'xmpp', settings: {} },
      b: { network: 'icq' },
      c: { network: 'loopback', enabled: false },
    });
    const report = await doctor('--no-hub');
    expect([report.steps('a'), report.steps('b'), report.steps('c')]).toEqual([
      ['settings fault'],
      ['settings fault'],
      ['settings ok'],
    ]);
    expect(report.code).toBe(78);
  });

  it('shows the place of the fault in a broken accounts file, and goes on with the rest', async () => {
    accountsFile({});
    writeFileSync(join(home, 'config', 'accounts.json'), '{\n  "accounts": {\n    "work" x\n');
    const report = await doctor();
    expect(report.find('settings', 'file')).toMatchObject({
      level: 'fault',
      text: expect.stringContaining('accounts.json:3:'),
    });
    expect(report.find('secrets', 'keychain')).toBeDefined();
    expect([report.code, report.find('hub', 'process')?.text]).toEqual([78, 'none runs']);
  });

  it('shows the place of a wrong hook', async () => {
    accountsFile({}, { hooks: [{ run: 'beep' }] });
    const report = await doctor();
    expect(report.find('settings', 'hooks')?.text).toMatch(/accounts\.json:\d+:\d+: hooks\.0\.run/);
    expect(report.code).toBe(78);
  });

  it('warns of folders and files that others may read', async () => {
    accountsFile({});
    chmodSync(join(home, 'data'), 0o755);
    chmodSync(join(home, 'config', 'accounts.json'), 0o644);
    const report = await doctor();
    expect(report.find('folders', 'data')?.remedy).toBe(`chmod 700 ${join(home, 'data')}`);
    expect(report.find('folders', 'config')?.remedy).toBe(`chmod 600 ${join(home, 'config', 'accounts.json')}`);
    expect(report.code).toBe(0);
  });

  it('finds a socket path that is too long', async () => {
    home = join(dir.path, 'x'.repeat(100));
    const report = await doctor();
    expect([report.find('socket', 'path')?.level, report.code]).toEqual(['fault', 69]);
  });

  it('finds an archive that is damaged, and one of a newer imux', async () => {
    accountsFile({ lo: { network: 'loopback', settings: {} } });
    await doctor();
    await imux(['hub', 'stop'], { home });
    const path = join(home, 'data', 'archive.db');
    const whole = readFileSync(path);
    expect((await doctor('--no-hub')).find('archive', 'file')).toMatchObject({ level: 'ok' });
    const newer = Buffer.from(whole);
    // https://www.sqlite.org/fileformat2.html#user_version
    newer.writeUInt32BE(99, 60);
    writeFileSync(path, newer);
    expect((await doctor('--no-hub')).find('archive', 'layout')).toMatchObject({
      level: 'fault',
      remedy: 'update imux',
    });
    writeFileSync(path, Buffer.alloc(whole.length, 'x'));
    const report = await doctor('--no-hub');
    expect([report.find('archive', 'file')?.level, report.code]).toEqual(['fault', 74]);
  });

  it('does not follow a run folder that is a file', async () => {
    accountsFile({});
    home = join(dir.path, 'g');
    mkdirSync(home);
    writeFileSync(join(dir.path, 'file'), '');
    symlinkSync(join(dir.path, 'file'), join(home, 'data'));
    expect((await doctor()).find('folders', 'data')).toMatchObject({
      level: 'fault',
      text: expect.stringContaining('is no folder'),
    });
  });

  it('refuses a name that no account has', async () => {
    accountsFile({});
    expect(await imux(['doctor', 'nobody'], { home })).toMatchObject({ code: 67, stdout: '' });
  });

  it('in a terminal tells its size, colours, encoding, and how wide it draws characters', async () => {
    const terminal = openTerminal(process.execPath, [program, 'doctor'], {
      columns: 120,
      rows: 50,
      env: { IMUX_HOME: home },
    });
    // What the terminal answers to questions goes back to the program.
    const asked = terminal.shows(/120 columns, 50 rows/);
    const answer = setInterval(() => {
      const replies = terminal.replies();
      if (replies.length > answered) terminal.type(replies.slice(answered));
      answered = replies.length;
    }, 5);
    let answered = 0;
    try {
      await asked;
      await terminal.shows(/colours: 16 million \(TERM=xterm-256color, COLORTERM=truecolor\)/);
      await terminal.shows('encoding: UTF-8 (C.UTF-8)');
      await terminal.shows(/characters: as wide as imux takes them to be/);
      expect(await terminal.exited).toBe(0);
    } finally {
      clearInterval(answer);
    }
  });

  it('in a terminal that does not answer goes on all the same', async () => {
    const terminal = openTerminal(process.execPath, [program, 'doctor'], {
      columns: 30,
      rows: 50,
      env: { IMUX_HOME: home, TERM: 'dumb' },
    });
    await terminal.shows(/make the window larger/);
    expect(await terminal.exited).toBe(0);
  });
});
