import type { Chat, ChatId, Contact, Member } from '../../adapters/contract.ts';
import type { Change } from '../link/messages.ts';
import { refreshPresence } from './presence.ts';
import { sanitiseLine } from './sanitise.ts';
import { type AccountEntry, addEntry, type Core, dropEntry, type Entry } from './state.ts';
import { contactView } from './views.ts';

/** A full snapshot: what differs goes out, what it does not name is no longer listed. */
export function takeRoster(
  core: Core,
  account: AccountEntry,
  contacts: readonly Contact[],
  chats: readonly Chat[],
  out: Change[],
): void {
  account.generation += 1;
  account.rosterEpoch = account.epoch;
  for (const contact of contacts) takeContact(core, account, contact, out).generation = account.generation;
  for (const chat of chats) takeChat(core, account, chat, true, out).generation = account.generation;
  for (const entry of account.byChat.values()) {
    if (entry.generation === account.generation) refreshPresence(entry, out);
    else if (entry.listed || entry.contact) unlist(core, entry, out);
  }
}

export function takeContact(core: Core, account: AccountEntry, raw: Contact, out: Change[]): Entry {
  const contact = cleanContact(raw);
  const known = account.byChat.get(contact.chat);
  const entry =
    known ?? enter(core, account, { id: contact.chat, kind: 'direct', address: contact.address, title: contact.name });
  const before = account.byUser.get(contact.id);
  if (before && before !== entry) unlist(core, before, out);
  account.byUser.set(contact.id, entry);
  const same = known?.listed === true && known.contact !== undefined && sameContact(known.contact, contact);
  entry.contact = contact;
  entry.listed = true;
  if (same) return entry;
  if (known) rename(core, known, contact);
  refreshPresence(entry);
  out.push({ type: 'contact', contact: contactView(entry) });
  return entry;
}

/** `listed`: a room that the account is in, or a chat that the network itself lists; one that is listed stays so. */
export function takeChat(core: Core, account: AccountEntry, raw: Chat, listed: boolean, out: Change[]): Entry {
  const chat = cleanChat(raw);
  const known = account.byChat.get(chat.id);
  if (!known) {
    const entry = enter(core, account, chat);
    entry.listed = listed;
    out.push({ type: 'contact', contact: contactView(entry) });
    return entry;
  }
  const nowListed = known.listed || listed;
  const same =
    known.title === chat.title &&
    known.topic === chat.topic &&
    known.address === chat.address &&
    known.kind === chat.kind &&
    known.listed === nowListed;
  if (same) return known;
  moveAddress(known, chat.address);
  known.kind = chat.kind;
  known.title = chat.title;
  known.topic = chat.topic;
  known.listed = nowListed;
  core.store.conversation(account.account, chat);
  out.push({ type: 'contact', contact: contactView(known) });
  return known;
}

/** Takes a contact or a room off the list; where something was said its row stays, unlisted. */
export function unlist(core: Core, entry: Entry, out: Change[]): void {
  const { contact } = entry;
  if (contact && entry.account.byUser.get(contact.id) === entry) entry.account.byUser.delete(contact.id);
  entry.contact = undefined;
  entry.listed = false;
  entry.members = undefined;
  entry.typing = undefined;
  refreshPresence(entry);
  if (entry.last > 0) {
    out.push({ type: 'contact', contact: contactView(entry) });
    return;
  }
  dropEntry(core, entry);
  out.push({ type: 'contact-removed', conversation: entry.key });
}

/** The entry of a chat that a message came from; one never heard of before is a stranger's. */
export function entryFor(core: Core, account: AccountEntry, chat: ChatId, name: string, out: Change[]): Entry {
  const known = account.byChat.get(chat);
  if (known) return known;
  // Back after its row was dropped, the archive still has its kind and address.
  const conversation =
    core.store.find(account.account, chat) ?? core.store.conversation(account.account, strangers(chat, name));
  const entry = addEntry(core, account, conversation, false);
  out.push({ type: 'contact', contact: contactView(entry) });
  return entry;
}

const strangers = (chat: ChatId, name: string): Chat => {
  const address = sanitiseLine(chat);
  return { id: chat, kind: 'direct', address, title: name || address };
};

function enter(core: Core, account: AccountEntry, chat: Chat): Entry {
  return addEntry(core, account, core.store.conversation(account.account, chat), false);
}

function rename(core: Core, entry: Entry, contact: Contact): void {
  if (entry.title === contact.name && entry.address === contact.address) return;
  moveAddress(entry, contact.address);
  entry.title = contact.name;
  core.store.conversation(entry.account.account, {
    id: entry.chat,
    kind: entry.kind,
    address: entry.address,
    title: entry.title,
    ...(entry.topic === undefined ? {} : { topic: entry.topic }),
  });
}

function moveAddress(entry: Entry, address: string): void {
  if (entry.address === address) return;
  const { byAddress } = entry.account;
  if (byAddress.get(entry.address) === entry) byAddress.delete(entry.address);
  entry.address = address;
  byAddress.set(address, entry);
}

function cleanContact(raw: Contact): Contact {
  return {
    id: raw.id,
    chat: raw.chat,
    address: sanitiseLine(raw.address),
    name: sanitiseLine(raw.name),
    groups: raw.groups.length === 0 ? noGroups : raw.groups.map(sanitiseLine),
    ...(raw.via === undefined ? {} : { via: sanitiseLine(raw.via) }),
    ...(raw.subscription === undefined ? {} : { subscription: raw.subscription }),
  };
}

const noGroups: readonly string[] = [];

export function cleanChat(raw: Chat): Chat {
  const address = sanitiseLine(raw.address);
  return {
    id: raw.id,
    kind: raw.kind,
    address,
    title: sanitiseLine(raw.title) || address,
    ...(raw.topic ? { topic: sanitiseLine(raw.topic) } : {}),
  };
}

export function cleanMember(raw: Member): Member {
  return { id: raw.id, name: sanitiseLine(raw.name), ...(raw.role ? { role: raw.role } : {}) };
}

function sameContact(a: Contact, b: Contact): boolean {
  return (
    a.id === b.id &&
    a.name === b.name &&
    a.address === b.address &&
    a.subscription === b.subscription &&
    a.via === b.via &&
    a.groups.length === b.groups.length &&
    a.groups.every((group, at) => group === b.groups[at])
  );
}
