import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Figure, readFigures } from './figures.ts';
import { full } from './scale.ts';

const page = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url));

const faults: Readonly<Record<string, string>> = {
  F1: 'kill -9 of the hub in a flood',
  F2: 'server restart, resumption, resumption refused',
  F3: 'half-open TCP: a route that swallows everything',
  F4: 'a slow server',
  F5: 'DNS: failure, no such name, no answer',
  F6: 'full disk, read-only disk',
  F7: 'clock jumps',
  F8: 'suspend and wake',
  F9: 'several fronts at once',
  F10: 'an adapter that throws, leaks, spins',
  F11: 'the front dies',
  F12: 'damaged archive, broken accounts file, newer schema',
  F13: 'soak',
  F14: 'fifty accounts whose servers were away',
  F15: 'huge contact lists and rooms',
  F16: 'flood of 5,000 messages a second',
  F17: 'a message that kills its connection',
  F18: 'another version of imux, restart under load',
  F19: 'wrong credentials, account removed while messages wait',
  F20: 'the same message again',
};

/** Vitest calls what this gives back when the last test is over. */
export default function setup(): (() => void) | undefined {
  return full ? () => writeFileSync(page, render(readFigures())) : undefined;
}

function render(figures: readonly Figure[]): string {
  const rows = figures.map(({ row, what, measured, bound, pass, unsupported }) => {
    const cells = [
      row,
      faults[row] ?? '',
      what,
      measured,
      bound,
      pass ? 'yes' : unsupported ? `unsupported: ${unsupported}` : '**no**',
    ];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return `# What happens when things go wrong

Written by \`npm run test:faults\` (test/faults); do not edit. Each row is a test that asserts its bound; CI runs the same
tests with smaller counts. Measured on ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, Linux ${release()}, Node ${process.version}.

| row | fault | what is measured | measured | must be | holds |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
}
