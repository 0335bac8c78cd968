import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Invocation {
  readonly home: string;
  readonly stdin?: string | Buffer;
  readonly env?: NodeJS.ProcessEnv;
  /** Called with the lines on stdout so far, each time there are more. */
  readonly onOutput?: (stdout: string, stop: (signal: NodeJS.Signals) => void) => void;
}

export const program = fileURLToPath(new URL('../../bin/imux.ts', import.meta.url));

/** `imux` as a process of its own, from source; its standard streams are the caller's to read and write. */
export function startImux(
  args: readonly string[],
  { home, env }: Pick<Invocation, 'home' | 'env'>,
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [program, ...args], {
    env: { ...process.env, IMUX_HOME: home, NO_COLOR: '1', ...env },
  });
}

/** What that process printed, once it has ended. */
export function outcomeOf(child: ChildProcessWithoutNullStreams): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

/** Runs `imux` to its end. */
export async function imux(args: readonly string[], invocation: Invocation): Promise<Outcome> {
  const { stdin = '', onOutput } = invocation;
  const child = startImux(args, invocation);
  const outcome = outcomeOf(child);
  let stdout = '';
  if (onOutput) {
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      onOutput(stdout, (signal) => child.kill(signal));
    });
  }
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  return await outcome;
}
