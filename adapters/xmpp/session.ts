import type { Element } from '@xmpp/xml';
import type { ChatId, Host, Limits, MessageId, Nonce, SendOptions, Session } from '../contract.ts';
import { AdapterError, asAdapterError } from '../errors.ts';
import { bare } from './jid.ts';
import { goOnline, type Online } from './online.ts';
import * as outbound from './outbound.ts';
import { readProfile, searchPeople, writeProfile } from './people.ts';
import { members } from './room.ts';
import { invitation, subject } from './rooms.ts';
import type { XmppSettings } from './settings.ts';
import type { Stream, StreamHost } from './transport/stream.ts';
import { asideId, messageId } from './wire.ts';
import { childText, elements, NS } from './xml.ts';

/** What a server takes that does not say; Prosody's and ejabberd's own limits are 256 kB and more. */
const usualBytes = 200_000;
/** For all that stands around a text in its stanza. */
const envelopeBytes = 4_096;

/** `openStream` of transport/stream.ts, or what stands for it in a test. */
export type OpenStream = (
  settings: XmppSettings,
  host: StreamHost,
  onStanza: (stanza: Element) => void,
  signal: AbortSignal,
) => Promise<Stream>;

export function openSession(settings: XmppSettings, host: Host, openStream: OpenStream): Session {
  let current: Online | undefined;
  const live = (): Online => {
    if (!current) throw new AdapterError('unreachable', `${settings.jid} is not connected`);
    return current;
  };
  const acting = (): Online => {
    const online = live();
    online.acted();
    return online;
  };
  return {
    run: (signal) =>
      run(settings, host, openStream, signal, (online) => {
        current = online;
      }),
    send: async (chat, text, nonce, options) => await sendText(acting(), chat, text, nonce, options),
    resolve: async (address, signal) => await live().resolve(address, signal),
    limits: () => limitsOf(current),
    ...peopleFacets(acting),
    ...messageFacets(acting),
    rooms: {
      join: async (name, options) => await acting().rooms.join(roomAddress(name), options),
      leave: async (chat) => await acting().rooms.leave(chat),
      async topic(chat, text) {
        const { sending, rooms } = acting();
        await sending.send(subject(rooms.entered(chat), asideId(), text));
      },
      async invite(chat, user) {
        const { sending, rooms } = acting();
        await sending.send(invitation(rooms.entered(chat), asideId(), user));
      },
      members: async (chat) => members(live().rooms.entered(chat)),
    },
    files: {
      async send(chat, file, nonce, options) {
        const online = acting();
        target(online, chat);
        const url = await online.uploads.put(file, options?.signal);
        return await sendText(online, chat, url, nonce, { ...options, url: true });
      },
      read: (id) => live().uploads.read(id),
    },
  };
}

async function run(
  settings: XmppSettings,
  host: Host,
  openStream: OpenStream,
  signal: AbortSignal,
  now: (online: Online | undefined) => void,
): Promise<void> {
  if (signal.aborted) return;
  const over = new AbortController();
  const quiet = mutedAfter(host, over.signal);
  let online: Online | undefined;
  let early: Element[] = [];
  let stream: Stream | undefined;
  try {
    const password = async (): Promise<string> =>
      (await host.secret('password')) ?? (await host.ask({ kind: 'password', text: `Password of ${settings.jid}` }));
    const { memory, clock } = host;
    const streamHost = { memory, clock, password, log: host.log.bind(host), saved: host.saved.bind(host) };
    const take = (stanza: Element): void => (online ? online.take(stanza) : void early.push(stanza));
    const opened = await openStream(settings, streamHost, take, signal);
    stream = opened;
    online = goOnline(quiet, settings, opened, over.signal);
    now(online);
    const begun = online.begin();
    begun.catch(() => undefined);
    for (const stanza of early) online.take(stanza);
    early = [];
    // Without its contact list an account is of no use; the supervisor tries again.
    const failed = begun.then(
      () => new Promise<never>(() => {}),
      (error: unknown) => asAdapterError(error),
    );
    const reason = await Promise.race([opened.closed, failed]);
    if (reason && !signal.aborted) throw reason;
  } catch (error) {
    if (!signal.aborted) throw asAdapterError(error);
  } finally {
    now(undefined);
    online?.end();
    over.abort(new AdapterError('unreachable', 'the connection ended'));
    await stream?.close();
  }
}

/** What is still under way when the session ends must not speak for it afterwards. */
function mutedAfter(host: Host, ended: AbortSignal): Host {
  return {
    emit: (event) => {
      if (!ended.aborted) host.emit(event);
    },
    saved: () => host.saved(),
    ask: (prompt) => host.ask(prompt),
    secret: (key) => host.secret(key),
    memory: host.memory,
    clock: host.clock,
    log: (level, text) => host.log(level, text),
  };
}

interface Target {
  readonly to: string;
  readonly type: 'chat' | 'groupchat';
  readonly inRoom: boolean;
}

/** Where a message of that chat goes. @throws AdapterError `refused` in a room that we are not in. */
function target({ rooms, presences, direct }: Online, chat: ChatId): Target {
  const address = bare(chat);
  if (rooms.get(address)) {
    rooms.entered(address);
    return { to: chat, type: chat === address ? 'groupchat' : 'chat', inRoom: chat !== address };
  }
  // RFC 6121 5.1 would have us keep to the device that wrote last. With carbons all devices take part, so the bare
  // address is right, except for a device that never gets what is sent there.
  const device = direct.device(chat);
  const to = device && presences.shy(chat, device) ? `${chat}/${device}` : chat;
  return { to, type: 'chat', inRoom: chat.includes('/') };
}

