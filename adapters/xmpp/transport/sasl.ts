import { getAvailableMechanisms } from '@xmpp/sasl';
import { type Element, xml } from '@xmpp/xml';
import { AdapterError } from '../../errors.ts';
import { preparePassword, type ScramHash, scram } from '../../scram.ts';
import type { ClientConnection } from './connection.ts';
import { saslError } from './errors.ts';
import type { StreamHost } from './stream-types.ts';

const NS = 'urn:ietf:params:xml:ns:xmpp-sasl';
/** Once SCRAM was offered for an account, the plain password never goes to that server again. */
const SCRAM_SEEN = 'xmpp.scram-seen';

interface Mechanism {
  readonly name: string;
  readonly hash: ScramHash | undefined;
}

/** In the order of preference. */
const MECHANISMS: readonly Mechanism[] = [
  { name: 'SCRAM-SHA-256', hash: 'sha256' },
  { name: 'SCRAM-SHA-512', hash: 'sha512' },
  { name: 'SCRAM-SHA-1', hash: 'sha1' },
  { name: 'PLAIN', hash: undefined },
];

/**
 * Signs in by what the stream's features offer (RFC 6120 section 6). The caller has seen to TLS.
 * @throws AdapterError `auth` for a wrong password, a server that cannot prove itself, or none but PLAIN after SCRAM
 */
export async function signIn(
  connection: ClientConnection,
  features: Element,
  username: string,
  host: StreamHost,
): Promise<void> {
  const { name, hash } = choose(features, host);
  const password = await host.password();
  if (hash === undefined) await plain(connection, username, password);
  else await scramSignIn(connection, name, hash, username, password);
}

/** What the server offers, and of that what imux knows, the best first. */
export function offeredMechanisms(features: Element): {
  readonly all: readonly string[];
  readonly ours: readonly string[];
} {
  const offer = features.getChild('mechanisms', NS);
  const all = offer?.getChildren('mechanism', NS).map((mechanism) => mechanism.text()) ?? [];
  return { all, ours: offer ? getAvailableMechanisms(offer, NS, { _mechs: MECHANISMS }) : [] };
}

function choose(features: Element, { memory }: StreamHost): Mechanism {
  const { ours: names } = offeredMechanisms(features);
  const best = MECHANISMS.find(({ name }) => name === names[0]);
  if (!best) throw new AdapterError('unsupported', 'the server offers no way to sign in that imux knows');
  if (best.hash !== undefined) {
    if (memory.get(SCRAM_SEEN) === undefined) memory.set(SCRAM_SEEN, '1');
  } else if (memory.get(SCRAM_SEEN) !== undefined) {
    throw new AdapterError(
      'auth',
      'the server wants the plain password where it did not before; if it really changed, remove and add the account',
    );
  }
  return best;
}

async function plain(connection: ClientConnection, username: string, password: string): Promise<void> {
  const done = answer(connection, 'success');
  connection.push(auth('PLAIN', `\0${username}\0${preparePassword(password)}`));
  await done;
}

async function scramSignIn(
  connection: ClientConnection,
  name: string,
  hash: ScramHash,
  username: string,
  password: string,
): Promise<void> {
  const exchange = scram(hash, username, password);
  const challenge = answer(connection, 'challenge');
  connection.push(auth(name, exchange.first()));
  let proof: string;
  try {
    proof = await exchange.final((await challenge).text);
  } catch (error) {
    if (!connection.over && !isRefusal(error)) connection.push(xml('abort', { xmlns: NS }));
    throw error;
  }
  const last = answer(connection, 'success', 'challenge');
  connection.push(xml('response', { xmlns: NS }, encode(proof)));
  const reply = await last;
  exchange.verify(reply.text);
  if (reply.name === 'success') return;
  // RFC 5802 section 5: the server's signature may come as a challenge, to be answered with nothing.
  const done = answer(connection, 'success');
  connection.push(xml('response', { xmlns: NS }));
  await done;
}

interface Reply {
  readonly name: string;
  readonly text: string;
}

/** The next SASL element, which must be one of these. At `success` the old stream is over: nothing more of it counts. */
function answer(connection: ClientConnection, ...names: readonly string[]): Promise<Reply> {
  return connection.expect((element) => {
    if (element.getNS() !== NS) return undefined;
    const name = element.getName();
    if (name === 'failure') throw saslError(element);
    if (!names.includes(name))
      throw new AdapterError('protocol', `the server sent <${name}> in the midst of the sign-in`);
    if (name === 'success') connection._detachParser();
    return { name, text: Buffer.from(element.text(), 'base64').toString() };
  });
}

function auth(mechanism: string, initial: string): Element {
  return xml('auth', { xmlns: NS, mechanism }, encode(initial));
}

/** Of the UTF-8 bytes (RFC 4616 section 2); the library's encodes latin-1. */
function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}

function isRefusal(error: unknown): boolean {
  return error instanceof AdapterError && error.code !== 'protocol';
}
