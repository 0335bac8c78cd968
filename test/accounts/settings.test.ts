import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { replaceSafely, writePrivate } from '../../accounts/private-file.ts';
import { accountName, openSettings, readSettings, refuseSecrets, SettingsError } from '../../accounts/settings.ts';
import { type TempDir, tempDir } from '../servers/process.ts';
import { config, inKeychain } from './fake-network.ts';

let root: TempDir;
let folder = '';
let file = '';
beforeAll(async () => {
  root = await tempDir('settings');
});
afterAll(() => root.remove());
let count = 0;
beforeEach(() => {
  folder = join(root.path, String(count++));
  file = join(folder, 'accounts.json');
});

function given(text: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, text);
}

function complaint(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return error instanceof Error ? error.message : '';
  }
  throw new Error('there was no complaint');
}

const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

const work = config({
  name: 'work.x-1_a',
  network: 'xmpp',
  settings: { jid: 'alice@example.org' },
  secrets: { password: { kind: 'command', command: 'pass show work' } },
});
const home = config({ name: 'home', network: 'irc', enabled: false, secrets: inKeychain });

describe('the accounts file', () => {
  it('gives back each account as it was put, in the order they came', async () => {
    const settings = await openSettings(folder);
    await settings.put(work);
    await settings.put(home);
    expect(settings.read().accounts).toEqual([work, home]);
    expect(readSettings(folder).accounts).toEqual([work, home]);
    expect(settings.find(home.name)).toEqual(home);
  });

  it('replaces an account of the same name, and leaves the others', async () => {
    const settings = await openSettings(folder);
    await settings.put(work);
    await settings.put(home);
    await settings.put({ ...work, settings: { jid: 'bob@example.org' } });
    expect(settings.read().accounts).toEqual([{ ...work, settings: { jid: 'bob@example.org' } }, home]);
  });

  it('removes an account, and says whether there was one', async () => {
    const settings = await openSettings(folder);
    await settings.put(work);
    expect(await settings.remove(work.name)).toBe(true);
    expect(await settings.remove(work.name)).toBe(false);
    expect(settings.read().accounts).toEqual([]);
  });

  it('is not made before there is something to put in it', async () => {
    const settings = await openSettings(folder);
    expect(settings.read().accounts).toEqual([]);
    expect(existsSync(file)).toBe(false);
  });

  it('keeps what it does not know: other sections, other keys of an account', async () => {
    given('{"aliases": {"boss": "work:bob@x"}, "theme": 7, "accounts": {"home": {"network": "irc", "colour": "red"}}}');
    const settings = await openSettings(folder);
    await settings.put(home);
    const now = JSON.parse(readFileSync(file, 'utf8'));
    expect(now).toMatchObject({ aliases: { boss: 'work:bob@x' }, theme: 7, accounts: { home: { colour: 'red' } } });
    expect(settings.read().section('aliases')).toEqual({ boss: 'work:bob@x' });
    expect(settings.read().section('hooks')).toBeUndefined();
  });

  it('may be written by hand with only what is needed, and tolerates a network it does not know', () => {
    given('{"accounts": {"old": {"network": "icq"}}}');
    expect(readSettings(folder).accounts).toEqual([
      { name: 'old', network: 'icq', enabled: true, settings: {}, secrets: {} },
    ]);
  });

  it('sees what was changed by hand since it was opened', async () => {
    const settings = await openSettings(folder);
    await settings.put(work);
    writeFileSync(file, readFileSync(file, 'utf8').replace('alice@', 'carol@'));
    await settings.put(home);
    expect(settings.find(work.name)?.settings).toEqual({ jid: 'carol@example.org' });
  });

  it('takes any setting as text, names like constructor included', async () => {
    const odd = config({ name: 'constructor', settings: { constructor: 'x', 'a.b': '\u202e"\\\n' } });
    const settings = await openSettings(folder);
    await settings.put(odd);
    expect(settings.read().accounts).toEqual([odd]);
  });
});

