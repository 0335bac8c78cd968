import type { Entry, Log, LoggedChat } from './log.ts';

type Json = Readonly<Record<string, unknown>>;

/** Telegram Desktop's `result.json` (https://core.telegram.org/import-export): of one chat, or of the whole account. */
export async function* telegram(log: Log): AsyncIterable<Entry> {
  const pieces: string[] = [];
  for await (const line of log.lines()) pieces.push(line);
  const whole = record(JSON.parse(pieces.join('\n')));
  const chats = list(record(whole.chats).list).concat(list(record(whole.left_chats).list));
  const own = record(whole.personal_information).user_id;
  const me = own === undefined ? undefined : `user${String(own)}`;
  const all = (chats.length > 0 ? chats : [whole]).map(record);
  const messages = all.flatMap((chat) => list(chat.messages).map((message) => ({ chat, message: record(message) })));
  messages.sort((a, b) => timeOf(a.message) - timeOf(b.message));
  for (const [n, { chat, message }] of messages.entries()) yield entryOf(chat, message, me, log.me, n + 1);
}

export const isTelegram = (text: string): boolean =>
  /^\s*\{/.test(text) && /"(personal_information|messages|chats)"\s*:/.test(text) && !/^\{"v":/.test(text);

function entryOf(chat: Json, m: Json, me: string | undefined, nicks: ReadonlySet<string>, line: number): Entry {
  if (m.type === 'service') return { kind: 'event' };
  const place = chatOf(chat);
  const at = timeOf(m);
  if (m.type !== 'message' || Number.isNaN(at) || place === undefined || m.id === undefined)
    return { kind: 'odd', line, text: JSON.stringify(m) };
  const from = asText(m.from_id);
  const name = asText(m.from) || 'deleted account';
  const person = chat.type === 'personal_chat' && me === undefined;
  const self = from === me || nicks.has(name.toLowerCase()) || (person && from !== `user${String(chat.id)}`);
  const files = filesOf(m);
  const reactions = reactionsOf(m);
  const answered = m.reply_to_message_id === undefined ? {} : { replyTo: place.id(m.reply_to_message_id) };
  return {
    kind: 'message',
    chat: place.chat,
    message: {
      id: place.id(m.id),
      name: self ? '' : name,
      at,
      text: textOf(m.text),
      ...(self ? {} : { from: from.replace(/^(user|channel)/, '') || 'unknown' }),
      ...(m.edited === undefined ? {} : { edited: true }),
      ...(files.length > 0 ? { files } : {}),
      ...(reactions ? { reactions } : {}),
      ...answered,
    },
  };
}

/** As the Bot API numbers chats. Only in supergroups and channels do all see a message under the same number. */
function chatOf(chat: Json): { readonly chat: LoggedChat; readonly id: (id: unknown) => string } | undefined {
  if (typeof chat.id !== 'number') return undefined;
  const type = asText(chat.type);
  const shared = /supergroup|channel/.test(type);
  const room = shared || type.endsWith('group');
  const id = shared ? `-100${chat.id}` : room ? `-${chat.id}` : String(chat.id);
  const title = asText(chat.name) || (type === 'saved_messages' ? 'Saved Messages' : id);
  return {
    chat: { id, address: id, kind: room ? 'room' : 'person', title },
    id: (message) => (shared ? String(message) : `log:${String(message)}`),
  };
}

function timeOf(m: Json): number {
  if (/^\d+$/.test(asText(m.date_unixtime))) return Number(m.date_unixtime) * 1000;
  return new Date(asText(m.date)).getTime();
}

/** A text is a string, or a list of strings and of objects that have one. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return list(value)
    .map((part) => (typeof part === 'string' ? part : asText(record(part).text)))
    .join('');
}

function filesOf(m: Json): { readonly id: string; readonly name: string; readonly mime?: string }[] {
  const path = asText(m.file) || asText(m.photo);
  if (path === '') return [];
  const name =
    asText(m.file_name) || (path.startsWith('(') ? asText(m.media_type) || 'file' : (path.split('/').at(-1) ?? path));
  const mime = asText(m.mime_type);
  return [{ id: `log:${path}`, name, ...(mime ? { mime } : {}) }];
}

function reactionsOf(m: Json): Record<string, readonly string[]> | undefined {
  const found = list(m.reactions).map(record);
  if (found.length === 0) return undefined;
  const who = (one: Json): string[] => list(one.recent).map((person) => asText(record(person).from) || 'someone');
  const counted = (one: Json): string[] =>
    Array.from({ length: Math.min(Number(one.count) || 0, 20) }, () => 'someone');
  const named = found.map((one) => [asText(one.emoji) || '★', who(one).length > 0 ? who(one) : counted(one)] as const);
  return Object.fromEntries(named);
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : '');
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const record = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