function limitsOf(online: Online | undefined): Limits {
  const limits = online && elements(online.wire.stream.features).find((feature) => feature.is('limits', NS.limits));
  const most = Number(limits && childText(limits, 'max-bytes'));
  const room = most > 0 ? Math.max(1_024, most - envelopeBytes) : usualBytes;
  const fileBytes = online?.uploads.limit();
  return { textBytes: Math.min(usualBytes, room), ...(fileBytes === undefined ? undefined : { fileBytes }) };
}

async function sendText(
  online: Online,
  chat: ChatId,
  text: string,
  nonce: Nonce,
  options: SendOptions & { readonly url?: boolean } = {},
): Promise<MessageId> {
  options.signal?.throwIfAborted();
  const { textBytes } = limitsOf(online);
  if (Buffer.byteLength(text) > textBytes) {
    throw new AdapterError('too-long', `a message here may hold ${textBytes} bytes`);
  }
  const { to, type, inRoom } = target(online, chat);
  const reply = options.replyTo && replyTo(online, chat, options.replyTo, type);
  const { url = false, signal } = options;
  const stanza = outbound.message({ to, type, id: nonce, text, inRoom, url, ...(reply ? { reply } : undefined) });
  const id = await online.sending.send(stanza, { signal, reflected: type === 'groupchat' });
  if (type === 'chat' || id === nonce) online.timeline.sent(chat, nonce, id, text);
  return messageId(id);
}

function replyTo({ timeline }: Online, chat: ChatId, id: MessageId, type: Target['type']): outbound.Outgoing['reply'] {
  const known = timeline.find(chat, id);
  if (!known) return { id };
  return { id: type === 'groupchat' ? id : known.wire, to: known.from, quoted: known.text };
}

function roomAddress(name: string): string {
  return bare(name.trim().replace(/^xmpp:/i, ''));
}

type Facets = Omit<Session, 'run' | 'send' | 'resolve' | 'limits' | 'rooms' | 'files'>;

function peopleFacets(acting: () => Online): Pick<Facets, 'contacts' | 'presence' | 'profiles' | 'people'> {
  return {
    contacts: {
      add: async (who) => await acting().roster.add(who),
      remove: async (user) => await acting().roster.remove(user),
      rename: async (user, name) => await acting().roster.change(user, { name }),
      group: async (user, groups) => await acting().roster.change(user, { groups }),
      answer: async (request, accept) => await acting().requests.answer(request, accept),
      block: async (user, blocked) => await block(acting(), user, blocked),
    },
    presence: { set: async (state, note) => await acting().presences.set(state, note) },
    profiles: {
      read: async (user) => {
        const { wire } = acting();
        return await readProfile(wire, user === wire.self ? undefined : user);
      },
      write: async (profile) => await writeProfile(acting().wire, profile),
    },
    people: {
      search: async (query) => {
        const { wire, disco } = acting();
        return await searchPeople(wire, disco, query);
      },
    },
  };
}

async function block({ wire, disco }: Online, user: string, blocked: boolean): Promise<void> {
  if (!(await disco.info(wire.domain)).features.has(NS.blocking)) {
    throw new AdapterError('unsupported', `${wire.domain} cannot block people`);
  }
  await wire.set(undefined, outbound.blocking(user, blocked));
}

type MessageFacets = Pick<Facets, 'typing' | 'reading' | 'history' | 'edits' | 'retractions' | 'reactions' | 'lookup'>;

function messageFacets(acting: () => Online): MessageFacets {
  return {
    typing: {
      async set(chat, active) {
        const online = acting();
        const { to, type } = target(online, chat);
        // XEP-0085 5.1: not to somebody who is away or whose client may not know of it.
        if (type === 'chat' && !online.presences.isThere(chat) && !online.typing.understood(chat)) return;
        online.wire.stream.send(outbound.typing(to, type, asideId(), active));
      },
    },
    reading: {
      async mark(chat, upTo) {
        const { rooms, receipts } = acting();
        receipts.read(chat, upTo, rooms.get(chat) !== undefined);
      },
    },
    history: { page: async (chat, before) => await acting().archives.page(chat, before) },
    edits: {
      async edit(chat, id, text) {
        const online = acting();
        const { to, type, inRoom } = target(online, chat);
        const known = online.timeline.find(chat, id);
        if (type === 'groupchat' && !known) {
          throw new AdapterError('refused', 'the message is too long ago to be changed in this room');
        }
        const replaces = known?.wire ?? id;
        await online.sending.send(outbound.message({ to, type, id: asideId(), text, inRoom, replaces }));
      },
    },
    retractions: {
      async retract(chat, id) {
        const online = acting();
        const { to, type } = target(online, chat);
        await online.sending.send(outbound.retraction(to, type, asideId(), id));
      },
    },
    reactions: {
      async set(chat, id, emoji) {
        const online = acting();
        const { to, type } = target(online, chat);
        const of = type === 'groupchat' ? id : (online.timeline.find(chat, id)?.wire ?? id);
        await online.sending.send(outbound.reactions(to, type, asideId(), of, emoji));
      },
    },
    lookup: { find: async (chat, nonce) => await acting().archives.find(chat, nonce) },
  };
}
