import { type Element, xml } from '@xmpp/xml';
import type { Chat, ChatId, Host } from '../contract.ts';
import { AdapterError, asAdapterError } from '../errors.ts';
import { answer } from './answers.ts';
import { type Archives, archives } from './archive.ts';
import { type CatchUp, catchUp } from './catch-up.ts';
import { caps, type Disco, disco, type Gateways, gateways, isRoomService } from './disco.ts';
import { type Displayed, displayed } from './displayed.ts';
import { bare, domain, parseAddress, resource } from './jid.ts';
import { mam } from './mam.ts';
import { type Direct, messages } from './messages.ts';
import { type Presences, presences } from './presence.ts';
import { type Receipts, receipts } from './receipts.ts';
import { type Requests, requests } from './requests.ts';
import { toChat } from './room.ts';
import { type Rooms, rooms } from './rooms.ts';
import { type Roster, roster } from './roster.ts';
import { type Sending, sending } from './sending.ts';
import type { XmppSettings } from './settings.ts';
import { readError } from './stanza-error.ts';
import { type Timeline, timeline } from './timeline.ts';
import type { Stream } from './transport/stream.ts';
import { type Typing, typing } from './typing.ts';
import { type Uploads, uploads } from './upload.ts';
import { chatId, userId, type Wire, wire as wireOf } from './wire.ts';
import { childText, NS } from './xml.ts';

/** All topics of one signed-in account, wired together. */
export interface Online {
  readonly wire: Wire;
  readonly disco: Disco;
  readonly roster: Roster;
  readonly presences: Presences;
  readonly rooms: Rooms;
  readonly timeline: Timeline;
  readonly sending: Sending;
  readonly receipts: Receipts;
  readonly requests: Requests;
  readonly typing: Typing;
  readonly archives: Archives;
  readonly displayed: Displayed;
  readonly uploads: Uploads;
  readonly direct: Direct;
  /** Every stanza that is no reply. */
  take(stanza: Element): void;
  /** The contact list, presence, rooms: all that makes the account online. */
  begin(): Promise<void>;
  resolve(address: string, signal: AbortSignal): Promise<Chat>;
  /** Keeps what a resumed or the next session needs. */
  end(): void;
  /** The person did something. */
  acted(): void;
}

