import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KeyringSession, openKeyringSession } from '../servers/gnome-keyring.ts';
import { need, type TempDir, tempDir } from '../servers/process.ts';
import { imux, type Outcome } from './run.ts';

const here = need('accounts with a keychain', 'gnome-keyring-daemon', 'dbus-run-session', 'secret-tool');
const CANARY = 'canary-7e57-secret';

describe.skipIf(!here)('an account with a secret, from the command line to the keychain', () => {
  let dir: TempDir;
  let session: KeyringSession;
  let home = '';
  const outcomes: Outcome[] = [];

  beforeAll(async () => {
    dir = await tempDir('account');
    home = join(dir.path, 'imux');
    session = await openKeyringSession({ home: dir.path, password: 'login' });
  });
  afterAll(async () => {
    await run(['hub', 'stop']);
    await session.close();
    await dir.remove();
  });

  async function run(args: readonly string[], stdin = ''): Promise<Outcome> {
    const env = { ...session.env, IMUX_PASSPHRASE_COMMAND: 'echo canary-passphrase' };
    const outcome = await imux(args, { home, stdin, env });
    outcomes.push(outcome);
    return outcome;
  }

  const lookUp = async (account: string): Promise<string> => {
    const args = ['lookup', 'service', `imux (${home})`, 'username', `${account}/password`];
    const looking = promisify(execFile)('secret-tool', args, { env: session.env });
    return await looking.then(({ stdout }) => stdout).catch(() => '');
  };

  // Nobody listens on port 1: what is tested is how far the secret gets.
  const settings = ['--set', 'jid=alice@localhost', '--set', 'server=127.0.0.1:1'];

  it('U5 U12 is kept where the person chose, found there by the check, and told as a place only', async () => {
    const kept = await run(['account', 'add', 'xmpp', 'chain', ...settings, '--secret-stdin'], `${CANARY}\n`);
    expect(kept).toMatchObject({ code: 0, stderr: expect.stringContaining('password: keychain, service "imux (') });
    const sealed = await run(
      ['account', 'add', 'xmpp', 'file', ...settings, '--secret-stdin', '--secret-file'],
      CANARY,
    );
    expect(sealed).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`encrypted file ${home}/data/secrets.enc`),
    });
    expect(await lookUp('chain')).toBe(CANARY);
    expect(await lookUp('file')).toBe('');

    for (const account of ['chain', 'file']) {
      const check = await run(['account', 'check', account]);
      expect(check.stdout).toMatch(/^✓ secret: Password found/m);
      expect(check.code).toBe(69);
      expect((await run(['account', 'show', account, '--json'])).code).toBe(0);
    }
  });

  it('U5 shows in no process, file, log or output', async () => {
    await run(['account', 'list', '--json']);
    const { pid } = JSON.parse((await run(['hub', 'status', '--json'])).stdout);
    for (const file of ['cmdline', 'environ']) {
      expect(readFileSync(`/proc/${pid}/${file}`, 'utf8')).not.toContain(CANARY);
    }
    const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.map(({ name }) => name)).toEqual(expect.arrayContaining(['accounts.json', 'secrets.enc', 'hub.log']));
    for (const { parentPath, name } of files) {
      const bytes = readFileSync(join(parentPath, name));
      expect([name, bytes.includes(CANARY), bytes.includes(Buffer.from(CANARY).toString('base64'))]).toEqual([
        name,
        false,
        false,
      ]);
    }
    for (const { stdout, stderr } of outcomes) expect(stdout + stderr).not.toContain(CANARY);
  });

  it('U6 all that is there is 0600 in folders of 0700', () => {
    const modes = readdirSync(home, { recursive: true, withFileTypes: true }).map((entry) => {
      const mode = statSync(join(entry.parentPath, entry.name)).mode & 0o777;
      return [entry.name, mode.toString(8), entry.isDirectory() ? '700' : '600'];
    });
    expect(modes.filter(([, mode, wanted]) => mode !== wanted)).toEqual([]);
  });

  it('is removed from the keychain with its account', async () => {
    expect((await run(['account', 'remove', 'chain'])).code).toBe(0);
    expect(await lookUp('chain')).toBe('');
    expect((await run(['account', 'list', '--json'])).stdout).not.toContain('"chain"');
  });
});
