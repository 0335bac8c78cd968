import type { SQLOutputValue } from 'node:sqlite';

/** What a column of a STRICT table can be, read without a cast; NULL and absent are undefined. */
export const textOf = (value: SQLOutputValue | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

export const numberOf = (value: SQLOutputValue | undefined): number => (typeof value === 'number' ? value : 0);
