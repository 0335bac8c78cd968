/** People, groups, bots and what was said: the state of an in-process Bot API server, without the wire. */

export interface Person {
  readonly id: number;
  readonly name: string;
  readonly username?: string;
  /** Never wrote to a bot, so that bots cannot write to them. */
  readonly stranger?: boolean;
}

export interface Group {
  /** Negative; supergroups and channels begin with -100. */
  readonly id: number;
  readonly kind: 'group' | 'supergroup' | 'channel';
  readonly title: string;
  readonly username?: string;
  /** Topics of a forum by their thread id. */
  readonly topics?: Readonly<Record<number, string>>;
  /** Ids of people. The first one owns it. */
  readonly members: readonly number[];
}

export interface Bot {
  readonly id: number;
  readonly token: string;
  readonly username: string;
  readonly updates: Update[];
  nextUpdate: number;
  allowed: readonly string[] | undefined;
  /** Groups it was removed from, people who blocked it. */
  readonly out: Set<number>;
  /** Answers the long poll that waits, if one does. */
  wake: (() => void) | undefined;
}

export interface Update {
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly body: Json;
}

export type Json = Readonly<Record<string, unknown>>;

export interface StoredFile {
  readonly id: string;
  readonly path: string;
  readonly name: string;
  readonly mime: string;
  readonly bytes: Uint8Array;
}

/** A business connection: the bot acts for `owner` in their private chats. */
export interface Link {
  readonly id: string;
  readonly owner: Person;
  readonly bot: Bot;
  enabled: boolean;
}

export interface World {
  readonly people: Map<number, Person>;
  readonly groups: Map<number, Group>;
  readonly bots: Map<string, Bot>;
  readonly links: Map<string, Link>;
  readonly files: Map<string, StoredFile>;
  /** Every message by its id, as the Bot API shows it. */
  readonly messages: Map<number, Json>;
  /** Which bots saw a message. */
  readonly hearers: Map<number, readonly Bot[]>;
  readonly now: () => number;
  lastMessage: number;
}

/** Kinds that come only to those who ask for them. */
const ON_REQUEST = ['chat_member', 'message_reaction', 'message_reaction_count'];
const KEPT_MS = 24 * 3600 * 1000;

export function newWorld(now: () => number): World {
  return {
    people: new Map(),
    groups: new Map(),
    bots: new Map(),
    links: new Map(),
    files: new Map(),
    messages: new Map(),
    hearers: new Map(),
    now,
    lastMessage: 0,
  };
}

export function addBot(world: World, token: string, username: string): Bot {
  const bot: Bot = {
    id: Number(token.split(':')[0]),
    token,
    username,
    updates: [],
    nextUpdate: 1000,
    allowed: undefined,
    out: new Set(),
    wake: undefined,
  };
  world.bots.set(token, bot);
  return bot;
}

export function pushUpdate(world: World, bot: Bot, kind: string, body: Json): void {
  const wanted = bot.allowed ? bot.allowed.includes(kind) : !ON_REQUEST.includes(kind);
  if (!wanted) return;
  bot.updates.push({ id: bot.nextUpdate, at: world.now(), body: { update_id: bot.nextUpdate, [kind]: body } });
  bot.nextUpdate++;
  bot.wake?.();
}

/** Unconfirmed updates from `offset` on; those before it are forgotten, as are those of more than 24 hours ago. */
export function takeUpdates(world: World, bot: Bot, offset: number, limit: number): readonly Json[] {
  const from = offset < 0 ? (bot.updates.at(offset)?.id ?? 0) : offset;
  const keep = bot.updates.filter(({ id, at }) => id >= from && world.now() - at <= KEPT_MS);
  bot.updates.splice(0, bot.updates.length, ...keep);
  return bot.updates.slice(0, limit).map(({ body }) => body);
}

export function userOf(person: Person): Json {
  const [first = '', ...rest] = person.name.split(' ');
  return {
    id: person.id,
    is_bot: false,
    first_name: first,
    ...(rest.length > 0 ? { last_name: rest.join(' ') } : {}),
    ...(person.username ? { username: person.username } : {}),
  };
}

export function botUser(bot: Bot): Json {
  return { id: bot.id, is_bot: true, first_name: bot.username, username: bot.username };
}

export function chatOfPerson(person: Person): Json {
  const { is_bot, ...names } = userOf(person);
  return { ...names, type: 'private' };
}

export function chatOfGroup(group: Group): Json {
  return {
    id: group.id,
    type: group.kind,
    title: group.title,
    ...(group.username ? { username: group.username } : {}),
    ...(group.topics ? { is_forum: true } : {}),
  };
}

/** A new message, kept and numbered; `fields` has what its kind needs. */
export function newMessage(world: World, fields: Json): Json {
  const message = { message_id: ++world.lastMessage, date: Math.floor(world.now() / 1000), ...fields };
  world.messages.set(message.message_id, message);
  return message;
}

export function storeFile(world: World, name: string, mime: string, bytes: Uint8Array): StoredFile {
  const at = world.files.size + 1;
  const file = { id: `file-${at}`, path: `documents/file_${at}.bin`, name, mime, bytes };
  world.files.set(file.id, file);
  return file;
}

export function documentOf(file: StoredFile): Json {
  return {
    file_id: file.id,
    file_unique_id: `u-${file.id}`,
    file_name: file.name,
    mime_type: file.mime,
    file_size: file.bytes.length,
  };
}
