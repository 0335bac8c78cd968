import { NS as NS_SM } from '@xmpp/stream-management';
import { type Element, xml } from '@xmpp/xml';
import { AdapterError, asAdapterError } from '../../errors.ts';
import { type Acknowledger, acknowledger } from './acknowledge.ts';
import { type Calls, calls } from './calls.ts';
import type { ClientConnection } from './connection.ts';
import { type Jid, tryJid } from './jid.ts';
import { type Counters, counters as openCounters, readCount } from './management.ts';
import type { Negotiated } from './negotiate.ts';
import { type Outgoing, outgoing } from './outgoing.ts';
import type { Stream, StreamHost } from './stream-types.ts';
import { REPLY_LIMITS, STANZA_LIMITS, StreamParser } from './xml.ts';

/** The idle policy: after this long without a byte from the server it is asked for a sign of life, … */
export const IDLE_MS = 18_000;
/** … and this much later the connection is given up: a dead peer is noticed within 30 s. */
export const SIGN_OF_LIFE_MS = 10_000;
/** As long as a server has to answer after the machine slept. */
const AWAKE_MS = 2_000;
const NS_PING = 'urn:xmpp:ping';

export interface LiveSession {
  readonly counters: Counters;
  /** Stanzas are ours from the next element on; `counting`: and count (XEP-0198). */
  live(counting: boolean): void;
  start(negotiated: Negotiated): Stream;
}

/** What happens on a bound stream: elements in, and the Stream that its caller holds. */
export function liveSession(
  connection: ClientConnection,
  account: Jid,
  host: StreamHost,
  onStanza: (stanza: Element) => void,
): LiveSession {
  const counters = openCounters(host.memory);
  const requests = calls(account, host.clock);
  let counting = false;
  const pulse = { lastHeard: host.clock.now() };
  /** What comes before the caller has the stream waits for it. */
  const early: { readonly element: Element; readonly counts: boolean }[] = [];

  return {
    counters,
    live(counts) {
      counting = counts;
      connection.live = (element) => void early.push({ element, counts: counting });
      connection.heard = () => {
        pulse.lastHeard = host.clock.now();
      };
      if (connection.parser instanceof StreamParser) {
        connection.parser.limitsFor = (head) => (requests.awaits(head) ? REPLY_LIMITS : STANZA_LIMITS);
      }
    },
    start(negotiated) {
      const over = new AbortController();
      const acknowledge = acknowledger(connection, counters, host, over.signal);
      const out = outgoing(connection, counters, requests, account.domain, negotiated);
      const receive = receiver({ account, host, onStanza, requests, acknowledge, out });
      const recovered = out.recover();
      const end = (error: AdapterError | undefined): void => {
        over.abort();
        const why = error?.message ?? 'the connection was closed';
        const lost = new AdapterError('unreachable', why, { certain: false, ...(error && { cause: error }) });
        out.fail(lost);
        requests.fail(lost);
      };
      void connection.ended.then(end);
      // Ends by the signal's rejection.
      void watch(connection, host, pulse, out, over.signal).catch(() => {});
      // The caller has the stream by then: its continuation runs before the next turn of the event loop.
      setImmediate(() => {
        for (const { element, counts } of early.splice(0)) receive(element, counts);
        if (connection.live) connection.live = (element) => receive(element, counting);
      });
      return {
        jid: negotiated.jid,
        resumed: negotiated.resumed,
        features: negotiated.features,
        managed: negotiated.managed,
        recovered,
        send: out.send,
        accepted: async (stanza, signal) => await out.accepted(stanza, signal),
        iq: (stanza, options = {}) => requests.call(stanza, options, out.send),
        probe: () => void lookAlive(connection, host, pulse, out, over.signal).catch(() => {}),
        closed: connection.ended,
        async close() {
          if (!connection.over && negotiated.managed) await acknowledge.last();
          if (!connection.over) {
            end(undefined);
            await connection.finish();
            counters.forget();
          }
          await connection.ended;
        },
      };
    },
  };
}

interface Receiving {
  readonly account: Jid;
  readonly host: StreamHost;
  readonly onStanza: (stanza: Element) => void;
  readonly requests: Calls;
  readonly acknowledge: Acknowledger;
  readonly out: Outgoing;
}

function receiver({ account, host, onStanza, requests, acknowledge, out }: Receiving) {
  const handle = (stanza: Element): void => {
    try {
      const { type } = stanza.attrs;
      if (stanza.name !== 'iq') onStanza(stanza);
      else if (type === 'result' || type === 'error') requests.settle(stanza);
      else if (isServerPing(stanza, account)) {
        out.send(xml('iq', { type: 'result', id: stanza.attrs.id, to: stanza.attrs.from }));
      } else onStanza(stanza);
    } catch (error) {
      // One that always fails must not come again with each resumption: it counts as handled.
      host.log('warn', `a ${stanza.name} stanza could not be handled: ${asAdapterError(error).message}`);
    }
  };

  return (element: Element, counts: boolean): void => {
    const { name } = element;
    if (name === 'message' || name === 'presence' || name === 'iq') {
      handle(element);
      if (counts) acknowledge.handled();
    } else if (element.is('r', NS_SM)) {
      acknowledge.requested();
    } else if (element.is('a', NS_SM)) {
      out.acknowledged(readCount(element.attrs.h));
    }
  };
}

/** XEP-0199 section 4.1: from our own server only, others learn nothing by it. */
function isServerPing(iq: Element, account: Jid): boolean {
  if (iq.attrs.type !== 'get' || !iq.getChild('ping', NS_PING)) return false;
  const from = tryJid(iq.attrs.from ?? account.bare)?.full;
  return from === account.bare || from === account.domain;
}

async function watch(
  connection: ClientConnection,
  { clock }: StreamHost,
  pulse: { readonly lastHeard: number },
  out: Outgoing,
  over: AbortSignal,
): Promise<void> {
  while (!connection.over) {
    const before = pulse.lastHeard;
    // A clock that was set, either way, makes no silence of a day and no wait of one.
    const idle = Math.min(Math.max(0, clock.now() - before), IDLE_MS);
    await clock.sleep(IDLE_MS - idle, over);
    if (pulse.lastHeard !== before) continue;
    out.probe();
    await clock.sleep(SIGN_OF_LIFE_MS, over);
    // Where we do not read it is our disk that is behind, not the server.
    if (pulse.lastHeard === before && !connection.socket?.isPaused()) {
      connection.fail(new AdapterError('unreachable', 'the server does not answer any more'));
    }
  }
}

/** Asks now, and does not wait long for the answer. */
async function lookAlive(
  connection: ClientConnection,
  { clock }: StreamHost,
  pulse: { readonly lastHeard: number },
  out: Outgoing,
  over: AbortSignal,
): Promise<void> {
  const before = pulse.lastHeard;
  out.probe();
  await clock.sleep(AWAKE_MS, over);
  if (pulse.lastHeard === before && !connection.socket?.isPaused())
    connection.fail(new AdapterError('unreachable', 'the connection did not outlive the sleep of the machine'));
}
