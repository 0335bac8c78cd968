import type { ChatId } from '../contract.ts';
import type { Reading } from './inbound.ts';
import { resource } from './jid.ts';
import type { Room } from './room.ts';
import type { Place } from './timeline.ts';
import { chatId, userId, type Wire } from './wire.ts';
import { NS } from './xml.ts';

/** Where a message between two people belongs. */
export function directPlace(wire: Wire, chat: ChatId, own: boolean, name: string | undefined): Place {
  const inRoom = chat.includes('/');
  return {
    chat,
    by: own ? 'self' : userId(chat),
    name: own ? undefined : inRoom ? resource(chat) : name || undefined,
    author: own ? wire.self : chat,
    room: false,
    live: true,
    archive: wire.self,
  };
}

/** Where a message said in a room belongs, and who said it. */
export function roomPlace(room: Room, reading: Reading, name: string): Place {
  // Without the feature anybody could write such an id into a message (XEP-0421 section 5).
  const stable = room.info?.features.has(NS.occupant) ? reading.occupant : undefined;
  const here = room.occupants.get(name);
  const past = !room.live && reading.stamp !== undefined;
  const author = stable ?? (past ? `${name}#past` : here?.stay) ?? name;
  // Of the past, our name may have been somebody else's: where the room can tell, it decides.
  const self = name === room.nick && name !== '' && (!past || stable === undefined || stable === here?.stable);
  return {
    chat: chatId(room.jid),
    by: self ? 'self' : userId(reading.from),
    name: name || undefined,
    author,
    room: true,
    live: !past,
    ...(past && room.fresh ? { seen: true } : undefined),
    archive: room.info?.features.has(NS.sid) ? room.jid : '',
  };
}
