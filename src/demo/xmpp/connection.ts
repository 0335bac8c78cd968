import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { TLSSocket } from 'node:tls';
import { type Element, Parser, xml } from '@xmpp/xml';
import { type Management, management, SM } from './management.ts';
import { type ScramServer, scramServer } from './scram.ts';

export const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const TLS = 'urn:ietf:params:xml:ns:xmpp-tls';
const BIND = 'urn:ietf:params:xml:ns:xmpp-bind';
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas';

export interface Tls {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface ConnectionNeeds {
  readonly domain: string;
  readonly tls: Tls | undefined;
  password(user: string): string | undefined;
  bound(client: ClientConnection): void;
  stanza(client: ClientConnection, stanza: Element): void;
  /** The client wants to be able to resume this session. */
  managed(session: Left): void;
  /** The session of that id, if it is that user's; its connection may be dead without our knowing. */
  left(id: string, user: string): Left | undefined;
  /** `left`: it may be resumed. */
  closed(client: ClientConnection, left: Left | undefined): void;
}

/** A session whose connection broke, or may break. */
export interface Left {
  readonly client: ClientConnection;
  readonly management: Management;
}

/** One client's stream: negotiation, then stanzas. */
export interface ClientConnection {
  readonly user: string;
  /** Full JID; empty until bound. */
  readonly jid: string;
  /** Its presence, once it sent one. */
  available: Element | undefined;
  /** A stanza; as a text where it is written out already. */
  send(stanza: Element | string): void;
  /** As it is, well-formed or not. */
  raw(text: string): void;
  drop(): void;
}

export function serve(first: Socket, needs: ConnectionNeeds): { drop(): void } {
  let socket = first;
  let user = '';
  let jid = '';
  let authenticated = false;
  let scram: ScramServer | undefined;
  let managed: Management | undefined;
  let finished = false;

  const write = (text: string): void => {
    if (socket.writable) socket.write(text);
  };
  const tell = (element: Element): void => write(element.toString());
  const drop = (): void => void first.destroy();
  let client: ClientConnection = {
    get user() {
      return user;
    },
    get jid() {
      return jid;
    },
    available: undefined,
    send: (stanza) => (managed ? managed.send(stanza.toString()) : write(stanza.toString())),
    raw: (text) => (managed ? managed.write?.(text) : write(text)),
    drop,
  };
  const refuse = (condition: string): void => tell(xml('failure', { xmlns: SASL }, xml(condition, {})));
  const welcome = (name: string): void => {
    user = name;
    authenticated = true;
  };

  const features = (): Element => {
    const all = xml('stream:features', {});
    const secure = !needs.tls || socket instanceof TLSSocket;
    if (!secure) all.append(xml('starttls', { xmlns: TLS }, xml('required', {})));
    else if (authenticated) all.append(xml('bind', { xmlns: BIND }), xml('sm', { xmlns: SM }));
    else {
      const names = ['SCRAM-SHA-256', 'PLAIN'].map((name) => xml('mechanism', {}, name));
      all.append(xml('mechanisms', { xmlns: SASL }, ...names));
    }
    return all;
  };

  const authenticate = (element: Element): void => {
    const given = Buffer.from(element.getText(), 'base64').toString();
    if (element.attrs.mechanism === 'PLAIN') {
      const [, name = '', password] = given.split('\0');
      if (password === undefined || needs.password(name) !== password) return refuse('not-authorized');
      welcome(name);
      return tell(xml('success', { xmlns: SASL }));
    }
    if (element.name === 'auth' && element.attrs.mechanism === 'SCRAM-SHA-256') {
      scram = scramServer(needs.password);
      const challenge = Buffer.from(scram.first(given)).toString('base64');
      return tell(xml('challenge', { xmlns: SASL }, challenge));
    }
    const proof = element.name === 'response' ? scram?.final(given) : undefined;
    if (!scram || proof === undefined) return refuse('not-authorized');
    welcome(scram.user);
    tell(xml('success', { xmlns: SASL }, Buffer.from(proof).toString('base64')));
  };

  const bind = (stanza: Element, wanted: Element): void => {
    const resource = wanted.getChildText('resource') || randomBytes(6).toString('hex');
    jid = `${user}@${needs.domain}/${resource}`;
    const result = xml('bind', { xmlns: BIND }, xml('jid', {}, jid));
    tell(xml('iq', { type: 'result', id: stanza.attrs.id }, result));
    needs.bound(client);
  };

  /** XEP-0198 section 5: the session goes on with this connection. */
  const resume = (id: string, h: number): void => {
    const left = needs.left(id, user);
    if (!left) return tell(xml('failed', { xmlns: SM }, xml('item-not-found', { xmlns: STANZAS })));
    ({ client, management: managed } = left);
    jid = client.jid;
    tell(xml('resumed', { xmlns: SM, previd: id, h: managed.handled }));
    const former = managed.drop;
    managed.resume(h, write);
    managed.drop = drop;
    former();
  };

  const manage = (element: Element): void => {
    const h = Number(element.attrs.h);
    if (element.name === 'enable') {
      managed = management(write, drop);
      needs.managed({ client, management: managed });
      tell(xml('enabled', { xmlns: SM, id: managed.id, resume: 'true' }));
    } else if (element.name === 'r') tell(xml('a', { xmlns: SM, h: managed?.handled ?? 0 }));
    else if (element.name === 'a') managed?.acknowledge(h);
    else if (element.name === 'resume' && authenticated) resume(element.attrs.previd ?? '', h);
  };

  const take = (element: Element): void => {
    const ns = element.attrs.xmlns;
    if (ns === SM) return manage(element);
    if (ns === TLS && needs.tls) return secure(needs.tls);
    if (ns === SASL) return authenticate(element);
    if (!authenticated) return drop();
    const wanted = jid === '' ? element.getChild('bind', BIND) : undefined;
    if (wanted) return bind(element, wanted);
    if (managed) managed.handled++;
    element.attrs.from = jid;
    needs.stanza(client, element);
  };

  const secure = (tls: Tls): void => {
    tell(xml('proceed', { xmlns: TLS }));
    socket.removeAllListeners('data');
    socket = new TLSSocket(socket, { isServer: true, cert: tls.cert, key: tls.key });
    listen();
  };

  const listen = (): void => {
    const decoder = new StringDecoder('utf8');
    let parser = newParser();
    function newParser(): Parser {
      const fresh = new Parser();
      fresh.on('start', () => {
        const id = randomBytes(6).toString('hex');
        write(
          `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='${id}' from='${needs.domain}' version='1.0'>`,
        );
        tell(features());
      });
      fresh.on('element', take);
      fresh.on('end', () => {
        finished = true;
        socket.end('</stream:stream>');
      });
      fresh.on('error', drop);
      return fresh;
    }
    socket.on('data', (chunk: Buffer) => {
      const text = decoder.write(chunk);
      // RFC 6120 6.4.6: after sign-in the client opens a new stream on the same connection.
      if (/^(<\?xml[^>]*>)?\s*<stream:stream/.test(text)) parser = newParser();
      try {
        parser.write(text);
      } catch {
        drop();
      }
    });
    socket.on('error', () => first.destroy());
  };
  listen();
  first.on('error', () => first.destroy());
  first.on('close', () => {
    // Another connection may have gone on with the session by now.
    if (managed && managed.write !== write) return;
    if (managed) managed.write = undefined;
    needs.closed(client, managed && !finished ? { client, management: managed } : undefined);
  });
  return { drop };
}
