import type { ChatId, Member } from '../contract.ts';
import type { Talk } from './talk.ts';

export interface RoomMember {
  nick: string;
  /** Mode letters of the channel, such as `o` and `v`. */
  readonly modes: Set<string>;
}

export interface Room {
  readonly id: ChatId;
  name: string;
  topic: string;
  /** By folded nick. */
  readonly members: Map<string, RoomMember>;
}

/** A member as the contract has it; the highest of their modes is their role. */
export function memberOf({ nick, modes }: RoomMember, talk: Talk): Member {
  const role = modes.has('q')
    ? 'owner'
    : modes.has('a')
      ? 'admin'
      : modes.has('o') || modes.has('h')
        ? 'moderator'
        : 'member';
  return { id: talk.people.id(nick), name: nick, role };
}
