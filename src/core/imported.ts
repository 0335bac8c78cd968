import type { Chat, ChatId, FileId, MessageId, Nonce, UserId } from '../../adapters/contract.ts';
import type { Imported, StoredError } from '../archive/types.ts';
import type { Change, ConversationKey, ImportedChat, ImportedMessage } from '../link/messages.ts';
import { cleanFile, timeOf } from './incoming.ts';
import { cleanChat, takeChat } from './roster.ts';
import { sanitise, sanitiseLine } from './sanitise.ts';
import type { AccountEntry, Core } from './state.ts';
import { unreadOf } from './views.ts';

/** The conversation of a chat from elsewhere: the one that is known by its id or address, or a new one. */
export function importedChat(core: Core, given: ImportedChat, out: Change[]): ConversationKey {
  const account = core.state.accounts.get(given.account);
  const known = account && knownChat(account, given);
  if (known) return known;
  const chat: Chat = {
    id: (given.id ?? given.address.toLowerCase()) as ChatId,
    kind: given.kind === 'room' ? 'room' : 'direct',
    address: given.address,
    title: given.title ?? given.address,
    ...(given.topic === undefined ? {} : { topic: given.topic }),
  };
  if (account) return takeChat(core, account, chat, false, out).key;
  return (core.store.find(given.account, chat.id) ?? core.store.conversation(given.account, cleanChat(chat))).key;
}

function knownChat(account: AccountEntry, { id, address }: ImportedChat): ConversationKey | undefined {
  if (id !== undefined) return account.byChat.get(id as ChatId)?.key;
  const exact = account.byAddress.get(address) ?? account.byChat.get(address.toLowerCase() as ChatId);
  if (exact) return exact.key;
  const small = address.toLowerCase();
  for (const [known, entry] of account.byAddress) if (known.toLowerCase() === small) return entry.key;
  return undefined;
}

/** Stores a message from elsewhere, cleaned, as a read one; false where it was stored already. */
export function takeImported(core: Core, key: ConversationKey, message: ImportedMessage, now: number): boolean {
  return core.store.import(cleaned(key, message, now));
}

/** Tells the fronts of conversations to which something was added: when something was last said there may be news. */
export function importDone(core: Core, keys: Iterable<ConversationKey>, out: Change[]): void {
  for (const key of keys) {
    const entry = core.state.entries.get(key);
    if (!entry) continue;
    entry.last = Math.max(entry.last, core.store.get(key)?.last ?? 0);
    out.push(unreadOf(entry));
  }
}

function cleaned(key: ConversationKey, m: ImportedMessage, now: number): Imported {
  return {
    key,
    from: m.from === undefined ? 'self' : (m.from as UserId),
    fromName: sanitiseLine(m.name),
    at: timeOf(new Date(m.at), now),
    text: sanitise(m.text),
    mention: m.mention ?? false,
    edited: m.edited ?? false,
    retracted: m.retracted ?? false,
    ...(m.id === undefined ? {} : { id: m.id as MessageId }),
    ...(m.nonce === undefined ? {} : { nonce: m.nonce as Nonce }),
    ...(m.style ? { style: m.style } : {}),
    ...(m.replyTo === undefined ? {} : { replyTo: m.replyTo as MessageId }),
    ...(m.files ? { files: m.files.map((file) => cleanFile({ ...file, id: file.id as FileId })) } : {}),
    ...(m.reactions ? { reactions: cleanReactions(m.reactions) } : {}),
    ...(m.key === undefined ? {} : { scriptKey: m.key }),
    ...outcome(m),
  };
}

/** What had not gone out when it was exported must not go out now: nobody knows any longer whether it did. */
function outcome({ state, error }: ImportedMessage): Pick<Imported, 'state' | 'error'> {
  const told: Pick<Imported, 'error'> = error === undefined ? {} : { error: asStored(error) };
  if (state === undefined) return told;
  if (state !== 'queued' && state !== 'sent') return { state, ...told };
  const text = `it was ${state === 'queued' ? 'waiting' : 'on its way'} when it was exported`;
  return { state: 'unknown', error: { code: 'refused', message: text, certain: false } };
}

function asStored({ code, message, retryAfter, certain }: NonNullable<ImportedMessage['error']>): StoredError {
  return {
    code: isStoredCode(code) ? code : 'protocol',
    message: sanitise(message),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(certain === undefined ? {} : { certain }),
  };
}

const storedCodes: readonly string[] = [
  'auth',
  'unreachable',
  'host-unknown',
  'rate-limited',
  'refused',
  'not-found',
  'bad-data',
  'too-long',
  'unsupported',
  'protocol',
];
const isStoredCode = (code: string): code is StoredError['code'] => storedCodes.includes(code);

function cleanReactions(reactions: NonNullable<ImportedMessage['reactions']>): Record<string, readonly string[]> {
  const clean = Object.entries(reactions).map(([emoji, people]) => [sanitiseLine(emoji), people.map(sanitiseLine)]);
  return Object.fromEntries(clean) as Record<string, readonly string[]>;
}
