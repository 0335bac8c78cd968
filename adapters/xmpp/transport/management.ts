import type { Memory } from '../../contract.ts';
import type { AdapterError } from '../../errors.ts';

/** XEP-0198 section 4: counters wrap at 2^32. */
const WRAP = 2 ** 32;
const SESSION = 'xmpp.sm';
const INBOUND = 'xmpp.sm.in';
const ACKNOWLEDGED = 'xmpp.sm.acked';
const unacknowledgedKey = (number: number): string => `xmpp.sm.out.${number}`;

export interface Unacknowledged {
  readonly text: string;
  /** Of a stanza whose sender waits to hear what became of it. */
  readonly id: string | undefined;
  settle?: { resolve(): void; reject(error: AdapterError): void } | undefined;
}

export interface SavedSession {
  /** The server's name for it. */
  readonly id: string;
  readonly jid: string;
}

/** Both counters of XEP-0198 and what the server has not acknowledged, kept in the account's memory for a resumption. */
export interface Counters {
  /** The session that the former connection left behind, here or in an earlier process. */
  readonly saved: SavedSession | undefined;
  /** `h` of what we handled. */
  readonly inbound: number;
  readonly sent: number;
  readonly unacknowledged: readonly Unacknowledged[];
  /** Counts from zero; without a session nothing is kept for later. */
  begin(session: SavedSession | undefined): void;
  handled(): void;
  /** With an id: its sender, not the session, brings it again after a loss. */
  add(text: string, id: string | undefined): Unacknowledged;
  /** Takes out what is not to be sent again by the session, and gives its ids. */
  withdraw(): readonly string[];
  /** False where `h` counts more than was sent, or is none (NaN); then nothing has changed. */
  acknowledge(h: number): boolean;
  /** Takes the server's word that it handled all. */
  acknowledgeAll(h: number): void;
  /** Nobody will resume this session. */
  forget(): void;
}

export function counters(memory: Memory): Counters {
  const saved = readSession(memory.get(SESSION));
  let kept = saved !== undefined;
  let inbound = saved ? readCount(memory.get(INBOUND)) || 0 : 0;
  let acknowledged = saved ? readCount(memory.get(ACKNOWLEDGED)) || 0 : 0;
  let pending: Unacknowledged[] = saved ? readPending(memory, acknowledged) : [];

  const drop = (count: number): void => {
    const done = pending.slice(0, count);
    pending = pending.slice(count);
    for (let at = 1; kept && at <= count; at++) memory.set(unacknowledgedKey((acknowledged + at) % WRAP), undefined);
    acknowledged = (acknowledged + count) % WRAP;
    if (kept && count > 0) memory.set(ACKNOWLEDGED, String(acknowledged));
    for (const { settle } of done) settle?.resolve();
  };

  const put = (entry: Unacknowledged): void => {
    pending.push(entry);
    if (kept) memory.set(unacknowledgedKey((acknowledged + pending.length) % WRAP), record(entry));
  };

  const unrecord = (): void => {
    for (let at = 1; kept && at <= pending.length; at++) {
      memory.set(unacknowledgedKey((acknowledged + at) % WRAP), undefined);
    }
  };

  const erase = (): void => {
    unrecord();
    for (const key of kept ? [SESSION, INBOUND, ACKNOWLEDGED] : []) memory.set(key, undefined);
    kept = false;
    pending = [];
  };

  return {
    saved,
    get inbound() {
      return inbound;
    },
    get sent() {
      return (acknowledged + pending.length) % WRAP;
    },
    get unacknowledged() {
      return pending;
    },
    begin(session) {
      erase();
      inbound = 0;
      acknowledged = 0;
      kept = session !== undefined;
      if (!session) return;
      memory.set(SESSION, JSON.stringify(session));
      memory.set(INBOUND, '0');
      memory.set(ACKNOWLEDGED, '0');
    },
    handled() {
      inbound = (inbound + 1) % WRAP;
      if (kept) memory.set(INBOUND, String(inbound));
    },
    add(text, id) {
      const entry: Unacknowledged = { text, id };
      put(entry);
      return entry;
    },
    withdraw() {
      const all = pending;
      unrecord();
      pending = [];
      for (const entry of all) if (entry.id === undefined) put(entry);
      return all.flatMap(({ id }) => id ?? []);
    },
    acknowledge(h) {
      const count = (((h - acknowledged) % WRAP) + WRAP) % WRAP;
      if (Number.isNaN(h) || count > pending.length) return false;
      drop(count);
      return true;
    },
    acknowledgeAll(h) {
      drop(pending.length);
      acknowledged = h % WRAP;
      if (kept) memory.set(ACKNOWLEDGED, String(acknowledged));
    },
    forget: erase,
  };
}

function readPending(memory: Memory, acknowledged: number): Unacknowledged[] {
  const found: Unacknowledged[] = [];
  for (;;) {
    const text = memory.get(unacknowledgedKey((acknowledged + found.length + 1) % WRAP));
    if (text === undefined) return found;
    const end = text.indexOf(' ');
    const id = text.slice(0, end);
    found.push({ text: text.slice(end + 1), id: id === '' ? undefined : decodeURIComponent(id) });
  }
}

function record({ text, id }: Unacknowledged): string {
  return `${encodeURIComponent(id ?? '')} ${text}`;
}

/** An `h`; NaN for what is none. */
export function readCount(text: string | undefined): number {
  const count = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return count < WRAP ? count : Number.NaN;
}

function readSession(text: string | undefined): SavedSession | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('id' in value) || !('jid' in value)) return undefined;
    return typeof value.id === 'string' && typeof value.jid === 'string' ? { id: value.id, jid: value.jid } : undefined;
  } catch {
    return undefined;
  }
}
