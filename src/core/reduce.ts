import type { AdapterEvent, UserId } from '../../adapters/contract.ts';
import type { Row } from '../archive/types.ts';
import type { Change } from '../link/messages.ts';
import { markRead, takeMessage } from './incoming.ts';
import { nameOfUser, setTyping } from './people.ts';
import { seen } from './presence.ts';
import { cleanMember, entryFor, takeChat, takeContact, takeRoster, unlist } from './roster.ts';
import { sanitise, sanitiseLine } from './sanitise.ts';
import type { AccountEntry, Core, Entry } from './state.ts';
import { accountView, messageView } from './views.ts';

type EventOf<T extends AdapterEvent['type']> = Extract<AdapterEvent, { type: T }>;

/**
 * Takes one event of one account into the state and the archive and returns what the fronts are to be told. `now` is
 * the time of arrival in milliseconds since the epoch; nothing else from outside goes in, so that the same events give
 * the same state.
 * @throws ArchiveError where it could not be stored; the network must then not be told that it was.
 */
export function reduce(core: Core, account: AccountEntry, event: AdapterEvent, now: number): Change[] {
  const out: Change[] = [];
  switch (event.type) {
    case 'online':
      online(account, event, out);
      break;
    case 'roster':
      takeRoster(core, account, event.contacts, event.chats, out);
      break;
    case 'contact':
      takeContact(core, account, event.contact, out);
      break;
    case 'contact-removed':
      contactRemoved(core, account, event.user, out);
      break;
    case 'chat':
      takeChat(core, account, event.chat, event.chat.kind === 'room', out);
      break;
    case 'chat-left':
      chatLeft(core, account, event, out);
      break;
    case 'members':
      members(core, account, event, out);
      break;
    case 'member':
      member(core, account, event, out);
      break;
    case 'presence':
      seen(account, event.user, event.state, event.note, out);
      break;
    case 'message':
      takeMessage(core, account, event.message, now, out, event);
      break;
    case 'receipt':
      receipt(core, account, event, out);
      break;
    case 'bounced':
      bounced(core, account, event, out);
      break;
    case 'read-elsewhere':
      readElsewhere(core, account, event, out);
      break;
    case 'typing':
      setTyping(account, event.chat, event.user, event.active, out);
      break;
    case 'edited':
      rewritten(core, account, event, 'edited', out, (entry, by) =>
        core.store.edit(entry.key, event.id, by, sanitise(event.text)),
      );
      break;
    case 'retracted':
      rewritten(core, account, event, 'retracted', out, (entry, by) => core.store.retract(entry.key, event.id, by));
      break;
    case 'reactions':
      rewritten(core, account, event, 'reactions', out, (entry, by) =>
        core.store.react(entry.key, event.id, reactor(entry, by), event.emoji.map(sanitiseLine)),
      );
      break;
    case 'request':
      request(core, account, event, out);
      break;
    case 'notice':
      out.push({ type: 'notice', account: account.account, text: sanitise(event.text) });
      break;
    default:
      event satisfies never;
  }
  return out;
}

function online(account: AccountEntry, event: EventOf<'online'>, out: Change[]): void {
  account.self = event.self;
  account.id = sanitiseLine(event.self);
  account.name = event.name ? sanitiseLine(event.name) : account.id;
  account.mention = wordFinder([account.id, account.name]);
  out.push({ type: 'account', account: accountView(account) });
}

