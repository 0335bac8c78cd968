import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** One figure beside its bound. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: 's' | 'ms' | 'x' | '' | '/s' | 'MB';
  /** At most this; absent for figures that are only told. */
  readonly bound?: number;
  readonly note?: string;
}

const TICKS = Number(execFileSync('getconf', ['CLK_TCK']).toString());

/** CPU seconds of a process so far, user and system, all threads (proc(5), stat fields 14 and 15). */
export function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Resident memory of a process in bytes. */
export function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}

/**
 * CPU and wall milliseconds of a whole command, by the shell's own `time`.
 * @throws Error where it ends with another code than 0.
 */
export function cpuOfCommand(command: string, env: NodeJS.ProcessEnv = process.env): { cpu: number; wall: number } {
  const script = `TIMEFORMAT='%U %S %R'; time ${command} >/dev/null 2>&1`;
  const { stderr, status } = spawnSync('bash', ['-c', script], {
    env,
    encoding: 'utf8',
    timeout: 60_000,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(`${command} ended with ${status}`);
  const [user = 0, system = 0, wall = 0] = stderr.trim().split(/\s+/).map(Number);
  return { cpu: (user + system) * 1000, wall: wall * 1000 };
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until a process has done nothing for a second, so that what it put off is in the figure; at most a minute. */
export async function settled(pid: number, timeoutMs = 60_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (let last = -1, quiet = 0; quiet < 4 && performance.now() < end; ) {
    await sleep(250);
    const now = cpuOf(pid);
    quiet = now - last < 0.011 ? quiet + 1 : 0;
    last = now;
  }
}

export function within({ value, bound }: Figure): boolean {
  return bound === undefined || value <= bound;
}

export function show(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const digits = figure.unit === 's' || figure.unit === 'x' ? 2 : figure.unit === '' ? 0 : 1;
    const bound = figure.bound === undefined ? '' : `${figure.bound} ${figure.unit}`;
    const verdict = figure.bound === undefined ? '' : within(figure) ? 'ok' : 'OVER';
    return [figure.name, `${figure.value.toFixed(digits)} ${figure.unit}`, bound, verdict, figure.note ?? ''];
  });
  const all = [['what', 'measured', 'at most', '', ''], ...rows];
  const widths = [0, 1, 2, 3].map((at) => Math.max(...all.map((row) => (row[at] ?? '').length)));
  return all
    .map((row) =>
      row
        .map((cell, at) => (at < 4 ? cell.padEnd(widths[at] ?? 0) : cell))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
