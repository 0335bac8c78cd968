import type { Presence, UserId } from '../../adapters/contract.ts';
import type { Change } from '../link/messages.ts';
import { sanitiseLine } from './sanitise.ts';
import { type AccountEntry, type Entry, presenceLimit } from './state.ts';

/** Takes what the network says of a user; only a change of what is shown goes out. */
export function seen(
  account: AccountEntry,
  user: UserId,
  state: Presence,
  note: string | undefined,
  out: Change[],
): void {
  if (account.presences.size >= presenceLimit && !account.presences.has(user)) return;
  account.presences.set(user, {
    state,
    note: note === undefined || note === '' ? undefined : sanitiseLine(note),
    epoch: account.epoch,
  });
  const entry = account.byUser.get(user);
  if (entry) refreshPresence(entry, out);
}

/** Works out anew what is shown of one contact; true where that changed. */
export function refreshPresence(entry: Entry, out?: Change[]): boolean {
  const { presence, status } = shownPresence(entry);
  if (presence === entry.presence && status === entry.status) return false;
  entry.presence = presence;
  entry.status = status;
  out?.push({
    type: 'presence',
    conversation: entry.key,
    presence,
    ...(status === undefined ? {} : { status }),
  });
  return true;
}

interface Shown {
  readonly presence: Presence;
  readonly status: string | undefined;
}

const unknown: Shown = { presence: 'unknown', status: undefined };
const offline: Shown = { presence: 'offline', status: undefined };

/**
 * What was seen in an earlier connection stands only while no full roster came since: a resumed stream brings no roster
 * and no presences again, a new one brings both. While the account is away nobody is known to be there.
 */
function shownPresence({ account, contact }: Entry): Shown {
  if (!contact) return unknown;
  const told = account.presences.get(contact.id);
  if (!told || told.epoch < account.rosterEpoch)
    return tellsPresence(account, contact.subscription) ? offline : unknown;
  if (account.state === 'online') return { presence: told.state, status: told.note };
  return told.state === 'offline' ? { presence: 'offline', status: told.note } : unknown;
}

/** Where a network would have told that somebody is there, silence means that they are not. */
const tellsPresence = (account: AccountEntry, subscription: 'both' | 'to' | 'from' | 'none' | 'asked' | undefined) =>
  (subscription === 'both' || subscription === 'to') && account.rosterEpoch > 0;
