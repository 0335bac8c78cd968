/**
 * `npm run test:faults` runs the full counts and writes docs/reliability.md; everything else, CI above all, runs the same
 * tests with small counts and writes nothing.
 */
export const full = process.env.IMUX_FAULTS === 'full' && process.env.CI !== 'true';

/** A count: of a full run, and of a shortened one. */
export const scaled = (whole: number, short: number): number => (full ? whole : short);
