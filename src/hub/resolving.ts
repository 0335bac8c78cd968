import type { Account } from '../../accounts/account.ts';
import type { Chat, Limits } from '../../adapters/contract.ts';
import { Fault } from '../core/fault.ts';
import { takeChat } from '../core/roster.ts';
import { sanitiseLine } from '../core/sanitise.ts';
import type { AccountEntry, Entry } from '../core/state.ts';
import { findTarget } from '../core/targets.ts';
import { contactView } from '../core/views.ts';
import type { Change, ConversationKey, Destination, Place } from '../link/messages.ts';
import type { Accounts } from './accounts.ts';
import type { HubParts } from './parts.ts';

/** From what a front names to a conversation of ours. */
export interface Resolving {
  /** @throws Fault `not-found`: a key that this hub did not mint is refused. */
  entry(conversation: ConversationKey): Entry;
  /**
   * An address that is not in the list is asked of its network, for which an account that is about to connect is waited
   * for until the signal aborts.
   * @throws Fault `ambiguous` | `not-found` | `bad-data` | `timeout`; AdapterError of the network.
   */
  destination(destination: Destination, signal: AbortSignal): Promise<Entry>;
  target(target: string, signal: AbortSignal): Promise<Entry>;
  /** Where a target leads, with nothing changed by asking. */
  look(target: string, signal: AbortSignal): Promise<{ readonly place: Place; readonly limits: Limits }>;
  /** Resolves once the account is online. @throws Fault where it never will be by itself, or the signal aborts first. */
  online(account: AccountEntry, signal: AbortSignal): Promise<void>;
}

export function createResolving(
  parts: HubParts,
  accounts: Accounts,
  aliases: () => ReadonlyMap<string, string>,
): Resolving {
  /** One question for each address at a time, so that messages to it keep the order in which they were sent. */
  const asking = new Map<string, Promise<Chat>>();

  const entry = (conversation: ConversationKey): Entry => {
    const found = parts.core.state.entries.get(conversation);
    if (!found) throw new Fault('not-found', 'this hub knows no such conversation');
    return found;
  };

  const online = (account: AccountEntry, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): boolean => {
        const hopeless = whyNever(account);
        if (hopeless) reject(hopeless);
        else if (account.state === 'online') resolve();
        else if (signal.aborted) reject(notNow(account));
        else return false;
        return true;
      };
      if (look()) return;
      const end = (): void => {
        if (!look()) return;
        off();
        signal.removeEventListener('abort', end);
      };
      const off = accounts.onStatus((changed) => {
        if (changed === account) end();
      });
      signal.addEventListener('abort', end, { once: true });
    });

  const ask = async (account: Account, entry: AccountEntry, address: string, signal: AbortSignal): Promise<Chat> => {
    await online(entry, signal);
    return await account.resolve(address, signal);
  };

  const target = async (text: string, signal: AbortSignal): Promise<Entry> => {
    const found = findTarget(parts.core, text, aliases);
    if (found.kind === 'known') return found.entry;
    const { account } = accounts.get(found.account.account);
    const name = JSON.stringify([found.account.account, found.address]);
    const own = (): Promise<Chat> => ask(account, found.account, found.address, signal);
    // Who asked first may have had less time than we have.
    const question = asking.get(name)?.catch(own) ?? own();
    asking.set(name, question);
    try {
      const chat = await question;
      const changes: Change[] = [];
      const entry = takeChat(parts.core, found.account, chat, false, changes);
      parts.publish(changes);
      return entry;
    } finally {
      if (asking.get(name) === question) asking.delete(name);
    }
  };

  const look: Resolving['look'] = async (text, signal) => {
    const found = findTarget(parts.core, text, aliases);
    if (found.kind === 'known') {
      const { account, network, id, target, name, kind } = contactView(found.entry);
      const limits = accounts.of(found.entry).account.limits(found.entry.chat);
      return { place: { account, network, id, target, name, kind }, limits };
    }
    const { account: running } = accounts.get(found.account.account);
    await online(found.account, signal);
    const chat = await running.resolve(found.address, signal, true);
    const { account, network } = found.account;
    const id = sanitiseLine(chat.address);
    const kind = chat.kind === 'room' ? 'room' : 'person';
    const place = { account, network, id, target: `${account}:${id}`, name: sanitiseLine(chat.title), kind } as const;
    return { place, limits: running.limits(chat.id) };
  };

  return {
    entry,
    target,
    look,
    online,
    destination: async (destination, signal) =>
      destinationIsKey(destination) ? entry(destination.conversation) : await target(destination.target, signal),
  };
}

function destinationIsKey(destination: Destination): destination is { readonly conversation: ConversationKey } {
  return 'conversation' in destination && destination.conversation !== undefined;
}

/** Why an account will not come online unless the person does something. */
export function whyNever(account: AccountEntry): Fault | undefined {
  const { account: name, error } = account;
  if (!account.enabled)
    return new Fault('unreachable', `the account ${name} is switched off; imux account enable ${name}`);
  if (account.state !== 'failed') return undefined;
  const { code, message, ...details } = error ?? { code: 'unreachable' as const, message: 'it failed' };
  return new Fault(code, `${name}: ${message}`, details);
}

export function notNow(account: AccountEntry): Fault {
  const { account: name, error } = account;
  if (account.state === 'online') return new Fault('timeout', 'still waiting to be sent');
  if (error) return new Fault(error.code, `${name} is not online: ${error.message}`);
  return new Fault('timeout', `${name} did not come online in time`);
}