export function goOnline(host: Host, settings: XmppSettings, stream: Stream, ended: AbortSignal): Online {
  const self = bare(stream.jid);
  const nick = settings.nick ?? self.slice(0, self.indexOf('@'));
  const wire = wireOf(host, settings, stream, self, ended);
  let lastAct = host.clock.now();

  const services = disco(wire);
  const networks: Gateways = gateways(wire, services);
  const contactList = roster(wire, networks.via, {
    changed: (contact) => host.emit({ type: 'contact', contact }),
    removed: (jid) => {
      presence.forget(jid);
      host.emit({ type: 'contact-removed', user: userId(jid) });
    },
  });
  const presence: Presences = presences(wire, caps, () => places.addresses());
  const places: Rooms = rooms(wire, nick, {
    disco: services,
    announce: (to, ...parts) => presence.announce(to, ...parts),
    catchUp: () => missed,
  });
  const lines = timeline(wire);
  const outgoing = sending(wire);
  const marks = receipts(wire, contactList, lines);
  const asked = requests(wire, contactList, places);
  const writing = typing(wire);
  const queries = mam(wire);
  const stored = archives(wire, {
    mam: queries,
    disco: services,
    roster: contactList,
    rooms: () => places,
    timeline: lines,
  });
  const readMarks = displayed(wire, { disco: services, timeline: lines, archives: stored });
  const texts = messages(wire, {
    roster: contactList,
    rooms: places,
    timeline: lines,
    sending: outgoing,
    receipts: marks,
    typing: writing,
    requests: asked,
    mam: queries,
    catchUp: () => missed,
    displayed: readMarks,
  });
  const missed: CatchUp = catchUp(wire, { mam: queries, disco: services, ...texts });

  const fillIn = async (): Promise<void> => {
    const marks = stream.resumed ? new Map<string, string>() : await readMarks.fetch();
    await missed.account(marks);
    await readMarks.tell(marks);
  };

  const takePresence = (stanza: Element): void => {
    const { from = wire.self, type } = stanza.attrs;
    const jid = bare(from);
    const room = places.get(jid);
    if (room) places.presence(room, stanza);
    else if (type === 'subscribe') asked.subscription(jid, childText(stanza, 'status'));
    // Errors for our usual presence come from each server that is down; one for a question to somebody is news.
    else if (type === 'error' && contactList.item(jid)?.asked) {
      host.emit({ type: 'notice', text: `${jid} could not be asked: ${readError(stanza).text}` });
    }
    // Whoever is no contact has no row to show it in.
    else if ((type === undefined || type === 'unavailable') && contactList.item(jid)) {
      presence.take(jid, resource(from), stanza);
    }
  };

  const answerNeeds = {
    rosterPush: contactList.push,
    mayKnow: (jid: string) => contactList.seesUs(bare(jid)) || places.get(bare(jid))?.state === 'in',
    lastAct: () => lastAct,
  };

  const begin = async (): Promise<void> => {
    host.emit({ type: 'online', self: userId(self), name: nick });
    const carbons = stream.resumed ? undefined : wire.set(undefined, xml('enable', { xmlns: NS.carbons }));
    carbons?.catch((error: unknown) => host.log('info', `no carbons: ${asAdapterError(error).message}`));
    // RFC 6121 2.2: the roster before the first presence, so that what comes is known to be of contacts.
    await contactList.load();
    host.emit({ type: 'roster', contacts: contactList.contacts(), chats: places.expected() });
    await missed.ready();
    presence.begin(stream.resumed);
    const names = contactList.contacts().map(({ address }) => domain(address));
    const later = [
      fillIn(),
      places.enterAll(),
      networks.explore(names, (found) => {
        for (const contact of contactList.contacts()) {
          if (domain(contact.address) === found) host.emit({ type: 'contact', contact });
        }
      }),
    ];
    for (const work of later) work.catch((error: unknown) => host.log('warn', asAdapterError(error).message));
  };

  return {
    wire,
    disco: services,
    roster: contactList,
    presences: presence,
    rooms: places,
    timeline: lines,
    sending: outgoing,
    receipts: marks,
    requests: asked,
    typing: writing,
    archives: stored,
    displayed: readMarks,
    uploads: uploads(wire, services),
    direct: texts,
    take(stanza) {
      switch (stanza.name) {
        case 'message':
          return texts.take(stanza);
        case 'presence':
          return takePresence(stanza);
        case 'iq':
          return answer(wire, stanza, answerNeeds);
      }
    },
    begin,
    resolve: (address, signal) => resolve(address, signal, services, contactList, places, wire),
    end() {
      missed.keep();
      contactList.keep();
      presence.keep();
    },
    acted() {
      lastAct = host.clock.now();
    },
  };
}

async function resolve(
  address: string,
  signal: AbortSignal,
  services: Disco,
  contacts: Roster,
  places: Rooms,
  wire: Wire,
): Promise<Chat> {
  const jid = parseAddress(address);
  const account = bare(jid);
  const room = places.get(account);
  if (room && jid === account) return toChat(room);
  if (room) return direct(chatId(jid), `${resource(jid)} (${room.title})`);
  const contact = contacts.contact(account);
  if (contact) return direct(contact.chat, contact.name);
  const host = domain(account);
  if (host === wire.domain || host === account) return direct(chatId(account), account);
  const info = await abortable(services.info(host), signal).catch((error: unknown) => {
    const known = asAdapterError(error);
    // A server may keep to itself what it is; only that there is none is an answer.
    if (known.code === 'host-unknown')
      throw new AdapterError('host-unknown', `there is no XMPP server at ${host}`, { cause: error });
    signal.throwIfAborted();
    return undefined;
  });
  if (!info || !isRoomService(info)) return direct(chatId(account), account);
  const named = await abortable(services.info(account), signal).catch((error: unknown) => {
    const known = asAdapterError(error);
    if (known.code === 'not-found')
      throw new AdapterError('not-found', `there is no room ${account}`, { cause: error });
    throw known;
  });
  const title = named.identities[0]?.name || account;
  return { id: chatId(account), kind: 'room', address: account, title };
}

const direct = (id: ChatId, title: string): Chat => ({ id, kind: 'direct', address: id, title });

async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
