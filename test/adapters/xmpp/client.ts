import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { type Element, Parser, xml } from '@xmpp/xml';
import { waitFor } from '../../servers/process.ts';

/** A plain XMPP client that shares nothing with the adapter: somebody else on the network. In clear text, on loopback. */
export interface PlainClient {
  readonly jid: string;
  readonly bare: string;
  readonly stanzas: readonly Element[];
  send(stanza: Element): void;
  raw(text: string): void;
  iq(type: 'get' | 'set', to: string | undefined, payload: Element): Promise<Element>;
  /** The first stanza (after `from`, an index into `stanzas`) that passes. */
  next(passes: (stanza: Element) => boolean, from?: number): Promise<Element>;
  close(): Promise<void>;
}

export interface PlainOptions {
  readonly port: number;
  readonly domain?: string;
  readonly user: string;
  readonly password: string;
  /** Makes the account first (XEP-0077). */
  readonly register?: boolean;
  readonly resource?: string;
}

export async function plainClient(options: PlainOptions): Promise<PlainClient> {
  const { port, domain = 'localhost', user, password, resource = 'plain' } = options;
  const stanzas: Element[] = [];
  const socket = connect(port, '127.0.0.1');
  const decoder = new StringDecoder('utf8');
  let parser = new Parser();
  const renew = (): void => {
    parser = new Parser();
    parser.on('element', (element) => void stanzas.push(element));
    parser.on('error', () => socket.destroy());
  };
  socket.on('data', (chunk) => parser.write(decoder.write(chunk)));
  socket.on('error', () => socket.destroy());
  const raw = (text: string): void => void socket.write(text);
  const next = async (passes: (stanza: Element) => boolean, from = 0): Promise<Element> =>
    await waitFor(() => stanzas.slice(from).find(passes), { what: `${user} to hear ${passes.toString()}` });
  const open = async (): Promise<void> => {
    renew();
    const from = stanzas.length;
    raw(
      `<stream:stream to='${domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`,
    );
    await next((stanza) => stanza.name === 'stream:features', from);
  };
  const iq = async (type: 'get' | 'set', to: string | undefined, payload: Element): Promise<Element> => {
    const id = randomUUID();
    raw(xml('iq', { type, to, id }, payload).toString());
    return await next((stanza) => stanza.name === 'iq' && stanza.attrs.id === id && stanza.attrs.type !== type);
  };

  await open();
  if (options.register) {
    const fields = [xml('username', {}, user), xml('password', {}, password)];
    const made = await iq('set', undefined, xml('query', { xmlns: 'jabber:iq:register' }, ...fields));
    if (made.attrs.type !== 'result') throw new Error(`no account: ${made}`);
  }
  const auth = Buffer.from(`\0${user}\0${password}`).toString('base64');
  raw(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${auth}</auth>`);
  const answer = await next((stanza) => stanza.name === 'success' || stanza.name === 'failure');
  if (answer.name === 'failure') throw new Error(`not signed in: ${answer}`);
  await open();
  const bind = xml('bind', { xmlns: 'urn:ietf:params:xml:ns:xmpp-bind' }, xml('resource', {}, resource));
  const bound = await iq('set', undefined, bind);
  const jid = bound.getChild('bind')?.getChildText('jid') ?? '';
  return {
    jid,
    bare: jid.split('/')[0] ?? '',
    stanzas,
    raw,
    send: (stanza) => raw(stanza.toString()),
    iq,
    next,
    close: async () => {
      if (socket.closed) return;
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.end('</stream:stream>');
      socket.resume();
      setTimeout(() => socket.destroy(), 1_000).unref();
      await closed;
    },
  };
}

/** Makes two online accounts contacts of each other (RFC 6121 section 3). */
export async function mutual(one: PlainClient, other: PlainClient): Promise<void> {
  // Only who asked for the roster hears of its changes (2.1.6).
  for (const client of [one, other]) await client.iq('get', undefined, xml('query', { xmlns: 'jabber:iq:roster' }));
  for (const [asks, grants] of [
    [one, other],
    [other, one],
  ] as const) {
    grants.send(xml('presence'));
    asks.send(xml('presence', { to: grants.bare, type: 'subscribe' }));
    await grants.next((stanza) => stanza.name === 'presence' && stanza.attrs.type === 'subscribe');
    grants.send(xml('presence', { to: asks.bare, type: 'subscribed' }));
    await asks.next((stanza) => stanza.name === 'presence' && stanza.attrs.type === 'subscribed');
  }
}
