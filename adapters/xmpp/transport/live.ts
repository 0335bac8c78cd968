import { NS as NS_SM } from '@xmpp/stream-management';
import { type Element, xml } from '@xmpp/xml';
import { AdapterError, asAdapterError } from '../../errors.ts';
import { calls } from './calls.ts';
import { type ClientConnection, streamCondition } from './connection.ts';
import { type Jid, tryJid } from './jid.ts';
import { type Counters, counters as openCounters, type Unacknowledged } from './management.ts';
import type { Negotiated } from './negotiate.ts';
import type { Stream, StreamHost } from './stream.ts';
import { REPLY_LIMITS, STANZA_LIMITS, StreamParser, serialize } from './xml.ts';

/** The idle policy: after this long without a byte from the server it is asked for a sign of life, … */
export const IDLE_MS = 20_000;
/** … and this much later the connection is given up: a dead peer is noticed within 30 s. */
export const SIGN_OF_LIFE_MS = 10_000;
/** As many stanzas may be handled and not yet on disk; then the socket is not read until they are. */
const UNSAVED_LIMIT = 4_096;
const SAVE_AGAIN_MS = 1_000;
const LAST_SAVE_MS = 2_000;
const NS_PING = 'urn:xmpp:ping';
const REQUEST = `<r xmlns='${NS_SM}'/>`;

export interface LiveSession {
  readonly counters: Counters;
  live(counting: boolean): void;
  start(negotiated: Negotiated): Stream;
}

