import type { AdapterEvent, Chat, ChatId, Contact, Memory } from '../contract.ts';
import { placeOf, userId } from './ids.ts';
import { list } from './transport/json.ts';

/**
 * Chats and people seen so far. The Bot API has no roster to ask for, so this one is kept: one small record for each
 * chat in the account's memory, written only when it is new or its names changed.
 */
export interface Known {
  /** True where the event tells something new; `contact`, `chat` and `chat-left` events only. */
  learn(event: AdapterEvent): boolean;
  title(chat: ChatId): string | undefined;
  /** By address or native id, without regard to case. */
  find(address: string): Chat | undefined;
  roster(): Extract<AdapterEvent, { type: 'roster' }>;
}

interface Entry {
  readonly slot: number;
  readonly chat: Chat;
  readonly groups: readonly string[];
}

const COUNT = 'known';

export function knownChats(memory: Memory): Known {
  const entries = new Map<ChatId, Entry>();
  const addresses = new Map<string, ChatId>();
  let slots = Number(memory.get(COUNT) ?? 0);

  const index = (entry: Entry): void => {
    entries.set(entry.chat.id, entry);
    addresses.set(entry.chat.address.toLowerCase(), entry.chat.id);
  };
  for (let slot = 0; slot < slots; slot++) {
    const entry = entryOf(slot, memory.get(`${COUNT}.${slot}`));
    if (entry) index(entry);
  }

  const keep = (chat: Chat, groups: readonly string[]): void => {
    const slot = entries.get(chat.id)?.slot ?? slots++;
    index({ slot, chat, groups });
    memory.set(`${COUNT}.${slot}`, recordOf(chat, groups));
    memory.set(COUNT, String(slots));
  };

  return {
    learn(event) {
      if (event.type === 'chat-left') {
        const entry = entries.get(event.chat);
        if (!entry) return false;
        entries.delete(event.chat);
        memory.set(`${COUNT}.${entry.slot}`, undefined);
        return true;
      }
      const chat = event.type === 'chat' ? event.chat : event.type === 'contact' ? chatOf(event.contact) : undefined;
      if (!chat) return false;
      const old = entries.get(chat.id);
      // Only getChat tells the description; that a message does not is no change.
      const topic = chat.topic ?? old?.chat.topic;
      const now: Chat = topic === undefined ? chat : { ...chat, topic };
      const groups = event.type === 'contact' ? event.contact.groups : (old?.groups ?? []);
      if (old && same(old.chat, now) && String(old.groups) === String(groups)) return false;
      keep(now, groups);
      return true;
    },
    title: (chat) => entries.get(chat)?.chat.title,
    find(address) {
      const wanted = address.toLowerCase();
      const id = addresses.get(wanted) ?? addresses.get(`@${wanted}`) ?? entries.keys().find((id) => id === address);
      return id === undefined ? undefined : entries.get(id)?.chat;
    },
    roster() {
      const all = [...entries.values()];
      const contacts = all
        .filter(({ chat }) => chat.kind === 'direct')
        .map(({ chat, groups }) => contactOf(chat, groups));
      return {
        type: 'roster',
        contacts,
        chats: all.filter(({ chat }) => chat.kind === 'room').map(({ chat }) => chat),
      };
    },
  };
}

function chatOf(contact: Contact): Chat {
  return { id: contact.chat, kind: 'direct', address: contact.address, title: contact.name };
}

function contactOf(chat: Chat, groups: readonly string[]): Contact {
  const { chat: user, business } = placeOf(chat.id);
  return { id: userId(user, business), chat: chat.id, address: chat.address, name: chat.title, groups };
}

function same(a: Chat, b: Chat): boolean {
  return a.kind === b.kind && a.title === b.title && a.address === b.address && (a.topic ?? '') === (b.topic ?? '');
}

function recordOf({ id, kind, address, title, topic }: Chat, groups: readonly string[]): string {
  return JSON.stringify([id, kind, address, title, topic ?? '', ...groups]);
}

function entryOf(slot: number, record: string | undefined): Entry | undefined {
  if (record === undefined) return undefined;
  const [id = '', kind, address = '', title = '', topic, ...groups] = list(JSON.parse(record)).map(String);
  const chat: Chat = {
    id: id as ChatId,
    kind: kind === 'direct' ? 'direct' : 'room',
    address,
    title,
    ...(topic ? { topic } : {}),
  };
  return { slot, chat, groups };
}
