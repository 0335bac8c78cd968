import type { Memory } from '../contract.ts';
import { nameOf } from './content.ts';
import type { Owner } from './inbound.ts';
import { type Json, list, object, text, whole } from './transport/json.ts';

/** The people who linked this bot to their own accounts (https://core.telegram.org/bots/api#businessconnection). */
export interface Connections {
  owner(connection: string): Owner | undefined;
  /** Takes a BusinessConnection; gives words for the person where something changed. */
  learn(raw: Json): string | undefined;
}

const KEY = 'business';

export function businessConnections(memory: Memory): Connections {
  const owners = new Map<string, Owner>();
  for (const record of list(JSON.parse(memory.get(KEY) ?? '[]'))) {
    const [id, owner] = list(record);
    const { id: user, name, address } = object(owner) ?? {};
    if (typeof id === 'string' && typeof user === 'number')
      owners.set(id, { id: user, name: String(name), address: String(address) });
  }
  return {
    owner: (connection) => owners.get(connection),
    learn(raw) {
      const id = text(raw.id);
      const user = object(raw.user);
      const number = whole(user?.id);
      if (id === undefined || !user || number === undefined) return undefined;
      const owner = {
        id: number,
        name: nameOf(user),
        address: text(user.username) ? `@${user.username}` : String(number),
      };
      if (raw.is_enabled === false) return `${owner.name} has unlinked this bot from their account`;
      const known = owners.has(id);
      owners.set(id, owner);
      memory.set(KEY, JSON.stringify([...owners]));
      return known ? undefined : `${owner.name} has linked this bot to their account`;
    },
  };
}
