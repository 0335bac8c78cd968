import type { Socket } from 'node:net';
import type { Clock } from '../../contract.ts';

/** Milliseconds: a server that says nothing for `ASK` is asked, and given up after `DEAD`. */
const ASK = 15_000;
export const DEAD = 28_000;
/** Milliseconds that a server has to answer after the machine slept. */
const AWAKE = 2_000;
/** Milliseconds that the other side has to close as well. */
const FAREWELL = 1_000;

export interface LivenessParts {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** When the last bytes came. */
  heardAt(): number;
  ping(): void;
  dead(): void;
}

/** A peer that vanished without closing would else be noticed only when the kernel gives up, a quarter of an hour later. */
export async function watchSilence({ clock, signal, heardAt, ping, dead }: LivenessParts): Promise<void> {
  while (!signal.aborted) {
    const heard = heardAt();
    // A clock that was set, either way, makes no silence of a day and no wait of one.
    const silence = Math.min(Math.max(0, clock.now() - heard), ASK);
    await clock.sleep(ASK - silence, signal);
    if (heardAt() !== heard) continue;
    ping();
    await clock.sleep(DEAD - ASK, signal);
    if (heardAt() === heard) dead();
  }
}

/** The machine slept: asks now, and does not wait long for the answer. */
export async function lookAlive({ clock, signal, heardAt, ping, dead }: LivenessParts): Promise<void> {
  const heard = heardAt();
  ping();
  await clock.sleep(AWAKE, signal);
  if (heardAt() === heard) dead();
}

/** Resolves once a socket that was ended is closed, at the latest after a second. */
export async function closed(socket: Socket, clock: Clock): Promise<void> {
  if (socket.closed) return;
  const late = new AbortController();
  const gone = new Promise((resolve) => socket.once('close', resolve));
  await Promise.race([gone, clock.sleep(FAREWELL, late.signal).catch(() => {})]);
  late.abort();
  socket.destroy();
}
