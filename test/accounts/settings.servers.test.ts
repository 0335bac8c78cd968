import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { need } from '../servers/process.ts';

const script = fileURLToPath(new URL('settings-disk-full.ts', import.meta.url));
// A small disk of its own needs root, and goes with its mount namespace.
const root = process.getuid?.() === 0;
if (!root && process.env.CI) throw new Error('the accounts file on a full disk: needs root, to mount a small one');
const here = root && need('a small disk', 'unshare', 'mount');

describe.skipIf(!here)('F6 the accounts file on a disk that is nearly full (needs root, to mount one)', () => {
  it('is whole and as before, and the person is told', async () => {
    const small = 'mount -t tmpfs -o size=96k tmpfs /mnt && exec "$0" "$1" /mnt';
    const { stdout } = await promisify(execFile)('unshare', ['-m', 'sh', '-c', small, process.execPath, script]);
    expect(JSON.parse(stdout)).toEqual({
      outcome: expect.stringMatching(/accounts\.json: cannot be written: .*(full\?|ENOSPC).*It is as before/),
      unchanged: true,
    });
  });
});
