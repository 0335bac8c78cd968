import { type Element, xml } from '@xmpp/xml';
import type { ChatId, MessageId, Nonce, Page } from '../contract.ts';
import { AdapterError } from '../errors.ts';
import type { Disco } from './disco.ts';
import { type Reading, readForwarded, readMessage } from './inbound.ts';
import { bare, resource } from './jid.ts';
import { directPlace, roomPlace } from './place.ts';
import type { Room } from './room.ts';
import type { Rooms } from './rooms.ts';
import type { Roster } from './roster.ts';
import type { Place, Timeline } from './timeline.ts';
import { messageId, type Wire } from './wire.ts';
import { child, childText, NS } from './xml.ts';

/** The server's memory of chats (XEP-0313). */
export interface Archives {
  /** A result that came; only an open query, answered by whom it was put to, takes one (section 5). */
  result(from: string, result: Element): void;
  page(chat: ChatId, before: string | undefined): Promise<Page>;
  /** An own message by its origin id; undefined: the archive does not have it. */
  find(chat: ChatId, nonce: Nonce): Promise<MessageId | undefined>;
}

interface Query {
  readonly from: string;
  readonly found: { readonly id: string; readonly stamp: string | undefined; readonly message: Element }[];
}

interface Entry {
  readonly reading: Reading;
  readonly place: Place;
}

const pageSize = 50;
const lookupPages = 5;
const timeoutMs = 30_000;

export interface ArchiveNeeds {
  readonly disco: Disco;
  readonly roster: Roster;
  readonly rooms: () => Rooms;
  readonly timeline: Timeline;
}

export function archives(wire: Wire, { disco, roster, rooms, timeline }: ArchiveNeeds): Archives {
  const open = new Map<string, Query>();
  let count = 0;

  const ask = async (chat: ChatId, room: Room | undefined, before: string | undefined) => {
    const from = room?.jid ?? wire.self;
    const info = room ? room.info : await disco.info(wire.self);
    if (!info?.features.has(NS.mam)) {
      throw new AdapterError('unsupported', `${room ? room.jid : wire.domain} keeps no archive of messages`);
    }
    const queryid = `page-${++count}`;
    const query: Query = { from, found: [] };
    open.set(queryid, query);
    try {
      const payload = xml('query', { xmlns: NS.mam, queryid }, filter(room ? undefined : chat), paging(before));
      const reply = await wire.set(room?.jid, payload, { timeoutMs });
      const fin = child(reply, 'fin', NS.mam);
      const set = fin && child(fin, 'set', NS.rsm);
      const first = (set && childText(set, 'first')) || query.found[0]?.id;
      return { query, before: fin?.attrs.complete === 'true' ? undefined : first };
    } finally {
      open.delete(queryid);
    }
  };

  const entries = (chat: ChatId, room: Room | undefined, query: Query): Entry[] =>
    query.found.flatMap(({ id, stamp, message }) => {
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
    result(from, result) {
      const query = open.get(result.attrs.queryid ?? '');
      if (!query || (from !== query.from && !(from === '' && query.from === wire.self))) return;
      const forwarded = readForwarded(result);
      if (forwarded && result.attrs.id) query.found.push({ id: result.attrs.id, ...forwarded });
    },
    async page(chat, before) {
      const room = rooms().get(chat);
      const { query, before: next } = await ask(chat, room, before);
      const messages = timeline.page(entries(chat, room, query));
      return next === undefined || query.found.length === 0 ? { messages } : { messages, before: next };
    },
    async find(chat, nonce) {
      const recovered = wire.stream.recovered.get(nonce);
      if (recovered !== undefined) return recovered ? messageId(nonce) : undefined;
      const room = rooms().get(chat);
      let before: string | undefined;
      for (let page = 0; page < lookupPages; page++) {
        const answer = await ask(chat, room, before);
        const found = entries(chat, room, answer.query).find(
          ({ reading, place }) => place.by === 'self' && (reading.originId ?? reading.id) === nonce,
        );
        if (found) return timeline.page([found])[0]?.id;
        before = answer.before;
        if (before === undefined) return undefined;
      }
      throw new AdapterError('unsupported', 'the message is too far back in the archive to be looked for');
    },
  };
}

function filter(peer: string | undefined): Element | undefined {
  if (peer === undefined) return undefined;
  const field = (name: string, value: string): Element => xml('field', { var: name }, xml('value', {}, value));
  return xml('x', { xmlns: NS.data, type: 'submit' }, field('FORM_TYPE', NS.mam), field('with', peer));
}

/** The page before that id, or the last one (XEP-0059 2.3). */
function paging(before: string | undefined): Element {
  return xml('set', { xmlns: NS.rsm }, xml('max', {}, String(pageSize)), xml('before', {}, before ?? ''));
}
