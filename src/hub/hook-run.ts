import { spawn } from 'node:child_process';
import { homedir } from 'node:os';
import type { Hook } from '../../accounts/hooks-format.ts';
import type { Log } from './log.ts';

export interface HookRun {
  /** Resolves when it is over, however that came; never rejects. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

interface RunParts {
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
}

/** What a command needs to find programs, the person's files, the screen and imux; nothing else of the hub's. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'TMPDIR',
  'TZ',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  'DBUS_SESSION_BUS_ADDRESS',
  'XDG_RUNTIME_DIR',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'IMUX_HOME',
  'IMUX_PROFILE',
];
/** Of what it prints, so much is kept, in characters; the rest is read and dropped. */
const OUTPUT_KEPT = 800;
/** From SIGTERM to SIGKILL. */
const GRACE_MS = 2_000;
/** From its end to the end of reading what it printed. */
const DRAIN_MS = 500;

/** Runs the command with the event on its standard input, and ends it and its children when its time is up. */
export function startHook(hook: Hook, line: string, { env, log }: RunParts): HookRun {
  const [program, ...args] = hook.run;
  const child = spawn(program, args, {
    cwd: env.HOME ?? homedir(),
    env: Object.fromEntries(PASSED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))),
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own, so that what it started ends with it.
    detached: true,
  });
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let output = '';
  let why: string | undefined;
  let killer: NodeJS.Timeout | undefined;
  let drained: NodeJS.Timeout | undefined;
  const keep = (chunk: Buffer): void => {
    if (output.length < OUTPUT_KEPT) output += chunk.toString().slice(0, OUTPUT_KEPT - output.length);
  };
  const end = (reason: string): void => {
    if (why !== undefined) return;
    why = reason;
    signal(child.pid, 'SIGTERM');
    killer = setTimeout(() => signal(child.pid, 'SIGKILL'), GRACE_MS);
  };
  const limit = setTimeout(() => end(`ended after ${hook.timeoutSeconds} s`), hook.timeoutSeconds * 1000);
  const finish = (how: string, failed: boolean): void => {
    clearTimeout(limit);
    clearTimeout(killer);
    const said = output.trim() === '' ? '' : `: ${output.trim()}`;
    if (failed || said !== '') log.write(failed ? 'warn' : 'info', 'hooks', `${program} ${how}${said}`);
    resolve();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  // It need not read what it is given.
  child.stdin.on('error', () => {});
  child.stdin.end(`${line}\n`);
  child.once('error', (error) => finish(`did not start (${error.message})`, true));
  child.once('exit', () => {
    // What it left in the background ends with it, or would hold its pipes open.
    signal(child.pid, why === undefined ? 'SIGTERM' : 'SIGKILL');
    drained = setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, DRAIN_MS);
  });
  child.once('close', (code, killed) => {
    clearTimeout(drained);
    finish(why ?? (killed ? `was ended by ${killed}` : `ended with ${code}`), why !== undefined || code !== 0);
  });
  return {
    ended,
    stop() {
      end('was ended with the hub');
      return ended;
    },
  };
}

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, name);
  } catch {
    // All of the group is gone already.
  }
}
