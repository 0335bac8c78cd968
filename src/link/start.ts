import { closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Paths } from '../paths.ts';
import { attach, type LinkClient, LinkFailure } from './client.ts';

const START_TIMEOUT_MS = 10_000;
const POLL_MS = 10;
/** A starter that has not got a hub up by then has died. */
const STALE_START_MS = 10_000;

/**
 * How Node runs a hub, before the program. Left to itself, V8 lets the space for young objects double with the traffic up
 * to 64 MB, and lets several times of what lives gather as garbage: in a process that runs for weeks that looks like a
 * leak. Half as much as lives is enough, and 16 MB; with less, what dies young is taken for old.
 */
export const hubNodeOptions: readonly string[] = ['--max-semi-space-size=8', '--heap-growing-percent=50'];

/**
 * Connects to the hub, starting one in the background where none runs. Of several fronts that come at once only one
 * starts it; the rest wait for that one.
 * `env`: of the hub; it finds the same paths by it.
 * @throws LinkFailure `hub` where it does not come up; hub.log in the data folder then says why.
 */
export async function attachOrStart(
  paths: Paths,
  front: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<LinkClient> {
  try {
    return await attach(paths, front);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
  // Where a hub runs, this is never loaded.
  const { spawn } = await import('node:child_process');
  const end = performance.now() + START_TIMEOUT_MS;
  let started = startOnce(spawn, paths, env);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    try {
      const client = await attach(paths, front);
      started?.done();
      return client;
    } catch (error) {
      if (!isAbsent(error)) throw error;
      if (started?.exited()) {
        throw new LinkFailure(
          { code: 'hub', message: `the hub did not start; see ${join(paths.data, 'hub.log')}` },
          { cause: error },
        );
      }
      if (performance.now() > end) {
        throw new LinkFailure(
          { code: 'hub', message: `the hub did not start in ${START_TIMEOUT_MS / 1000} s` },
          { cause: error },
        );
      }
      started ??= startOnce(spawn, paths, env);
    }
  }
}

function isAbsent(error: unknown): boolean {
  if (!(error instanceof LinkFailure) || !(error.cause instanceof Error) || !('code' in error.cause)) return false;
  return error.cause.code === 'ENOENT' || error.cause.code === 'ECONNREFUSED';
}

interface Started {
  exited(): boolean;
  /** Lets others start one again. */
  done(): void;
}

/** As built, all is one folder; from source, Node runs the TypeScript as it is. */
const program = fileURLToPath(
  import.meta.url.endsWith('.ts') ? new URL('../../bin/imux.ts', import.meta.url) : new URL('imux.js', import.meta.url),
);

type Spawn = typeof import('node:child_process').spawn;

/** Undefined: another front is starting it just now. */
function startOnce(spawn: Spawn, paths: Paths, env: NodeJS.ProcessEnv): Started | undefined {
  mkdirSync(paths.run, { recursive: true, mode: 0o700 });
  const marker = join(paths.run, 'starting');
  try {
    closeSync(openSync(marker, 'wx', 0o600));
  } catch {
    const age = Date.now() - (statSync(marker, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (age > STALE_START_MS) rmSync(marker, { force: true });
    return undefined;
  }
  // Detached: it outlives the front and its terminal. What it has to say goes to hub.log.
  const child = spawn(process.execPath, [...hubNodeOptions, program, 'hub', 'run', '--on-demand'], {
    detached: true,
    stdio: 'ignore',
    cwd: '/',
    env,
  });
  child.unref();
  let exited = false;
  const done = (): void => rmSync(marker, { force: true });
  const end = (): void => {
    exited = true;
    done();
  };
  child.once('exit', end);
  child.once('error', end);
  return { exited: () => exited, done };
}
