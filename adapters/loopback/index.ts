import type { Adapter } from '../contract.ts';
import { openSession } from './session.ts';

export interface LoopbackSettings {
  /** Picks the people. */
  readonly seed: string;
}

/** A network with no network: the reference for those who write their own, and a fixture that does no I/O. */
export const loopback: Adapter<LoopbackSettings> = {
  network: 'loopback',
  about: {
    title: 'Loopback (nobody is really there)',
    fields: [{ key: 'seed', label: 'Seed', optional: true, preset: '1', hint: 'a number; another one, other people' }],
    can: ['everything, with invented people: `echo` says what you say, and all meet in #lobby'],
    cannot: ['reach anybody', 'remember anything once the hub has ended'],
    addressExample: 'echo',
  },
  parse,
  open: openSession,
  async *diagnose() {
    yield { step: 'network', ok: true, text: 'there is none: everybody is invented' };
  },
};

function parse(raw: unknown): LoopbackSettings {
  const seed = typeof raw === 'object' && raw !== null && 'seed' in raw ? raw.seed : undefined;
  if (seed === undefined || seed === '') return { seed: '1' };
  if (!/^\d{1,9}$/.test(String(seed))) throw new Error('"seed" has to be a number of at most nine digits');
  return { seed: String(seed) };
}
