import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where one profile's files are; every folder is 0700 and every file 0600. */
export interface Paths {
  /** Holds accounts.json. */
  readonly config: string;
  /** Holds archive.db, hub.lock, hub.log and the encrypted secrets. */
  readonly data: string;
  /** Holds hub.sock and the cookie that proves that a front may read this folder. */
  readonly run: string;
}

/**
 * XDG folders (https://specifications.freedesktop.org/basedir-spec/), or all three under IMUX_HOME.
 * A profile is a subfolder of each. Nothing is created here.
 */
export function findPaths(env: NodeJS.ProcessEnv = process.env, profile: string = env.IMUX_PROFILE ?? ''): Paths {
  if (profile && !/^[A-Za-z0-9._-]{1,32}$/.test(profile))
    throw new Error(`profile name "${profile}" is not letters, digits, . _ -`);
  const named = (folder: string): string => (profile ? join(folder, 'profiles', profile) : folder);
  const home = env.IMUX_HOME;
  if (home) {
    return { config: named(join(home, 'config')), data: named(join(home, 'data')), run: named(join(home, 'run')) };
  }
  const absolute = (value: string | undefined, otherwise: string): string =>
    value?.startsWith('/') ? value : join(homedir(), otherwise);
  const data = named(join(absolute(env.XDG_DATA_HOME, '.local/share'), 'imux'));
  // Without a runtime folder the data folder serves: it is ours alone and on a local disk.
  const run = env.XDG_RUNTIME_DIR?.startsWith('/') ? named(join(env.XDG_RUNTIME_DIR, 'imux')) : join(data, 'run');
  return { config: named(join(absolute(env.XDG_CONFIG_HOME, '.config'), 'imux')), data, run };
}
