import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, constants, lstatSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The socket and its surroundings. Node has no call for the peer's user id, so two things keep other users out: a folder
 * that only its owner may enter, and a cookie in it that a front must show.
 */
export interface SocketPlace {
  readonly socket: string;
  readonly cookie: string;
}

/** `sun_path` holds 104 bytes on macOS and 108 on Linux, the ending NUL included; Node cuts a longer path in silence. */
const pathLimit = 103;

/** The socket cannot be where it should be; the text says what a person can do about it. */
export class SocketRefused extends Error {
  override readonly name = 'SocketRefused';
}

export function socketPlace(run: string): SocketPlace {
  const socket = join(run, 'hub.sock');
  const bytes = Buffer.byteLength(socket);
  if (bytes > pathLimit)
    throw new SocketRefused(
      `the path of the hub's socket has ${bytes} bytes and may have ${pathLimit}: ${socket}; ` +
        'set XDG_RUNTIME_DIR, or IMUX_HOME, to a shorter folder',
    );
  return { socket, cookie: join(run, 'cookie') };
}

/** Makes the folder 0700, whatever the umask. @throws SocketRefused where it is a link or another user's. */
export function ownFolder(run: string): void {
  mkdirSync(run, { recursive: true, mode: 0o700 });
  const found = lstatSync(run);
  if (!found.isDirectory()) throw new SocketRefused(`${run} is no folder but a link or a file; remove it`);
  refuseForeign(run, found.uid);
  if ((found.mode & 0o077) !== 0) chmodSync(run, 0o700);
}

/**
 * Removes the socket that a dead hub left. Only the holder of the hub's lock may call this.
 * @throws SocketRefused where something else stands there: it was put there by somebody else.
 */
export function removeStale(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket()) throw new SocketRefused(`${path} is not a socket; look what it is, then remove it`);
  refuseForeign(path, found.uid);
  rmSync(path);
}

function refuseForeign(path: string, owner: number): void {
  const uid = process.getuid?.();
  if (uid !== undefined && owner !== uid)
    throw new SocketRefused(
      `${path} belongs to another user (uid ${owner}); set XDG_RUNTIME_DIR, or IMUX_HOME, to a folder of your own`,
    );
}

/** Writes a new secret that only the owner of the folder can read, and returns it. */
export function newCookie(path: string): string {
  rmSync(path, { force: true });
  const cookie = randomBytes(32).toString('hex');
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    writeSync(file, cookie);
  } finally {
    closeSync(file);
  }
  return cookie;
}
