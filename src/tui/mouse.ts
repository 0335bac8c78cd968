/** Cells from 0. */
export interface Mouse {
  readonly type: 'mouse';
  readonly what: 'press' | 'wheel-up' | 'wheel-down';
  readonly column: number;
  readonly row: number;
}

// SGR (1006) reports: CSI < button ; column ; row M (press) or m (release).
const report = /^\x1b\[<(\d{1,4});(\d{1,5});(\d{1,5})([Mm])$/;

/** A complete SGR report as an event; undefined for releases, motions and other buttons than the first. */
export function parseMouse(sequence: string): Mouse | undefined {
  const found = report.exec(sequence);
  if (!found || found[4] === 'm') return undefined;
  // Bits 2-4 are shift, alt, control; 32 is motion.
  const button = Number(found[1]) & ~0b11100;
  const place = { column: Number(found[2]) - 1, row: Number(found[3]) - 1 };
  if (button === 0) return { type: 'mouse', what: 'press', ...place };
  if (button === 64) return { type: 'mouse', what: 'wheel-up', ...place };
  if (button === 65) return { type: 'mouse', what: 'wheel-down', ...place };
  return undefined;
}
