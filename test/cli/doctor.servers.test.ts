import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestCa, testCa } from '../servers/ca.ts';
import { type KeyringSession, openKeyringSession } from '../servers/gnome-keyring.ts';
import { type Inspircd, startInspircd } from '../servers/inspircd.ts';
import { need, type TempDir, tempDir } from '../servers/process.ts';
import { type Prosody, startProsody } from '../servers/prosody.ts';
import { imux } from './run.ts';

interface Found {
  readonly area: string;
  readonly account?: string;
  readonly step: string;
  readonly level: string;
  readonly text: string;
  readonly remedy?: string;
}

const here = need('doctor', 'prosody', 'inspircd', 'atheme-services', 'gnome-keyring-daemon', 'dbus-run-session');

describe.skipIf(!here)('imux doctor on Prosody, InspIRCd and gnome-keyring', () => {
  let dir: TempDir;
  let ca: TestCa;
  let prosody: Prosody;
  let inspircd: Inspircd;
  let keyring: KeyringSession;
  let home: string;

  beforeAll(async () => {
    dir = await tempDir('doctor-servers');
    home = join(dir.path, 'h');
    ca = await testCa();
    [prosody, inspircd, keyring] = await Promise.all([
      startProsody({ users: [{ name: 'alice', password: 'pw-of-alice' }], tlsOnly: true }),
      startInspircd(ca),
      openKeyringSession({ home: dir.path, password: 'of the keyring' }),
    ]);
    await inspircd.register(new Map([['alice', 'pw-of-alice']]));
    const server = `server=127.0.0.1:${prosody.ports.c2s}`;
    await add('xmpp', 'work', 'pw-of-alice', 'jid=alice@localhost', server, `ca=${prosody.ca}`);
    await add('irc', 'net', 'pw-of-alice', `server=localhost:${inspircd.ports.tls}`, 'nick=alice', `ca=${ca.caFile}`);
  }, 120_000);
  afterAll(async () => {
    await run('hub', 'stop');
    await keyring.close();
    await Promise.all([prosody.stop(), inspircd.stop()]);
    await ca.remove();
    await dir.remove();
  });

  const run = (...args: readonly string[]) => imux(args, { home, env: keyring.env });
  const add = async (network: string, name: string, secret: string, ...pairs: readonly string[]): Promise<void> => {
    const set = pairs.flatMap((pair) => ['--set', pair]);
    const args = ['account', 'add', network, name, ...set, '--secret-stdin'];
    const { code, stderr } = await imux(args, { home, env: keyring.env, stdin: `${secret}\n` });
    expect([code, stderr]).toEqual([0, expect.stringContaining('keychain')]);
  };

  async function doctor(...args: readonly string[]): Promise<{ code: number | null; found: readonly Found[] }> {
    const { code, stdout } = await run('doctor', '--json', ...args);
    expect(stdout).not.toContain('pw-of-alice');
    return {
      code,
      found: stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    };
  }

  it('finds all well, and the certificates with their names', async () => {
    const { code, found } = await doctor();
    expect(found.filter(({ level }) => level === 'fault')).toEqual([]);
    expect(code).toBe(0);
    expect(found.find(({ step }) => step === 'keychain')).toMatchObject({ level: 'ok', text: 'open' });
    for (const account of ['work', 'net']) {
      const text = (step: string): string =>
        found.find((one) => one.account === account && one.step === step)?.text ?? '';
      expect(text('secret')).toContain('keychain');
      expect(text('tls')).toMatch(/^TLSv1\.[23], certificate for .*localhost/);
      expect(text('sasl')).toMatch(/SCRAM-SHA-1|PLAIN/);
      expect(text('sign-in')).toMatch(/alice/);
      expect(text('roster')).toMatch(/\d+ contacts/);
    }
  });

  it('says that a certificate is not to be trusted where the authority is not given', async () => {
    for (const account of ['work', 'net']) await run('account', 'set', account, '--set', 'ca=');
    const { code, found } = await doctor('--no-hub');
    for (const account of ['work', 'net']) {
      const last = found.filter((one) => one.account === account).at(-1);
      expect(last).toMatchObject({ step: 'tls', level: 'fault', remedy: expect.stringContaining('--set ca=') });
    }
    expect(code).toBe(76);
    await run('account', 'set', 'work', '--set', `ca=${prosody.ca}`);
    await run('account', 'set', 'net', '--set', `ca=${ca.caFile}`);
  });

  it('account check takes the same steps and signs in', async () => {
    const { code, stdout } = await run('account', 'check', 'net');
    expect(code).toBe(0);
    expect(stdout.match(/^✓ [\w-]+/gm)).toEqual(
      ['settings', 'secret', 'dns', 'tcp', 'tls', 'caps', 'sasl', 'sign-in', 'roster', 'sign-out'].map(
        (step) => `✓ ${step}`,
      ),
    );
  });
});
