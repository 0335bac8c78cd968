import {
  chmodSync,
  closeSync,
  copyFileSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Makes the folder (0700, whatever the umask) or takes away what others may do in it. @throws Error if it is not ours. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = statSync(path);
  const uid = process.getuid?.();
  if (uid !== undefined && found.uid !== uid) throw new Error(`the folder ${path} belongs to another user`);
  if ((found.mode & 0o077) !== 0) chmodSync(path, 0o700);
}

/** Takes away what others may do with the file. */
export function makePrivate(path: string): void {
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
}

/** Replaces the file as a whole or not at all; 0600; on disk when it returns. A link at `path` stays a link. */
export function writePrivate(path: string, data: string | Uint8Array): void {
  const target = real(path);
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  const temporary = `${target}.${process.pid}.new`;
  rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', 0o600);
  try {
    try {
      // A nearly full disk takes a part without an error; the next write then tells.
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    chmodSync(temporary, 0o600);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(target));
}

/**
 * Lets `write` replace the file; where it throws or leaves something that `accepts` refuses, the file is as before.
 * @throws what `write` threw, or an Error that says that the disk is full.
 */
export function replaceSafely(path: string, write: () => void, accepts: (text: string) => boolean): void {
  const target = real(path);
  const before = `${target}.${process.pid}.before`;
  const existed = keepAs(target, before);
  try {
    write();
    if (!accepts(readFileSync(target, 'utf8'))) throw new Error('it was not written whole; is the disk full?');
  } catch (error) {
    if (existed) renameSync(before, target);
    throw error;
  }
  rmSync(before, { force: true });
}

/** A second name for the same bytes needs no room on a full disk; a copy where the file system knows no links. */
function keepAs(target: string, before: string): boolean {
  rmSync(before, { force: true });
  if (!lstatSync(target, { throwIfNoEntry: false })) return false;
  try {
    linkSync(target, before);
  } catch {
    copyFileSync(target, before);
    chmodSync(before, 0o600);
  }
  return true;
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
