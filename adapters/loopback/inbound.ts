import type {
  AdapterEvent,
  Chat,
  ChatId,
  Contact,
  FileId,
  Member,
  Message,
  MessageId,
  Nonce,
  UserId,
} from '../contract.ts';
import { type Letter, ME, type Packet, type Person, type Room } from './world.ts';

/** Here the native ids are names, so each id is made in one place and read nowhere but in this adapter. */
export const userId = (name: string): UserId => name as UserId;
export const chatId = (name: string): ChatId => name as ChatId;
export const messageId = (id: string): MessageId => id as MessageId;
export const authorOf = (name: string): UserId | 'self' => (name === ME ? 'self' : userId(name));

/** One packet of the wire as events. A pure function: tested with a table. */
export function eventsOf(packet: Packet): readonly AdapterEvent[] {
  switch (packet.kind) {
    case 'letter':
      return [{ type: 'message', message: messageOf(packet.letter), live: true }];
    case 'person':
      return personEvents(packet.person, packet.was);
    case 'typing':
      return [{ type: 'typing', chat: chatId(packet.from), user: userId(packet.from), active: packet.active }];
    case 'read':
      return [
        {
          type: 'receipt',
          chat: chatId(packet.chat),
          upTo: messageId(packet.id),
          state: 'read',
          by: userId(packet.chat),
        },
      ];
    case 'change':
      return [changeEvent(packet)];
    case 'room':
      return [
        { type: 'chat', chat: roomChat(packet.room) },
        { type: 'members', chat: chatId(packet.room.name), members: [...packet.room.here].map(memberOf) },
      ];
    case 'member':
      if (packet.who === ME) return [{ type: 'chat-left', chat: chatId(packet.room) }];
      return [{ type: 'member', chat: chatId(packet.room), member: memberOf(packet.who), present: packet.present }];
    case 'knock':
      return [{ type: 'request', id: packet.from, kind: 'subscription', from: packet.from, text: packet.text }];
    default:
      return packet satisfies never;
  }
}

export function messageOf({ id, chat, from, at, text, replyTo, nonce, file }: Letter): Message {
  return {
    id: messageId(id),
    chat: chatId(chat),
    from: authorOf(from),
    at: new Date(at),
    text,
    ...(replyTo === undefined ? {} : { replyTo: messageId(replyTo) }),
    ...(nonce === undefined ? {} : { nonce: nonce as Nonce }),
    ...(file === undefined
      ? {}
      : { files: [{ id: id as FileId, name: file.name, mime: file.mime, bytes: file.bytes.length }] }),
  };
}

export function contactOf({ name, shown, groups }: Person): Contact {
  return { id: userId(name), chat: chatId(name), address: name, name: shown, groups, subscription: 'both' };
}

export function personChat({ name, shown }: Person): Chat {
  return { id: chatId(name), kind: 'direct', address: name, title: shown };
}

export function roomChat({ name, topic }: Room): Chat {
  return { id: chatId(name), kind: 'room', address: name, title: name, topic };
}

export function memberOf(name: string): Member {
  return { id: userId(name), name, role: 'member' };
}

export function presenceOf({ name, state, note }: Person): AdapterEvent {
  return { type: 'presence', user: userId(name), state, ...(note === '' ? {} : { note }) };
}

function personEvents(person: Person, was: Person | undefined): readonly AdapterEvent[] {
  const { name, listed } = person;
  if (!listed) return was?.listed ? [{ type: 'contact-removed', user: userId(name) }] : [];
  const moved = was?.listed === true && (was.state !== person.state || was.note !== person.note);
  return moved ? [presenceOf(person)] : [{ type: 'contact', contact: contactOf(person) }, presenceOf(person)];
}

function changeEvent({ letter, by, change }: Extract<Packet, { kind: 'change' }>): AdapterEvent {
  const what = { chat: chatId(letter.chat), id: messageId(letter.id), by: authorOf(by) };
  switch (change.kind) {
    case 'edit':
      return { type: 'edited', ...what, text: change.text };
    case 'erase':
      return { type: 'retracted', ...what };
    case 'react':
      return { type: 'reactions', ...what, emoji: change.emoji };
    default:
      return change satisfies never;
  }
}
