/**
 * Measures what the project promises and prints each bound beside the figure: `npm run bench [-- NAMES] [-- --rivals]`.
 * The figures go into docs/figures.json as well.
 */

import { writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { scramCost, sendCost } from './commands.ts';
import { ircFlood, roster, xmppFlood } from './floods.ts';
import { type Figure, show, within } from './measure.ts';
import { firstFrame, messageCost, typing } from './screen.ts';

const parts: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  scram: scramCost,
  send: () => sendCost(20),
  roster: () => roster([1_000, 10_000, 100_000]),
  xmpp: () => xmppFlood([1_000, 20_000, 100_000]),
  irc: () => ircFlood([1_000, 20_000, 100_000]),
  frame: firstFrame,
  message: messageCost,
  typing,
};

const names = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const figures: Figure[] = [];
for (const [name, measure] of Object.entries(parts)) {
  if (names.length > 0 && !names.includes(name)) continue;
  process.stderr.write(`measuring ${name} …\n`);
  figures.push(...(await measure()));
}
if (process.argv.includes('--rivals')) {
  const { rivals } = await import('./rivals.ts');
  figures.push(...(await rivals()));
}

console.log(show(figures));
const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'cpu'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}`;
console.log(`\n${machine}`);
if (names.length === 0) {
  const file = new URL('../../docs/figures.json', import.meta.url);
  await writeFile(file, `${JSON.stringify({ machine, figures }, undefined, 2)}\n`);
}
process.exit(figures.every(within) ? 0 : 1);
