import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../cli/run.ts';
import { tempDir, waitFor } from '../servers/process.ts';
import { program } from './build.ts';
import { openTerminal, type Terminal, type TerminalOptions } from './terminal.ts';

export interface Call {
  readonly stdin?: string | Buffer;
  /** Standard input stays open: what is written comes from `started`. */
  readonly open?: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

/** A running `imux`. */
export interface Started {
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  write(text: string): void;
  kill(signal: NodeJS.Signals): void;
  readonly done: Promise<Outcome & { readonly ms: number; readonly signal: NodeJS.Signals | null }>;
}

/** The built program with folders and a hub of its own. */
export interface Home {
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
  imux(args: readonly string[], call?: Call): Started['done'];
  start(args: readonly string[], call?: Call): Started;
  /** One JSON object a line of what the verb printed; fails where the verb did. */
  json(args: readonly string[]): Promise<readonly Record<string, unknown>[]>;
  /** An account with its secret in the hub's environment. */
  add(network: string, name: string, settings: Record<string, string>, secret?: string): Promise<void>;
  /** Waits until `account list` shows the account in that state, and gives the row. */
  account(name: string, state: string, timeoutMs?: number): Promise<Record<string, unknown>>;
  screen(options?: TerminalOptions): Terminal;
  hubPid(): Promise<number>;
  /** Stops the hub and removes the folders. */
  end(): Promise<void>;
}

/** `secrets`: environment variables that the hub is to find. */
export async function openHome(secrets: Readonly<Record<string, string>> = {}): Promise<Home> {
  const dir = await tempDir('e2e');
  const path = join(dir.path, 'home');
  const env: NodeJS.ProcessEnv = { ...process.env, ...secrets, IMUX_HOME: path, NO_COLOR: '1' };
  const variables = new Map(Object.entries(secrets).map(([variable, secret]) => [secret, variable]));
  const terminals = new Set<Terminal>();

  const start = (args: readonly string[], { stdin = '', open = false, env: more }: Call = {}): Started =>
    run(args, { ...env, ...more }, open ? undefined : stdin);
  const imux: Home['imux'] = (args, call) => start(args, call).done;

  const json: Home['json'] = async (args) => {
    const { code, stdout, stderr } = await imux(args);
    if (code !== 0) throw new Error(`imux ${args.join(' ')} ended with ${code}: ${stderr}`);
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  };

  const hubPid = async (): Promise<number> => Number((await json(['hub', 'status', '--json']))[0]?.pid);

  return {
    path,
    env,
    imux,
    start,
    json,
    hubPid,
    async add(network, name, settings, secret) {
      const sets = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
      const variable = secret === undefined ? undefined : variables.get(secret);
      const from = variable === undefined ? [] : ['--secret-env', variable];
      const { code, stderr } = await imux(['account', 'add', network, name, ...sets, ...from]);
      if (code !== 0) throw new Error(`account add ended with ${code}: ${stderr}`);
    },
    async account(name, state, timeoutMs = 15_000) {
      let last: unknown;
      const look = async (): Promise<Record<string, unknown> | undefined> => {
        const row = (await json(['account', 'list', '--json'])).find(({ account }) => account === name);
        last = row;
        return row?.state === state ? row : undefined;
      };
      try {
        return await waitFor(look, { timeoutMs, what: `${name} to be ${state}` });
      } catch (cause) {
        throw new Error(`${name} never was ${state}: ${JSON.stringify(last)}`, { cause });
      }
    },
    screen(options = {}) {
      const terminal = openTerminal(process.execPath, [program], {
        ...options,
        env: { ...env, NO_COLOR: undefined, CI: undefined, ...options.env },
      });
      terminals.add(terminal);
      return terminal;
    },
    async end() {
      for (const terminal of terminals) terminal.kill('SIGKILL');
      const pid = await hubPid().catch(() => undefined);
      await imux(['hub', 'stop']);
      if (pid !== undefined) await waitFor(() => !isAlive(pid), { what: 'the hub to be gone' });
      await dir.remove();
    },
  };
}

/** Dead, but not yet taken note of by its parent, counts as gone. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function run(args: readonly string[], env: NodeJS.ProcessEnv, stdin: string | Buffer | undefined): Started {
  const from = performance.now();
  const child = spawn(process.execPath, [program, ...args], { env });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => {});
  if (stdin !== undefined) child.stdin.end(stdin);
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    write: (text) => void child.stdin.write(text),
    kill: (signal) => void child.kill(signal),
    done: new Promise((resolve) =>
      child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr, ms: performance.now() - from })),
    ),
  };
}
