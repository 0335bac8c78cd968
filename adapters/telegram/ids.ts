import type { ChatId, FileId, MessageId, UserId } from '../contract.ts';
import { AdapterError } from '../errors.ts';

/** Where a message belongs: a chat, a topic of a forum in it, or a chat that a person shared with the bot. */
export interface Place {
  readonly chat: number;
  readonly thread?: number;
  /** The business connection through which the bot acts for a person. */
  readonly business?: string;
}

/** `-1001234`, `-1001234/7` (topic), `b:CONNECTION/42` (chat of a person's own account). */
export function chatId({ chat, thread, business }: Place): ChatId {
  return `${prefix(business)}${chat}${thread === undefined ? '' : `/${thread}`}` as ChatId;
}

export function placeOf(id: ChatId): Place {
  const parts = /^(?:b:([^/]+)\/)?(-?\d{1,16})(?:\/(\d{1,16}))?$/.exec(id);
  if (!parts) throw new AdapterError('not-found', 'that is no chat of this account');
  const [, business, chat, thread] = parts;
  return {
    chat: Number(chat),
    ...(thread === undefined ? {} : { thread: Number(thread) }),
    ...(business === undefined ? {} : { business: decodeURIComponent(business) }),
  };
}

/** The same person is someone else seen through a business connection: what is written there goes out as its owner. */
export function userId(user: number, business?: string): UserId {
  return `${prefix(business)}${user}` as UserId;
}

export function messageId(id: number): MessageId {
  return String(id) as MessageId;
}

export function messageNumber(id: MessageId): number {
  if (!/^\d{1,16}$/.test(id)) throw new AdapterError('not-found', 'that is no message of this account');
  return Number(id);
}

export function fileId(id: string): FileId {
  return id as FileId;
}

function prefix(business: string | undefined): string {
  return business === undefined ? '' : `b:${encodeURIComponent(business)}/`;
}
