import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

export interface Running {
  readonly pid: number;
  /** What it printed so far, both streams. */
  log(): string;
  /** Sends the signal (SIGTERM) and resolves when it is gone; after 5 s it is killed. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface SpawnOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** True once it serves; asked again until then. */
  readonly ready: (log: string) => boolean | Promise<boolean>;
  readonly timeoutMs?: number;
}

const running = new Set<ChildProcess>();
const folders = new Set<string>();
// What a failed test did not take away itself.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Starts a server in the foreground and waits until it is ready; its log is part of the error if it never is. */
export async function spawnServer(command: string, args: readonly string[], options: SpawnOptions): Promise<Running> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let log = '';
  let ended: string | undefined;
  const collect = (chunk: Buffer): void => {
    log = (log + chunk.toString()).slice(-100_000);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      ended = error.message;
      resolve();
    });
    child.once('exit', (code, signal) => {
      ended ??= `ended with ${signal ?? code}`;
      running.delete(child);
      resolve();
    });
  });
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    if (ended) return;
    child.kill(signal);
    const killer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await gone;
    clearTimeout(killer);
  };
  try {
    await waitFor(
      async () => {
        if (ended) throw new Error(`${command} ${ended}`);
        return await options.ready(log);
      },
      { timeoutMs: options.timeoutMs ?? 20_000, what: `${command} to be ready` },
    );
  } catch (error) {
    await stop('SIGKILL');
    throw new Error(`${command} did not start:\n${log}`, { cause: error });
  }
  return { pid: child.pid ?? 0, log: () => log, stop };
}

/** A TCP port on 127.0.0.1 that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export interface TempDir {
  readonly path: string;
  remove(): Promise<void>;
}

export async function tempDir(prefix: string): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), `imux-${prefix}-`));
  folders.add(path);
  return {
    path,
    remove: async () => {
      folders.delete(path);
      await rm(path, { recursive: true, force: true });
    },
  };
}

export interface WaitOptions {
  readonly timeoutMs?: number;
  readonly what?: string;
}

/** Asks again (each 5 to 50 ms) until the condition gives something other than undefined or false. */
export async function waitFor<T>(
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  { timeoutMs = 10_000, what = condition.toString() }: WaitOptions = {},
): Promise<T> {
  const end = performance.now() + timeoutMs;
  let pause = 5;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(50, pause * 2);
  }
}

export function isInstalled(command: string): boolean {
  // Debian keeps daemons in sbin, which a plain user's PATH lacks.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Whether the programs that a suite needs are here. Under CI=true a missing one is a failure, elsewhere the suite is
 * left out and says so: `describe.skipIf(!need('Prosody', 'prosody'))`.
 */
export function need(suite: string, ...commands: readonly string[]): boolean {
  const missing = commands.filter((command) => !isInstalled(command));
  if (missing.length === 0) return true;
  const remedy = `${suite}: ${missing.join(', ')} not installed; \`sudo node test/servers/ensure.ts\` brings it on Debian`;
  if (process.env.CI) throw new Error(remedy);
  console.warn(`left out: ${remedy}`);
  return false;
}
