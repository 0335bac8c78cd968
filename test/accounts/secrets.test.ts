import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SecretRef } from '../../accounts/account.ts';
import { readCommand } from '../../accounts/secrets/command.ts';
import { openSecretFile } from '../../accounts/secrets/file.ts';
import type { Keychain } from '../../accounts/secrets/keychain.ts';
import { openVault, type SecretSource } from '../../accounts/secrets/ladder.ts';
import type { Ask } from '../../accounts/secrets/passphrase.ts';
import { accountName, openSettings } from '../../accounts/settings.ts';
import type { Prompt } from '../../adapters/contract.ts';
import { AdapterError } from '../../adapters/errors.ts';
import { realClock } from '../contract/host.ts';
import { type TempDir, tempDir, waitFor } from '../servers/process.ts';
import { config } from './fake-network.ts';

let root: TempDir;
beforeAll(async () => {
  root = await tempDir('secrets');
});
afterAll(() => root.remove());
let count = 0;
const fresh = (): string => join(root.path, String(count++));

const clock = realClock;
const work = accountName('work');
const CANARY = 'cänary-😀 "42"';

const nobody: Ask = async () => {
  throw new AdapterError('auth', 'nobody is here to answer');
};

/** Answers prompts in turn and notes them. */
function person(...answers: readonly string[]) {
  const asked: Prompt[] = [];
  const left = [...answers];
  const ask = async (prompt: Prompt): Promise<string> => {
    asked.push(prompt);
    return left.shift() ?? (await nobody(prompt));
  };
  return { ask, asked };
}

function memoryKeychain(): Keychain & { readonly entries: Map<string, string> } {
  const entries = new Map<string, string>();
  return {
    entries,
    getPassword: async (service, account) => entries.get(`${service} ${account}`) ?? null,
    setPassword: async (service, account, password) => void entries.set(`${service} ${account}`, password),
    deletePassword: async (service, account) => entries.delete(`${service} ${account}`),
    findCredentials: async () => [],
  };
}

const locked: Keychain = {
  getPassword: () => Promise.reject(new AdapterError('auth', 'the keychain is locked')),
  setPassword: () => Promise.reject(new AdapterError('auth', 'the keychain is locked')),
  deletePassword: () => Promise.reject(new AdapterError('auth', 'the keychain is locked')),
  findCredentials: () => Promise.reject(new AdapterError('auth', 'the keychain is locked')),
};

describe('the command rung', () => {
  it('gives the first line of what a shell command prints', async () => {
    expect(await readCommand(`printf '%s\\nnotes\\n' 'a b' | cat`, { clock })).toBe('a b');
    expect(await readCommand(`printf '%s' '${CANARY}'`, { clock })).toBe(CANARY);
    expect(await readCommand(`printf 'x\\r\\n'`, { clock })).toBe('x');
  });

  it('never waits for standard input', async () => {
    await expect(readCommand('cat', { clock })).rejects.toThrow('printed nothing: cat');
  });

  it('says the exit code and what the command said, and stops there', async () => {
    const failed = readCommand(`printf 'no such \\033[31mentry' >&2; exit 3`, { clock });
    await expect(failed).rejects.toMatchObject({
      code: 'auth',
      message: expect.stringMatching(/^the secret's command failed \(3\): printf .*; it said: no such \[31mentry$/),
    });
  });

  it('U5 does not repeat the secret, even where the command does', async () => {
    const script = join(root.path, 'leaky');
    writeFileSync(script, '#!/bin/sh\necho canary-42; echo "the password canary-42 is old" >&2; exit 1\n', {
      mode: 0o755,
    });
    const said = await readCommand(script, { clock }).catch((error: Error) => error);
    expect(String(said)).toContain('the password ••• is old');
    expect(String(said)).not.toContain('canary-42');
  });

  it('is ended after its time, with all that it started', async () => {
    const marker = join(root.path, 'pid');
    const began = Date.now();
    const late = readCommand(`sleep 300 & echo $! > ${marker}; wait`, { clock, timeoutMs: 300 });
    await expect(late).rejects.toMatchObject({
      code: 'auth',
      message: expect.stringContaining('gave nothing within 0.3 s'),
    });
    expect(Date.now() - began).toBeLessThan(5_000);
    const pid = readFileSync(marker, 'utf8').trim();
    await waitFor(() => stateOf(pid) === 'gone', { what: 'the sleep to be gone' });
  });

  it('is not held up by a helper that keeps the output open', async () => {
    const began = Date.now();
    const late = readCommand('setsid sleep 5 & echo secret', { clock, timeoutMs: 500 }).catch(() => 'late');
    expect(['secret', 'late']).toContain(await late);
    expect(Date.now() - began).toBeLessThan(4_000);
  });

  it('refuses what is not UTF-8', async () => {
    await expect(readCommand(`printf '\\377\\n'`, { clock })).rejects.toThrow('not UTF-8');
  });
});

function stateOf(pid: string): string {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')) ? 'gone' : 'there';
  } catch {
    return 'gone';
  }
}

