import type { ChatId, UserId } from '../../adapters/contract.ts';
import type { Change } from '../link/messages.ts';
import { sanitiseLine } from './sanitise.ts';
import type { AccountEntry, Entry } from './state.ts';

/** What a user is called in one conversation. */
export function nameOfUser(entry: Entry, user: UserId): string {
  const name = entry.members?.get(user)?.name ?? (entry.contact?.id === user ? entry.contact.name : undefined);
  return (
    name ||
    entry.account.byUser.get(user)?.contact?.name ||
    (entry.kind === 'direct' && entry.title) ||
    sanitiseLine(user)
  );
}

/** Who types is known by name only while they do; saying so again changes nothing. */
export function setTyping(account: AccountEntry, chat: ChatId, user: UserId, active: boolean, out: Change[]): void {
  const entry = account.byChat.get(chat);
  if (!entry || user === account.self) return;
  const known = entry.typing?.get(user);
  if ((known !== undefined) === active) return;
  const name = known ?? nameOfUser(entry, user);
  if (active) {
    entry.typing ??= new Map();
    entry.typing.set(user, name);
  } else {
    entry.typing?.delete(user);
  }
  out.push({ type: 'typing', conversation: entry.key, name, active });
}
