import type { Element } from '@xmpp/xml';
import { AdapterError } from '../errors.ts';
import { bare } from './jid.ts';
import { readError } from './stanza-error.ts';
import type { Wire } from './wire.ts';

/**
 * Messages on their way. The server handles our stanzas in order, so an error that it sends for one stands before its
 * acknowledgement: `send` can tell an unknown recipient at once.
 */
export interface Sending {
  /** Resolves once the server has it; with `reflected`, once the room sent it back, with the id that the room gave it. */
  send(
    stanza: Element,
    options?: { readonly signal?: AbortSignal | undefined; readonly reflected?: boolean },
  ): Promise<string>;
  /** An error came back. True: it belongs to a message on its way, whose sender now hears of it. */
  failed(stanza: Element): boolean;
  /** The room sent our message back. */
  reflected(id: string, as: string): void;
}

interface Waiting {
  readonly to: string;
  error: AdapterError | undefined;
  settle: () => void;
  as: string | undefined;
}

// A room of another server may lose a message without a word; after this we say what is certain: our server has it.
const reflectionMs = 15_000;

export function sending(wire: Wire): Sending {
  const waiting = new Map<string, Waiting>();
  return {
    async send(stanza, { signal, reflected = false } = {}) {
      const { id = '', to = '' } = stanza.attrs;
      let settle = (): void => {};
      const settled = new Promise<void>((resolve) => {
        settle = resolve;
      });
      const entry: Waiting = { to: bare(to), error: undefined, settle, as: undefined };
      waiting.set(id, entry);
      const over = new AbortController();
      try {
        await wire.stream.accepted(stanza, signal);
        if (reflected && !entry.error && entry.as === undefined) {
          const late = wire.host.clock.sleep(reflectionMs, AbortSignal.any([over.signal, wire.ended]));
          await Promise.race([settled, late.catch(() => undefined)]);
        }
      } finally {
        over.abort();
        waiting.delete(id);
      }
      if (entry.error) throw entry.error;
      return entry.as ?? id;
    },
    failed(stanza) {
      const { id = '', from = '' } = stanza.attrs;
      const entry = waiting.get(id);
      // Only whom it was sent to, or our own server, can say that it did not arrive.
      if (!entry || (from && bare(from) !== entry.to && from !== wire.domain)) return false;
      const { code, text } = readError(stanza);
      entry.error = new AdapterError(code, `${entry.to}: ${text}`);
      entry.settle();
      return true;
    },
    reflected(id, as) {
      const entry = waiting.get(id);
      if (!entry) return;
      entry.as = as;
      entry.settle();
    },
  };
}
