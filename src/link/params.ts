import type { Method } from './messages.ts';

/**
 * What each method's params must look like on the wire, before a handler sees them. `?` marks what may be left out; what
 * is not named here is let through, so that a newer front may say more.
 */
type Kind = 'string' | 'number' | 'boolean' | 'strings' | 'record' | 'records';
type Shape = Readonly<Record<string, Kind | `${Kind}?`>>;

const conversation: Shape = { conversation: 'string' };
const account: Shape = { account: 'string' };
const message: Shape = { message: 'string' };
const nothing: Shape = {};

const shapes: { readonly [M in Method]: Shape } = {
  hello: { version: 'number', front: 'string', cookie: 'string' },
  subscribe: { only: 'strings?', snapshot: 'boolean?' },
  'messages.page': { ...conversation, before: 'string?', limit: 'number' },
  'messages.since': { after: 'string', limit: 'number' },
  'history.fill': conversation,
  search: { query: 'string', account: 'string?', limit: 'number' },
  'archive.conversations': { account: 'string?' },
  'archive.export': { after: 'string', account: 'string?', since: 'string?', limit: 'number' },
  'archive.import': { chats: 'records', messages: 'records' },
  contacts: { account: 'string?' },
  resolve: { target: 'string', timeout: 'number?' },
  look: { target: 'string', timeout: 'number?' },
  send: {
    target: 'string?',
    conversation: 'string?',
    text: 'string',
    key: 'string?',
    wait: 'string',
    timeout: 'number',
    replyTo: 'string?',
    split: 'boolean?',
  },
  'files.send': {
    target: 'string?',
    conversation: 'string?',
    path: 'string',
    key: 'string?',
    wait: 'string',
    timeout: 'number',
  },
  receipt: { messages: 'strings', wait: 'string', timeout: 'number' },
  'files.save': { ...message, file: 'string', folder: 'string' },
  'outbox.list': nothing,
  'outbox.retry': message,
  'outbox.discard': message,
  'outbox.edit': { ...message, text: 'string' },
  edit: { ...message, text: 'string' },
  retract: message,
  react: { ...message, emoji: 'strings' },
  typing: { ...conversation, active: 'boolean' },
  read: { ...conversation, upTo: 'string' },
  networks: nothing,
  'accounts.list': nothing,
  'accounts.show': account,
  'accounts.add': { network: 'string', name: 'string', settings: 'record', secrets: 'record', enabled: 'boolean?' },
  'accounts.set': { ...account, settings: 'record', secrets: 'record' },
  'accounts.remove': account,
  'accounts.enable': { ...account, enabled: 'boolean' },
  'accounts.retry': account,
  'accounts.check': account,
  'presence.set': { account: 'string?', presence: 'string', note: 'string?' },
  'contacts.add': { ...account, address: 'string' },
  'contacts.remove': conversation,
  'contacts.rename': { ...conversation, name: 'string' },
  'contacts.group': { ...conversation, groups: 'strings' },
  'contacts.block': { ...conversation, blocked: 'boolean' },
  'requests.answer': { id: 'string', accept: 'boolean' },
  'prompts.answer': { id: 'string', text: 'string' },
  'rooms.join': { ...account, address: 'string', nick: 'string?', password: 'string?' },
  'rooms.leave': conversation,
  'rooms.topic': { ...conversation, text: 'string' },
  'rooms.invite': { ...conversation, address: 'string' },
  'rooms.members': conversation,
  profile: conversation,
  'hub.status': nothing,
  'hub.keep': { keep: 'boolean' },
  'hub.stop': nothing,
};

export const isMethod = (name: string): name is Method => Object.hasOwn(shapes, name);

export const methods = Object.keys(shapes).filter(isMethod);

/** What is wrong with the params of a call, in words; undefined where nothing is. */
export function wrongParams(method: Method, params: unknown): string | undefined {
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return `${method}: params are no object`;
  for (const [name, kind] of Object.entries(shapes[method])) {
    const value: unknown = Object.hasOwn(params, name) ? Reflect.get(params, name) : undefined;
    if (value === undefined && kind.endsWith('?')) continue;
    const bare = kind.replace('?', '');
    if (!isKind(value, bare)) return `${method}: "${name}" is no ${bare}`;
  }
  const aimed = Object.hasOwn(params, 'target') || Object.hasOwn(params, 'conversation');
  if ((method === 'send' || method === 'files.send') && !aimed) return `${method}: neither "target" nor "conversation"`;
  return undefined;
}

const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

function isKind(value: unknown, kind: string): boolean {
  switch (kind) {
    case 'strings':
      return Array.isArray(value) && value.every((each) => typeof each === 'string');
    case 'record':
      return isRecord(value);
    case 'records':
      return Array.isArray(value) && value.every(isRecord);
    case 'number':
      return Number.isFinite(value);
    default:
      return typeof value === kind;
  }
}
