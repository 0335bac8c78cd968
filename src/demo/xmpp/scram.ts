import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

const iterations = 4096;

/** The server's side of one SCRAM-SHA-256 exchange (RFC 5802). Texts are plain, not base64. */
export interface ScramServer {
  first(clientFirst: string): string;
  /** The server's proof; undefined: the password is wrong. */
  final(clientFinal: string): string | undefined;
  readonly user: string;
}

export function scramServer(password: (user: string) => string | undefined): ScramServer {
  let user = '';
  let nonce = '';
  let bare = '';
  let serverFirst = '';
  const salt = randomBytes(16);
  const field = (text: string, name: string): string =>
    text
      .split(',')
      .find((part) => part.startsWith(`${name}=`))
      ?.slice(2) ?? '';
  const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  return {
    get user() {
      return user;
    },
    first(clientFirst) {
      bare = clientFirst.slice(clientFirst.indexOf(',', clientFirst.indexOf(',') + 1) + 1);
      user = field(bare, 'n').replaceAll('=2C', ',').replaceAll('=3D', '=');
      nonce = field(bare, 'r') + randomBytes(12).toString('hex');
      serverFirst = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`;
      return serverFirst;
    },
    final(clientFinal) {
      const known = password(user);
      const proofAt = clientFinal.lastIndexOf(',p=');
      const authMessage = `${bare},${serverFirst},${clientFinal.slice(0, proofAt)}`;
      const salted = pbkdf2Sync(known ?? '', salt, iterations, 32, 'sha256');
      const clientKey = hmac(salted, 'Client Key');
      const signature = hmac(createHash('sha256').update(clientKey).digest(), authMessage);
      const expected = Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0)));
      const given = Buffer.from(clientFinal.slice(proofAt + 3), 'base64');
      const right = known !== undefined && given.length === expected.length && timingSafeEqual(given, expected);
      if (!right || field(clientFinal, 'r') !== nonce) return undefined;
      return `v=${hmac(hmac(salted, 'Server Key'), authMessage).toString('base64')}`;
    },
  };
}
