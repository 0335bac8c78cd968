import type { Status } from '../../accounts/account.ts';
import type { Change } from '../link/messages.ts';
import { linkError, storedError } from './fault.ts';
import { refreshPresence } from './presence.ts';
import type { AccountEntry } from './state.ts';
import { accountView } from './views.ts';

/** Takes an account's new connection state; while it is away nobody on it is shown as there. */
export function takeStatus(account: AccountEntry, status: Status): Change[] {
  const out: Change[] = [];
  if (status.state === 'connecting') account.epoch += 1;
  account.state = status.state;
  account.error = 'error' in status ? linkError(storedError(status.error)) : undefined;
  account.retryAt = status.state === 'waiting' ? status.until : undefined;
  out.push({ type: 'account', account: accountView(account) });
  for (const entry of account.byUser.values()) refreshPresence(entry, out);
  if (status.state !== 'online') stopTyping(account, out);
  return out;
}

function stopTyping(account: AccountEntry, out: Change[]): void {
  for (const entry of account.byChat.values()) {
    if (!entry.typing) continue;
    for (const name of entry.typing.values()) {
      out.push({ type: 'typing', conversation: entry.key, name, active: false });
    }
    entry.typing = undefined;
  }
}
