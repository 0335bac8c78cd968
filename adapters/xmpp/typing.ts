import type { ChatId, UserId } from '../contract.ts';
import type { ChatState } from './inbound.ts';
import type { Wire } from './wire.ts';

/** Who writes just now (XEP-0085). */
export interface Typing {
  /** `spoke`: the state came with a message, so whoever wrote has done so. */
  heard(chat: ChatId, user: UserId, state: ChatState, spoke: boolean): void;
  /** Their client knows of such states: it sent one. */
  understood(chat: ChatId): boolean;
  /** False where they were told of that state already (XEP-0085 5.3: a state is sent when it changes). */
  changes(chat: ChatId, active: boolean): boolean;
  /** A message went out, and ends our typing there. */
  said(chat: ChatId): void;
}

export function typing(wire: Wire): Typing {
  const writing = new Set<string>();
  const capable = new Set<ChatId>();
  /** Where we are known to type. */
  const told = new Set<ChatId>();
  return {
    heard(chat, user, state, spoke) {
      capable.add(chat);
      const active = state === 'composing' && !spoke;
      const key = `${chat}\n${user}`;
      if (active === writing.has(key)) return;
      if (active) writing.add(key);
      else writing.delete(key);
      wire.host.emit({ type: 'typing', chat, user, active });
    },
    understood: (chat) => capable.has(chat),
    changes(chat, active) {
      if (active === told.has(chat)) return false;
      if (active) told.add(chat);
      else told.delete(chat);
      return true;
    },
    said: (chat) => void told.delete(chat),
  };
}
