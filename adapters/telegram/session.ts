import type { AdapterEvent, Chat, ChatId, Host, Limits, Member, Session, UserId } from '../contract.ts';
import { AdapterError, asAdapterError, type ErrorCode } from '../errors.ts';
import { businessConnections, type Connections } from './connections.ts';
import { messageNumber, placeOf, userId } from './ids.ts';
import { readUpdate, sightOf, type View } from './inbound.ts';
import { type Known, knownChats } from './known.ts';
import { CLOUD_FILES, type Outbound, OWN_FILES, outbound, TEXT_CHARS } from './outbound.ts';
import { type Seen, seenMembers } from './seen.ts';
import type { TelegramSettings } from './settings.ts';
import { BotApi } from './transport/client.ts';
import { type Json, object, text, whole } from './transport/json.ts';
import { lanes } from './transport/lanes.ts';
import { poll } from './transport/poll.ts';
import { DEFAULT_ROOT } from './transport/root.ts';
import { checkToken } from './transport/token.ts';

/** What a session has while it is online. */
interface Online {
  readonly api: BotApi;
  readonly out: Outbound;
  readonly known: Known;
  readonly connections: Connections;
  readonly seen: Seen;
  readonly view: View;
  /** Of the bot. */
  readonly name: string | undefined;
  learn(event: AdapterEvent): void;
}

/** Milliseconds; Telegram shows "typing" for five seconds at each call. */
const TYPING_EVERY = 4_000;

export function openSession(settings: TelegramSettings, host: Host): Session {
  let online: Online | undefined;
  const files = settings.api.origin === DEFAULT_ROOT ? CLOUD_FILES : OWN_FILES;
  const now = (): Online => {
    if (!online) throw new AdapterError('unreachable', 'this Telegram account is not online');
    return online;
  };
  const limits: Limits = { textBytes: TEXT_CHARS * 3, textChars: TEXT_CHARS, fileBytes: files.send };
  const typed = new Map<ChatId, number>();
  const wake: { on?: () => void } = {};

  const run = async (signal: AbortSignal): Promise<void> => {
    const api = new BotApi(checkToken(await host.secret('token')), settings.api, host.clock);
    const queue = lanes(host.clock);
    try {
      const state = await signIn(api, outbound(api, queue, files), host, signal);
      online = state;
      host.emit({
        type: 'online',
        self: userId(state.view.self),
        ...(state.name === undefined ? {} : { name: state.name }),
      });
      host.emit(state.known.roster());
      await poll(api, host, (update) => deliver(update, state, host), signal, wake);
    } catch (error) {
      if (!signal.aborted) throw asAdapterError(error);
    } finally {
      online = undefined;
      queue.close(new AdapterError('unreachable', 'the account went offline before this was sent'));
      api.disconnect();
    }
  };

  return {
    run,
    woke: () => wake.on?.(),
    send: async (chat, words, _nonce, options) => await now().out.send(chat, words, options),
    resolve: async (address, signal, look = false) => await resolve(now(), address.trim(), signal, look),
    limits: () => limits,
    typing: {
      async set(chat, active) {
        const { out } = now();
        const due = (typed.get(chat) ?? 0) + TYPING_EVERY;
        if (!active) typed.delete(chat);
        if (!active || host.clock.now() < due) return;
        typed.set(chat, host.clock.now());
        await out.typing(chat);
      },
    },
    edits: { edit: async (chat, id, words) => await now().out.edit(chat, id, words) },
    retractions: { retract: async (chat, id) => await now().out.retract(chat, id) },
    reactions: { set: async (chat, id, emoji) => await now().out.react(chat, id, emoji) },
    files: {
      send: async (chat, file, _nonce, options) => await now().out.sendFile(chat, file, options),
      async *read(id) {
        yield* now().out.readFile(id);
      },
    },
    rooms: {
      join: async (name) => await joined(now(), name),
      async leave(chat) {
        const state = now();
        await state.out.leave(chat);
        state.learn({ type: 'chat-left', chat });
      },
      topic: async (chat, words) => await now().out.describe(chat, words),
      invite: async () => {
        throw new AdapterError('unsupported', 'a bot cannot add people to a group');
      },
      members: async (chat) => await members(now(), chat),
    },
  };
}

async function signIn(api: BotApi, out: Outbound, host: Host, signal: AbortSignal): Promise<Online> {
  const me = object(await api.invoke('getMe', {}, { signal }));
  const self = whole(me?.id);
  if (!me || self === undefined) throw new AdapterError('protocol', 'Telegram does not say which bot this is');
  const known = knownChats(host.memory);
  const connections = businessConnections(host.memory);
  const seen = seenMembers();
  const learn = (event: AdapterEvent): void => {
    if (known.learn(event)) host.emit(event);
  };
  const view: View = {
    self,
    now: () => host.clock.now(),
    owner: connections.owner,
    title: known.title,
    threadOf: seen.threadOf,
  };
  const name = text(me.username) === undefined ? undefined : `@${me.username}`;
  return { api, out, known, connections, seen, view, name, learn };
}

