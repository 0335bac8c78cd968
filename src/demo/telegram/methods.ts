import {
  type Bot,
  botUser,
  chatOfGroup,
  chatOfPerson,
  documentOf,
  type Group,
  type Json,
  newMessage,
  type Person,
  storeFile,
  userOf,
  type World,
} from './world.ts';

/** What a bot sent, as a test or a lively contact looks at it. */
export interface Sent {
  readonly bot: number;
  readonly chat: number;
  readonly id: number;
  /** As it stands now. */
  text: string;
  readonly thread?: number;
  readonly replyTo?: number;
  readonly business?: string;
  readonly file?: { readonly name: string; readonly mime: string; readonly bytes: Uint8Array };
  deleted: boolean;
  reactions: readonly string[];
}

export interface Part {
  readonly name: string;
  readonly mime: string;
  readonly bytes: Uint8Array;
}

export interface Call {
  readonly bot: Bot;
  readonly payload: Json;
  readonly file: Part | undefined;
}

/** An answer with `ok: false`. */
export class Refused extends Error {
  readonly code: number;
  readonly parameters: Json | undefined;

  constructor(code: number, description: string, parameters?: Json) {
    super(description);
    this.code = code;
    this.parameters = parameters;
  }
}

export interface Ledger {
  readonly sent: Sent[];
  readonly actions: { readonly chat: number; readonly action: string }[];
  onSent(sent: Sent, bot: Bot): void;
}

type Method = (call: Call, world: World, ledger: Ledger) => unknown;

/** All methods but getUpdates, which waits. Texts of errors are those of the real server. */
export const methods: Readonly<Record<string, Method>> = Object.assign(Object.create(null), {
  getme: ({ bot }: Call) => ({ ...botUser(bot), can_join_groups: true, can_read_all_group_messages: true }),
  sendmessage: send,
  senddocument: sendFile,
  sendphoto: sendFile,
  editmessagetext: edit,
  deletemessage: remove,
  deletebusinessmessages: removeBusiness,
  setmessagereaction: react,
  sendchataction: (call: Call, world: World, ledger: Ledger) => {
    ledger.actions.push({ chat: target(call, world).id, action: String(call.payload.action) });
    return true;
  },
  getchat: (call: Call, world: World) => {
    const { person, group } = target(call, world);
    if (group) return { ...chatOfGroup(group), description: `About ${group.title}` };
    return person && chatOfPerson(person);
  },
  getchatadministrators: (call: Call, world: World) => {
    const { group } = target(call, world);
    if (!group) throw new Refused(400, 'Bad Request: there are no administrators in the private chat');
    return group.members.slice(0, 1).flatMap((id) => {
      const person = world.people.get(id);
      return person ? [{ status: 'creator', user: userOf(person) }] : [];
    });
  },
  getchatmember: (call: Call, world: World) => {
    const { id, group } = target(call, world);
    const user = Number(call.payload.user_id);
    const inside = user === call.bot.id ? !call.bot.out.has(id) : group?.members.includes(user);
    return { status: inside ? 'member' : 'left', user: { id: user } };
  },
  getchatmembercount: (call: Call, world: World) => (target(call, world).group?.members.length ?? 1) + 1,
  leavechat: (call: Call, world: World) => {
    call.bot.out.add(target(call, world).id);
    return true;
  },
  setchatdescription: (call: Call, world: World) => {
    target(call, world);
    return true;
  },
  getbusinessconnection: ({ payload }: Call, world: World) => {
    const link = world.links.get(String(payload.business_connection_id));
    if (!link) throw new Refused(400, 'Bad Request: business connection not found');
    return connectionOf(link);
  },
  getfile: ({ payload }: Call, world: World) => {
    const file = world.files.get(String(payload.file_id));
    if (!file) throw new Refused(400, 'Bad Request: wrong file_id or the file is temporarily unavailable');
    if (file.bytes.length > 20 * 1024 * 1024) throw new Refused(400, 'Bad Request: file is too big');
    return { file_id: file.id, file_unique_id: `u-${file.id}`, file_size: file.bytes.length, file_path: file.path };
  },
} satisfies Record<string, Method>);

export function connectionOf(link: { id: string; owner: Person; enabled: boolean }): Json {
  return {
    id: link.id,
    user: userOf(link.owner),
    user_chat_id: link.owner.id,
    date: 1_700_000_000,
    rights: { can_reply: true },
    is_enabled: link.enabled,
  };
}

function target(
  { bot, payload }: Call,
  world: World,
): { readonly id: number; readonly person?: Person; readonly group?: Group } {
  const wanted = payload.chat_id;
  const named = (one: { readonly username?: string }): boolean => `@${one.username}` === wanted;
  // As on the real server, a name finds groups and channels, never people.
  const group = world.groups.get(Number(wanted)) ?? [...world.groups.values()].find(named);
  if (group) {
    if (bot.out.has(group.id)) throw new Refused(403, `Forbidden: bot was kicked from the ${group.kind} chat`);
    return { id: group.id, group };
  }
  const person = world.people.get(Number(wanted));
  if (!person || person.stranger) throw new Refused(400, 'Bad Request: chat not found');
  if (bot.out.has(person.id)) throw new Refused(403, 'Forbidden: bot was blocked by the user');
  return { id: person.id, person };
}