/** A name stands as a word where no letter, digit or underscore touches it, in any script. */
function wordFinder(names: readonly string[]): RegExp {
  const alternatives = [...new Set(names)]
    .filter((name) => name !== '')
    .map((name) => name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  return new RegExp(`(?<![\\p{L}\\p{N}_])(?:${alternatives.join('|') || '$.'})(?![\\p{L}\\p{N}_])`, 'iu');
}

function contactRemoved(core: Core, account: AccountEntry, user: UserId, out: Change[]): void {
  account.presences.delete(user);
  const entry = account.byUser.get(user);
  if (entry) unlist(core, entry, out);
}

function chatLeft(core: Core, account: AccountEntry, event: EventOf<'chat-left'>, out: Change[]): void {
  const entry = account.byChat.get(event.chat);
  if (!entry?.listed) return;
  const reason = event.reason ? sanitiseLine(event.reason) : '';
  if (reason) out.push({ type: 'notice', account: account.account, text: `left ${entry.title}: ${reason}` });
  unlist(core, entry, out);
}

function members(core: Core, account: AccountEntry, event: EventOf<'members'>, out: Change[]): void {
  const entry = entryFor(core, account, event.chat, '', out);
  entry.members = new Map(event.members.map((raw) => [raw.id, cleanMember(raw)]));
  out.push({ type: 'members', conversation: entry.key, members: [...entry.members.values()] });
}

function member(core: Core, account: AccountEntry, event: EventOf<'member'>, out: Change[]): void {
  const entry = entryFor(core, account, event.chat, '', out);
  const cleaned = cleanMember(event.member);
  entry.members ??= new Map();
  if (event.present) entry.members.set(cleaned.id, cleaned);
  else entry.members.delete(cleaned.id);
  out.push({ type: 'member', conversation: entry.key, member: cleaned, present: event.present });
}

function receipt(core: Core, account: AccountEntry, event: EventOf<'receipt'>, out: Change[]): void {
  const entry = account.byChat.get(event.chat);
  if (!entry) return;
  const rows = core.store.receipt(entry.key, event.upTo, event.state, event.single ?? false);
  for (const row of rows) changed(core, row, 'state', out);
}

function bounced(core: Core, account: AccountEntry, event: EventOf<'bounced'>, out: Change[]): void {
  const entry = account.byChat.get(event.chat);
  if (!entry) return;
  const row = core.store.bounce(entry.key, event.id, { code: event.code, message: sanitise(event.text) });
  if (row) changed(core, row, 'state', out);
}

function readElsewhere(core: Core, account: AccountEntry, event: EventOf<'read-elsewhere'>, out: Change[]): void {
  const entry = account.byChat.get(event.chat);
  const row = entry && core.store.byId(entry.key, event.upTo);
  if (row) markRead(core, entry, row.row, out);
}

/** Edits, retractions and reactions: the archive refuses what its author did not write. */
function rewritten(
  core: Core,
  account: AccountEntry,
  event: EventOf<'edited' | 'retracted' | 'reactions'>,
  what: 'edited' | 'retracted' | 'reactions',
  out: Change[],
  store: (entry: Entry, by: UserId | 'self') => Row | undefined,
): void {
  const entry = account.byChat.get(event.chat);
  const row = entry && store(entry, event.by === account.self ? 'self' : event.by);
  if (row) changed(core, row, what, out);
}

/** A reaction stands under the name that people see. */
const reactor = (entry: Entry, by: UserId | 'self'): string =>
  by === 'self' ? entry.account.name : nameOfUser(entry, by);

function changed(
  core: Core,
  row: Row,
  what: Extract<Change, { type: 'message-changed' }>['what'],
  out: Change[],
): void {
  out.push({ type: 'message-changed', message: messageView(core, row), what });
}

/** More open requests than a person could answer are a flood. */
const requestLimit = 5_000;

/** A request told again (after a reconnect) keeps its id. */
function request(core: Core, account: AccountEntry, event: EventOf<'request'>, out: Change[]): void {
  const { state } = core;
  if (state.requests.size >= requestLimit) return;
  for (const known of state.requests.values()) {
    if (known.native === event.id && known.view.account === account.account) return;
  }
  state.counter += 1;
  const view = {
    id: `r${state.counter}`,
    account: account.account,
    kind: event.kind,
    from: sanitiseLine(event.from),
    ...(event.text ? { text: sanitise(event.text) } : {}),
  };
  state.requests.set(view.id, { view, native: event.id });
  out.push({ type: 'request', request: view });
}
