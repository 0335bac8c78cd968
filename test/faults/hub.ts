import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attach, type LinkClient } from '../../src/link/client.ts';
import type { AccountInput, AccountState, AccountView, MessageView } from '../../src/link/messages.ts';
import { hubNodeOptions } from '../../src/link/start.ts';
import { findPaths, type Paths } from '../../src/paths.ts';
import { tempDir, waitFor } from '../servers/process.ts';

export const program = fileURLToPath(new URL('../../dist/imux.js', import.meta.url));

/** The bundled hub as a process of its own, which may be killed, frozen and started again on the same folders. */
export interface HubProcess {
  readonly home: string;
  readonly paths: Paths;
  readonly env: NodeJS.ProcessEnv;
  readonly pid: number;
  readonly link: LinkClient;
  start(): Promise<LinkClient>;
  /** Ends it with that signal and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Another front. */
  front(name?: string): Promise<LinkClient>;
  log(): string;
  end(): Promise<void>;
}

export interface HubProcessOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** In place of a folder of its own; stays when the hub ends. */
  readonly home?: string;
  /** Laid down in the accounts file: it may hold settings of the tests, which the link refuses. */
  readonly accounts?: readonly AccountInput[];
  /** Before the program: a command that runs it elsewhere. */
  readonly within?: readonly string[];
}

const startMs = 20_000;

export async function hubProcess({
  env = {},
  home,
  accounts,
  within = [],
}: HubProcessOptions = {}): Promise<HubProcess> {
  const dir = home === undefined ? await tempDir('faults') : { path: home, remove: async () => {} };
  const whole = { ...process.env, ...env, IMUX_HOME: dir.path };
  const paths = findPaths(whole);
  let child: ChildProcess | undefined;
  let link: LinkClient | undefined;
  let said = '';

  const running = (): ChildProcess => {
    if (!child) throw new Error('the hub does not run');
    return child;
  };
  const start = async (): Promise<LinkClient> => {
    const [command = process.execPath, ...args] = [
      ...within,
      process.execPath,
      ...hubNodeOptions,
      program,
      'hub',
      'run',
    ];
    const started = spawn(command, args, { env: whole, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [started.stdout, started.stderr])
      stream.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-20_000);
      });
    child = started;
    link = await waitFor(
      () => {
        if (started.exitCode !== null) throw new Error(`the hub ended with ${started.exitCode}: ${said}`);
        return attach(paths, 'faults').catch(() => undefined);
      },
      { timeoutMs: startMs, what: 'the hub to answer' },
    );
    return link;
  };
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    const dying = child;
    if (!dying || dying.exitCode !== null || dying.signalCode !== null) return;
    const gone = new Promise((resolve) => dying.once('exit', resolve));
    dying.kill(signal);
    await gone;
    link?.close();
  };
  if (accounts) layDown(paths, accounts);
  await start();
  return {
    home: dir.path,
    paths,
    env: whole,
    get pid() {
      return running().pid ?? 0;
    },
    get link() {
      if (!link) throw new Error('there is no hub');
      return link;
    },
    start,
    kill,
    signal: (signal) => void running().kill(signal),
    front: (name = 'another') => attach(paths, name),
    log: () => said,
    async end() {
      running().kill('SIGCONT');
      await kill('SIGTERM');
      await dir.remove();
    },
  };
}

function layDown(paths: Paths, accounts: readonly AccountInput[]): void {
  const entries = accounts.map(({ name, network, settings, secrets }) => [
    name,
    { network, enabled: true, settings, secrets },
  ]);
  mkdirSync(paths.config, { recursive: true, mode: 0o700 });
  const text = JSON.stringify({ accounts: Object.fromEntries(entries) }, null, 2);
  writeFileSync(join(paths.config, 'accounts.json'), text, { mode: 0o600 });
}

export async function stateOf(link: LinkClient, account: string): Promise<AccountView | undefined> {
  const { accounts } = await link.call('accounts.list', {});
  return accounts.find((view) => view.account === account);
}

export async function untilState(
  link: LinkClient,
  account: string,
  state: AccountState,
  timeoutMs = 60_000,
): Promise<AccountView> {
  return await waitFor(
    async () => {
      const view = await stateOf(link, account);
      return view?.state === state ? view : undefined;
    },
    { timeoutMs, what: `${account} to be ${state}` },
  );
}

/** Adds an account and waits until it is online. */
export async function addAccount(link: LinkClient, input: AccountInput): Promise<void> {
  await link.call('accounts.add', input);
  await untilState(link, input.name, 'online');
}

/** Every message of the archive, in the order of arrival. */
export async function archived(link: LinkClient): Promise<readonly MessageView[]> {
  const all: MessageView[] = [];
  for (let after = '0'; ; ) {
    const { messages } = await link.call('messages.since', { after, limit: 10_000 });
    all.push(...messages);
    const last = messages.at(-1);
    if (!last) return all;
    after = last.id;
  }
}

/** CPU seconds that a process has used. */
export function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident memory in bytes. */
export function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}
