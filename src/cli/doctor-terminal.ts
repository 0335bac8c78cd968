import stringWidth from 'string-width';
import type { Finding } from '../hub/doctor.ts';
import type { Io } from './verb.ts';

const area = 'terminal';
const well = (step: string, text: string): Finding => ({ area, step, level: 'ok', text });
const warning = (step: string, text: string, remedy: string): Finding => ({
  area,
  step,
  level: 'warning',
  text,
  remedy,
});

/** The screen needs these to show what matters. */
const LEAST = { columns: 40, rows: 10 };
const GOOD = { columns: 80, rows: 24 };
/** How long a terminal may take to answer, over a slow line too. */
const ANSWER_MS = 1_000;

/** What the terminal can do, for the screen; a script has none, and that is well too. */
export async function* terminalFindings({ stdin, stdout, env }: Io): AsyncIterable<Finding> {
  if (!stdin.isTTY || !stdout.isTTY) return yield well('terminal', 'none here: only scripts can use imux this way');
  yield size(stdout.columns, stdout.rows);
  yield colours(stdout, env);
  yield encoding(env);
  if (env.TERM === 'dumb')
    return yield warning('type', 'TERM is dumb', 'the screen needs a terminal that can move its cursor');
  yield await characters(stdin, stdout);
}

function size(columns: number, rows: number): Finding {
  const text = `${columns} columns, ${rows} rows`;
  if (columns < LEAST.columns || rows < LEAST.rows) return warning('size', text, 'make the window larger');
  if (columns < GOOD.columns || rows < GOOD.rows)
    return warning('size', text, `it is comfortable from ${GOOD.columns} by ${GOOD.rows} on`);
  return well('size', text);
}

function colours(stdout: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Finding {
  if (env.NO_COLOR) return well('colours', 'none, as NO_COLOR says');
  const names: Readonly<Record<number, string>> = { 1: 'none', 4: '16', 8: '256', 24: '16 million' };
  const depth = stdout.getColorDepth(env);
  return well(
    'colours',
    `${names[depth] ?? depth} (TERM=${env.TERM ?? ''}${env.COLORTERM ? `, COLORTERM=${env.COLORTERM}` : ''})`,
  );
}

function encoding({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): Finding {
  const locale = LC_ALL || LC_CTYPE || LANG || '';
  if (/utf-?8/i.test(locale)) return well('encoding', `UTF-8 (${locale})`);
  return warning('encoding', `the locale is "${locale}", not UTF-8`, 'export LANG=C.UTF-8');
}

/** A letter with a mark, an ideogram, a face of several characters, a sign drawn in colour by a selector. */
const samples: readonly (readonly [string, string])[] = [
  ['e\u0301', 'a letter with a combining accent'],
  ['漢', 'an ideogram'],
  ['👩‍💻', 'an emoji of several parts'],
  ['⚠️', 'an emoji by a variation selector'],
];

/** Draws each sample, asks the terminal where the cursor is, and wipes it away again. */
async function characters(stdin: NodeJS.ReadStream, stdout: NodeJS.WriteStream): Promise<Finding> {
  const wrong: string[] = [];
  const raw = stdin.isRaw;
  stdin.setRawMode(true);
  try {
    for (const [sample, name] of samples) {
      const width = await widthOf(sample, stdin, stdout);
      if (width === undefined) {
        return warning(
          'characters',
          'the terminal does not say where its cursor is',
          'names with emoji may shift what stands beside them',
        );
      }
      const assumed = stringWidth(sample);
      if (width !== assumed) wrong.push(`${name} is ${width} wide, not ${assumed}`);
    }
  } finally {
    stdout.write('\r\x1b[K');
    stdin.setRawMode(raw);
    stdin.pause();
  }
  if (wrong.length === 0) return well('characters', 'as wide as imux takes them to be');
  return warning(
    'characters',
    wrong.join('; '),
    'imux sets the cursor anew beside such names; another terminal may draw them better',
  );
}

function widthOf(sample: string, stdin: NodeJS.ReadStream, stdout: NodeJS.WriteStream): Promise<number | undefined> {
  return new Promise((resolve) => {
    let heard = '';
    const settle = (width: number | undefined): void => {
      clearTimeout(timer);
      stdin.off('data', hear);
      resolve(width);
    };
    const hear = (chunk: Buffer): void => {
      heard += chunk.toString('latin1');
      const column = /\x1b\[\d+;(\d+)R/.exec(heard)?.[1];
      if (column !== undefined) settle(Number(column) - 1);
    };
    const timer = setTimeout(() => settle(undefined), ANSWER_MS);
    stdin.on('data', hear);
    stdin.resume();
    stdout.write(`\r\x1b[K${sample}\x1b[6n`);
  });
}
