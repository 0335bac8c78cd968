import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Element, Parser } from '@xmpp/xml';
import type { Certificate } from '../../servers/ca.ts';
import { waitFor } from '../../servers/process.ts';

/** One client of the fake server, in the hands of a script. */
export interface FakeClient {
  /** All that it sent, decrypted, over all streams. */
  readonly received: () => string;
  /** What TLS told: the name it asked for and the protocol it chose. */
  readonly tls: () => { readonly servername: string | false | undefined; readonly alpn: string | false | null };
  write(text: string | Uint8Array): void;
  /** The next element of the current stream that passes, those before it skipped. */
  next(passes: (element: Element) => boolean, what?: string): Promise<Element>;
  /** Waits for the client's stream header and answers it with ours and these features. */
  open(features: string): Promise<void>;
  /** TLS as the server. */
  secure(certificate: Certificate): Promise<void>;
  /** Cuts the connection with no good-bye. */
  cut(): void;
  readonly gone: Promise<void>;
}

export interface FakeServer {
  readonly port: number;
  readonly clients: readonly FakeClient[];
  stop(): Promise<void>;
}

/** A server on loopback that does what the script says, and nothing more. A script's error shows in `stop`. */
export async function fakeServer(script: (client: FakeClient, number: number) => Promise<void>): Promise<FakeServer> {
  const clients: FakeClient[] = [];
  const sockets = new Set<Socket>();
  const faults: unknown[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    const client = fakeClient(socket);
    clients.push(client);
    script(client, clients.length).catch((error: unknown) => {
      // A client that went away amid its script is the other side's business.
      if (!socket.destroyed) faults.push(error);
      client.cut();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    clients,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      if (faults.length > 0) throw new AggregateError(faults, `the script failed: ${String(faults[0])}`);
    },
  };
}

function fakeClient(raw: Socket): FakeClient {
  let socket = raw;
  let received = '';
  let parser = new Parser();
  let header: Element | undefined;
  let elements: Element[] = [];
  const gone = new Promise<void>((resolve) => void raw.once('close', () => resolve()));

  const renew = (): void => {
    parser = new Parser();
    header = undefined;
    elements = [];
    parser.on('start', (element) => {
      header = element;
    });
    parser.on('element', (element) => void elements.push(element));
    parser.on('error', () => {});
    parser.on('end', () => void socket.end('</stream:stream>'));
  };
  const onData = (data: Buffer): void => {
    const text = data.toString();
    received += text;
    // Each stream has an XML declaration of its own.
    for (const part of text.split(/(?=<\?xml)/)) {
      if (part.startsWith('<?xml')) renew();
      try {
        parser.write(part);
      } catch {
        // TLS, where the script reads in clear text.
      }
    }
  };
  const attach = (): void => {
    socket.on('data', onData);
    socket.on('error', () => {});
  };
  renew();
  attach();

  return {
    received: () => received,
    tls: () =>
      socket instanceof TLSSocket
        ? { servername: servernameOf(socket), alpn: socket.alpnProtocol }
        : { servername: undefined, alpn: null },
    write: (text) => void (socket.destroyed || socket.write(text)),
    next: async (passes, what = 'an element') =>
      await waitFor(
        () => {
          const at = elements.findIndex(passes);
          if (at === -1 && raw.destroyed) throw new Error(`the client left; waited for ${what}`);
          return at === -1 ? undefined : elements.splice(0, at + 1)[at];
        },
        { what },
      ),
    async open(features) {
      await waitFor(() => header !== undefined || raw.destroyed, { what: 'a stream header' });
      header = undefined;
      socket.write(
        `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='localhost' id='s1' version='1.0'><stream:features>${features}</stream:features>`,
      );
    },
    async secure({ certFile, keyFile }) {
      raw.off('data', onData);
      const secured = new TLSSocket(raw, {
        isServer: true,
        cert: readFileSync(certFile),
        key: readFileSync(keyFile),
        ALPNProtocols: ['xmpp-client'],
      });
      socket = secured;
      attach();
      await new Promise<void>((resolve, reject) => {
        secured.once('secure', () => resolve());
        secured.once('close', () => reject(new Error('closed amid TLS')));
      });
    },
    cut: () => raw.destroy(),
    gone,
  };
}

/** A server-side TLSSocket has the name that the client asked for as `servername`; Node's types have it not. */
function servernameOf(socket: TLSSocket): string | false | undefined {
  const value: unknown = Reflect.get(socket, 'servername');
  return typeof value === 'string' || value === false ? value : undefined;
}

export const STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>";
export const BIND = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
export const SM = "<sm xmlns='urn:xmpp:sm:3'/>";
const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';

export function mechanisms(...names: readonly string[]): string {
  return `<mechanisms xmlns='${SASL}'>${names.map((name) => `<mechanism>${name}</mechanism>`).join('')}</mechanisms>`;
}

export interface SignInOptions {
  readonly offer?: readonly string[];
  readonly password?: string;
  readonly iterations?: string;
  /** In place of the client's nonce with ours behind it. */
  readonly nonce?: string;
  /** In place of the signature; empty: none at all. */
  readonly signature?: string;
  /** The signature comes as a challenge rather than within the success. */
  readonly late?: boolean;
  /** What else the feature list holds. */
  readonly besides?: string;
}

/** Opens the stream and plays the server of one SASL exchange. */
export async function signIn(client: FakeClient, options: SignInOptions = {}): Promise<void> {
  const { offer = ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'PLAIN'], password = 'secret', besides = '' } = options;
  await client.open(mechanisms(...offer) + besides);
  const auth = await client.next((element) => element.is('auth', SASL), 'auth');
  const mechanism = auth.attrs.mechanism ?? '';
  const first = Buffer.from(auth.text(), 'base64').toString();
  if (mechanism === 'PLAIN') {
    if (first.split('\0')[2] === password) client.write(`<success xmlns='${SASL}'/>`);
    else await refuse(client);
    return;
  }
  const hash = mechanism === 'SCRAM-SHA-1' ? 'sha1' : mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512';
  const bare = first.slice('n,,'.length);
  const nonce = options.nonce ?? `${/r=([^,]*)/.exec(bare)?.[1] ?? ''}server`;
  const salt = Buffer.from('salt of the test');
  const serverFirst = `r=${nonce},s=${salt.toString('base64')},i=${options.iterations ?? '4096'}`;
  client.write(`<challenge xmlns='${SASL}'>${Buffer.from(serverFirst).toString('base64')}</challenge>`);
  const response = await client.next((element) => element.getNS() === SASL, 'a SASL response');
  if (response.getName() === 'abort') return;
  const final = Buffer.from(response.text(), 'base64').toString();
  const keys = scramKeys(hash, password, salt, Number(options.iterations ?? '4096'));
  const message = `${bare},${serverFirst},${final.slice(0, final.lastIndexOf(',p='))}`;
  const proof = Buffer.from(final.slice(final.lastIndexOf(',p=') + 3), 'base64');
  if (!proof.equals(keys.proof(message))) {
    await refuse(client);
    return;
  }
  const signature = options.signature ?? `v=${keys.signature(message).toString('base64')}`;
  const encoded = Buffer.from(signature).toString('base64');
  if (options.late) {
    client.write(`<challenge xmlns='${SASL}'>${encoded}</challenge>`);
    await client.next((element) => element.is('response', SASL), 'an empty response');
    client.write(`<success xmlns='${SASL}'/>`);
  } else client.write(`<success xmlns='${SASL}'>${encoded}</success>`);
}

