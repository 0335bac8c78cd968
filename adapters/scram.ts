import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { saslprep } from '@mongodb-js/saslprep';
import { AdapterError } from './errors.ts';

export type ScramHash = 'sha1' | 'sha256' | 'sha512';

/** One SCRAM exchange as a client (RFC 5802, RFC 7677), without channel binding. All texts are plain, not base64. */
export interface ScramExchange {
  /** client-first-message. */
  first(): string;
  /** client-final-message for the server's first. @throws AdapterError `protocol` on a bad nonce or iteration count. */
  final(serverFirst: string): Promise<string>;
  /** @throws AdapterError `auth` where the server does not know the password either (a wrong or missing `v=`). */
  verify(serverFinal: string): void;
}

const derive = promisify(pbkdf2);
/** RFC 7677 section 4 asks for at least 4096; above a million a server only burns our time. */
const ITERATIONS = { least: 4096, most: 1_000_000 };

/** SASLprep for passwords (RFC 4013); what it forbids is taken as it is, as the server then has it so as well. */
export function preparePassword(password: string): string {
  try {
    return saslprep(password);
  } catch {
    return password.normalize('NFKC');
  }
}

export function scram(
  hash: ScramHash,
  username: string,
  password: string,
  clientNonce = randomBytes(18).toString('base64'),
): ScramExchange {
  const bare = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${clientNonce}`;
  let expected: Buffer | undefined;
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest();

  return {
    first: () => `n,,${bare}`,
    async final(serverFirst) {
      const field = attributes(serverFirst);
      const nonce = field.get('r') ?? '';
      const iterations = Number(field.get('i'));
      // RFC 5802 section 5.1, `m`: an extension that must be understood, and we know none.
      if (field.has('m'))
        throw new AdapterError('protocol', 'the server asks for a SCRAM extension that imux does not know');
      if (!nonce.startsWith(clientNonce) || nonce.length <= clientNonce.length) {
        throw new AdapterError('protocol', 'the server did not continue our SCRAM nonce');
      }
      if (!Number.isInteger(iterations) || iterations < ITERATIONS.least || iterations > ITERATIONS.most) {
        throw new AdapterError('protocol', `the server asks for ${field.get('i')} SCRAM iterations`);
      }
      const salt = Buffer.from(field.get('s') ?? '', 'base64');
      if (salt.length === 0) throw new AdapterError('protocol', 'the server sent no SCRAM salt');
      const length = createHash(hash).digest().length;
      const salted = await derive(preparePassword(password), salt, iterations, length, hash);
      const clientKey = hmac(salted, 'Client Key');
      const storedKey = createHash(hash).update(clientKey).digest();
      const withoutProof = `c=biws,r=${nonce}`;
      const authMessage = `${bare},${serverFirst},${withoutProof}`;
      const signature = hmac(storedKey, authMessage);
      expected = hmac(hmac(salted, 'Server Key'), authMessage);
      const proof = Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0)));
      return `${withoutProof},p=${proof.toString('base64')}`;
    },
    verify(serverFinal) {
      const field = attributes(serverFinal);
      if (field.has('e')) throw new AdapterError('auth', `the server refused the sign-in: ${field.get('e')}`);
      const given = Buffer.from(field.get('v') ?? '', 'base64');
      if (!expected || given.length !== expected.length || !timingSafeEqual(given, expected)) {
        throw new AdapterError('auth', 'the server could not prove that it knows the password');
      }
    },
  };
}

function attributes(message: string): ReadonlyMap<string, string> {
  return new Map(message.split(',').map((part) => [part.slice(0, 1), part.slice(2)] as const));
}
