import type { ChatId, MessageId, Nonce, Page } from '../contract.ts';
import { AdapterError } from '../errors.ts';
import type { Disco } from './disco.ts';
import { type Reading, readMessage } from './inbound.ts';
import { bare, resource } from './jid.ts';
import type { Mam, MamPage } from './mam.ts';
import { directPlace, roomPlace } from './place.ts';
import type { Room } from './room.ts';
import type { Rooms } from './rooms.ts';
import type { Roster } from './roster.ts';
import type { Place, Timeline } from './timeline.ts';
import { messageId, type Wire } from './wire.ts';
import { NS } from './xml.ts';

/** The server's memory of one chat (XEP-0313). */
export interface Archives {
  page(chat: ChatId, before: string | undefined): Promise<Page>;
  /** An own message by its origin id; undefined: the archive does not have it. */
  find(chat: ChatId, nonce: Nonce): Promise<MessageId | undefined>;
}

interface Entry {
  readonly reading: Reading;
  readonly place: Place;
}

const pageSize = 50;
const lookupPages = 5;

export interface ArchiveNeeds {
  readonly mam: Mam;
  readonly disco: Disco;
  readonly roster: Roster;
  readonly rooms: () => Rooms;
  readonly timeline: Timeline;
}

export function archives(wire: Wire, { mam, disco, roster, rooms, timeline }: ArchiveNeeds): Archives {
  const ask = async (chat: ChatId, room: Room | undefined, before: string | undefined): Promise<MamPage> => {
    const info = room ? room.info : await disco.info(wire.self);
    if (!info?.features.has(NS.mam)) {
      throw new AdapterError('unsupported', `${room ? room.jid : wire.domain} keeps no archive of messages`);
    }
    const page = { before: before ?? '', max: pageSize };
    return await mam.page(room?.jid, room ? page : { ...page, with: chat });
  };

  const entries = (chat: ChatId, room: Room | undefined, { found }: MamPage): Entry[] =>
    found.flatMap(({ id, stamp, message }) => {
      const reading = readMessage(message);
      reading.stamp = stamp ?? reading.stamp;
      if (reading.type === 'error' || reading.carbon || reading.archived) return [];
      const place = room ? roomEntry(room, reading) : directEntry(chat, reading);
      return place ? [{ reading, place: { ...place, live: false, archived: id } }] : [];
    });
  const roomEntry = (room: Room, reading: Reading): Place | undefined =>
    bare(reading.from) === room.jid ? roomPlace({ ...room, live: false }, reading, resource(reading.from)) : undefined;
  const directEntry = (chat: ChatId, reading: Reading): Place | undefined => {
    const own = bare(reading.from) === wire.self;
    const peer = own ? reading.to || wire.self : reading.from;
    // A query with a bare JID brings what was said in private in a room as well; that has a chat of its own.
    const belongs = chat.includes('/') ? peer === chat : bare(peer) === chat && !reading.mucUser;
    return belongs ? directPlace(wire, chat, own, roster.item(chat)?.name) : undefined;
  };

  return {
    async page(chat, before) {
      const room = rooms().get(chat);
      const page = await ask(chat, room, before);
      const messages = timeline.page(entries(chat, room, page));
      return page.complete || page.first === undefined || page.found.length === 0
        ? { messages }
        : { messages, before: page.first };
    },
    async find(chat, nonce) {
      const recovered = wire.stream.recovered.get(nonce);
      if (recovered !== undefined) return recovered ? messageId(nonce) : undefined;
      const room = rooms().get(chat);
      let before: string | undefined;
      for (let at = 0; at < lookupPages; at++) {
        const page = await ask(chat, room, before);
        const found = entries(chat, room, page).find(
          ({ reading, place }) => place.by === 'self' && (reading.originId ?? reading.id) === nonce,
        );
        if (found) return timeline.page([found])[0]?.id;
        before = page.complete ? undefined : page.first;
        if (before === undefined) return undefined;
      }
      throw new AdapterError('unsupported', 'the message is too far back in the archive to be looked for');
    },
  };
}