/** What may pass ends the session instead: the update stays unconfirmed and comes again. */
const PASSING: readonly ErrorCode[] = ['unreachable', 'host-unknown', 'rate-limited', 'auth'];

/** One update; whatever is wrong with it, the next ones are read. */
async function deliver(update: unknown, state: Online, host: Host): Promise<void> {
  try {
    await learnConnection(object(update) ?? {}, state, host);
    for (const event of scrubbed(readUpdate(update, state.view), state.api.scrub)) emit(event, state, host);
  } catch (error) {
    if (error instanceof AdapterError && PASSING.includes(error.code)) throw error;
    host.log('warn', `an update could not be read: ${state.api.scrub(String(error))}`);
  }
}

function emit(event: AdapterEvent, { learn, seen }: Online, host: Host): void {
  if (event.type === 'contact' || event.type === 'chat' || event.type === 'chat-left') {
    learn(event);
    return;
  }
  if (event.type === 'message') {
    seen.message(placeOf(event.message.chat), messageNumber(event.message.id));
    const { chat, from, fromName } = event.message;
    if (from !== 'self' && placeOf(chat).chat < 0 && seen.member(chat, { id: from, name: fromName ?? from }))
      host.emit({ type: 'member', chat, member: { id: from, name: fromName ?? from }, present: true });
  }
  if (event.type === 'member') {
    if (event.present) seen.member(event.chat, event.member);
    else seen.gone(event.chat, event.member.id);
  }
  host.emit(event);
}

/** The messages of a connection read only with its owner at hand; one that began while we were away is asked for. */
async function learnConnection(update: Json, { api, connections }: Online, host: Host): Promise<void> {
  const told = object(update.business_connection);
  const body =
    object(update.business_message) ??
    object(update.edited_business_message) ??
    object(update.deleted_business_messages);
  const id = text(body?.business_connection_id);
  const asked = id !== undefined && !connections.owner(id) ? await ask(api, id) : undefined;
  const connection = told ?? asked;
  const news = connection && connections.learn(connection);
  if (news !== undefined) host.emit({ type: 'notice', text: api.scrub(news) });
}

/** Undefined where the server knows no such connection: its messages are then shown without their owner. */
async function ask(api: BotApi, connection: string): Promise<Json | undefined> {
  try {
    return object(await api.call('getBusinessConnection', { business_connection_id: connection }));
  } catch (error) {
    if (error instanceof AdapterError && PASSING.includes(error.code)) throw error;
    return undefined;
  }
}

/** The token is a secret even where somebody writes it into a chat. */
function scrubbed(events: readonly AdapterEvent[], scrub: (text: string) => string): readonly AdapterEvent[] {
  return events.map((event) => {
    if (event.type === 'message') return { ...event, message: { ...event.message, text: scrub(event.message.text) } };
    if (event.type === 'edited') return { ...event, text: scrub(event.text) };
    return event;
  });
}

async function resolve(state: Online, address: string, signal: AbortSignal, look = false): Promise<Chat> {
  const wanted = address.replace(/^(?:https?:\/\/)?t\.me\//i, '@');
  const known = state.known.find(wanted);
  if (known) return known;
  if (!/^(?:@?[A-Za-z]\w{2,63}|-?\d{1,16})$/.test(wanted))
    throw new AdapterError('bad-data', 'a Telegram address looks like @name or -1001234567890');
  const chat = /^-?\d+$/.test(wanted) ? Number(wanted) : `@${wanted.replace(/^@/, '')}`;
  const raw = await state.api.invoke('getChat', { chat_id: chat }, { signal });
  const sight = sightOf(object(raw), state.view);
  if (!sight) throw new AdapterError('not-found', 'Telegram does not say which chat that is');
  if (!look) for (const event of sight.events) state.learn(event);
  return sight.chat;
}

/** A member has to bring a bot in; where that was done, the room is found. */
async function joined(state: Online, name: string): Promise<Chat> {
  const chat = await resolve(state, name, new AbortController().signal);
  const member = object(await state.api.getChatMember(placeOf(chat.id).chat, state.view.self));
  if (chat.kind === 'direct' || ['left', 'kicked'].includes(text(member?.status) ?? 'left'))
    throw new AdapterError('refused', 'a bot cannot join by itself: a member of the group has to add it');
  return chat;
}

async function members(state: Online, chat: ChatId): Promise<readonly Member[]> {
  if (placeOf(chat).chat >= 0) return [];
  const all = new Map<UserId, Member>();
  for (const member of [...state.seen.members(chat), ...(await state.out.admins(chat))]) all.set(member.id, member);
  return [...all.values()];
}
