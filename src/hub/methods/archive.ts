import type { Conversation, Row } from '../../archive/types.ts';
import { Fault } from '../../core/fault.ts';
import { importDone, importedChat, takeImported } from '../../core/imported.ts';
import { messageView } from '../../core/views.ts';
import type {
  Change,
  ConversationKey,
  ExportedConversation,
  ExportedMessage,
  Handlers,
  ImportedChat,
  ImportedMessage,
  Method,
} from '../../link/messages.ts';
import type { HubParts } from '../parts.ts';
import { rowNumber } from '../sending.ts';

type ArchiveMethods = Pick<Handlers, Extract<Method, `archive.${string}`>>;

/** Rows that one answer looks at, and messages that one call stores: some ten milliseconds of the hub. */
const mostRows = 500;

/** The archive as a whole, in and out. */
export function archiveMethods(parts: HubParts): ArchiveMethods {
  const { archive, core, publish } = parts;

  const conversation = (c: Conversation): ExportedConversation => ({
    account: c.account,
    network: core.state.accounts.get(c.account)?.network ?? '',
    target: `${c.account}:${c.address}`,
    chat: c.chat,
    address: c.address,
    kind: c.kind === 'room' ? 'room' : 'person',
    title: c.title,
    ...(c.topic === undefined ? {} : { topic: c.topic }),
    unread: c.unread,
  });

  const exported = (row: Row): ExportedMessage => ({
    ...messageView(core, row),
    native: {
      chat: archive.get(row.key)?.chat ?? '',
      ...(row.id === undefined ? {} : { id: row.id }),
      ...(row.nonce === undefined ? {} : { nonce: row.nonce }),
      ...(row.from === 'self' ? {} : { from: row.from }),
      ...(row.replyTo === undefined ? {} : { replyTo: row.replyTo }),
    },
  });

  return {
    'archive.conversations': async ({ account }) => ({
      conversations: archive.conversations(account).map(conversation),
    }),
    'archive.export': async ({ after, account, since, limit }) => {
      const from = since === undefined ? Number.NEGATIVE_INFINITY : timeOf(since);
      const rows = archive.since(rowNumber(after), Math.min(Math.max(Math.floor(limit), 1), mostRows));
      const wanted = rows.filter((row) => row.at >= from && (account === undefined || row.account === account));
      const last = rows.at(-1);
      return { messages: wanted.map(exported), ...(last ? { last: String(last.row) } : {}) };
    },
    'archive.import': async ({ chats, messages }) => {
      if (messages.length > mostRows) throw new Fault('usage', `at most ${mostRows} messages at a time`);
      const wrong = chats.map(wrongChat).concat(messages.map((message) => wrongMessage(message, chats.length)));
      const complaint = wrong.find((text) => text !== undefined);
      if (complaint !== undefined) throw new Fault('bad-data', complaint);
      const changes: Change[] = [];
      const keys = chats.map((chat) => importedChat(core, chat, changes));
      const touched = new Set<ConversationKey>();
      const now = parts.clock.now();
      let stored = 0;
      for (const message of messages) {
        const key = keys[message.chat];
        if (key === undefined || !takeImported(core, key, message, now)) continue;
        stored += 1;
        touched.add(key);
      }
      await archive.saved();
      importDone(core, touched, changes);
      publish(changes);
      parts.idleWork();
      return { stored, known: messages.length - stored };
    },
  };
}

function timeOf(iso: string): number {
  const at = new Date(iso).getTime();
  if (Number.isNaN(at)) throw new Fault('usage', `"${iso}" is no time`);
  return at;
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isTextOrAbsent = (value: unknown): boolean => value === undefined || typeof value === 'string';
const states = ['queued', 'sent', 'accepted', 'delivered', 'read', 'failed', 'unknown'];

function wrongChat({ account, id, address, kind, title, topic }: ImportedChat): string | undefined {
  if (!isText(account) || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/.test(account)) return 'a chat without an account';
  if (!isText(address) || address === '') return 'a chat without an address';
  if (kind !== 'person' && kind !== 'room') return 'a chat that is neither of a person nor a room';
  return [id, title, topic].every(isTextOrAbsent) ? undefined : 'a chat with a field that is no text';
}

function wrongMessage(m: ImportedMessage, chats: number): string | undefined {
  if (!Number.isInteger(m.chat) || m.chat < 0 || m.chat >= chats) return 'a message of no chat';
  if (!isText(m.text) || !isText(m.name) || !Number.isFinite(m.at)) return 'a message without text, name or time';
  if (m.id === undefined && m.nonce === undefined) return 'a message without an id';
  if (![m.id, m.nonce, m.from, m.replyTo, m.key].every(isTextOrAbsent)) return 'a message with an id that is no text';
  if (m.style !== undefined && m.style !== 'action' && m.style !== 'notice') return 'a message of an unknown style';
  if (m.state !== undefined && !states.includes(m.state)) return 'a message in an unknown state';
  if (m.error !== undefined && !isText(m.error?.code)) return 'a message with an error that is none';
  if (m.files !== undefined && !m.files.every((file) => isText(file?.id) && isText(file.name)))
    return 'a file without a name';
  const people = Object.values(m.reactions ?? {});
  return people.every((who) => Array.isArray(who) && who.every(isText)) ? undefined : 'reactions of nobody';
}
