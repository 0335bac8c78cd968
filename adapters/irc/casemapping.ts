import type { Client } from 'irc-framework';

export interface Folding {
  /** Lower case by the server's CASEMAPPING. */
  fold(text: string): string;
  /** The server has told of its CASEMAPPING. */
  clear(): void;
}

/** Nicks and channels come again and again; folding each anew would be most of the work of a message. */
export function folding(client: Client): Folding {
  const known = new Map<string, string>();
  return {
    fold(text) {
      const folded = known.get(text);
      if (folded !== undefined) return folded;
      const fresh = client.caseLower(text);
      if (known.size > 20_000) known.clear();
      if (text.length < 200) known.set(text, fresh);
      return fresh;
    },
    clear: () => known.clear(),
  };
}
