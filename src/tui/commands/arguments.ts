import type { AccountView, MessageView } from '../../link/messages.ts';
import { type App, focusedConversation, focusedRow } from '../app.ts';
import { lastOwn } from '../conversation.ts';
import type { Row } from '../list.ts';

/** What commands need, or an error that says what is missing. */
export function openRow(app: App): Row {
  const row = focusedRow(app);
  if (!row) throw new Error('open a conversation first: Ctrl-K');
  return row;
}

export function openRoom(app: App): Row {
  const row = openRow(app);
  if (row.contact.kind !== 'room') throw new Error(`${row.contact.name} is a person, not a room`);
  return row;
}

export function accountNamed(app: App, name: string): AccountView {
  const account = app.store.accounts.get(name);
  if (!account)
    throw new Error(`no account called "${name}"; there are: ${[...app.store.accounts.keys()].join(', ') || 'none'}`);
  return account;
}

/**
 * An address with the account that it is meant for: `ACCOUNT:ADDRESS`, `ACCOUNT ADDRESS`, or ADDRESS alone by the account
 * of the open conversation (or the only one there is).
 */
export function addressIn(app: App, text: string): { readonly account: string; readonly address: string } {
  if (!text) throw new Error('an address is needed');
  const colon = text.indexOf(':');
  const named = text.slice(0, colon);
  if (colon > 0 && app.store.accounts.has(named)) return { account: named, address: text.slice(colon + 1).trim() };
  const [first = '', ...rest] = text.split(/\s+/);
  if (rest.length > 0 && app.store.accounts.has(first)) return { account: first, address: rest.join(' ') };
  const account = focusedRow(app)?.contact.account ?? onlyAccount(app);
  if (account === undefined) throw new Error('which account? Write ACCOUNT:ADDRESS');
  return { account, address: text };
}

function onlyAccount(app: App): string | undefined {
  const names = [...app.store.accounts.keys()];
  return names.length === 1 ? names[0] : undefined;
}

export function lastMessage(app: App, fits: (message: MessageView) => boolean, what: string): MessageView {
  const found = focusedConversation(app)?.messages.findLast(fits);
  if (!found) throw new Error(`there is no ${what} here`);
  return found;
}

export function lastOwnMessage(app: App, fits?: (message: MessageView) => boolean): MessageView {
  const conversation = focusedConversation(app);
  const found = conversation && lastOwn(conversation, fits);
  if (!found) throw new Error('you have written nothing here that fits');
  return found;
}
