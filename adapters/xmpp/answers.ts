import { type Element, xml } from '@xmpp/xml';
import { ownInfo } from './disco.ts';
import { bare } from './jid.ts';
import type { Wire } from './wire.ts';
import { elements, NS } from './xml.ts';

export interface AnswerNeeds {
  /** False: not from our own account. */
  rosterPush(stanza: Element): boolean;
  /** Contacts with a right to our presence, people in a room with us. */
  mayKnow(jid: string): boolean;
  /** Milliseconds since the epoch of the person's last act. */
  lastAct(): number;
}

/** Answers a request (RFC 6120 8.2.3: each get and set has a reply with its id); strangers learn nothing of us. */
export function answer(wire: Wire, stanza: Element, needs: AnswerNeeds): void {
  const { from, id, type } = stanza.attrs;
  if (type !== 'get' && type !== 'set') return;
  const reply = payloadFor(wire, stanza, needs);
  const ok = reply !== undefined;
  const body = ok ? reply : unavailableError();
  wire.stream.send(xml('iq', { to: from, id, type: ok ? 'result' : 'error' }, body));
}

/** `null`: done, nothing to say. Undefined: refused. */
function payloadFor(wire: Wire, stanza: Element, needs: AnswerNeeds): Element | null | undefined {
  const { from, type } = stanza.attrs;
  const request = elements(stanza)[0];
  const ns = request?.getNS();
  const own = !from || bare(from) === wire.self || from === wire.domain;
  if (!request) return undefined;
  if (type === 'set') {
    if (ns === NS.roster) return needs.rosterPush(stanza) ? null : undefined;
    // XEP-0191: what another device of ours blocked.
    if (ns === NS.blocking) return own ? null : undefined;
    return undefined;
  }
  if (!own && !needs.mayKnow(from)) return undefined;
  switch (ns) {
    case NS.ping:
      return null;
    case NS.discoInfo:
      return ownInfo(request.attrs.node);
    case NS.discoItems:
      return xml('query', { xmlns: NS.discoItems, node: request.attrs.node });
    case NS.version:
      return xml('query', { xmlns: NS.version }, xml('name', {}, 'imux'), xml('version', {}, '0.1'));
    case NS.time:
      return timeNow(wire.host.clock.now());
    case NS.last:
      return xml('query', {
        xmlns: NS.last,
        seconds: Math.max(0, Math.round((wire.host.clock.now() - needs.lastAct()) / 1000)),
      });
    default:
      return undefined;
  }
}

function timeNow(now: number): Element {
  // XEP-0202: our zone is nobody's business; UTC is a right answer.
  const utc = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  return xml('time', { xmlns: NS.time }, xml('tzo', {}, '+00:00'), xml('utc', {}, utc));
}

const unavailableError = (): Element =>
  xml('error', { type: 'cancel' }, xml('service-unavailable', { xmlns: NS.stanzas }));
