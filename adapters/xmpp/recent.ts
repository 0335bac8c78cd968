import type { ChatId, MessageId } from '../contract.ts';

/** What later stanzas need to know of a message: how others refer to it, who wrote it, what it said. */
export interface Known {
  readonly id: MessageId;
  /** The `id` attribute, by which corrections refer to it. */
  readonly wire: string;
  /** The id that the archive gave it, if any. */
  readonly archived: string;
  readonly from: string;
  /** Who may change it. */
  readonly author: string;
  readonly text: string;
  readonly markable: boolean;
  readonly room: boolean;
}

/** The last messages of all chats by each of their ids: at least `most` messages, the oldest are forgotten. */
export interface Recent {
  /** Also under those aliases which are not empty. */
  add(chat: ChatId, message: Known, wire: string, archived: string): void;
  find(chat: ChatId, reference: string): Known | undefined;
}

export function recentMessages(most: number): Recent {
  // Two generations: forgetting is dropping the older one, so no message pays for it.
  let young = new Map<ChatId, Map<string, Known>>();
  let old = young;
  let count = 0;
  const get = (chat: ChatId, key: string): Known | undefined => young.get(chat)?.get(key) ?? old.get(chat)?.get(key);
  const room = (chat: ChatId): Map<string, Known> => {
    if (count >= most) {
      old = young;
      young = new Map();
      count = 0;
    }
    const found = young.get(chat) ?? new Map<string, Known>();
    young.set(chat, found);
    return found;
  };
  return {
    add(chat, message, wire, archived) {
      const { id } = message;
      const messages = room(chat);
      // Who came first keeps a sender's id; whoever takes it again is known by the archive's only.
      if (wire && wire !== id && !get(chat, wire)) messages.set(wire, message);
      if (archived && archived !== id) messages.set(archived, message);
      messages.set(id, message);
      count++;
    },
    find: get,
  };
}