describe('U6 the accounts file is private', () => {
  it('0600 in a folder of 0700 under any umask', () => {
    for (const umask of ['000', '022', '077']) {
      const there = join(root.path, `umask-${umask}`, 'config');
      const script = `
        import { openSettings } from '${new URL('../../accounts/settings.ts', import.meta.url).pathname}';
        process.umask(0o${umask});
        const settings = await openSettings(${JSON.stringify(there)});
        await settings.put({ name: 'work', network: 'irc', enabled: true, settings: {}, secrets: {} });
        await settings.put({ name: 'home', network: 'irc', enabled: true, settings: {}, secrets: {} });`;
      execFileSync(process.execPath, ['--input-type=module', '-e', script]);
      expect(mode(there)).toBe('700');
      expect(readdirSync(there).map((name) => [name, mode(join(there, name))])).toEqual([['accounts.json', '600']]);
    }
  });

  it('what others could read is taken from them', async () => {
    given('{}');
    chmodSync(folder, 0o755);
    chmodSync(file, 0o644);
    await openSettings(folder);
    expect([mode(folder), mode(file)]).toEqual(['700', '600']);
  });

  it('a link to a file elsewhere stays a link', async () => {
    mkdirSync(folder, { recursive: true });
    const elsewhere = join(folder, 'dotfiles.json');
    writeFileSync(elsewhere, '{}');
    symlinkSync(elsewhere, file);
    const settings = await openSettings(folder);
    await settings.put(home);
    expect(JSON.parse(readFileSync(elsewhere, 'utf8')).accounts).toHaveProperty('home');
    expect(mode(elsewhere)).toBe('600');
    expect(readdirSync(folder).sort()).toEqual(['accounts.json', 'dotfiles.json']);
  });
});

