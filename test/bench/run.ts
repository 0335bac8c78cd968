/**
 * Measures what the project promises and prints each bound beside the figure: `npm run bench [-- NAMES] [-- --rivals]`.
 * The figures go into docs/figures.json as well.
 */

import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { archiveOfMillion, importing } from './archive.ts';
import { scramCost, sendCost } from './commands.ts';
import { ircFlood, roster, xmppFlood } from './floods.ts';
import { type Figure, show, within } from './measure.ts';
import { memory } from './memory.ts';
import { firstFrame, messageCost, typing } from './screen.ts';

const parts: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  scram: scramCost,
  send: () => sendCost(20),
  roster: () => roster([1_000, 10_000, 100_000]),
  xmpp: () => xmppFlood([1_000, 10_000, 20_000, 100_000]),
  irc: () => ircFlood([1_000, 10_000, 20_000, 100_000]),
  frame: firstFrame,
  message: messageCost,
  typing,
  memory,
  archive: archiveOfMillion,
  import: () => importing(200_000),
};

const [load = 0] = loadavg();
if (load > 1)
  console.error(`load ${load.toFixed(1)}: others are at work here, and figures of time will be worse for it`);

/** Far more than any of them takes: what hangs is told, not waited for. */
const PART_LIMIT_MS = 300_000;
const RIVALS_LIMIT_MS = 1_200_000;

const figures: Figure[] = [];
const failed: string[] = [];

/** Measures one part; a part that fails is told and leaves the others be. */
async function measured(name: string, measure: () => Promise<readonly Figure[]>, limitMs: number): Promise<void> {
  process.stderr.write(`measuring ${name} …\n`);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not finished in ${limitMs / 1000} s`)), limitMs);
  });
  try {
    figures.push(...(await Promise.race([measure(), late])));
  } catch (error) {
    failed.push(name);
    console.error(`${name} failed:`, error);
  } finally {
    clearTimeout(timer);
  }
}

// Through `exit`, at which servers are ended and folders removed.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

const names = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const unknown = names.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) {
  console.error(`no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')} and --rivals`);
  process.exit(64);
}
const withRivals = process.argv.includes('--rivals');
for (const [name, measure] of Object.entries(parts)) {
  if (names.length === 0 || names.includes(name)) await measured(name, measure, PART_LIMIT_MS);
}
if (withRivals) await measured('rivals', async () => (await import('./rivals.ts')).rivals(), RIVALS_LIMIT_MS);

console.log(show(figures));
const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'cpu'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}, load ${load.toFixed(1)} before`;
console.log(`\n${machine}`);
if (failed.length > 0) console.log(`failed: ${failed.join(', ')}`);
if (names.length === 0 && failed.length === 0) {
  const file = new URL('../../docs/figures.json', import.meta.url);
  await writeFile(file, `${JSON.stringify({ machine, figures }, undefined, 2)}\n`);
}
process.exit(failed.length === 0 && figures.every(within) ? 0 : 1);
