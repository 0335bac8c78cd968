import type { Chat, ChatId, UserId } from '../contract.ts';
import type { Connection } from './connection.ts';
import { type People, people } from './people.ts';

/** The private chats of a session: told of before their first message, and following a person to a new nick. */
export interface Talk {
  readonly people: People;
  /** The chat with a nick; the first time core hears of it. */
  open(nick: string): Chat;
  isOpen(chat: ChatId): boolean;
  /** Ids that must survive a change of nick besides those of open chats. */
  keep(id: UserId): void;
  /** A person was seen to change nicks. */
  renamed(from: string, to: string): void;
  left(nick: string): void;
}

export function talk({ host, fold }: Connection): Talk {
  const open = new Set<string>();
  const kept = new Set<string>();
  const known = people(fold);
  const isKnown = (id: string): boolean => open.has(id) || kept.has(id);

  const tell = (id: ChatId, nick: string): Chat => {
    const chat: Chat = { id, kind: 'direct', address: nick, title: nick };
    host.emit({ type: 'chat', chat });
    return chat;
  };

  return {
    people: known,
    isOpen: (chat) => open.has(chat),
    keep: (id) => void kept.add(id),
    open(nick) {
      const id = known.chat(nick);
      if (open.has(id)) return { id, kind: 'direct', address: nick, title: nick };
      open.add(id);
      return tell(id, nick);
    },
    renamed(from, to) {
      const id = known.chat(from);
      if (!isKnown(id)) return;
      if (known.follow(from, to, isKnown)) {
        if (open.has(id)) tell(id, to);
      } else {
        host.emit({
          type: 'notice',
          text: `${from} goes by ${to} now; their chat stays apart from the one with ${to}`,
        });
      }
    },
    left(nick) {
      const id = known.chat(nick);
      if (known.left(nick) && open.has(id)) tell(id, known.nick(id));
    },
  };
}
