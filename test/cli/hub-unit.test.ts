import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unitText } from '../../src/cli/hub-unit.ts';
import { need, type TempDir, tempDir } from '../servers/process.ts';
import { imux, type Outcome } from './run.ts';

let dir: TempDir;
beforeEach(async () => {
  dir = await tempDir('unit');
  mkdirSync(join(dir.path, 'bin'));
});
afterEach(() => dir.remove());

/** With a systemctl that notes what it is told and ends with this code. */
async function hub(verb: string, systemctl: number | 'missing', env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const fake = join(dir.path, 'bin', 'systemctl');
  if (systemctl !== 'missing') {
    writeFileSync(
      fake,
      `#!/bin/sh\necho "$@" >> '${dir.path}/told'\n[ ${systemctl} = 0 ] || echo 'no bus' >&2\nexit ${systemctl}\n`,
    );
    chmodSync(fake, 0o755);
  }
  const own = { HOME: dir.path, XDG_CONFIG_HOME: join(dir.path, 'config'), PATH: join(dir.path, 'bin') };
  return await imux(['hub', verb], { home: join(dir.path, 'h'), env: { ...own, ...env } });
}

const unit = (name = 'imux'): string => join(dir.path, 'config', 'systemd', 'user', `${name}.service`);
const told = (): string => readFileSync(join(dir.path, 'told'), 'utf8');

describe('imux hub install', () => {
  it('writes a unit with whole paths and starts it', async () => {
    const { code, stdout, stderr } = await hub('install', 0);
    expect([code, stdout]).toEqual([0, `${unit()}\n`]);
    expect(stderr).toContain('imux.service runs');
    const text = readFileSync(unit(), 'utf8');
    expect(text).toMatch(
      /^ExecStart="\/.*node" "--max-semi-space-size=8" "--heap-growing-percent=50" "\/.*imux\.ts" hub run$/m,
    );
    expect(text).toContain(`Environment="IMUX_HOME=${join(dir.path, 'h')}"`);
    expect(statSync(unit()).mode & 0o777).toBe(0o600);
    expect(told()).toBe('--user daemon-reload\n--user enable --now imux.service\n');
  });

  it('has a unit of its own for each profile', async () => {
    await hub('install', 0, { IMUX_PROFILE: 'bots' });
    expect(readFileSync(unit('imux-bots'), 'utf8')).toContain('Environment="IMUX_PROFILE=bots"');
  });

  it('says what to run where there is no systemctl, or no session for it', async () => {
    const none = await hub('install', 'missing');
    expect(none.code).toBe(69);
    expect(none.stderr).toContain('there is no systemctl here');
    expect(none.stderr).toContain('  systemctl --user enable --now imux.service');
    expect(existsSync(unit())).toBe(true);
    expect((await hub('install', 1)).stderr).toContain('no bus');
  });

  it('is undone by uninstall', async () => {
    await hub('install', 0);
    expect((await hub('uninstall', 0)).code).toBe(0);
    expect(existsSync(unit())).toBe(false);
    expect(told()).toContain('--user disable --now imux.service');
    expect((await hub('uninstall', 0)).stderr).toContain('there is no');
  });
});

describe('the unit', () => {
  it('takes what systemd would read as its own as it is', () => {
    const text = unitText({ PATH: '/a b:/c%d"e' }, '/no de', '/it$elf');
    expect(text).toContain(
      'ExecStart="/no de" "--max-semi-space-size=8" "--heap-growing-percent=50" "/it$$elf" hub run',
    );
    expect(text).toContain('Environment="PATH=/a b:/c%%d\\"e"');
  });

  it.skipIf(!need('the systemd unit', 'systemd-analyze'))('is a unit in the eyes of systemd', () => {
    const path = join(dir.path, 'imux.service');
    writeFileSync(path, unitText({ PATH: '/usr/bin', IMUX_HOME: '/tmp/x y' }, process.execPath, '/it'));
    const { stderr } = spawnSync('systemd-analyze', ['verify', '--user', '--man=no', path]);
    expect(
      stderr
        .toString()
        .split('\n')
        .filter((line) => line.includes('imux.service')),
    ).toEqual([]);
  });
});
