import type { ImportedMessage } from '../../link/messages.ts';
import type { Entry, Log } from './log.ts';

type Json = Readonly<Record<string, unknown>>;

export const isImux = (line: string): boolean => /^\{"v":\d+,"type":"/.test(line);

/** What `imux export` wrote. */
export async function* imux(log: Log): AsyncIterable<Entry> {
  let number = 0;
  for await (const line of log.lines()) {
    number += 1;
    if (line.trim() === '') continue;
    yield entryOf(line) ?? { kind: 'odd', line: number, text: line };
  }
}

function entryOf(line: string): Entry | undefined {
  const value = parsed(line);
  if (value?.v !== 1) return undefined;
  switch (value.type) {
    case 'export':
      return { kind: 'event' };
    case 'account':
      return accountIn(value);
    case 'conversation':
      return chatIn(value, text(value.chat), text(value.address));
    case 'message':
      return messageIn(value);
    default:
      return undefined;
  }
}

function accountIn(value: Json): Entry | undefined {
  const [account, network] = [text(value.account), text(value.network)];
  if (account === undefined || network === undefined) return undefined;
  const settings = Object.entries(record(value.settings)).filter(
    (pair): pair is [string, string] => typeof pair[1] === 'string',
  );
  const secrets = Object.keys(record(value.secrets));
  return { kind: 'account', account: { account, network, settings: Object.fromEntries(settings), secrets } };
}

function chatIn(
  value: Json,
  id: string | undefined,
  address: string | undefined,
): Extract<Entry, { kind: 'chat' }> | undefined {
  const account = text(value.account);
  if (account === undefined || address === undefined || id === undefined) return undefined;
  const [title, topic] = [text(value.title), text(value.topic)];
  const about = { ...(title === undefined ? {} : { title }), ...(topic === undefined ? {} : { topic }) };
  return { kind: 'chat', chat: { account, id, address, kind: value.kind === 'room' ? 'room' : 'person', ...about } };
}

/** Fields that the archive takes as they stand; the hub checks them. */
const SAME = ['style', 'state', 'edited', 'retracted', 'mention', 'reactions', 'key', 'files', 'error'] as const;

function messageIn(value: Json): Entry | undefined {
  const native = record(value.native);
  const place = chatIn(value, text(native.chat), text(value.target)?.slice((text(value.account)?.length ?? 0) + 1));
  const at = new Date(text(value.at) ?? '').getTime();
  const said = text(value.text);
  if (!place || Number.isNaN(at) || said === undefined) return undefined;
  const [id, nonce, from, replyTo] = [native.id, native.nonce, native.from, native.replyTo].map(text);
  if (id === undefined && nonce === undefined) return undefined;
  // The hub checks them when they come there.
  const same = Object.fromEntries(SAME.flatMap((key) => (value[key] === undefined ? [] : [[key, value[key]]])));
  const message: Omit<ImportedMessage, 'chat'> = {
    ...(same as Partial<ImportedMessage>),
    text: said,
    ...(id === undefined ? {} : { id }),
    ...(nonce === undefined ? {} : { nonce }),
    ...(from === undefined ? {} : { from }),
    ...(replyTo === undefined ? {} : { replyTo }),
    name: text(record(value.from).name) ?? '',
    at,
  };
  return { kind: 'message', chat: place.chat, message };
}

function parsed(line: string): Json | undefined {
  try {
    return record(JSON.parse(line));
  } catch {
    return undefined;
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const record = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
