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
}

/** The last messages of all chats by each of their ids: at least `most` ids, the oldest are forgotten. */
export interface Recent {
  /** Also under those aliases which are not empty. */
  add(chat: ChatId, message: Known, wire: string, archived: string): void;
  find(chat: ChatId, reference: string): Known | undefined;
}

export function recentMessages(most: number): Recent {
  // Two generations: forgetting is dropping the older one, so no message pays for it.
  let young = new Map<string, Known>();
  let old = new Map<string, Known>();
  const get = (key: string): Known | undefined => young.get(key) ?? old.get(key);
  const put = (key: string, message: Known): void => {
    if (young.size >= most) {
      old = young;
      young = new Map();
    }
    young.set(key, message);
  };
  return {
    add(chat, message, wire, archived) {
      const { id } = message;
      // Who came first keeps a sender's id; whoever takes it again is known by the archive's only.
      if (wire && wire !== id && !get(`${chat}\n${wire}`)) put(`${chat}\n${wire}`, message);
      if (archived && archived !== id) put(`${chat}\n${archived}`, message);
      put(`${chat}\n${id}`, message);
    },
    find: (chat, reference) => get(`${chat}\n${reference}`),
  };
}
