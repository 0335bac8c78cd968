import type { Clock } from '../adapters/contract.ts';
import { AdapterError } from '../adapters/errors.ts';

/** How long a session may take to sign out before it is left behind. */
const STOP_MS = 5_000;

/** A session went on after it was told to end. */
export class LeftBehind extends AdapterError {}

/** Ends as the session does, or a while after the signal aborted. */
export async function endOf(run: () => Promise<void>, signal: AbortSignal, clock: Clock): Promise<void> {
  const over = new AbortController();
  const bound = new Promise<never>((_, reject) => {
    const wait = (): void => {
      clock.sleep(STOP_MS, over.signal).then(
        () => reject(new LeftBehind('unreachable', `the session did not end within ${STOP_MS / 1000} s; left behind`)),
        () => {},
      );
    };
    if (signal.aborted) wait();
    else signal.addEventListener('abort', wait, { once: true, signal: over.signal });
  });
  try {
    await Promise.race([run(), bound]);
  } finally {
    over.abort();
  }
}
