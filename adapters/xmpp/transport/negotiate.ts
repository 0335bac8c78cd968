import { randomBytes } from 'node:crypto';
import { makeEnableElement, makeResumeElement, NS as NS_SM } from '@xmpp/stream-management';
import { type Element, xml } from '@xmpp/xml';
import { AdapterError } from '../../errors.ts';
import type { ClientConnection } from './connection.ts';
import { stanzaError } from './errors.ts';
import { asciiDomain, type Jid, parseJid } from './jid.ts';
import { type Counters, readCount } from './management.ts';
import { signIn } from './sasl.ts';
import { connectSocket, isLoopback, readAuthorities, secureSocket } from './socket.ts';
import { type NameService, type Target, targets } from './srv.ts';
import type { StreamHost, StreamSettings } from './stream-types.ts';

const NS_TLS = 'urn:ietf:params:xml:ns:xmpp-tls';
const NS_BIND = 'urn:ietf:params:xml:ns:xmpp-bind';
const RESOURCE = 'xmpp.resource';
const DIRECT_PORTS = new Set([443, 5223]);

export interface Negotiation {
  readonly connection: ClientConnection;
  readonly settings: StreamSettings;
  readonly account: Jid;
  readonly host: StreamHost;
  readonly counters: Counters;
  readonly names: NameService;
  readonly signal: AbortSignal;
  /** Called as stanzas begin to be ours, and as they begin to count, before the next element is read. */
  readonly live: (counting: boolean) => void;
}

export interface Negotiated {
  readonly jid: string;
  readonly features: Element;
  readonly resumed: boolean;
  readonly managed: boolean;
  /** Message ids that the server handled before a resumption or a refused one. */
  readonly handled: readonly string[];
}

/** From nothing to a bound or resumed stream (RFC 6120 sections 4 to 7, XEP-0198). @throws AdapterError */
export async function negotiate(work: Negotiation): Promise<Negotiated> {
  const { connection, account, host } = work;
  await attach(work);
  let features = await connection.features();
  if (!connection.isSecure() && work.settings.tls !== 'none') {
    await startTls(work, features);
    features = await connection.features();
  }
  await signIn(connection, features, account.local, host);
  features = await connection.features();
  return await resumeOrBind(work, features);
}

async function attach(work: Negotiation): Promise<void> {
  const { connection, account, settings, names, signal } = work;
  const domain = asciiDomain(account.domain);
  const authorities = await readAuthorities(settings.ca);
  const candidates = await candidatesFor(settings, domain, names);
  let failure: unknown;
  for (const target of candidates) {
    try {
      const socket = await connectSocket(target, { names, proxy: settings.proxy, signal });
      if (settings.tls === 'none' && (settings.proxy !== undefined || !isLoopback(socket))) {
        socket.destroy();
        throw new AdapterError('refused', 'without TLS imux connects to this computer only');
      }
      const ready = target.direct ? await secureSocket(socket, { domain, authorities, signal }) : socket;
      connection._attachSocket(ready);
      return;
    } catch (error) {
      failure = tellsMore(failure) > tellsMore(error) ? failure : error;
      if (signal.aborted) break;
    }
  }
  throw failure;
}

/** A certificate that is not good says more than a host that does not answer, and that more than a missing name. */
function tellsMore(failure: unknown): number {
  if (!(failure instanceof AdapterError) || failure.code === 'host-unknown') return 0;
  return failure.code === 'unreachable' ? 1 : 2;
}

/** Where to connect to, in the order to try: the server of the settings, or what DNS says. @throws AdapterError */
export async function candidatesFor(
  { server, tls }: StreamSettings,
  domain: string,
  names: NameService,
): Promise<readonly Target[]> {
  if (!server) return await targets(domain, tls === 'none' ? 'starttls' : tls, names);
  return [{ ...server, direct: tls === 'direct' || (tls === 'auto' && DIRECT_PORTS.has(server.port)) }];
}