describe('F12 a broken accounts file', () => {
  const broken: readonly [what: string, text: string, place: string, why: RegExp][] = [
    ['cut in the middle', '{\n  "accounts": {\n    "work": {"netw', '3:14', /string has no end/],
    ['empty', '', '1:1', /ends too early/],
    ['a comma too many', '{"accounts": {\n},\n}', '3:1', /key in double quotes/],
    ['a comma missing', '{"accounts": {}\n "ui": {}}', '2:2', /comma or }/],
    ['a comment', '{\n  // mine\n}', '2:3', /key in double quotes/],
    ['a key twice', '{"accounts": {\n "a": {"network": "irc"},\n "a": {"network": "irc"}}}', '3:2', /"a" stands twice/],
    ['no object', '[]', '1:1', /must be an object/],
    ['a bad name', '{"accounts": {\n  "my work": {"network": "irc"}}}', '2:3', /"my work" is no account name/],
    ['a dangerous name', '{"accounts": {\n  "__proto__": {"network": "irc"}}}', '2:3', /is no account name/],
    ['no network', '{"accounts": {\n  "a": {\n}}}', '2:3', /accounts\.a\.network must name a network/],
    [
      'a number as a setting',
      '{"accounts": {"a": {"network": "irc",\n "settings": {"port": 1}}}}',
      '2:15',
      /a\.settings\.port must be a text/,
    ],
    [
      'a secret in clear',
      '{"accounts": {"a": {"network": "irc",\n "secrets": {"password": "canary"}}}}',
      '2:14',
      /where the secret is kept/,
    ],
    ['a string after the end', '{} x', '1:4', /follows the end/],
  ];

  it.each(broken)('is told with its place: %s', async (_what, text, place, why) => {
    given(text);
    const said = complaint(() => readSettings(folder));
    expect(said).toMatch(why);
    expect(said.startsWith(`${file}:${place}: `)).toBe(true);
    expect(said).toMatch(/leaves the file as it is; mend it/);
    expect(said).not.toContain('canary');
  });

  it.each(broken)('is never overwritten: %s', async (_what, text) => {
    given('{}');
    const settings = await openSettings(folder);
    writeFileSync(file, text);
    await expect(openSettings(folder)).rejects.toThrow(SettingsError);
    await expect(settings.put(home)).rejects.toThrow(SettingsError);
    await expect(settings.remove(home.name)).rejects.toThrow(SettingsError);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(readdirSync(folder)).toEqual(['accounts.json']);
  });

  it('is told of what only the schema sees, and left as it is', async () => {
    const text = '{"aliases": {"boss": 7}}';
    given(text);
    const settings = await openSettings(folder);
    await expect(settings.put(home)).rejects.toThrow(/aliases\/boss.*must be string.*leaves the file as it is/);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('from a newer imux is told, and never overwritten', async () => {
    const text = '{"accounts": {}, "__internal__": {"migrations": {"version": "2.0.0"}}}';
    given(text);
    await expect(openSettings(folder)).rejects.toThrow(
      /newer imux wrote this \(format 2\.0\.0, this one knows 1\.0\.0\)/,
    );
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});

describe('an older accounts file', () => {
  const migrations = {
    '2.0.0': (store: { get(key: string): unknown; set(key: string, value: unknown): void }) =>
      store.set('aliases', { migrated: 'yes' }),
  };

  it('is brought up to date once, a copy of it beside it', async () => {
    await (await openSettings(folder)).put(work);
    const before = readFileSync(file, 'utf8');
    const settings = await openSettings(folder, { format: '2.0.0', migrations });
    expect(settings.read()).toMatchObject({ accounts: [work], format: '2.0.0' });
    expect(settings.read().section('aliases')).toEqual({ migrated: 'yes' });
    expect(readFileSync(`${file}.1.0.0`, 'utf8')).toBe(before);
    expect(mode(`${file}.1.0.0`)).toBe('600');
  });

  it('is as before where a step fails', async () => {
    await (await openSettings(folder)).put(work);
    const before = readFileSync(file, 'utf8');
    const failing = {
      '2.0.0': (store: { set(key: string, value: unknown): void }) => {
        store.set('aliases', { half: 'done' });
        throw new Error('cannot do that');
      },
    };
    await expect(openSettings(folder, { format: '2.0.0', migrations: failing })).rejects.toThrow('cannot do that');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(before));
  });
});

describe('F6 on a full disk', () => {
  it('a write that the disk took only in part is undone, though conf calls it done', () => {
    given('before');
    const cut = (): void => writePrivate(file, 'aft');
    expect(() => replaceSafely(file, cut, (text) => text === 'after')).toThrow('not written whole; is the disk full?');
    expect(readFileSync(file, 'utf8')).toBe('before');
    expect(readdirSync(folder)).toEqual(['accounts.json']);
  });
});

describe('names and settings', () => {
  it('a name is letters, digits, . _ - and at most 32', () => {
    for (const good of ['a', 'work', 'Work.2_x-y', '9', 'a'.repeat(32)]) expect(accountName(good)).toBe(good);
    for (const bad of [
      '',
      ' ',
      'a b',
      'a:b',
      'a/b',
      'ä',
      '-x',
      '.',
      '..',
      '__proto__',
      'a'.repeat(33),
      'a\n',
      '\u202ea',
    ]) {
      expect(complaint(() => accountName(bad))).toMatch(/is no account name/);
    }
  });

  it('U5 a secret among the settings is refused without being repeated', () => {
    const about = {
      fields: [
        { key: 'password', label: 'Password', secret: true },
        { key: 'jid', label: 'JID' },
      ],
    };
    expect(() => refuseSecrets({ jid: 'alice@example.org' }, about)).not.toThrow();
    expect(() => refuseSecrets({ jid: 'socks5://proxy:1080' }, about)).not.toThrow();
    for (const settings of [{ password: 'canary' }, { proxy: 'socks5://me:canary@proxy:1080' }]) {
      const said = complaint(() => refuseSecrets(settings, about));
      expect(said).toMatch(/may not stand in the accounts file/);
      expect(said).not.toContain('canary');
    }
  });
});
