import type { AdapterEvent, Chat, ChatId, MessageId, UserId } from '../contract.ts';
import { filesOf, nameOf, textOf } from './content.ts';
import { chatId, messageId, type Place, userId } from './ids.ts';
import { type Json, list, object, text, whole } from './transport/json.ts';

/** The person on whose behalf the bot acts through a business connection. */
export interface Owner {
  readonly id: number;
  readonly name: string;
  readonly address: string;
}

/** What is known already and decides how an update reads. */
export interface View {
  /** The bot's own id. */
  readonly self: number;
  /** For a message without a date that makes sense. */
  now(): number;
  owner(connection: string): Owner | undefined;
  title(chat: ChatId): string | undefined;
  /** The topic that a message of a forum was in; reactions do not tell. */
  threadOf(chat: number, message: number): number | undefined;
}

/**
 * One update of the Bot API (https://core.telegram.org/bots/api#update) as events. A `contact` or `chat` event stands
 * before the message that showed it, each time: whoever keeps the roster drops those that tell nothing new.
 */
export function readUpdate(update: unknown, view: View): readonly AdapterEvent[] {
  for (const [kind, value] of Object.entries(object(update) ?? {})) {
    const body = object(value);
    const read = readers[kind];
    if (body && read) return read(body, view);
  }
  return [];
}

type Reader = (body: Json, view: View) => readonly AdapterEvent[];

const readers: Readonly<Record<string, Reader>> = Object.assign(Object.create(null), {
  message: arrived,
  channel_post: arrived,
  business_message: arrived,
  edited_message: edited,
  edited_channel_post: edited,
  edited_business_message: edited,
  deleted_business_messages: deleted,
  message_reaction: reacted,
  my_chat_member: ownMembership,
  chat_member: membership,
} satisfies Record<string, Reader>);

/** A chat as it stands in an update, with the names it has there. */
export interface Sight {
  readonly place: Place;
  readonly chat: Chat;
  /** The event that makes it known: `contact` for a person, `chat` for a room. */
  readonly events: readonly AdapterEvent[];
}

/** @param raw a Chat of the Bot API. */
export function sightOf(raw: Json | undefined, view: View, message: Json = {}): Sight | undefined {
  const id = whole(raw?.id);
  if (!raw || id === undefined) return undefined;
  const business = text(message.business_connection_id);
  const kind = raw.type === 'private' ? 'direct' : 'room';
  const thread = kind === 'room' && message.is_topic_message === true ? whole(message.message_thread_id) : undefined;
  const place: Place = {
    chat: id,
    ...(thread === undefined ? {} : { thread }),
    ...(business === undefined ? {} : { business }),
  };
  const own = chatId(place);
  const owner = business === undefined ? undefined : view.owner(business);
  const base = text(raw.username) ? `@${raw.username}` : String(id);
  const title = text(raw.title) || nameOf(raw);
  const chat: Chat = {
    id: own,
    kind,
    address: [owner?.address, base, thread].filter((part) => part !== undefined).join('/'),
    title: thread === undefined ? title : topicTitle(title, thread, message, view.title(own)),
    ...(text(raw.description) ? { topic: text(raw.description) ?? '' } : {}),
  };
  return { place, chat, events: [kind === 'direct' ? contactOf(chat, place, owner) : { type: 'chat', chat }] };
}

function contactOf(chat: Chat, place: Place, owner: Owner | undefined): AdapterEvent {
  const { id, address, title: name } = chat;
  const groups = owner ? [owner.name] : [];
  return { type: 'contact', contact: { id: userId(place.chat, place.business), chat: id, address, name, groups } };
}

/** Only service messages name a topic; each message of it answers the one that made it, unless it answers another. */
function topicTitle(forum: string, thread: number, message: Json, known: string | undefined): string {
  const made = object(message.forum_topic_created) ?? object(object(message.reply_to_message)?.forum_topic_created);
  const name = text(object(message.forum_topic_edited)?.name);
  // A rename is told once, while the first name stands in every answer to the service message.
  if (name !== undefined) return `${forum} / ${name}`;
  return known ?? `${forum} / ${text(made?.name) ?? `topic ${thread}`}`;
}

