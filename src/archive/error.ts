import type { ArchiveFault } from './types.ts';

/** The only error that the archive throws for a fault of disk or database; its text is for a person. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
  readonly code: ArchiveFault;

  constructor(code: ArchiveFault, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Primary result codes, https://sqlite.org/rescode.html */
const FAULTS: ReadonlyMap<number, readonly [ArchiveFault, string]> = new Map([
  [5, ['io', 'the archive is in use by another program']],
  [6, ['io', 'the archive is in use by another program']],
  [8, ['readonly', 'the archive cannot be written: its disk or file is read-only']],
  [10, ['io', 'the disk of the archive failed']],
  [11, ['damaged', 'the archive is damaged; it is set aside when imux starts next']],
  [13, ['full', 'the archive cannot grow: the disk is full']],
  [14, ['io', 'the archive cannot be opened']],
  [26, ['damaged', 'the archive is not a database']],
]);

/** The archive error that an error of SQLite means; undefined where it is a fault of the program. */
export function asArchiveError(error: unknown): ArchiveError | undefined {
  if (error instanceof ArchiveError) return error;
  if (!(error instanceof Error && 'errcode' in error && typeof error.errcode === 'number')) return undefined;
  const fault = FAULTS.get(error.errcode & 0xff);
  return fault && new ArchiveError(fault[0], fault[1], error);
}
