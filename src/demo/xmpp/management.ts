import { randomBytes } from 'node:crypto';
import { xml } from '@xmpp/xml';

export const SM = 'urn:xmpp:sm:3';
const REQUEST = xml('r', { xmlns: SM }).toString();

/** The server's side of XEP-0198: what a client has not acknowledged is kept, so that it can come back for it. */
export interface Management {
  readonly id: string;
  /** Stanzas of the client that were handled. */
  handled: number;
  /** The connection that it has just now; undefined: it is away. */
  write: ((text: string) => void) | undefined;
  /** Ends that connection: another one goes on with the session. */
  drop: () => void;
  /** Keeps a stanza, writes it where there is a connection, and asks for an acknowledgement. */
  send(stanza: string): void;
  acknowledge(h: number): void;
  /** Writes again what `h` does not count. */
  resume(h: number, write: (text: string) => void): void;
  /** What was never acknowledged. */
  unacknowledged(): readonly string[];
}

export function management(first: (text: string) => void, drop: () => void): Management {
  let pending: string[] = [];
  let acknowledged = 0;
  let asked = false;

  const ask = (): void => {
    if (asked || pending.length === 0 || !state.write) return;
    asked = true;
    state.write(REQUEST);
  };
  const forget = (h: number): void => {
    const count = Math.min(Math.max(0, h - acknowledged), pending.length);
    pending = pending.slice(count);
    acknowledged += count;
  };

  const state: Management = {
    id: randomBytes(9).toString('base64url'),
    handled: 0,
    write: first,
    drop,
    send(stanza) {
      pending.push(stanza);
      state.write?.(stanza);
      ask();
    },
    acknowledge(h) {
      forget(h);
      asked = false;
      ask();
    },
    resume(h, write) {
      forget(h);
      state.write = write;
      for (const stanza of pending) write(stanza);
      asked = false;
      ask();
    },
    unacknowledged: () => pending,
  };
  return state;
}
