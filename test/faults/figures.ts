import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { full } from './scale.ts';

/** What one test of a row measured. */
export interface Figure {
  /** The row: F1 … F20. */
  readonly row: string;
  readonly what: string;
  readonly measured: string;
  /** What it must be. */
  readonly bound: string;
  readonly pass: boolean;
  /** Not held yet, and known: why, and what stands in for it. The test then asserts what is so today. */
  readonly unsupported?: string;
}

export const figuresFile = fileURLToPath(new URL('../../docs/reliability.json', import.meta.url));

export function readFigures(): readonly Figure[] {
  try {
    return JSON.parse(readFileSync(figuresFile, 'utf8')) as readonly Figure[];
  } catch {
    return [];
  }
}

/** Puts a figure in the place of the former one of the same row and name; the tests of this folder run one by one. */
export function record(figure: Figure): void {
  console.info(
    `${figure.row} ${figure.what}: ${figure.measured} (${figure.bound})${figure.pass || figure.unsupported ? '' : ' FAILED'}`,
  );
  if (full) {
    const others = readFigures().filter(({ row, what }) => row !== figure.row || what !== figure.what);
    const order = ({ row }: Figure): number => Number(row.slice(1));
    const all = [...others, figure].sort((a, b) => order(a) - order(b) || a.what.localeCompare(b.what, 'en'));
    mkdirSync(dirname(figuresFile), { recursive: true });
    writeFileSync(figuresFile, `${JSON.stringify(all, null, 2)}\n`);
  }
  if (figure.unsupported !== undefined) return;
  expect(figure, `${figure.row} ${figure.what}: ${figure.measured}, must be ${figure.bound}`).toMatchObject({
    pass: true,
  });
}