function arrived(message: Json, view: View): readonly AdapterEvent[] {
  const sight = sightOf(object(message.chat), view, message);
  const id = whole(message.message_id);
  if (!sight || id === undefined) return [];
  const moved = whole(message.migrate_to_chat_id);
  if (moved !== undefined) return migrated(sight, moved);
  // What the bot itself sent for the person comes back here; its id is known from the sending.
  if (whole(object(message.sender_business_bot)?.id) === view.self) return sight.events;
  const service = membersIn(message, sight, view);
  if (service.length > 0 || isService(message)) return [...sight.events, ...service];
  const files = filesOf(message);
  const words = textOf(message);
  const sender = senderOf(message, sight, view);
  const replyTo = answered(message);
  const shown = words !== '' || files.length > 0 ? words : '[a kind of message that imux cannot show]';
  return [
    ...sight.events,
    {
      type: 'message',
      live: isNews(message.date, view),
      message: {
        id: messageId(id),
        chat: sight.chat.id,
        from: sender.id,
        ...(sender.id === 'self' ? {} : { fromName: sender.name }),
        at: dateOf(message.date, view),
        text: shown,
        ...(files.length > 0 ? { files } : {}),
        ...(replyTo === undefined ? {} : { replyTo }),
      },
    },
  ];
}

/** Telegram keeps updates for a day; what waited for longer than this is no news any more. */
const newsMs = 5 * 60_000;
const isNews = (date: unknown, view: View): boolean => view.now() - dateOf(date, view).getTime() < newsMs;

function edited(message: Json, view: View): readonly AdapterEvent[] {
  const sight = sightOf(object(message.chat), view, message);
  const id = whole(message.message_id);
  if (!sight || id === undefined) return [];
  const by = senderOf(message, sight, view).id;
  return [...sight.events, { type: 'edited', chat: sight.chat.id, id: messageId(id), by, text: textOf(message) }];
}

/** Telegram does not say which of the two wrote what was deleted; only the message of the one who did is taken back. */
function deleted(body: Json, view: View): readonly AdapterEvent[] {
  const sight = sightOf(object(body.chat), view, body);
  if (!sight) return [];
  const authors = ['self', userId(sight.place.chat, sight.place.business)] as const;
  return list(body.message_ids).flatMap((value): AdapterEvent[] => {
    const id = whole(value);
    if (id === undefined) return [];
    return authors.map((by) => ({ type: 'retracted', chat: sight.chat.id, id: messageId(id), by }));
  });
}

function reacted(body: Json, view: View): readonly AdapterEvent[] {
  const sight = sightOf(object(body.chat), view);
  const id = whole(body.message_id);
  const by = whole((object(body.user) ?? object(body.actor_chat))?.id);
  if (!sight || id === undefined || by === undefined) return [];
  const thread = view.threadOf(sight.place.chat, id);
  const chat = thread === undefined ? sight.chat.id : chatId({ chat: sight.place.chat, thread });
  const emoji = list(body.new_reaction).map((reaction) => emojiOf(object(reaction) ?? {}));
  return [{ type: 'reactions', chat, id: messageId(id), by: by === view.self ? 'self' : userId(by), emoji }];
}

function emojiOf(reaction: Json): string {
  if (reaction.type === 'emoji') return text(reaction.emoji) ?? '❔';
  return reaction.type === 'paid' ? '⭐' : '❔';
}

