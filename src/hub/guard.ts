import type { Log } from './log.ts';

/**
 * The last net under the accounts: what one of them throws outside of every call would end the process, and with it all
 * the others. It is logged in full and the hub goes on. Returns the way to take the net away.
 */
export function guardProcess(log: Log): () => void {
  const caught = (error: unknown): void =>
    log.write('warn', 'hub', `a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  process.on('uncaughtException', caught);
  process.on('unhandledRejection', caught);
  return () => {
    process.off('uncaughtException', caught);
    process.off('unhandledRejection', caught);
  };
}
