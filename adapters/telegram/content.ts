import type { Attachment } from '../contract.ts';
import { fileId } from './ids.ts';
import { type Json, list, object, text, whole } from './transport/json.ts';

/** What a person reads of a message: its text or caption, links written out, and words for what is neither. */
export function textOf(message: Json): string {
  const [body, entities] =
    text(message.text) === undefined
      ? [text(message.caption) ?? '', message.caption_entities]
      : [text(message.text) ?? '', message.entities];
  const own = withLinks(body, entities);
  const words = [forwarded(message), own === '' ? inWords(message) : own];
  return words.filter((part) => part !== '').join('\n');
}

/** A link under other words would be lost in plain text, and could lie: its address follows the words. */
function withLinks(body: string, entities: unknown): string {
  let shown = body;
  for (const entity of list(entities).toReversed()) {
    const { type, offset, length, url } = object(entity) ?? {};
    if (type !== 'text_link' || typeof url !== 'string') continue;
    const end = (whole(offset) ?? 0) + (whole(length) ?? 0);
    if (end > 0 && end <= body.length && !body.slice(0, end).endsWith(url))
      shown = `${shown.slice(0, end)} (${url})${shown.slice(end)}`;
  }
  return shown;
}

function forwarded(message: Json): string {
  const origin = object(message.forward_origin);
  if (!origin) return '';
  const chat = object(origin.sender_chat) ?? object(origin.chat);
  const user = object(origin.sender_user);
  const name = text(origin.sender_user_name) ?? text(chat?.title) ?? (user ? nameOf(user) : '');
  return `Forwarded from ${name || 'someone'}:`;
}

/** For kinds that have no text of their own; a file alone needs none. */
function inWords(message: Json): string {
  const { sticker, location, venue, contact, poll, dice } = message;
  if (object(sticker)) return text(object(sticker)?.emoji) ?? '';
  if (object(venue)) return `[place: ${text(object(venue)?.title) ?? ''}, ${text(object(venue)?.address) ?? ''}]`;
  if (object(location)) return `[location: ${object(location)?.latitude}, ${object(location)?.longitude}]`;
  if (object(contact))
    return `[contact: ${nameOf(object(contact) ?? {})} ${text(object(contact)?.phone_number) ?? ''}]`;
  if (object(poll)) {
    const options = list(object(poll)?.options).map((option) => text(object(option)?.text) ?? '');
    return `[poll: ${text(object(poll)?.question) ?? ''}: ${options.join(' / ')}]`;
  }
  if (object(dice)) return `${text(object(dice)?.emoji) ?? ''} ${object(dice)?.value}`;
  return '';
}

export function nameOf(user: Json): string {
  const name = [text(user.first_name), text(user.last_name)].filter(Boolean).join(' ').trim();
  return name || text(user.title) || text(user.username) || String(whole(user.id) ?? '');
}

/** Kinds of one file, and the ending of those that come without a name. */
const KINDS: readonly (readonly [string, string])[] = [
  ['document', 'bin'],
  ['audio', 'mp3'],
  ['voice', 'ogg'],
  ['video', 'mp4'],
  ['video_note', 'mp4'],
  ['sticker', 'webp'],
];

export function filesOf(message: Json): readonly Attachment[] {
  // An animation comes with the same file as `document`. A photo comes in several sizes, the largest last.
  const photo = object(list(message.photo).at(-1));
  const found = KINDS.map(([kind, ending]) => attachment(object(message[kind]), kind, endingOf(message, kind, ending)));
  return [attachment(photo, 'photo', 'jpg'), ...found].filter((file) => file !== undefined);
}

function endingOf(message: Json, kind: string, ending: string): string {
  if (kind !== 'sticker') return ending;
  const { is_video, is_animated } = object(message.sticker) ?? {};
  return is_video === true ? 'webm' : is_animated === true ? 'tgs' : ending;
}

function attachment(file: Json | undefined, kind: string, ending: string): Attachment | undefined {
  const id = text(file?.file_id);
  if (!file || !id) return undefined;
  const mime = text(file.mime_type);
  const bytes = whole(file.file_size);
  return {
    id: fileId(id),
    name: text(file.file_name) || `${kind.replace('_', '-')}.${ending}`,
    ...(mime === undefined ? {} : { mime }),
    ...(bytes === undefined ? {} : { bytes }),
  };
}