function ownMembership(body: Json, view: View): readonly AdapterEvent[] {
  const sight = sightOf(object(body.chat), view);
  const status = text(object(body.new_chat_member)?.status);
  if (!sight || status === undefined) return [];
  if (sight.chat.kind === 'direct') {
    if (status !== 'kicked') return sight.events;
    return [{ type: 'notice', text: `${sight.chat.title} has blocked this bot` }];
  }
  if (status === 'left') return [{ type: 'chat-left', chat: sight.chat.id }];
  if (status === 'kicked') return [{ type: 'chat-left', chat: sight.chat.id, reason: 'the bot was removed' }];
  return sight.events;
}

function membership(body: Json, view: View): readonly AdapterEvent[] {
  const sight = sightOf(object(body.chat), view);
  const now = object(body.new_chat_member);
  const user = object(now?.user);
  if (!sight || !now || !user) return [];
  const present = !['left', 'kicked'].includes(text(now.status) ?? 'left') && now.is_member !== false;
  return [...sight.events, ...memberEvent(sight.chat.id, user, present, roleOf(now.status))];
}

export function roleOf(status: unknown): 'owner' | 'admin' | 'member' {
  return status === 'creator' ? 'owner' : status === 'administrator' ? 'admin' : 'member';
}

function memberEvent(
  chat: ChatId,
  user: Json,
  present: boolean,
  role?: 'owner' | 'admin' | 'member',
): readonly AdapterEvent[] {
  const id = whole(user.id);
  if (id === undefined) return [];
  const member = { id: userId(id), name: nameOf(user), ...(role === undefined ? {} : { role }) };
  return [{ type: 'member', chat, member, present }];
}

function membersIn(message: Json, sight: Sight, view: View): readonly AdapterEvent[] {
  const others = (user: Json | undefined): user is Json => user !== undefined && whole(user.id) !== view.self;
  const came = list(message.new_chat_members).map(object).filter(others);
  const left = [object(message.left_chat_member)].filter(others);
  return [
    ...came.flatMap((user) => memberEvent(sight.chat.id, user, true)),
    ...left.flatMap((user) => memberEvent(sight.chat.id, user, false)),
  ];
}

/** Kinds that tell of the chat and hold nothing to read; each brings one of these fields. */
const SERVICE =
  /^(?:new_chat_members|left_chat_member|new_chat_title|new_chat_photo|delete_chat_photo|(?:super)?group_chat_created|channel_chat_created|migrate_from_chat_id|pinned_message|(?:general_)?forum_topic_\w+|message_auto_delete_timer_changed|video_chat_\w+|chat_background_set|boost_added|write_access_allowed)$/;

function isService(message: Json): boolean {
  return Object.keys(message).some((key) => SERVICE.test(key));
}

function migrated(sight: Sight, to: number): readonly AdapterEvent[] {
  const chat: Chat = { ...sight.chat, id: chatId({ chat: to }), address: String(to) };
  return [
    { type: 'chat', chat },
    { type: 'chat-left', chat: sight.chat.id, reason: 'the group has become a supergroup, and goes on there' },
  ];
}

/** Who wrote it: a person, the channel itself, or a group in which an admin stays unnamed. */
function senderOf(message: Json, sight: Sight, view: View): { readonly id: UserId | 'self'; readonly name: string } {
  const { business, chat } = sight.place;
  const author = object(message.sender_chat) ?? object(message.from) ?? object(message.chat) ?? {};
  const id = whole(author.id) ?? chat;
  const isOwner = business !== undefined && id === view.owner(business)?.id;
  return { id: id === view.self || isOwner ? 'self' : userId(id, business), name: nameOf(author) };
}

function answered(message: Json): MessageId | undefined {
  const to = object(message.reply_to_message);
  const id = whole(to?.message_id);
  return id === undefined || to?.forum_topic_created !== undefined ? undefined : messageId(id);
}

/** Seconds since the epoch, within what a Date holds. */
function dateOf(value: unknown, view: View): Date {
  const seconds = whole(value);
  return new Date(seconds !== undefined && seconds > 0 && seconds < 4_102_444_800 ? seconds * 1000 : view.now());
}
