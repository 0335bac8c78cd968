import type { ChatId, FileId, Member, MessageId, SendOptions, Upload } from '../contract.ts';
import { AdapterError } from '../errors.ts';
import { nameOf } from './content.ts';
import { messageId, messageNumber, type Place, placeOf, userId } from './ids.ts';
import { roleOf } from './inbound.ts';
import type { BotApi } from './transport/client.ts';
import { migration } from './transport/faults.ts';
import { list, object, text, whole } from './transport/json.ts';
import type { Lanes } from './transport/lanes.ts';

/** UTF-16 units of one message. */
export const TEXT_CHARS = 4096;
/** What api.telegram.org takes and gives; a server of one's own does 2,000 MB both ways. */
export const CLOUD_FILES = { send: 50 * 1024 * 1024, read: 20 * 1024 * 1024 };
export const OWN_FILES = { send: 2000 * 1024 * 1024, read: 2000 * 1024 * 1024 };

export interface Outbound {
  send(chat: ChatId, words: string, options?: SendOptions): Promise<MessageId>;
  edit(chat: ChatId, id: MessageId, words: string): Promise<void>;
  retract(chat: ChatId, id: MessageId): Promise<void>;
  react(chat: ChatId, id: MessageId, emoji: readonly string[]): Promise<void>;
  typing(chat: ChatId): Promise<void>;
  sendFile(chat: ChatId, file: Upload, options?: SendOptions): Promise<MessageId>;
  readFile(id: FileId): AsyncIterable<Uint8Array>;
  admins(chat: ChatId): Promise<readonly Member[]>;
  leave(chat: ChatId): Promise<void>;
  describe(chat: ChatId, words: string): Promise<void>;
}

export function outbound(api: BotApi, lanes: Lanes, files: typeof CLOUD_FILES): Outbound {
  /** In the lane of the chat; a group that has become a supergroup is written to where it went. */
  const inLane = <T>(id: ChatId, call: (place: Place) => Promise<T>, signal?: AbortSignal): Promise<T> => {
    const place = placeOf(id);
    const moving = async (): Promise<T> => {
      try {
        return await call(place);
      } catch (error) {
        const moved = migration(error);
        if (moved === undefined) throw error;
        return await call({ ...place, chat: moved });
      }
    };
    return lanes.run(id, moving, signal);
  };

  return {
    async send(chat, words, { replyTo, signal } = {}) {
      const payload = (place: Place) => ({ ...target(place), ...reply(replyTo), text: checked(words) });
      // No parse_mode: whatever stands in the text is text.
      return await inLane(
        chat,
        async (place) => idOf(await api.invoke('sendMessage', payload(place), { signal })),
        signal,
      );
    },
    async edit(chat, id, words) {
      const call = (place: Place) => ({ ...subject(place), message_id: messageNumber(id), text: checked(words) });
      await inLane(chat, (place) => api.invoke('editMessageText', call(place))).catch(unlessSame);
    },
    async retract(chat, id) {
      const number = messageNumber(id);
      await inLane(chat, (place) =>
        place.business === undefined
          ? api.deleteMessage(place.chat, number)
          : api.call('deleteBusinessMessages', { business_connection_id: place.business, message_ids: [number] }),
      );
    },
    async react(chat, id, emoji) {
      if (placeOf(chat).business !== undefined)
        throw new AdapterError('unsupported', 'a bot cannot react in the chats of the account that it is linked to');
      const reaction = emoji.map((one) => ({ type: 'emoji', emoji: one }));
      // telegraf's type lists the emoji of one day; the server knows which it takes.
      await inLane(chat, (place) =>
        api.call('setMessageReaction', { chat_id: place.chat, message_id: messageNumber(id), reaction }),
      );
    },
    async typing(chat) {
      await api.call('sendChatAction', { ...target(placeOf(chat)), action: 'typing' });
    },
    async sendFile(chat, file, { replyTo, signal } = {}) {
      if (file.bytes > files.send)
        throw new AdapterError('too-long', `Telegram takes files of up to ${mega(files.send)} from a bot`);
      const fields = (place: Place) => asFields({ ...target(place), ...reply(replyTo) });
      return await inLane(
        chat,
        async (place) => idOf(await api.upload('sendDocument', fields(place), 'document', file, { signal })),
        signal,
      );
    },
    readFile: (id) => readFile(api, id, files.read),
    async admins(chat) {
      return (await list(await api.getChatAdministrators(placeOf(chat).chat))).flatMap(memberOf);
    },
    async leave(chat) {
      await inLane(chat, ({ chat: id }) => api.leaveChat(id));
    },
    async describe(chat, words) {
      await inLane(chat, ({ chat: id }) => api.setChatDescription(id, words));
    },
  };
}

function target(place: Place) {
  return { ...subject(place), ...(place.thread === undefined ? {} : { message_thread_id: place.thread }) };
}

function subject({ chat, business }: Place) {
  return { chat_id: chat, ...(business === undefined ? {} : { business_connection_id: business }) };
}

/** Where the message answered is gone, the answer still goes out. */
function reply(to: MessageId | undefined) {
  if (to === undefined) return {};
  return { reply_parameters: { message_id: messageNumber(to), allow_sending_without_reply: true } };
}

function asFields(payload: Readonly<Record<string, unknown>>): Record<string, string> {
  const text = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));
  return Object.fromEntries(Object.entries(payload).map(([key, value]) => [key, text(value)]));
}

function checked(words: string): string {
  if (words.length > TEXT_CHARS)
    throw new AdapterError('too-long', `Telegram takes ${TEXT_CHARS} characters; this has ${words.length}`);
  if (words.trim() === '') throw new AdapterError('refused', 'Telegram takes no empty message');
  return words;
}

function idOf(sent: unknown): MessageId {
  const id = whole(object(sent)?.message_id);
  if (id === undefined)
    throw new AdapterError('protocol', 'Telegram took the message but gave no id', { certain: false });
  return messageId(id);
}

function unlessSame(error: unknown): void {
  if (!(error instanceof AdapterError && /message is not modified/i.test(error.message))) throw error;
}

function memberOf(raw: unknown): readonly Member[] {
  const member = object(raw);
  const user = object(member?.user);
  const id = whole(user?.id);
  return user && id !== undefined ? [{ id: userId(id), name: nameOf(user), role: roleOf(member?.status) }] : [];
}

async function* readFile(api: BotApi, id: FileId, most: number): AsyncIterable<Uint8Array> {
  const file = object(await api.getFile(id));
  const tooLong = new AdapterError('too-long', `Telegram gives a bot files of up to ${mega(most)}`);
  if ((whole(file?.file_size) ?? 0) > most) throw tooLong;
  let bytes = 0;
  for await (const chunk of api.download(checkedPath(text(file?.file_path)))) {
    bytes += chunk.byteLength;
    if (bytes > most) throw tooLong;
    yield chunk;
  }
}

/** The path goes into an address that carries the token, so it may lead nowhere but below the bot's own files. */
function checkedPath(path: string | undefined): string {
  const parts = path?.split('/') ?? [''];
  const plain = parts.every((part) => part !== '' && part !== '.' && part !== '..' && /^[\w. ()@+=,~-]+$/u.test(part));
  if (path === undefined || !plain || path.length > 1024)
    throw new AdapterError('protocol', 'Telegram names a file by a path that leads elsewhere; it is not fetched');
  return path;
}

function mega(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MB`;
}