/** The same file with a cheaper key: what is tested here does not depend on the cost. */
const openCheap = (path: string) => openSecretFile(path, { N: 2 ** 14, r: 8, p: 1 });

describe('the encrypted file', () => {
  const always = (passphrase: string) => async () => passphrase;

  it('keeps secrets over restarts under one passphrase', async () => {
    const path = join(fresh(), 'secrets.enc');
    const first = openCheap(path);
    await first.set('work/password', CANARY, always('pass'));
    await first.set('home/password', 'other', always('never asked'));
    const second = openCheap(path);
    expect(await second.get('work/password', always('pass'))).toBe(CANARY);
    expect(await second.get('none/password', always('never asked'))).toBeUndefined();
    expect(await second.delete('work/password', always('never asked'))).toBe(true);
    expect(await openCheap(path).get('work/password', always('pass'))).toBeUndefined();
    expect(await openCheap(path).get('home/password', always('pass'))).toBe('other');
  });

  it('U6 is 0600 in a folder of 0700, and leaves nothing else there', async () => {
    const folder = fresh();
    await openCheap(join(folder, 'secrets.enc')).set('a/b', CANARY, always('pass'));
    expect((statSync(folder).mode & 0o777).toString(8)).toBe('700');
    expect(readdirSync(folder)).toEqual(['secrets.enc']);
    expect((statSync(join(folder, 'secrets.enc')).mode & 0o777).toString(8)).toBe('600');
  });

  it('U5 shows neither secret nor entry nor passphrase, and differs with each write', async () => {
    const path = join(fresh(), 'secrets.enc');
    const file = openSecretFile(path);
    await file.set('work/password', 'canary-42', always('canary-pass'));
    const one = readFileSync(path, 'utf8');
    await file.set('work/password', 'canary-42', always('canary-pass'));
    const two = readFileSync(path, 'utf8');
    for (const text of [one, two]) expect(text).not.toMatch(/canary|password/);
    expect(JSON.parse(one).iv).not.toBe(JSON.parse(two).iv);
    expect(JSON.parse(one)).toMatchObject({ version: 1, kdf: { name: 'scrypt', N: 131072, r: 8, p: 1 } });
  });

  it('says that a passphrase is wrong, after three', async () => {
    const path = join(fresh(), 'secrets.enc');
    await openCheap(path).set('a/b', 'x', always('right'));
    const why: string[] = [];
    const wrong = async (reason: string): Promise<string> => {
      why.push(reason);
      return 'wrong';
    };
    await expect(openCheap(path).get('a/b', wrong)).rejects.toMatchObject({
      code: 'auth',
      message: expect.stringContaining(`wrong passphrase for ${path}`),
    });
    expect(why).toEqual(['open', 'wrong', 'wrong']);
  });

  it('asks once where several wait, and derives the key once', async () => {
    const path = join(fresh(), 'secrets.enc');
    await openCheap(path).set('a/b', 'x', always('pass'));
    const file = openCheap(path);
    let asked = 0;
    const ask = async (): Promise<string> => {
      asked++;
      return 'pass';
    };
    expect(await Promise.all(Array.from({ length: 20 }, () => file.get('a/b', ask)))).toEqual(Array(20).fill('x'));
    expect(asked).toBe(1);
  });

  it('notices a changed byte, and never overwrites what it cannot read', async () => {
    const path = join(fresh(), 'secrets.enc');
    const file = openCheap(path);
    await file.set('a/b', 'x', always('pass'));
    const good = JSON.parse(readFileSync(path, 'utf8'));
    const bytes = Buffer.from(good.data, 'base64');
    bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0);
    const changes: readonly [object, RegExp][] = [
      [{ ...good, data: bytes.toString('base64') }, /changed or damaged/],
      [{ ...good, version: 2 }, /newer imux wrote/],
      [{ ...good, kdf: { ...good.kdf, N: 2 ** 30 } }, /damaged; imux leaves it/],
      [{ ...good, kdf: { ...good.kdf, N: 2 } }, /damaged; imux leaves it/],
      [{}, /damaged; imux leaves it/],
    ];
    for (const [changed, why] of changes) {
      const text = JSON.stringify(changed);
      writeFileSync(path, text);
      await expect(file.get('a/b', always('pass'))).rejects.toThrow(why);
      await expect(file.set('c/d', 'y', always('pass'))).rejects.toThrow(why);
      expect(readFileSync(path, 'utf8')).toBe(text);
    }
  });

  it('opens with a passphrase composed otherwise, as another keyboard gives it', async () => {
    const path = join(fresh(), 'secrets.enc');
    await openCheap(path).set('a/b', 'x', always('pässword'));
    expect(await openCheap(path).get('a/b', always('pa\u0308ssword'))).toBe('x');
  });
});

