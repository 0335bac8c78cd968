import type { ChatId, Member, UserId } from '../contract.ts';
import type { Place } from './ids.ts';

/** What messages of this connection showed in passing and no call of the Bot API would tell. Bounded. */
export interface Seen {
  /** True where that member had not been seen with that name. */
  member(chat: ChatId, member: Member): boolean;
  gone(chat: ChatId, user: UserId): void;
  members(chat: ChatId): readonly Member[];
  message(place: Place, id: number): void;
  /** The topic of a message. */
  threadOf(chat: number, id: number): number | undefined;
}

const MOST_MEMBERS = 1_000;
const MOST_MESSAGES = 5_000;

export function seenMembers(): Seen {
  const rooms = new Map<ChatId, Map<UserId, Member>>();
  const threads = new Map<string, number>();
  return {
    member(chat, member) {
      const room = rooms.get(chat) ?? new Map<UserId, Member>();
      rooms.set(chat, room);
      if (room.get(member.id)?.name === member.name) return false;
      room.set(member.id, member);
      drop(room, MOST_MEMBERS);
      return true;
    },
    gone: (chat, user) => void rooms.get(chat)?.delete(user),
    members: (chat) => [...(rooms.get(chat)?.values() ?? [])],
    message({ chat, thread }, id) {
      if (thread === undefined) return;
      threads.set(`${chat}/${id}`, thread);
      drop(threads, MOST_MESSAGES);
    },
    threadOf: (chat, id) => threads.get(`${chat}/${id}`),
  };
}

/** Maps keep the order of insertion: the oldest goes. */
function drop<K>(map: Map<K, unknown>, most: number): void {
  if (map.size <= most) return;
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
