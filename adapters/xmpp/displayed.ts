import { type Element, xml } from '@xmpp/xml';
import { asAdapterError } from '../errors.ts';
import type { Archives } from './archive.ts';
import type { Disco } from './disco.ts';
import { bare } from './jid.ts';
import { fetchItems, publishPrivate } from './pep.ts';
import type { Timeline } from './timeline.ts';
import { chatId, type Wire } from './wire.ts';
import { child, elements, NS } from './xml.ts';

/** How far each chat was read, as the account's devices tell each other (XEP-0490). */
export interface Displayed {
  /** What stands at the server: the archive's id of the last message read, by chat. Empty where it keeps none. */
  fetch(): Promise<ReadonlyMap<string, string>>;
  /** Tells of those that moved since we last looked, once what they speak of is known. */
  tell(marks: ReadonlyMap<string, string>): Promise<void>;
  /** Another device has read something just now. */
  heard(items: Element): void;
  /** `archived`: the id that the account's or the room's archive gave to the message. */
  publish(chat: string, archived: string): Promise<void>;
}

const kept = 'displayed';
/** For so many chats the archive is asked what a mark speaks of. */
const mostAsked = 20;
const publishOptions = 'http://jabber.org/protocol/pubsub#publish-options';

export interface DisplayedNeeds {
  readonly disco: Disco;
  readonly timeline: Timeline;
  readonly archives: Archives;
}

export function displayed(wire: Wire, { disco, timeline, archives }: DisplayedNeeds): Displayed {
  const told = new Map<string, string>(readKept(wire.host.memory.get(kept)));
  const keep = (chat: string, id: string): void => {
    told.set(chat, id);
    wire.host.memory.set(kept, JSON.stringify([...told]));
  };

  /** False where the mark speaks of a message that is not known here. */
  const tellOne = (chat: string, id: string): boolean => {
    const known = timeline.find(chatId(chat), id);
    if (known) wire.host.emit({ type: 'read-elsewhere', chat: chatId(chat), upTo: known.id });
    return known !== undefined;
  };

  return {
    async fetch() {
      try {
        const items = await fetchItems(wire, NS.displayed);
        return new Map(items.map(readMark).filter((mark) => mark !== undefined));
      } catch (error) {
        // No such node: nothing was ever read on a device that tells.
        if (asAdapterError(error).code !== 'not-found') wire.host.log('debug', `no read marks: ${String(error)}`);
        return new Map();
      }
    },
    async tell(marks) {
      const first = told.size === 0;
      let asked = 0;
      for (const [chat, id] of marks) {
        if (told.get(chat) === id) continue;
        if (!tellOne(chat, id) && !first && asked++ < mostAsked) {
          await archives.page(chatId(chat), undefined).catch(() => undefined);
          tellOne(chat, id);
        }
        keep(chat, id);
      }
    },
    heard(items) {
      for (const item of elements(items)) {
        const mark = readMark(item);
        if (!mark || told.get(mark[0]) === mark[1]) continue;
        tellOne(...mark);
        keep(...mark);
      }
    },
    async publish(chat, archived) {
      // A private chat in a room has no address of its own here.
      if (!archived || chat.includes('/') || told.get(chat) === archived) return;
      if (!(await disco.info(wire.self)).features.has(publishOptions)) return;
      keep(chat, archived);
      const by = timeline.find(chatId(chat), archived)?.room === true ? chat : wire.self;
      const id = xml('stanza-id', { xmlns: NS.sid, by, id: archived });
      await publishPrivate(wire, NS.displayed, chat, xml('displayed', { xmlns: NS.displayed }, id));
    },
  };
}

function readMark(item: Element): readonly [chat: string, id: string] | undefined {
  const mark = child(item, 'displayed', NS.displayed);
  const id = mark && child(mark, 'stanza-id', NS.sid)?.attrs.id;
  return item.attrs.id && id ? [bare(item.attrs.id), id] : undefined;
}

function readKept(text: string | undefined): [string, string][] {
  try {
    const all: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(all) ? all.filter((pair): pair is [string, string] => Array.isArray(pair)) : [];
  } catch {
    return [];
  }
}