/** What happens on a bound stream: stanzas in and out, acknowledgements (XEP-0198), requests, signs of life. */
export function liveSession(
  connection: ClientConnection,
  account: Jid,
  host: StreamHost,
  onStanza: (stanza: Element) => void,
): LiveSession {
  const counters = openCounters(host.memory);
  const requests = calls(account, host.clock);
  const over = new AbortController();
  let managed = false;
  let counting = false;
  let asked = false;
  let asking = false;
  let barrier = false;
  let lastHeard = host.clock.now();
  /** What comes before the caller has the stream waits for it. */
  let early: { readonly stanza: Element; readonly counts: boolean }[] | undefined = [];

  // Inbound.

  const handle = (stanza: Element): void => {
    try {
      const { type } = stanza.attrs;
      if (stanza.name !== 'iq') onStanza(stanza);
      else if (type === 'result' || type === 'error') requests.settle(stanza);
      else if (!answerPing(stanza)) onStanza(stanza);
    } catch (error) {
      // One that always fails must not come again with each resumption: it counts as handled.
      host.log('warn', `a ${stanza.name} stanza could not be handled: ${asAdapterError(error).message}`);
    }
  };

  const answerPing = (iq: Element): boolean => {
    const from = tryJid(iq.attrs.from ?? account.bare);
    const own = from?.full === account.bare || from?.full === account.domain;
    if (!own || iq.attrs.type !== 'get' || !iq.getChild('ping', NS_PING)) return false;
    sendNow(xml('iq', { type: 'result', id: iq.attrs.id, to: iq.attrs.from }));
    return true;
  };

  const receive = (element: Element): void => {
    const { name } = element;
    if (name === 'message' || name === 'presence' || name === 'iq') {
      if (early) {
        early.push({ stanza: element, counts: counting });
        return;
      }
      handle(element);
      if (!counting) return;
      counters.handled();
      if (unsaved() > UNSAVED_LIMIT) void save();
    } else if (element.is('r', NS_SM)) {
      acknowledgement.wanted = true;
      void save();
    } else if (element.is('a', NS_SM)) {
      acknowledged(Number(element.attrs.h));
    }
  };

  // What was received is acknowledged once it is on disk.

  const acknowledgement = { wanted: false, saving: false, saved: 0 };
  const unsaved = (): number => (counters.inbound - acknowledgement.saved) >>> 0;

  const save = async (): Promise<void> => {
    if (acknowledgement.saving) return;
    acknowledgement.saving = true;
    do {
      const { inbound } = counters;
      const wanted = acknowledgement.wanted;
      acknowledgement.wanted = false;
      if (unsaved() > UNSAVED_LIMIT) connection.socket?.pause();
      try {
        await host.saved();
        acknowledgement.saved = inbound;
        connection.socket?.resume();
        if (wanted && !connection.over) connection.push(xml('a', { xmlns: NS_SM, h: inbound }));
      } catch (error) {
        acknowledgement.wanted ||= wanted;
        host.log('warn', `what was received could not be stored: ${asAdapterError(error).message}`);
        await host.clock.sleep(SAVE_AGAIN_MS, over.signal).catch(() => {});
      }
    } while (!connection.over && (acknowledgement.wanted || unsaved() > UNSAVED_LIMIT));
    acknowledgement.saving = false;
  };

  // Outbound.

  const sendNow = (stanza: Element, tracked = false): Unacknowledged | undefined => {
    if (connection.over) throw new AdapterError('unreachable', 'not connected');
    const text = serialize(stanza);
    connection.pushText(text);
    if (!managed && !tracked) return undefined;
    const entry = counters.add(text, stanza);
    askSoon();
    return entry;
  };

  /** One request for all that this turn of the event loop sends, and one at a time. */
  const askSoon = (): void => {
    if (asked || asking) return;
    asking = true;
    queueMicrotask(() => {
      asking = false;
      if (connection.over || asked || counters.unacknowledged.length === 0) return;
      asked = true;
      if (managed) connection.pushText(REQUEST);
      else void pingBarrier();
    });
  };

  const acknowledged = (h: number): void => {
    if (!managed) return;
    asked = false;
    const sent = counters.sent;
    if (counters.acknowledge(h)) {
      if (counters.unacknowledged.length > 0) askSoon();
      return;
    }
    // XEP-0198 section 4, "handled-count-too-high".
    const detail = xml('handled-count-too-high', { xmlns: NS_SM, h: String(h), 'send-count': String(sent) });
    const fault = new AdapterError('protocol', 'the server acknowledged more than was sent');
    connection.fail(fault, streamCondition('undefined-condition'), detail);
  };

  /** Without stream management: a server that answers a ping has handled what came before it. */
  const pingBarrier = async (): Promise<void> => {
    const { sent } = counters;
    barrier = true;
    const ping = xml('iq', { type: 'get', to: account.domain }, xml('ping', { xmlns: NS_PING }));
    const refused = await requests.call(ping, {}, (stanza) => connection.push(stanza)).catch((error: unknown) => error);
    barrier = false;
    asked = false;
    // Any answer will do, also that it knows no ping; none at all leaves it open.
    if (connection.over || (refused instanceof AdapterError && !refused.certain)) return;
    counters.acknowledge(sent);
    if (counters.unacknowledged.some(({ settle }) => settle)) askSoon();
  };

  const accepted = (stanza: Element, signal?: AbortSignal): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (signal?.aborted) {
      reject(new AdapterError('unreachable', 'given up', { cause: signal.reason }));
      return promise;
    }
    const entry = sendNow(stanza, true);
    if (!entry) return promise;
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
    return promise;
  };

  /** Sends again what the server did not get (XEP-0198 section 5), and says what became of the messages in it. */
  const recover = (negotiated: Negotiated): ReadonlyMap<string, Promise<void>> => {
    const recovered = new Map(negotiated.handled.map((id) => [id, Promise.resolve()]));
    if (!negotiated.resumed) return recovered;
    for (const entry of counters.unacknowledged) {
      connection.pushText(entry.text);
      if (entry.id === undefined) continue;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      promise.catch(() => {});
      entry.settle = { resolve, reject };
      recovered.set(entry.id, promise);
    }
    askSoon();
    return recovered;
  };

  // Signs of life.

  const watch = async (): Promise<void> => {
    while (!connection.over) {
      const idle = host.clock.now() - lastHeard;
      if (idle < IDLE_MS) {
        await host.clock.sleep(IDLE_MS - idle, over.signal);
        continue;
      }
      const before = lastHeard;
      probe();
      await host.clock.sleep(SIGN_OF_LIFE_MS, over.signal);
      if (lastHeard === before) connection.fail(new AdapterError('unreachable', 'the server does not answer any more'));
    }
  };

  const probe = (): void => {
    if (connection.over) return;
    if (managed) connection.pushText(REQUEST);
    else if (!barrier) void pingBarrier();
  };

  const end = (error: AdapterError | undefined): void => {
    over.abort();
    const why = error?.message ?? 'the connection was closed';
    const lost = new AdapterError('unreachable', why, { certain: false, ...(error && { cause: error }) });
    for (const { settle } of [...counters.unacknowledged]) settle?.reject(lost);
    requests.fail(lost);
  };

  const close = async (): Promise<void> => {
    if (connection.over) {
      await connection.ended;
      return;
    }
    // XEP-0198 section 4: the server learns what need not be kept for us.
    const limit = new AbortController();
    const saved = host.saved().then(
      () => true,
      () => false,
    );
    const onDisk = await Promise.race([saved, host.clock.sleep(LAST_SAVE_MS, limit.signal)]);
    limit.abort();
    if (onDisk && counting && !connection.over) connection.push(xml('a', { xmlns: NS_SM, h: counters.inbound }));
    if (!connection.over) end(undefined);
    await connection.finish();
    counters.forget();
  };

  return {
    counters,
    live(counts) {
      counting = counts;
      connection.live = receive;
      connection.heard = () => {
        lastHeard = host.clock.now();
      };
      if (connection.parser instanceof StreamParser) {
        connection.parser.limitsFor = (head) => (requests.awaits(head) ? REPLY_LIMITS : STANZA_LIMITS);
      }
    },
    start(negotiated) {
      managed = negotiated.managed;
      acknowledgement.saved = counters.inbound;
      const recovered = recover(negotiated);
      void connection.ended.then(end);
      void watch().catch(() => {});
      // The caller has the stream by then: its continuation runs before the next turn of the event loop.
      setImmediate(() => {
        const held = early ?? [];
        early = undefined;
        for (const { stanza, counts } of held) {
          handle(stanza);
          if (counts) counters.handled();
        }
      });
      return {
        jid: negotiated.jid,
        resumed: negotiated.resumed,
        features: negotiated.features,
        managed,
        recovered,
        send: (stanza) => void sendNow(stanza),
        accepted,
        iq: (stanza, options = {}) => requests.call(stanza, options, (request) => sendNow(request)),
        probe,
        closed: connection.ended,
        close,
      };
    },
  };
}