function send(call: Call, world: World, ledger: Ledger): Json {
  const text = String(call.payload.text ?? '').trim();
  if (text === '') throw new Refused(400, 'Bad Request: message text is empty');
  if (text.length > 4096) throw new Refused(400, 'Bad Request: message is too long');
  return record(call, world, ledger, { text }, text);
}

function sendFile(call: Call, world: World, ledger: Ledger): Json {
  if (!call.file) throw new Refused(400, 'Bad Request: there is no document in the request');
  const file = storeFile(world, call.file.name, call.file.mime, call.file.bytes);
  return record(call, world, ledger, { document: documentOf(file) }, '', call.file);
}

function record(call: Call, world: World, ledger: Ledger, content: Json, text: string, file?: Part): Json {
  const { id, person, group } = target(call, world);
  const { payload, bot } = call;
  const thread = payload.message_thread_id === undefined ? undefined : Number(payload.message_thread_id);
  if (thread !== undefined && !group?.topics?.[thread]) throw new Refused(400, 'Bad Request: message thread not found');
  const business = payload.business_connection_id === undefined ? undefined : String(payload.business_connection_id);
  const link = business === undefined ? undefined : world.links.get(business);
  if (business !== undefined && !link?.enabled) throw new Refused(400, 'Bad Request: business connection not found');
  const replyTo = replied(payload.reply_parameters);
  const message = newMessage(world, {
    from: link ? userOf(link.owner) : botUser(bot),
    chat: group ? chatOfGroup(group) : person && chatOfPerson(person),
    ...(link ? { business_connection_id: link.id, sender_business_bot: botUser(bot) } : {}),
    ...(thread === undefined ? {} : { message_thread_id: thread, is_topic_message: true }),
    ...content,
  });
  const sent: Sent = {
    bot: bot.id,
    chat: id,
    id: Number(message.message_id),
    text,
    deleted: false,
    reactions: [],
    ...(thread === undefined ? {} : { thread }),
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(business === undefined ? {} : { business }),
    ...(file === undefined ? {} : { file }),
  };
  ledger.sent.push(sent);
  world.hearers.set(sent.id, [bot]);
  ledger.onSent(sent, bot);
  return message;
}

function replied(parameters: unknown): number | undefined {
  const given: unknown = typeof parameters === 'string' ? JSON.parse(parameters) : parameters;
  return typeof given === 'object' && given !== null && 'message_id' in given ? Number(given.message_id) : undefined;
}

function own(call: Call, world: World, ledger: Ledger): Sent {
  const { id } = target(call, world);
  const number = Number(call.payload.message_id);
  const sent = ledger.sent.find((one) => one.chat === id && one.id === number && one.bot === call.bot.id);
  if (sent && !sent.deleted) return sent;
  const known = world.messages.has(number);
  throw new Refused(400, `Bad Request: message ${known ? "can't be edited" : 'to edit not found'}`);
}

function edit(call: Call, world: World, ledger: Ledger): Json {
  const sent = own(call, world, ledger);
  const text = String(call.payload.text ?? '').trim();
  if (text === sent.text) throw new Refused(400, 'Bad Request: message is not modified');
  sent.text = text;
  const message = { ...world.messages.get(sent.id), text };
  world.messages.set(sent.id, message);
  return message;
}

function remove(call: Call, world: World, ledger: Ledger): boolean {
  own(call, world, ledger).deleted = true;
  return true;
}

function removeBusiness({ payload }: Call, _world: World, ledger: Ledger): boolean {
  const ids = Array.isArray(payload.message_ids) ? payload.message_ids.map(Number) : [];
  for (const sent of ledger.sent)
    if (sent.business === payload.business_connection_id && ids.includes(sent.id)) sent.deleted = true;
  return true;
}

function react(call: Call, world: World, ledger: Ledger): boolean {
  const { id } = target(call, world);
  const number = Number(call.payload.message_id);
  if (!world.messages.has(number)) throw new Refused(400, 'Bad Request: message to react not found');
  const given: readonly unknown[] = Array.isArray(call.payload.reaction) ? call.payload.reaction : [];
  const emoji = given.map((one) =>
    typeof one === 'object' && one !== null && 'emoji' in one ? String(one.emoji) : '',
  );
  const sent = ledger.sent.find((one) => one.chat === id && one.id === number);
  if (sent) sent.reactions = emoji;
  else world.messages.set(number, { ...world.messages.get(number), reactions: emoji });
  return true;
}
