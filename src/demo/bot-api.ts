import { randomBytes } from 'node:crypto';
import { type Fault, type Front, front } from './telegram/http.ts';
import { connectionOf, type Ledger, type Sent } from './telegram/methods.ts';
import {
  addBot,
  type Bot,
  botUser,
  chatOfGroup,
  chatOfPerson,
  documentOf,
  type Group,
  type Json,
  newMessage,
  newWorld,
  type Person,
  pushUpdate,
  storeFile,
  userOf,
  type World,
} from './telegram/world.ts';

export type { Fault } from './telegram/http.ts';
export type { Sent } from './telegram/methods.ts';
export type { Group, Person } from './telegram/world.ts';

export interface BotApiOptions {
  /** Token of the first bot; one is made up where it is absent. */
  readonly token?: string;
  readonly people?: readonly Person[];
  readonly groups?: readonly Group[];
  /** 0: any free port of the loopback address. */
  readonly port?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface SayOptions {
  /** In this group (its id); otherwise in the private chat with the bot. */
  readonly group?: number;
  readonly thread?: number;
  readonly replyTo?: number;
  readonly file?: { readonly name: string; readonly mime: string; readonly bytes: Uint8Array };
  /** In a private chat of the person who linked the bot: the link, and the other person of that chat. */
  readonly business?: { readonly link: string; readonly chat: Person };
  /** Further fields of the message. */
  readonly extra?: Json;
  /** The bot that hears it (its token); all bots in a group, the first bot otherwise. */
  readonly token?: string;
}

/**
 * A Bot API server in this process (https://core.telegram.org/bots/api): long polls, confirmed offsets, the answers of
 * the real server, people to act for, and faults on demand. Only on the loopback address.
 */
export interface BotApiServer {
  readonly root: string;
  /** Of the first bot. */
  readonly token: string;
  /** Everything bots have sent, as it stands now. */
  readonly sent: readonly Sent[];
  /** Chat actions ("typing") in order. */
  readonly actions: readonly { readonly chat: number; readonly action: string }[];
  /** Every call in order; `at` in milliseconds since the epoch. */
  readonly calls: Front['calls'];
  stop(): Promise<void>;
  /** Breaks all connections and closes the port; `resume` opens the same port again. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Gives the token of a further bot. */
  addBot(username: string): string;
  addPerson(person: { readonly name: string; readonly username?: string; readonly stranger?: boolean }): Person;
  addGroup(group: Group): void;
  /** Called for each message of a bot; gives the function that ends it. */
  onMessage(listener: (sent: Sent) => void): () => void;
  /** Gives the id of the message. */
  say(person: Person, text: string, options?: SayOptions): number;
  /** Changes the text of a message that a person wrote. */
  edit(id: number, text: string): void;
  react(person: Person, id: number, emoji: readonly string[]): void;
  /** Deletes messages of a business chat. */
  remove(link: string, chat: Person, ids: readonly number[]): void;
  /** The person links the bot to their own account; gives the id of the business connection. */
  link(owner: Person, token?: string): string;
  unlink(link: string): void;
  /** The person blocks the bot, or the group removes it. */
  expel(by: Person, from: Person | Group): void;
  /** An update of any kind, sound or not. */
  push(kind: string, body: Json, token?: string): void;
  /** The next `times` calls of that method (`*`: of any; `file`: downloads) go wrong; with a token, of that bot alone. */
  fail(method: string, fault: Fault, times?: number, token?: string): void;
}

export async function startBotApi(options: BotApiOptions = {}): Promise<BotApiServer> {
  const world = newWorld(options.now ?? (() => Date.now()));
  const first = addBot(world, options.token ?? newToken(700_000_001), 'imux_demo_bot');
  for (const person of options.people ?? []) world.people.set(person.id, person);
  for (const group of options.groups ?? []) world.groups.set(group.id, group);
  const listeners = new Set<(sent: Sent) => void>();
  const ledger: Ledger = {
    sent: [],
    actions: [],
    onSent: (sent) => {
      for (const listener of listeners) listener(sent);
    },
  };
  const serving = front(world, ledger, options.port ?? 0);
  await serving.listen();
  const botOf = (token: string | undefined): Bot => (token === undefined ? first : (world.bots.get(token) ?? first));

  return {
    root: `http://127.0.0.1:${serving.port}`,
    token: first.token,
    sent: ledger.sent,
    actions: ledger.actions,
    calls: serving.calls,
    stop: () => serving.shut(),
    pause: () => serving.shut(),
    resume: () => serving.listen(),
    addBot: (username) => addBot(world, newToken(first.id + world.bots.size), username).token,
    addPerson(person) {
      const added = { id: 1001 + world.people.size, ...person };
      world.people.set(added.id, added);
      return added;
    },
    addGroup: (group) => void world.groups.set(group.id, group),
    onMessage(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    say: (person, text, how = {}) => say(world, botOf(how.token), person, text, how),
    edit: (id, text) => edit(world, id, text),
    react: (person, id, emoji) => react(world, person, id, emoji),
    remove(link, chat, ids) {
      const known = world.links.get(link);
      const body = { business_connection_id: link, chat: chatOfPerson(chat), message_ids: ids };
      if (known) pushUpdate(world, known.bot, 'deleted_business_messages', body);
    },
    link(owner, token) {
      const link = { id: randomBytes(9).toString('base64url'), owner, bot: botOf(token), enabled: true };
      world.links.set(link.id, link);
      pushUpdate(world, link.bot, 'business_connection', connectionOf(link));
      return link.id;
    },
    unlink(id) {
      const link = world.links.get(id);
      if (!link) return;
      link.enabled = false;
      pushUpdate(world, link.bot, 'business_connection', connectionOf(link));
    },
    expel(by, from) {
      first.out.add(from.id);
      const chat = 'title' in from ? chatOfGroup(from) : chatOfPerson(from);
      pushUpdate(world, first, 'my_chat_member', {
        chat,
        from: userOf(by),
        date: Math.floor(world.now() / 1000),
        old_chat_member: { status: 'member', user: botUser(first) },
        new_chat_member: { status: 'kicked', user: botUser(first), until_date: 0 },
      });
    },
    push: (kind, body, token) => pushUpdate(world, botOf(token), kind, body),
    fail: (method, fault, times = 1, token) => serving.fail(method, fault, times, token),
  };
}

function newToken(id: number): string {
  return `${id}:${randomBytes(26).toString('base64url')}`;
}

function say(world: World, bot: Bot, person: Person, text: string, how: SayOptions): number {
  const group = how.group === undefined ? undefined : world.groups.get(how.group);
  const chat = group ? chatOfGroup(group) : chatOfPerson(how.business?.chat ?? person);
  const answered = how.replyTo === undefined ? undefined : world.messages.get(how.replyTo);
  const content = how.file
    ? {
        document: documentOf(storeFile(world, how.file.name, how.file.mime, how.file.bytes)),
        ...(text ? { caption: text } : {}),
      }
    : { text };
  const made = {
    message_id: how.thread,
    date: 1_700_000_000,
    chat,
    forum_topic_created: { name: group?.topics?.[how.thread ?? 0] },
  };
  const message = newMessage(world, {
    ...(group?.kind === 'channel' ? { sender_chat: chat } : { from: userOf(person) }),
    chat,
    ...(how.business ? { business_connection_id: how.business.link } : {}),
    ...(how.thread === undefined
      ? {}
      : { message_thread_id: how.thread, is_topic_message: true, reply_to_message: made }),
    ...(answered ? { reply_to_message: answered } : {}),
    ...content,
    ...how.extra,
  });
  const hearing = group ? [...world.bots.values()].filter((one) => !one.out.has(group.id)) : [bot];
  const kind = how.business ? 'business_message' : group?.kind === 'channel' ? 'channel_post' : 'message';
  world.hearers.set(Number(message.message_id), hearing);
  for (const one of hearing) pushUpdate(world, one, kind, message);
  return Number(message.message_id);
}

function edit(world: World, id: number, text: string): void {
  const old = world.messages.get(id);
  if (!old) return;
  const message = { ...old, text, edit_date: Math.floor(world.now() / 1000) };
  world.messages.set(id, message);
  const kind =
    'business_connection_id' in old
      ? 'edited_business_message'
      : 'sender_chat' in old
        ? 'edited_channel_post'
        : 'edited_message';
  for (const bot of world.hearers.get(id) ?? []) pushUpdate(world, bot, kind, message);
}

function react(world: World, person: Person, id: number, emoji: readonly string[]): void {
  const message = world.messages.get(id);
  if (!message) return;
  const body = {
    chat: message.chat,
    message_id: id,
    user: userOf(person),
    date: Math.floor(world.now() / 1000),
    old_reaction: [],
    new_reaction: emoji.map((one) => ({ type: 'emoji', emoji: one })),
  };
  for (const bot of world.hearers.get(id) ?? []) pushUpdate(world, bot, 'message_reaction', body);
}
