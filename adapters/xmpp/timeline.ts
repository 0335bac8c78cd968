import type { Attachment, ChatId, Message, MessageId, UserId } from '../contract.ts';
import { madeUpId, ownText, type Reading, readAction, sentAt } from './inbound.ts';
import { type Known, recentMessages } from './recent.ts';
import { fileId, messageId, nonceOf, type Wire } from './wire.ts';

/** Where a message stanza belongs, as judged by whoever knows the chat. */
export interface Place {
  readonly chat: ChatId;
  readonly by: UserId | 'self';
  readonly name?: string | undefined;
  /** Who may change it later: the bare JID, or the room's stable id of the person. */
  readonly author: string;
  readonly room: boolean;
  readonly live: boolean;
  /** Not live, and read already as far as can be told. */
  readonly seen?: boolean;
  /** Whose stanza ids count here; empty: nobody's. */
  readonly archive: string;
  /** The id in the archive that it was read from. */
  readonly archived?: string | undefined;
}

/** Turns stanzas that belong to a chat into messages and changes of messages, and knows the latest of them. */
export interface Timeline {
  /** Tells the host of the message, edit, retraction or reaction in it. The message, where it was one. */
  apply(reading: Reading, place: Place): Message | undefined;
  /** The same for a page of an archive: changes are worked into the messages of the page, nothing is told. */
  page(entries: readonly { readonly reading: Reading; readonly place: Place }[]): readonly Message[];
  /** An own message on its way. */
  sent(chat: ChatId, wireId: string, id: string, text: string): void;
  find(chat: ChatId, reference: string): Known | undefined;
}

const mostKnown = 5_000;
/** Below this length an id is a counter rather than a name, and comes again (RFC 6120 8.1.3 asks for no more). */
const tooShort = 10;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function timeline(wire: Wire): Timeline {
  const recent = recentMessages(mostKnown);

  const idOf = (reading: Reading, place: Place): { id: MessageId; archived: string } => {
    const archived =
      place.archived ??
      (place.archive ? reading.stanzaIds.find(({ by }) => by === place.archive)?.id : undefined) ??
      '';
    const own = reading.id || reading.originId || '';
    // Rooms refer to messages by the room's id; in one-to-one chats receipts, edits and replies use the sender's.
    if (place.room) return { id: messageId(archived || own || madeUpId(reading)), archived };
    const known = own ? recent.find(place.chat, own) : undefined;
    const taken = known !== undefined && known.archived !== archived && place.by !== 'self';
    const usable = place.by === 'self' ? own !== '' : own.length >= tooShort && !taken;
    return { id: messageId(usable ? own : archived || own || madeUpId(reading)), archived };
  };

  const compose = (reading: Reading, place: Place): Message => {
    const { id, archived } = idOf(reading, place);
    const written = ownText(reading);
    const { text, action } = readAction(written);
    const message: Mutable<Message> = {
      id,
      chat: place.chat,
      from: place.by,
      at: sentAt(reading.stamp, wire.host.clock.now()),
      text,
    };
    if (place.name) message.fromName = place.name;
    if (action) message.style = 'action';
    else if (reading.type === 'headline') message.style = 'notice';
    if (reading.url) message.files = [attachment(reading.url)];
    if (reading.reply) message.replyTo = recent.find(place.chat, reading.reply.id)?.id ?? messageId(reading.reply.id);
    if (place.by === 'self') message.nonce = nonceOf(reading.originId ?? reading.id);
    remember(reading, place, message, archived);
    return message;
  };

  const remember = (reading: Reading, place: Place, message: Message, archived: string): void => {
    const { id, text } = message;
    const known: Known = {
      id,
      wire: reading.id || id,
      from: reading.from,
      author: place.author,
      text: text.slice(0, 500),
      markable: reading.markable,
      room: place.room,
      archived,
    };
    recent.add(place.chat, known, reading.id, archived);
  };

  /** The message that an author may change by this reference. */
  const changeable = (place: Place, reference: string): MessageId | undefined => {
    const known = recent.find(place.chat, reference);
    if (known) return known.author === place.author ? known.id : undefined;
    // In a room the name may have changed hands since; between two people it cannot.
    return place.room ? undefined : messageId(reference);
  };

  const change = (reading: Reading, place: Place): boolean => {
    const { chat, by } = place;
    if (reading.retracts !== undefined) {
      const id = changeable(place, reading.retracts);
      if (id) wire.host.emit({ type: 'retracted', chat, id, by });
      return true;
    }
    if (reading.reactions) {
      const id = recent.find(chat, reading.reactions.id)?.id ?? messageId(reading.reactions.id);
      wire.host.emit({ type: 'reactions', chat, id, by, emoji: reading.reactions.emoji });
      return true;
    }
    if (reading.replaces !== undefined && reading.body !== undefined) {
      const id = changeable(place, reading.replaces);
      if (id) wire.host.emit({ type: 'edited', chat, id, by, text: readAction(ownText(reading)).text });
      return true;
    }
    return false;
  };

  return {
    apply(reading, place) {
      if (change(reading, place) || !reading.body) return undefined;
      const message = compose(reading, place);
      const { live, seen = false } = place;
      wire.host.emit({ type: 'message', message, live, ...(seen ? { seen } : undefined) });
      return message;
    },
    page(entries) {
      const messages = new Map<string, Mutable<Message>>();
      for (const { reading, place } of entries) {
        const reference = reading.retracts ?? reading.replaces;
        if (reference !== undefined) {
          const changed = messages.get(changeable(place, reference) ?? '');
          if (changed && reading.retracts !== undefined) messages.delete(changed.id);
          else if (changed && reading.body) changed.text = readAction(ownText(reading)).text;
        } else if (reading.body && !reading.reactions) {
          const message = compose(reading, place);
          messages.set(message.id, message);
        }
      }
      return [...messages.values()];
    },
    sent(chat, wireId, id, text) {
      const author = wire.self;
      const known = {
        id: messageId(id),
        wire: wireId,
        from: wire.jid,
        author,
        text: text.slice(0, 500),
        markable: false,
        room: false,
        archived: '',
      };
      recent.add(chat, known, wireId, '');
    },
    find: recent.find,
  };
}

function attachment(url: string): Attachment {
  const path = URL.canParse(url) ? new URL(url).pathname : url;
  const last = path.slice(path.lastIndexOf('/') + 1) || 'file';
  return { id: fileId(url), name: decode(last) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