describe('the ladder', () => {
  const open = (keychain: Keychain, env: NodeJS.ProcessEnv = {}, folder = fresh()) =>
    openVault({ folder, service: 'imux', clock, env, keychain, file: openCheap(join(folder, 'secrets.enc')) });

  const kept = async (vault: ReturnType<typeof open>, source: SecretSource, ask: Ask = nobody) =>
    await vault.keep(work, 'password', source, ask);

  it('keeps a secret in the keychain under service imux and the account with its field', async () => {
    const keychain = memoryKeychain();
    const vault = open(keychain);
    const { ref, where } = await kept(vault, { kind: 'given', secret: CANARY, into: 'keychain' });
    expect(ref).toEqual({ kind: 'keychain' });
    expect(where).toBe('keychain, service "imux", account "work/password"');
    expect([...keychain.entries]).toEqual([['imux work/password', CANARY]]);
    expect(await vault.read(work, 'password', ref, nobody)).toBe(CANARY);
    await vault.forget(work, 'password', ref, nobody);
    expect(keychain.entries.size).toBe(0);
  });

  it('keeps a secret in the encrypted file under a passphrase that the person chooses twice', async () => {
    const folder = fresh();
    const { ask, asked } = person('pass', 'pass');
    const { ref } = await kept(open(locked, {}, folder), { kind: 'given', secret: CANARY, into: 'file' }, ask);
    expect(asked.map(({ kind }) => kind)).toEqual(['password', 'password']);
    const later = person('wrong', 'pass');
    expect(await open(locked, {}, folder).read(work, 'password', ref, later.ask)).toBe(CANARY);
    expect(later.asked[1]?.text).toMatch(/does not open/);
    const differing = person('pass', 'pasd');
    await expect(kept(open(locked), { kind: 'given', secret: 'x', into: 'file' }, differing.ask)).rejects.toThrow(
      'differ',
    );
  });

  it('takes the passphrase from a command, asking nobody', async () => {
    const folder = fresh();
    const env = { ...process.env, IMUX_PASSPHRASE_COMMAND: 'printf "from the command\\n"' };
    const { ref } = await kept(open(locked, env, folder), { kind: 'given', secret: CANARY, into: 'file' });
    expect(await open(locked, {}, folder).read(work, 'password', ref, person('from the command').ask)).toBe(CANARY);
    const other = { ...process.env, IMUX_PASSPHRASE_COMMAND: 'echo other' };
    await expect(open(locked, other, folder).read(work, 'password', ref, nobody)).rejects.toThrow(
      'IMUX_PASSPHRASE_COMMAND gave a passphrase that does not open',
    );
  });

  it('takes the passphrase from a file descriptor, asking nobody', async () => {
    const script = `
      import { openVault } from '${new URL('../../accounts/secrets/ladder.ts', import.meta.url).pathname}';
      const vault = openVault({ folder: ${JSON.stringify(fresh())}, service: 'imux', clock: { now: Date.now, sleep: () => new Promise(() => {}) } });
      const ask = async () => { throw new Error('asked'); };
      const { ref } = await vault.keep('work', 'password', { kind: 'given', secret: 'x1', into: 'file' }, ask);
      process.stdout.write(await vault.read('work', 'password', ref, ask));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, IMUX_PASSPHRASE_FD: '3' },
    });
    const pipe = child.stdio[3];
    if (pipe && 'end' in pipe) pipe.end('the passphrase\n');
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said += chunk));
    await new Promise((resolve) => child.once('close', resolve));
    expect(said).toBe('x1');
  });

  it('reads a secret from a command and from the environment, and says where it is', async () => {
    const vault = open(locked, { PATH: process.env.PATH, CHAT_TOKEN: CANARY });
    const command = await kept(vault, { kind: 'command', command: 'echo s3' });
    expect(command).toEqual({ ref: { kind: 'command', command: 'echo s3' }, where: 'command: echo s3' });
    expect(await vault.read(work, 'password', command.ref, nobody)).toBe('s3');
    const env = await kept(vault, { kind: 'env', variable: 'CHAT_TOKEN' });
    expect(env.where).toBe('environment variable CHAT_TOKEN');
    expect(await vault.read(work, 'password', env.ref, nobody)).toBe(CANARY);
  });

  it.each<[string, SecretRef, RegExp]>([
    ['keychain', { kind: 'keychain' }, /no password in the keychain.*imux account set work --secret-stdin/],
    ['file', { kind: 'file' }, /no password in the encrypted file.*imux account set work/],
    ['command', { kind: 'command', command: 'true' }, /command printed nothing/],
    ['env', { kind: 'env', variable: 'NOT_SET' }, /NOT_SET is not set where the hub runs/],
  ])('a secret that is not there stops the account with the remedy: %s', async (_rung, ref, why) => {
    const reading = open(memoryKeychain()).read(work, 'password', ref, nobody);
    await expect(reading).rejects.toMatchObject({ code: 'auth', message: expect.stringMatching(why) });
  });

  it('U12 never falls from one rung to another, neither to store nor to read', async () => {
    const folder = fresh();
    const vault = open(locked, { PASSWORD: 'env', IMUX_PASSPHRASE_COMMAND: 'echo pass' }, folder);
    await expect(kept(vault, { kind: 'given', secret: CANARY, into: 'keychain' })).rejects.toThrow('locked');
    await expect(vault.read(work, 'password', { kind: 'keychain' }, nobody)).rejects.toThrow('locked');
    expect(() => readdirSync(folder)).toThrow('ENOENT');
  });

  it('says it where a rung gives back something else than was stored', async () => {
    const keychain = { ...memoryKeychain(), getPassword: async () => 'other' };
    const keeping = kept(open(keychain), { kind: 'given', secret: 'canary', into: 'keychain' });
    await expect(keeping).rejects.toMatchObject({ message: expect.stringMatching(/something else/) });
  });

  it('U5 leaves the secret in no file that imux writes, for any rung', async () => {
    const folder = fresh();
    const vault = open(
      memoryKeychain(),
      { ...process.env, TOKEN: 'canary-42', IMUX_PASSPHRASE_COMMAND: 'echo canary-pass' },
      folder,
    );
    const settings = await openSettings(join(folder, 'config'));
    const sources: readonly SecretSource[] = [
      { kind: 'given', secret: 'canary-42', into: 'keychain' },
      { kind: 'given', secret: 'canary-42', into: 'file' },
      { kind: 'command', command: 'printenv TOKEN' },
      { kind: 'env', variable: 'TOKEN' },
    ];
    for (const [at, source] of sources.entries()) {
      const { ref, where } = await kept(vault, source);
      expect(where).not.toContain('canary');
      expect(await vault.read(work, 'password', ref, nobody)).toBe('canary-42');
      await settings.put(config({ name: `rung${at}`, secrets: { password: ref } }));
    }
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.map(({ name }) => name).sort()).toEqual(['accounts.json', 'secrets.enc']);
    for (const { parentPath, name } of files)
      expect(readFileSync(join(parentPath, name), 'utf8')).not.toContain('canary');
  });
});
