import type { ChatId, MessageId } from '../contract.ts';
import { bare } from './jid.ts';
import * as outbound from './outbound.ts';
import type { Roster } from './roster.ts';
import type { Timeline } from './timeline.ts';
import { asideId, messageId, userId, type Wire } from './wire.ts';

/** Receipts (XEP-0184) and read markers (XEP-0333). */
export interface Receipts {
  /** They got it. */
  delivered(chat: ChatId, id: string): void;
  /** They, or we on another device, have read it and all before it. */
  displayed(chat: ChatId, id: string, own: boolean): void;
  /** Says that it arrived, once it is on disk, to whom may know that we are here. */
  confirm(from: string, id: string): void;
  /** Says that we have read it, where the sender asked and may know. */
  read(chat: ChatId, id: MessageId, inRoom: boolean): void;
}

export function receipts(wire: Wire, roster: Roster, timeline: Timeline): Receipts {
  let owed: { readonly to: string; readonly id: string }[] = [];
  const confirmAll = async (): Promise<void> => {
    try {
      await wire.host.saved();
      const now = owed;
      owed = [];
      for (const { to, id } of now) wire.stream.send(outbound.receipt(to, asideId(), id));
    } catch (error) {
      // Not stored, or the stream ended: no receipt is the truth in both cases.
      owed = [];
      wire.host.log('debug', `receipts not sent: ${String(error)}`);
    }
  };
  return {
    delivered(chat, id) {
      const upTo = timeline.find(chat, id)?.id ?? messageId(id);
      wire.host.emit({ type: 'receipt', chat, upTo, state: 'delivered', by: userId(chat), single: true });
    },
    displayed(chat, id, own) {
      const upTo = timeline.find(chat, id)?.id ?? messageId(id);
      if (own) wire.host.emit({ type: 'read-elsewhere', chat, upTo });
      else wire.host.emit({ type: 'receipt', chat, upTo, state: 'read', by: userId(chat) });
    },
    confirm(from, id) {
      if (!roster.seesUs(bare(from))) return;
      owed.push({ to: from, id });
      if (owed.length === 1) void confirmAll();
    },
    read(chat, id, inRoom) {
      const known = timeline.find(chat, id);
      if (!known?.markable || (!inRoom && !roster.seesUs(chat))) return;
      const of = inRoom ? known.archived || known.wire : known.wire;
      wire.stream.send(outbound.displayed(chat, inRoom ? 'groupchat' : 'chat', asideId(), of));
    },
  };
}
