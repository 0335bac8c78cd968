/**
 * What the screen costs, on the fake hub in a pseudo-terminal: `NODE_ENV=production node test/tui/bench-screen.ts`.
 * The hub's own part runs in the same process and is counted with it.
 */
import { readFileSync } from 'node:fs';
import { type Shown, type Stage, stageOf } from './pty.ts';

const CLOCK_TICKS = 100;
const RUNS = 15;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const at = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Number.NaN;

/** CPU of a process so far, in ms (Linux). */
function cpuOf(screen: Shown): number {
  const fields = readFileSync(`/proc/${screen.pty.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / CLOCK_TICKS;
}

async function opened(stage: Stage, ...args: string[]): Promise<Shown> {
  const screen = stage.open(args, { columns: 120, rows: 40 });
  await screen.until((text) => text.includes('Alice Liddell'), 'the list');
  screen.send('\x0balice\r');
  await screen.until((text) => text.includes('available · in the garden'), 'the conversation');
  return screen;
}

async function end(screen: Shown): Promise<void> {
  screen.pty.kill('SIGTERM');
  await screen.exited;
}

async function firstFrame(stage: Stage): Promise<{ wall: number; cpu: number }> {
  const times: number[] = [];
  const cpu: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    const screen = stage.open([], { columns: 120, rows: 40 });
    await screen.until((text) => text.includes('Alice Liddell'), 'the list');
    times.push(performance.now() - start);
    cpu.push(cpuOf(screen));
    await end(screen);
  }
  return { wall: at(times, 0.5), cpu: at(cpu, 0.5) };
}

/** CPU for each message when each has a picture of its own. */
async function perMessage(stage: Stage, scene: string): Promise<number> {
  const perSecond = 8;
  const seconds = 10;
  const screen = await opened(stage, scene, String(perSecond));
  await pause(2_000);
  const before = cpuOf(screen);
  await pause(seconds * 1_000);
  const used = cpuOf(screen) - before;
  await end(screen);
  return used / (perSecond * seconds);
}

async function echo(stage: Stage): Promise<{ p50: number; p95: number; frames: number; cpu: number }> {
  const screen = await opened(stage, 'busy', '500');
  await pause(1_500);
  const times: number[] = [];
  const framesAt = screen.raw().length;
  const cpuAt = cpuOf(screen);
  const started = performance.now();
  let typed = '';
  for (let i = 0; i < 150; i++) {
    // At random: an older part of the prompt must not look like the latest.
    const letter = String.fromCharCode(97 + Math.floor(Math.random() * 26));
    if (typed.length === 15) {
      screen.send('\x15');
      typed = '';
    }
    typed += letter;
    const sent = performance.now();
    screen.send(letter);
    const wanted = typed;
    await screen.until((text) => text.includes(`▸ ${wanted}`), `"${wanted}" in the prompt`);
    times.push(performance.now() - sent);
    await pause(40 + ((i * 37) % 60));
  }
  const seconds = (performance.now() - started) / 1_000;
  const frames = screen.raw().slice(framesAt).split('\x1b[?2026h').length - 1;
  const cpu = (cpuOf(screen) - cpuAt) / seconds / 10;
  await end(screen);
  return { p50: at(times, 0.5), p95: at(times, 0.95), frames: frames / seconds, cpu };
}

const stage = await stageOf('./dev.ts');
const table: { what: string; figure: number; bound: number; unit: string }[] = [];
const first = await firstFrame(stage);
table.push({ what: 'first frame with the list, median', figure: first.wall, bound: 300, unit: 'ms' });
table.push({ what: 'CPU until then (one free core needs so long)', figure: first.cpu, bound: 300, unit: 'ms' });
table.push({ what: 'CPU a message, 7 contacts', figure: await perMessage(stage, 'flood'), bound: 15, unit: 'ms' });
table.push({ what: 'CPU a message, 10,000 contacts', figure: await perMessage(stage, 'busy'), bound: 15, unit: 'ms' });
const typing = await echo(stage);
table.push({ what: 'typing echo at 500 messages/s, median', figure: typing.p50, bound: 50, unit: 'ms' });
table.push({ what: 'typing echo at 500 messages/s, p95', figure: typing.p95, bound: 50, unit: 'ms' });
table.push({ what: 'frames a second then', figure: typing.frames, bound: 30, unit: '/s' });
table.push({ what: 'CPU then, hub included', figure: typing.cpu, bound: 100, unit: '%' });
for (const { what, figure, bound, unit } of table) {
  console.log(`${what.padEnd(42)} ${figure.toFixed(1).padStart(7)} ${unit.padEnd(3)} bound ${bound}`);
}
stage.close();
process.exit(0);
