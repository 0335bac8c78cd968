import { spawn } from 'node:child_process';
import { homedir } from 'node:os';
import type { Clock } from '../../adapters/contract.ts';
import { secretError } from './errors.ts';

export interface CommandOptions {
  readonly clock: Clock;
  readonly timeoutMs?: number;
  readonly env?: NodeJS.ProcessEnv;
}

const OUTPUT_LIMIT = 64 * 1024;

/**
 * The first line that a command line such as `pass show chat/work` prints. It is the person's own, so a shell runs it:
 * pipes and quotes work. Its standard input is empty.
 * @throws AdapterError `auth` where it fails: running it again by itself could open a prompt every few minutes.
 */
export async function readCommand(command: string, options: CommandOptions): Promise<string> {
  const { clock, timeoutMs = 30_000, env = process.env } = options;
  const { code, stdout, stderr, error, late } = await runShell(command, env, clock, timeoutMs);
  const secret = firstLine(stdout, command);
  const said = scrubbed(stderr, secret);
  if (error) throw secretError('auth', `the secret's command cannot be started (${error.message}): ${command}`, error);
  if (late) {
    throw secretError('auth', `the secret's command gave nothing within ${timeoutMs / 1000} s: ${command}${said}`);
  }
  if (code !== 0) throw secretError('auth', `the secret's command failed (${code}): ${command}${said}`);
  if (secret === '') throw secretError('auth', `the secret's command printed nothing: ${command}${said}`);
  return secret;
}

interface Ran {
  /** Exit code, or the signal's name. */
  readonly code: number | string;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly error?: Error | undefined;
  readonly late: boolean;
}

function runShell(command: string, env: NodeJS.ProcessEnv, clock: Clock, timeoutMs: number): Promise<Ran> {
  return new Promise((resolve) => {
    // A process group of its own, so that the time-out ends what the shell started too.
    const child = spawn('/bin/sh', ['-c', command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      cwd: homedir(),
      env,
    });
    const over = new AbortController();
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    let late = false;
    let error: Error | undefined;
    const end = (code: number | string): void => {
      over.abort();
      resolve({ code, stdout: stdout(), stderr: stderr(), error, late });
    };
    child.once('error', (cause) => {
      error = cause;
      end(1);
    });
    child.once('close', (code, signal) => end(signal ?? code ?? 1));
    clock.sleep(timeoutMs, over.signal).then(
      () => {
        late = true;
        killGroup(child.pid);
        // What left the group may hold the pipes open for ever.
        child.stdout.destroy();
        child.stderr.destroy();
      },
      () => {},
    );
  });
}

function collect(stream: NodeJS.ReadableStream): () => Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    if (size < OUTPUT_LIMIT) chunks.push(chunk);
    size += chunk.length;
  });
  return () => Buffer.concat(chunks).subarray(0, OUTPUT_LIMIT);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended in this moment.
  }
}

function firstLine(stdout: Buffer, command: string): string {
  const end = stdout.indexOf(10);
  const line = end < 0 ? stdout : stdout.subarray(0, end);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line).replace(/\r$/, '');
  } catch (cause) {
    throw secretError('auth', `the secret's command printed something that is not UTF-8: ${command}`, cause);
  }
}

/** What it said on stderr, short, fit for a terminal, and without the secret should it repeat it. */
function scrubbed(stderr: Buffer, secret: string): string {
  const text = stderr.toString();
  const plain = (secret === '' ? text : text.replaceAll(secret, '•••'))
    .replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim();
  return plain === '' ? '' : `; it said: ${plain.length > 300 ? `…${plain.slice(-300)}` : plain}`;
}