/** RFC 6120 section 5. Nothing but `<starttls/>` leaves before TLS is up, and nothing read before counts after. */
export async function startTls(
  { connection, settings, account, signal }: Pick<Negotiation, 'connection' | 'settings' | 'account' | 'signal'>,
  features: Element,
): Promise<void> {
  if (!features.getChild('starttls', NS_TLS)) {
    throw new AdapterError('protocol', 'the server offers no TLS; imux does not sign in without it');
  }
  const proceed = connection.expect((element) => {
    if (element.getNS() !== NS_TLS) return undefined;
    if (element.getName() !== 'proceed') throw new AdapterError('protocol', 'the server could not start TLS');
    connection.halt();
    return element;
  });
  connection.push(xml('starttls', { xmlns: NS_TLS }));
  await proceed;
  const authorities = await readAuthorities(settings.ca);
  const domain = asciiDomain(account.domain);
  connection._attachSocket(await secureSocket(connection.release(), { domain, authorities, signal }));
}

async function resumeOrBind(work: Negotiation, features: Element): Promise<Negotiated> {
  const { counters } = work;
  const manageable = features.getChild('sm', NS_SM) !== undefined;
  let handled: readonly string[] = [];
  if (manageable && counters.saved) {
    const before = counters.unacknowledged;
    const resumed = await resume(work, counters.saved.id);
    const left = new Set(counters.unacknowledged);
    handled = before.flatMap((entry) => (entry.id !== undefined && !left.has(entry) ? [entry.id] : []));
    if (resumed) return { jid: counters.saved.jid, features, resumed: true, managed: true, handled };
  }
  const jid = await bind(work, features);
  if (!manageable) {
    counters.begin(undefined);
    return { jid, features, resumed: false, managed: false, handled };
  }
  const managed = await enable(work, jid);
  return { jid, features, resumed: false, managed, handled };
}

/** XEP-0198 section 5. Takes the server's `h` in either case. */
async function resume({ connection, counters, live }: Negotiation, id: string): Promise<boolean> {
  const answer = connection.expect((element) => {
    if (element.getNS() !== NS_SM) return undefined;
    const resumed = element.getName() === 'resumed';
    const h = readCount(element.attrs.h);
    // More than we remember: what was sent in the last moments before a crash was not recorded in time.
    if (!Number.isNaN(h) && !counters.acknowledge(h)) counters.acknowledgeAll(h);
    if (resumed) live(true);
    return { resumed };
  });
  connection.push(makeResumeElement({ sm: { inbound: counters.inbound, id } }));
  return (await answer).resumed;
}

/** RFC 6120 section 7. */
async function bind({ connection, settings, host, account, live }: Negotiation, features: Element): Promise<string> {
  if (!features.getChild('bind', NS_BIND)) throw new AdapterError('protocol', 'the server lets no resource be bound');
  const id = randomBytes(9).toString('base64url');
  const bound = connection.expect((element) => {
    if (element.name !== 'iq' || element.attrs.id !== id) return undefined;
    if (element.attrs.type === 'error') throw stanzaError(element);
    const jid = parseJid(element.getChild('bind', NS_BIND)?.getChildText('jid') ?? '');
    if (jid.domain !== account.domain || jid.resource === '') {
      throw new AdapterError('protocol', 'the server bound an address that is not ours');
    }
    live(false);
    return jid.full;
  });
  const resource = settings.resource ?? ownResource(host);
  connection.push(xml('iq', { type: 'set', id }, xml('bind', { xmlns: NS_BIND }, xml('resource', {}, resource))));
  return await bound;
}

/** The same with each sign-in: a session left behind by a crash is replaced rather than joined. */
function ownResource({ memory }: StreamHost): string {
  const known = memory.get(RESOURCE);
  if (known !== undefined) return known;
  const made = `imux.${randomBytes(4).toString('hex')}`;
  memory.set(RESOURCE, made);
  return made;
}

/** XEP-0198 section 3. Our counters start as `<enable/>` leaves and as `<enabled/>` is read. */
async function enable({ connection, counters, live }: Negotiation, jid: string): Promise<boolean> {
  const answer = connection.expect((element) => {
    if (element.getNS() !== NS_SM) return undefined;
    const { id, resume: resumable } = element.attrs;
    const managed = element.getName() === 'enabled';
    counters.begin(
      managed && id !== undefined && (resumable === 'true' || resumable === '1') ? { id, jid } : undefined,
    );
    live(managed);
    return { managed };
  });
  connection.push(makeEnableElement({ sm: { preferredMaximum: null } }));
  return (await answer).managed;
}
