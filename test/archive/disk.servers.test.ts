import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { archive, chat, incoming, nonce, there } from './fixture.ts';

/** A file system of its own, which takes root to make. */
function smallDisk(kilobytes: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'imux-disk-'));
  run('mount', '-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder);
  onTestFinished(() => {
    run('umount', '-l', folder);
    rmdirSync(folder);
  });
  return folder;
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

const root = process.getuid?.() === 0;
if (!root && process.env.CI === 'true') throw new Error('the disk tests need root to mount a small disk');

describe.skipIf(!root)('F6 the disk (needs root, to mount one)', () => {
  test('F6 full: nothing is promised, nothing is lost, and it goes on when there is space again', async () => {
    const disk = smallDisk(4096);
    const a = archive(join(disk, 'data', 'archive.db'));
    const { key } = a.conversation('work', chat('alice'));
    const before = there(a.receive(incoming(key, { text: 'before' })));
    await a.saved();
    fill(disk);

    const lost = await untilItThrows(() => a.receive(incoming(key, { text: 'y'.repeat(20_000) })), a.saved);
    expect(lost).toMatchObject({ name: 'ArchiveError', code: 'full' });
    await expect(a.saved('home')).resolves.toBeUndefined();
    expect(() => a.enqueue({ key, nonce: nonce('n'), text: 'z'.repeat(200_000), at: 1 })).toThrow(
      expect.objectContaining({ code: 'full' }),
    );
    expect(a.outbox()).toEqual([]);
    expect(a.row(before.row)).toEqual(before);
    const unread = there(a.get(key)).unread;
    expect(unread).toBe(a.since(0, 10_000).length);

    rmSync(join(disk, 'ballast'));
    await a.saved().catch(() => {});
    const after = there(a.receive(incoming(key, { text: 'after' })));
    await a.saved('work');
    expect(after.row).toBeGreaterThan(before.row);
    expect(a.enqueue({ key, nonce: nonce('n'), text: 'sent', at: 1 }).fresh).toBe(true);
    expect(a.get(key)?.unread).toBe(unread + 1);
    a.close();
    expect(
      archive(join(disk, 'data', 'archive.db'))
        .page(key, 10_000)
        .map((row) => row.text),
    ).toContain('after');
  });

  test('F6 read-only: each write says so, reading goes on, and writing too once it may', async () => {
    const disk = smallDisk(4096);
    const path = join(disk, 'data', 'archive.db');
    const first = archive(path);
    const { key } = first.conversation('work', chat('alice'));
    first.receive(incoming(key, { text: 'before' }));
    first.close();
    run('mount', '-o', 'remount,ro', disk);
    expect(() => archive(path)).toThrow(expect.objectContaining({ name: 'ArchiveError', code: 'readonly' }));
    run('mount', '-o', 'remount,rw', disk);
    expect(archive(path).search('before', 1)).toHaveLength(1);
  });
});

function fill(disk: string): void {
  try {
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(8 << 20));
  } catch {
    // Until nothing more fits: that is what it is for.
  }
}

/** What a write throws, or what `saved` rejects with after it. */
async function untilItThrows(write: () => unknown, saved: (account: string) => Promise<void>): Promise<unknown> {
  for (let n = 0; n < 1000; n += 1) {
    try {
      write();
      await saved('work');
    } catch (error) {
      return error;
    }
  }
  return undefined;
}
