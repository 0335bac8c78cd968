import type { ChatId, UserId } from '../contract.ts';

/**
 * Who stands behind a nick. An id is the folded nick that a person had when first met; it stays theirs while they are
 * seen changing nicks, and somebody else who takes the old nick gets an id of their own. IRC knows nothing more lasting
 * than a nick, so a followed nick goes back when the person leaves or the connection ends.
 */
export interface People {
  id(nick: string): UserId;
  chat(nick: string): ChatId;
  /** Where a message for that id must go now. */
  nick(id: UserId | ChatId): string;
  /** Follows a known person to a new nick; false where that nick is another known person already. */
  follow(from: string, to: string, isKnown: (id: UserId) => boolean): boolean;
  /** A person left: their id means the first nick again. True where it meant another. */
  left(nick: string): boolean;
}

export function people(fold: (text: string) => string): People {
  const ids = new Map<string, string>();
  const nicks = new Map<string, string>();

  const idOf = (nick: string): string => {
    const folded = fold(nick);
    const known = ids.get(folded);
    if (known !== undefined) return known;
    if (!nicks.has(folded)) return folded;
    // The first bearer of this nick has moved on and kept the id; a blank cannot stand in a nick.
    let count = 2;
    while (nicks.has(`${folded} ${count}`)) count++;
    const id = `${folded} ${count}`;
    ids.set(folded, id);
    nicks.set(id, nick);
    return id;
  };

  return {
    id: (nick) => idOf(nick) as UserId,
    chat: (nick) => idOf(nick) as ChatId,
    nick: (id) => nicks.get(id) ?? id.split(' ', 1)[0] ?? id,
    follow(from, to, isKnown) {
      const id = idOf(from);
      const [before, after] = [fold(from), fold(to)];
      if (before === after) return true;
      if (ids.has(after) || (after !== id && isKnown(after as UserId))) return false;
      ids.delete(before);
      if (after === id) nicks.delete(id);
      else {
        ids.set(after, id);
        nicks.set(id, to);
      }
      return true;
    },
    left(nick) {
      const folded = fold(nick);
      const id = ids.get(folded);
      if (id === undefined) return false;
      ids.delete(folded);
      nicks.delete(id);
      return id !== folded;
    },
  };
}