async function refuse(client: FakeClient): Promise<void> {
  client.write(`<failure xmlns='${SASL}'><not-authorized/></failure>`);
  await client.gone;
}

function scramKeys(hash: 'sha1' | 'sha256' | 'sha512', password: string, salt: Buffer, iterations: number) {
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest();
  const length = createHash(hash).digest().length;
  const salted = pbkdf2Sync(password, salt, iterations, length, hash);
  const client = hmac(salted, 'Client Key');
  const stored = createHash(hash).update(client).digest();
  return {
    proof: (message: string): Buffer => {
      const signature = hmac(stored, message);
      return Buffer.from(client.map((byte, at) => byte ^ (signature[at] ?? 0)));
    },
    signature: (message: string): Buffer => hmac(hmac(salted, 'Server Key'), message),
  };
}

export interface BindOptions {
  /** With stream management, under this session id; empty: without resumption. */
  readonly session?: string;
  readonly besides?: string;
}

/** Opens the stream after sign-in, binds the resource that the client asks for, and enables stream management. */
export async function bind(client: FakeClient, { session, besides = '' }: BindOptions = {}): Promise<void> {
  await client.open(BIND + (session === undefined ? '' : SM) + besides);
  await bindResource(client, session);
}

export async function bindResource(client: FakeClient, session?: string): Promise<void> {
  const iq = await client.next((element) => element.name === 'iq', 'a bind request');
  const resource = iq.getChild('bind')?.getChildText('resource') ?? 'r';
  client.write(
    `<iq type='result' id='${iq.attrs.id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@localhost/${resource}</jid></bind></iq>`,
  );
  if (session === undefined) return;
  await client.next((element) => element.is('enable', 'urn:xmpp:sm:3'), 'enable');
  client.write(`<enabled xmlns='urn:xmpp:sm:3'${session === '' ? '' : ` id='${session}' resume='true'`}/>`);
}

/** Everything from the header to the bound stream, in clear text: for what comes after. */
export async function welcome(client: FakeClient, options: BindOptions & SignInOptions = {}): Promise<void> {
  await signIn(client, options);
  await bind(client, options);
}

/** The client asked for STARTTLS, and it is on. */
export async function startTls(client: FakeClient, certificate: Certificate, after = ''): Promise<void> {
  await client.open(STARTTLS + mechanisms('SCRAM-SHA-1', 'PLAIN'));
  await client.next((element) => element.getName() === 'starttls', 'starttls');
  client.write(`<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>${after}`);
  await client.secure(certificate);
}
