import { setImmediate as turn } from 'node:timers/promises';
import type { Archive, Conversation } from '../archive/types.ts';

/** For how many days messages stay; undefined: for ever. The narrower wish holds: conversation, account, all. */
export interface Keeping {
  readonly days?: number | undefined;
  readonly accounts: ReadonlyMap<string, number | undefined>;
  /** By `ACCOUNT:ADDRESS`. */
  readonly conversations: ReadonlyMap<string, number | undefined>;
}

const DAY = 86_400_000;
/** Between two looks; ages are counted in days. */
const PAUSE = 3_600_000;
/** Messages deleted at a time: a few milliseconds. */
const STEP = 100;

/**
 * The part `archive` of the accounts file: `{ keepDays, accounts: { NAME: days }, conversations: { "ACCOUNT:ADDRESS": days } }`.
 * `null` keeps for ever. What is no number of days, from 1 on, deletes nothing.
 */
export function readKeeping(section: unknown): Keeping {
  const { keepDays, accounts, conversations } = record(section);
  return { days: daysIn(keepDays), accounts: daysOfEach(accounts), conversations: daysOfEach(conversations) };
}

export function daysFor(
  { days, accounts, conversations }: Keeping,
  { account, address }: Conversation,
): number | undefined {
  const target = `${account}:${address}`;
  if (conversations.has(target)) return conversations.get(target);
  return accounts.has(account) ? accounts.get(account) : days;
}

/** Deletes what is too old, in small steps until it is done or has to give way, and not more often than each hour. */
export function retention(
  archive: Archive,
  keeping: () => Keeping,
  now: () => number,
): (signal: AbortSignal) => Promise<void> {
  let next = Number.NEGATIVE_INFINITY;
  return async (signal) => {
    if (now() < next) return;
    const wish = keeping();
    for (const conversation of archive.conversations()) {
      const days = daysFor(wish, conversation);
      if (days === undefined) continue;
      const before = now() - days * DAY;
      for (let gone = STEP; gone === STEP; ) {
        if (signal.aborted) return;
        gone = archive.expire(conversation.key, before, STEP);
        if (gone > 0) await turn();
      }
    }
    while (!signal.aborted && archive.shrink()) await turn();
    if (!signal.aborted) next = now() + PAUSE;
  };
}

const daysIn = (value: unknown): number | undefined => (typeof value === 'number' && value >= 1 ? value : undefined);

const daysOfEach = (value: unknown): ReadonlyMap<string, number | undefined> =>
  new Map(Object.entries(record(value)).map(([name, days]) => [name, daysIn(days)]));

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
