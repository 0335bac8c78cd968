import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HubRuns, takeLock } from '../../src/hub/lock.ts';
import { newCookie, ownFolder, removeStale, socketPlace } from '../../src/link/socket.ts';
import { startHub } from '../hub/start.ts';
import { type TempDir, tempDir } from '../servers/process.ts';

const mode = (path: string): string => (lstatSync(path).mode & 0o777).toString(8);
const isRoot = process.getuid?.() === 0;

let dir: TempDir;
beforeEach(async () => {
  dir = await tempDir('socket');
});
afterEach(() => dir.remove());

describe('the socket and its folder', () => {
  it.each([0o000, 0o022, 0o077])(
    'U1 U6 L24 under umask %i the folder is 0700 and every file in it 0600',
    async (umask) => {
      const before = process.umask(umask);
      const hub = await startHub();
      try {
        const { run, data } = hub.paths;
        expect(mode(run)).toBe('700');
        expect(mode(data)).toBe('700');
        for (const file of ['hub.sock', 'cookie']) expect(mode(join(run, file))).toBe('600');
        for (const file of ['hub.lock', 'hub.log', 'archive.db']) expect(mode(join(data, file))).toBe('600');
        expect(process.umask()).toBe(umask);
      } finally {
        process.umask(before);
        await hub.end();
      }
    },
  );

  it('U1 L24 a path that the system would cut off is refused, with the remedy', () => {
    expect(socketPlace(`/${'x'.repeat(93)}`).socket).toHaveLength(103);
    expect(() => socketPlace(`/${'x'.repeat(94)}`)).toThrow(/XDG_RUNTIME_DIR.*IMUX_HOME/);
    expect(() => socketPlace(`/${'ж'.repeat(50)}`)).toThrow(/may have 103/);
  });

  it('U1 a folder of ours that others may enter is closed to them', () => {
    const run = join(dir.path, 'run');
    mkdirSync(run);
    chmodSync(run, 0o777);
    ownFolder(run);
    expect(mode(run)).toBe('700');
  });

  it('U4 a link in place of the folder is refused', () => {
    mkdirSync(join(dir.path, 'elsewhere'));
    symlinkSync(join(dir.path, 'elsewhere'), join(dir.path, 'run'));
    expect(() => ownFolder(join(dir.path, 'run'))).toThrow(/link/);
  });

  it.skipIf(!isRoot)('U4 a folder or a socket of another user is refused', async () => {
    const run = join(dir.path, 'run');
    ownFolder(run);
    const socket = join(run, 'hub.sock');
    const server = createServer().listen(socket);
    await new Promise((resolve) => server.once('listening', resolve));
    chownSync(socket, 65534, 65534);
    expect(() => removeStale(socket)).toThrow(/another user/);
    server.close();
    chownSync(run, 65534, 65534);
    expect(() => ownFolder(run)).toThrow(/another user/);
  });

  it('U4 the socket that a dead hub left is removed', () => {
    const path = join(dir.path, 'hub.sock');
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    expect(spawnSync(process.execPath, ['-e', script]).signal).toBe('SIGKILL');
    expect(lstatSync(path).isSocket()).toBe(true);
    removeStale(path);
    expect(lstatSync(path, { throwIfNoEntry: false })).toBeUndefined();
    removeStale(path);
  });

  it('U4 a file or a link in place of the socket is refused and left alone', () => {
    const path = join(dir.path, 'hub.sock');
    writeFileSync(path, 'mine');
    expect(() => removeStale(path)).toThrow(/not a socket/);
    expect(readFileSync(path, 'utf8')).toBe('mine');

    const link = join(dir.path, 'link.sock');
    symlinkSync('/tmp/somewhere', link);
    expect(() => removeStale(link)).toThrow(/not a socket/);
  });

  it('a cookie in the place of a planted link does not follow it', () => {
    const target = join(dir.path, 'target');
    writeFileSync(target, 'untouched');
    const path = join(dir.path, 'cookie');
    symlinkSync(target, path);
    const cookie = newCookie(path);
    expect(cookie).toMatch(/^[0-9a-f]{64}$/);
    expect(readFileSync(target, 'utf8')).toBe('untouched');
    expect(lstatSync(path).isFile()).toBe(true);
  });
});

describe('the lock', () => {
  it('U4 decides who is the hub: a second one is refused and told who holds it', () => {
    const path = join(dir.path, 'hub.lock');
    const lock = takeLock(path, 'process 42, /run/x');
    expect(() => takeLock(path, 'process 43')).toThrow(HubRuns);
    expect(() => takeLock(path, 'process 43')).toThrow(/process 42/);
    lock.release();
    takeLock(path, 'process 43').release();
  });

  it('U4 is gone with the process that held it, however that died', () => {
    const path = join(dir.path, 'hub.lock');
    const lockModule = new URL('../../src/hub/lock.ts', import.meta.url).pathname;
    const script = `import { takeLock } from ${JSON.stringify(lockModule)};
      takeLock(${JSON.stringify(path)}, 'the dead one'); process.kill(process.pid, 'SIGKILL');`;
    const dead = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
    expect(dead.signal).toBe('SIGKILL');
    expect(readFileSync(`${path}.owner`, 'utf8')).toBe('the dead one');
    takeLock(path, 'the next').release();
  });
});
