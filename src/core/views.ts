import type { Conversation, Row } from '../archive/types.ts';
import type { AccountView, Change, ContactView, FileView, MessageView, Snapshot } from '../link/messages.ts';
import { linkError } from './fault.ts';
import { sanitise, sanitiseLine } from './sanitise.ts';
import { type AccountEntry, type Core, type Entry, nameOf, targetOf } from './state.ts';

/** What fronts are shown: plain data, made anew from the state. */
export function snapshot(core: Core): Snapshot {
  const { accounts, entries, requests, prompts } = core.state;
  return {
    accounts: Array.from(accounts.values(), accountView),
    contacts: Array.from(entries.values(), contactView),
    requests: Array.from(requests.values(), (request) => request.view),
    prompts: [...prompts.values()],
  };
}

export function accountView(account: AccountEntry): AccountView {
  return {
    account: account.account,
    network: account.network,
    id: account.id,
    state: account.state,
    ...(account.error ? { error: account.error } : {}),
    ...(account.retryAt === undefined ? {} : { retryAt: isoTime(account.retryAt) }),
    enabled: account.enabled,
    presence: account.state === 'online' ? account.wanted : 'offline',
    abilities: account.abilities,
  };
}

export function contactView(entry: Entry): ContactView {
  const { contact } = entry;
  return {
    conversation: entry.key,
    account: entry.account.account,
    network: entry.account.network,
    id: entry.address,
    target: targetOf(entry),
    name: nameOf(entry),
    kind: entry.kind === 'room' ? 'room' : 'person',
    groups: contact?.groups ?? [],
    presence: entry.presence,
    ...(entry.status === undefined ? {} : { status: entry.status }),
    ...(entry.topic === undefined ? {} : { topic: entry.topic }),
    ...(contact?.via === undefined ? {} : { via: contact.via }),
    ...(contact?.subscription === undefined ? {} : { subscription: contact.subscription }),
    listed: entry.listed,
    unread: entry.unread,
    mentions: entry.mentions,
    ...(entry.last > 0 ? { last: isoTime(entry.last) } : {}),
  };
}

/** The counts of one conversation, and when something was last said in it. */
export function unreadOf(entry: Entry): Extract<Change, { type: 'unread' }> {
  return {
    type: 'unread',
    conversation: entry.key,
    unread: entry.unread,
    mentions: entry.mentions,
    ...(entry.last > 0 ? { last: isoTime(entry.last) } : {}),
  };
}

/** Where a row stands: its entry, or for an account that is gone what the archive knows of the conversation. */
interface Place {
  readonly network: string;
  readonly target: string;
  readonly kind: 'person' | 'room';
  readonly selfId: string;
  readonly selfName: string;
}

function placeOf(core: Core, row: Row): Place {
  const entry = core.state.entries.get(row.key);
  if (entry) {
    return {
      network: entry.account.network,
      target: targetOf(entry),
      kind: entry.kind === 'room' ? 'room' : 'person',
      selfId: entry.account.id,
      selfName: entry.account.name,
    };
  }
  const known: Conversation | undefined = core.store.get(row.key);
  const account = core.state.accounts.get(row.account);
  return {
    network: account?.network ?? '',
    target: `${row.account}:${known?.address ?? ''}`,
    kind: known?.kind === 'room' ? 'room' : 'person',
    selfId: account?.id ?? '',
    selfName: account?.name ?? '',
  };
}

export function messageView(core: Core, row: Row): MessageView {
  const place = placeOf(core, row);
  const self = row.from === 'self';
  const answered = row.replyTo === undefined ? undefined : core.store.byId(row.key, row.replyTo);
  // One literal and then the rare fields: this runs once for each message of a flood.
  const view: Mutable<MessageView> = {
    id: String(row.row),
    conversation: row.key,
    account: row.account,
    network: place.network,
    target: place.target,
    kind: place.kind,
    from: {
      id: self ? place.selfId : sanitiseLine(row.from),
      name: row.fromName || (self ? place.selfName : ''),
      self,
    },
    at: isoTime(row.at),
    // Own texts are stored as they go out.
    text: self ? sanitise(row.text) : row.text,
  };
  if (row.style) view.style = row.style;
  if (row.state) view.state = row.state;
  if (row.error) view.error = linkError(row.error);
  if (answered) view.replyTo = String(answered.row);
  if (row.edited) view.edited = true;
  if (row.retracted) view.retracted = true;
  if (row.mention) view.mention = true;
  if (row.files.length > 0) view.files = row.files.map(fileView);
  if (Object.keys(row.reactions).length > 0) view.reactions = row.reactions;
  if (row.scriptKey !== undefined) view.key = row.scriptKey;
  return view;
}

function fileView(file: Row['files'][number]): FileView {
  return {
    id: file.id,
    name: file.name,
    ...(file.mime === undefined ? {} : { mime: file.mime }),
    ...(file.bytes === undefined ? {} : { bytes: file.bytes }),
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const isoTime = (ms: number): string => new Date(ms).toISOString();
