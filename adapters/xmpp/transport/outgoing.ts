import { NS } from '@xmpp/stream-management';
import { type Element, xml } from '@xmpp/xml';
import { AdapterError } from '../../errors.ts';
import type { Calls } from './calls.ts';
import { type ClientConnection, streamCondition } from './connection.ts';
import type { Counters, Unacknowledged } from './management.ts';
import type { Negotiated } from './negotiate.ts';
import { serialize } from './xml.ts';

const REQUEST = `<r xmlns='${NS}'/>`;
const NS_PING = 'urn:xmpp:ping';

/** Stanzas out, and what the server says it took of them: by XEP-0198, or where it lacks that by a ping behind them. */
export interface Outgoing {
  send(stanza: Element): void;
  accepted(stanza: Element, signal?: AbortSignal): Promise<void>;
  /** The server sent `<a/>`. */
  acknowledged(h: number): void;
  /** After a resumption: sends again what the server did not get, and says whether it has what senders wait for. */
  recover(): ReadonlyMap<string, boolean>;
  /** Asks for any answer at all. */
  probe(): void;
  fail(error: AdapterError): void;
}

export function outgoing(
  connection: ClientConnection,
  counters: Counters,
  requests: Calls,
  domain: string,
  { managed, resumed, handled }: Negotiated,
): Outgoing {
  /** One request is open at a time; it stands for all that was sent before it. */
  let asked = false;
  let asking = false;

  const transmit = (stanza: Element, tracked: boolean, id?: string): Unacknowledged | undefined => {
    if (connection.over) throw new AdapterError('unreachable', 'not connected');
    const text = serialize(stanza);
    connection.pushText(text);
    if (!tracked) return undefined;
    const entry = counters.add(text, id);
    askSoon();
    return entry;
  };

  const askSoon = (): void => {
    if (asked || asking) return;
    asking = true;
    queueMicrotask(() => {
      asking = false;
      if (connection.over || asked || counters.unacknowledged.length === 0) return;
      asked = true;
      if (managed) connection.pushText(REQUEST);
      else void ping();
    });
  };

  /** A server that answers a ping has handled what came before it; that it knows no ping is an answer too. */
  const ping = async (): Promise<void> => {
    const { sent } = counters;
    const request = xml('iq', { type: 'get', to: domain }, xml('ping', { xmlns: NS_PING }));
    const refusal = await requests.call(request, {}, (iq) => connection.push(iq)).catch((error: unknown) => error);
    asked = false;
    if (connection.over || (refusal instanceof AdapterError && !refusal.certain)) return;
    counters.acknowledge(sent);
    if (counters.unacknowledged.length > 0) askSoon();
  };

  return {
    send: (stanza) => void transmit(stanza, managed),
    accepted: (stanza, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      if (signal?.aborted) throw new AdapterError('unreachable', 'given up', { cause: signal.reason });
      const entry = transmit(stanza, true, stanza.attrs.id);
      if (entry) settleWith(entry, resolve, reject, signal);
      return promise;
    },
    acknowledged(h) {
      if (!managed) return;
      asked = false;
      const { sent } = counters;
      if (counters.acknowledge(h)) {
        if (counters.unacknowledged.length > 0) askSoon();
        return;
      }
      // XEP-0198 section 4, "handled-count-too-high".
      const detail = xml('handled-count-too-high', { xmlns: NS, h: String(h), 'send-count': String(sent) });
      const fault = new AdapterError('protocol', 'the server acknowledged more than was sent');
      connection.fail(fault, streamCondition('undefined-condition'), detail);
    },
    recover() {
      const known = new Map(handled.map((id) => [id, true]));
      if (!resumed) return known;
      // The server says that it has not got these. If one of them ended the connection, it would end each that follows:
      // their senders decide, one by one, whether they go out again.
      for (const id of counters.withdraw()) known.set(id, false);
      for (const { text } of counters.unacknowledged) connection.pushText(text);
      askSoon();
      return known;
    },
    probe() {
      if (connection.over) return;
      if (managed) connection.pushText(REQUEST);
      else if (!asked) {
        asked = true;
        void ping();
      }
    },
    fail(error) {
      for (const { settle } of [...counters.unacknowledged]) settle?.reject(error);
    },
  };
}

function settleWith(
  entry: Unacknowledged,
  resolve: () => void,
  reject: (error: AdapterError) => void,
  signal?: AbortSignal,
): void {
  const abort = (): void => entry.settle?.reject(new AdapterError('unreachable', 'given up', { certain: false }));
  const settled = (): void => {
    entry.settle = undefined;
    signal?.removeEventListener('abort', abort);
  };
  entry.settle = {
    resolve: () => {
      settled();
      resolve();
    },
    reject: (error) => {
      settled();
      reject(error);
    },
  };
  signal?.addEventListener('abort', abort, { once: true });
}
