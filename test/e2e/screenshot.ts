/** Opens `imux demo` in a terminal and draws what it shows as docs/screen.svg: `npm run screenshot`. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Cell, openTerminal } from './terminal.ts';

const program = fileURLToPath(new URL('../../dist/imux.js', import.meta.url));
const size = { columns: 110, rows: 30 };
const cell = { width: 8.4, height: 18, font: 14 };

const terminal = openTerminal(process.execPath, [program, 'demo'], size);
await terminal.shows(/Croquet +tg +3/, 20_000);
terminal.type('\u000b');
await terminal.shows('caterpillar@localhost');
terminal.type('alice\r');
await terminal.shows('work ▸');
terminal.type('twice today\r');
await terminal.shows('you say?');
terminal.type('and once more at tea\r');
await terminal.shows('then he is late again');
terminal.type('which way did he go?');
await terminal.shows('which way did he go?');
await writeFile(new URL('../../docs/screen.svg', import.meta.url), svg(terminal.cells()));
terminal.kill('SIGTERM');
await terminal.exited;
process.exit(0);

function svg(rows: readonly (readonly Cell[])[]): string {
  const width = Math.ceil(size.columns * cell.width + 24);
  const height = Math.ceil(size.rows * cell.height + 24);
  const lines = rows.flatMap((row, at) => runsOf(row).map((run) => draw(run, at)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<rect width="100%" height="100%" rx="8" fill="#16161c"/>`,
    `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${cell.font}" fill="#d8d8d8">`,
    ...lines,
    '</g></svg>',
    '',
  ].join('\n');
}

interface Run extends Omit<Cell, 'width'> {
  readonly column: number;
  readonly columns: number;
}

/** Neighbours of the same look, drawn as one piece of text. */
function runsOf(row: readonly Cell[]): readonly Run[] {
  const runs: Run[] = [];
  let column = 0;
  for (const { width, ...look } of row) {
    const last = runs.at(-1);
    const same =
      last &&
      last.colour === look.colour &&
      last.background === look.background &&
      last.bold === look.bold &&
      last.dim === look.dim &&
      last.inverse === look.inverse &&
      width === 1 &&
      /^[\x20-\x7e]$/.test(look.text);
    if (last && same) runs[runs.length - 1] = { ...last, text: last.text + look.text, columns: last.columns + 1 };
    else runs.push({ ...look, column, columns: width });
    column += width;
  }
  return runs.filter((run) => run.text.trim() !== '' || run.background !== undefined || run.inverse);
}

function draw(run: Run, row: number): string {
  const x = (12 + run.column * cell.width).toFixed(1);
  const top = 12 + row * cell.height;
  const [ink, paper] = run.inverse
    ? [run.background ?? '#16161c', run.colour ?? '#d8d8d8']
    : [run.colour, run.background];
  const box = paper
    ? `<rect x="${x}" y="${top}" width="${(run.columns * cell.width).toFixed(1)}" height="${cell.height}" fill="${paper}"/>`
    : '';
  const look = `${ink ? ` fill="${ink}"` : ''}${run.bold ? ' font-weight="bold"' : ''}${run.dim ? ' opacity="0.6"' : ''}`;
  const text = run.text.replace(/[<&>]/g, (char) => `&#${char.charCodeAt(0)};`);
  return `${box}<text x="${x}" y="${top + 13.5}" xml:space="preserve" textLength="${(run.columns * cell.width).toFixed(1)}"${look}>${text}</text>`;
}
