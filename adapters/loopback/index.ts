import type { Adapter } from '../contract.ts';
import { openSession } from './session.ts';
import { type LoopbackSettings, parse } from './settings.ts';

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
