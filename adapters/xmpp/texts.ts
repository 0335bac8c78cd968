import type { ChatId, Limits, MessageId, Nonce, SendOptions } from '../contract.ts';
import { AdapterError } from '../errors.ts';
import { bare } from './jid.ts';
import type { Online } from './online.ts';
import * as outbound from './outbound.ts';
import { messageId } from './wire.ts';
import { childText, elements, NS } from './xml.ts';

/** What a server takes that does not say; Prosody's and ejabberd's own limits are 256 kB and more. */
const usualBytes = 200_000;
/** For all that stands around a text in its stanza. */
const envelopeBytes = 4_096;

export interface Target {
  readonly to: string;
  readonly type: 'chat' | 'groupchat';
  readonly inRoom: boolean;
}

/** Where a message of that chat goes. @throws AdapterError `refused` in a room that we are not in. */
export function target({ rooms, presences, direct }: Online, chat: ChatId): Target {
  const address = bare(chat);
  if (rooms.get(address)) {
    rooms.entered(address);
    return { to: chat, type: chat === address ? 'groupchat' : 'chat', inRoom: chat !== address };
  }
  // RFC 6121 5.1 would have us keep to the device that wrote last. With carbons all devices take part, so the bare
  // address is right, except for a device that never gets what is sent there.
  const device = direct.device(chat);
  const to = device && presences.shy(chat, device) ? `${chat}/${device}` : chat;
  return { to, type: 'chat', inRoom: chat.includes('/') };
}

/** People's clients answer with receipts (XEP-0184); rooms, where there may be thousands of them, do not. */
export function limitsOf(online: Online | undefined, chat: ChatId): Limits {
  const limits = online && elements(online.wire.stream.features).find((feature) => feature.is('limits', NS.limits));
  const most = Number(limits && childText(limits, 'max-bytes'));
  const room = most > 0 ? Math.max(1_024, most - envelopeBytes) : usualBytes;
  const fileBytes = online?.uploads.limit();
  return {
    textBytes: Math.min(usualBytes, room),
    receipts: online?.rooms.get(chat) === undefined,
    ...(fileBytes === undefined ? undefined : { fileBytes }),
  };
}

/** @throws AdapterError `too-long`, `refused`, `not-found`, … */
export async function sendText(
  online: Online,
  chat: ChatId,
  text: string,
  nonce: Nonce,
  options: SendOptions & { readonly url?: boolean } = {},
): Promise<MessageId> {
  options.signal?.throwIfAborted();
  const { textBytes } = limitsOf(online, chat);
  if (Buffer.byteLength(text) > textBytes) {
    throw new AdapterError('too-long', `a message here may hold ${textBytes} bytes`);
  }
  const { to, type, inRoom } = target(online, chat);
  const reply = options.replyTo && replyTo(online, chat, options.replyTo, type);
  const { url = false, signal } = options;
  const stanza = outbound.message({ to, type, id: nonce, text, inRoom, url, ...(reply ? { reply } : undefined) });
  online.typing.said(chat);
  const id = await online.sending.send(stanza, { signal, reflected: type === 'groupchat' });
  if (type === 'chat' || id === nonce) online.timeline.sent(chat, nonce, id, text);
  return messageId(id);
}

function replyTo({ timeline }: Online, chat: ChatId, id: MessageId, type: Target['type']): outbound.Outgoing['reply'] {
  const known = timeline.find(chat, id);
  if (!known) return { id };
  return { id: type === 'groupchat' ? id : known.wire, to: known.from, quoted: known.text };
}
