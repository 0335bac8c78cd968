import { Fault } from './fault.ts';
import { type AccountEntry, type Core, type Entry, nameOf, targetOf } from './state.ts';

/** What a person's words for a target lead to: a conversation that is known, or an address that only its network knows. */
export type Target =
  | { readonly kind: 'known'; readonly entry: Entry }
  | { readonly kind: 'address'; readonly account: AccountEntry; readonly address: string };

/**
 * `ACCOUNT:ADDRESS`, split at the first colon, or an alias, or the name or address of one contact, unique over all accounts; letters'
 * case decides only between several. Names of the list win over those of strangers.
 * @throws Fault `ambiguous` with the candidates, `not-found`, `bad-data`.
 */
export function findTarget(core: Core, target: string, aliases: () => ReadonlyMap<string, string>): Target {
  const text = target.trim();
  if (text === '') throw new Fault('bad-data', 'the target is empty');
  const colon = text.indexOf(':');
  const account = colon > 0 ? core.state.accounts.get(text.slice(0, colon)) : undefined;
  if (account) {
    const address = text.slice(colon + 1).trim();
    if (address === '') throw new Fault('bad-data', `"${text}" names no address: it is ${account.account}:ADDRESS`);
    const entry = account.byAddress.get(address);
    return entry ? { kind: 'known', entry } : { kind: 'address', account, address };
  }
  const alias = aliases().get(text);
  // An alias of an alias would be a riddle, and two of them a circle.
  if (alias !== undefined) return findTarget(core, alias, () => new Map());
  return { kind: 'known', entry: byName(core, text, colon > 0) };
}

function byName(core: Core, text: string, looksFull: boolean): Entry {
  const folded = text.toLowerCase();
  const found: Entry[] = [];
  for (const entry of core.state.entries.values()) {
    if (nameOf(entry).toLowerCase() === folded || entry.address.toLowerCase() === folded) found.push(entry);
  }
  const listed = found.filter((entry) => entry.listed);
  const candidates = listed.length > 0 ? listed : found;
  const exact = candidates.filter((entry) => nameOf(entry) === text || entry.address === text);
  const [only, ...others] = exact.length > 0 ? exact : candidates;
  if (!only) {
    const accounts = [...core.state.accounts.keys()].join(', ');
    const hint = looksFull
      ? `, and no account is called "${text.slice(0, text.indexOf(':'))}"; there are: ${accounts || 'none'}`
      : '; imux contacts lists them, ACCOUNT:ADDRESS reaches others';
    throw new Fault('not-found', `no contact or room is called "${text}"${hint}`);
  }
  if (others.length > 0)
    throw new Fault('ambiguous', `"${text}" may be any of several; write ACCOUNT:ADDRESS`, {
      candidates: [only, ...others].map(targetOf),
    });
  return only;
}
