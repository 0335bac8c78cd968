import type { ReadStream, WriteStream } from 'node:tty';

/** Exit codes: 128 and the signal's number. */
export const SIGNALS = { SIGHUP: 129, SIGTERM: 143 } as const;
const CRASHED = 70;

/**
 * Leaves in order on signals and when the terminal is closed; after a fault of ours the terminal is at least put right
 * (`giveBack`) before it is told. Returns what takes all this back.
 */
export function guard(
  stdin: ReadStream,
  stdout: WriteStream,
  exit: (code: number) => void,
  giveBack: () => void,
): () => void {
  const leave = Object.entries(SIGNALS).map(([signal, code]) => ({ signal, run: () => exit(code) }));
  for (const { signal, run } of leave) process.on(signal, run);
  const hungUp = (): void => exit(SIGNALS.SIGHUP);
  stdin.on('end', hungUp);
  stdin.on('error', hungUp);
  // Stays for good: what is written to a closed terminal after the end is no fault.
  stdout.on('error', hungUp);
  const crash = (error: unknown): void => {
    giveBack();
    process.stderr.write(`imux: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(CRASHED);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  process.on('exit', giveBack);
  return () => {
    for (const { signal, run } of leave) process.off(signal, run);
    stdin.off('end', hungUp);
    process.off('uncaughtException', crash);
    process.off('unhandledRejection', crash);
    process.off('exit', giveBack);
  };
}
