/** Secrets in one file under one passphrase: scrypt (RFC 7914) gives the key, AES-256-GCM seals the whole. */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makePrivateFolder, writePrivate } from '../private-file.ts';
import { secretError } from './errors.ts';

export interface SecretFile {
  readonly path: string;
  /** Undefined if it holds no such entry. */
  get(entry: string, passphrase: PassphraseSource): Promise<string | undefined>;
  set(entry: string, secret: string, passphrase: PassphraseSource): Promise<void>;
  delete(entry: string, passphrase: PassphraseSource): Promise<boolean>;
}

/** `new`: the file is about to be made; `wrong`: what was given last did not open it. */
export type PassphraseSource = (why: 'open' | 'new' | 'wrong') => Promise<string>;

/** The file as it stands on disk; bytes in base64. */
interface Sealed {
  readonly imux: 'secrets';
  readonly version: 1;
  readonly kdf: {
    readonly name: 'scrypt';
    readonly N: number;
    readonly r: number;
    readonly p: number;
    readonly salt: string;
  };
  readonly cipher: 'aes-256-gcm';
  readonly iv: string;
  readonly tag: string;
  readonly data: string;
}

type Cost = Pick<Sealed['kdf'], 'N' | 'r' | 'p'>;
/** OWASP's first choice for scrypt: 128 MiB and about 0.3 s for one guess. */
const COST: Cost = { N: 2 ** 17, r: 8, p: 1 };
const TRIES = 3;

interface Key {
  readonly kdf: Sealed['kdf'];
  readonly key: Buffer;
}

/** The key is kept in memory while the hub runs: the passphrase is asked for once. */
export function openSecretFile(path: string, cost: Cost = COST): SecretFile {
  let known: Key | undefined;
  let last: Promise<unknown> = Promise.resolve();

  /** One at a time, so that one passphrase prompt serves all that wait, and no write is lost to another. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };

  const unlock = async (sealed: Sealed, passphrase: PassphraseSource): Promise<Map<string, string>> => {
    if (known && sameKdf(known.kdf, sealed.kdf)) {
      const entries = unseal(sealed, known.key);
      if (entries) return entries;
      throw secretError('auth', `${path} was changed or damaged since it was opened; bring it back from a backup`);
    }
    for (let tried = 0; tried < TRIES; tried++) {
      const key = await derive(await passphrase(tried === 0 ? 'open' : 'wrong'), sealed.kdf);
      const entries = unseal(sealed, key);
      if (!entries) continue;
      known = { kdf: sealed.kdf, key };
      return entries;
    }
    throw secretError('auth', `wrong passphrase for ${path} (or the file was changed); connect again to give another`);
  };

  const store = (entries: ReadonlyMap<string, string>, key: Key): void => {
    makePrivateFolder(dirname(path));
    writePrivate(path, `${JSON.stringify(seal(entries, key), undefined, 2)}\n`);
  };

  const change = async <T>(edit: (entries: Map<string, string>) => T, passphrase: PassphraseSource): Promise<T> => {
    const sealed = readSealed(path);
    const entries = sealed ? await unlock(sealed, passphrase) : new Map<string, string>();
    if (!sealed) known = await newKey(passphrase, cost);
    const result = edit(entries);
    if (known) store(entries, known);
    return result;
  };

  return {
    path,
    get: (entry, passphrase) =>
      inTurn(async () => {
        const sealed = readSealed(path);
        return sealed ? (await unlock(sealed, passphrase)).get(entry) : undefined;
      }),
    set: (entry, secret, passphrase) => inTurn(() => change((entries) => void entries.set(entry, secret), passphrase)),
    delete: (entry, passphrase) =>
      inTurn(async () => (existsSync(path) ? await change((entries) => entries.delete(entry), passphrase) : false)),
  };
}

async function newKey(passphrase: PassphraseSource, cost: Cost): Promise<Key> {
  const chosen = await passphrase('new');
  if (chosen === '') throw secretError('auth', 'an empty passphrase protects nothing; give another');
  const kdf = { name: 'scrypt', ...cost, salt: randomBytes(16).toString('base64') } as const;
  return { kdf, key: await derive(chosen, kdf) };
}

function derive(passphrase: string, { N, r, p, salt }: Sealed['kdf']): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { N, r, p, maxmem: 128 * N * r + 1024 * 1024 };
    // NFC: the same passphrase typed on another keyboard may come composed differently.
    scrypt(passphrase.normalize('NFC'), Buffer.from(salt, 'base64'), 32, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

function seal(entries: ReadonlyMap<string, string>, { kdf, key }: Key): Sealed {
  const head = { imux: 'secrets', version: 1, kdf, cipher: 'aes-256-gcm' } as const;
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(JSON.stringify(head)));
  const data = Buffer.concat([cipher.update(JSON.stringify([...entries])), cipher.final()]);
  return {
    ...head,
    iv: iv.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
    data: data.toString('base64'),
  };
}

/** Undefined where the key does not fit or a byte was changed: GCM cannot tell which. */
function unseal({ iv, tag, data, ...head }: Sealed, key: Buffer): Map<string, string> | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64'), { authTagLength: 16 });
  try {
    decipher.setAAD(Buffer.from(JSON.stringify(head))).setAuthTag(Buffer.from(tag, 'base64'));
    const plain = Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()]);
    return new Map<string, string>(JSON.parse(plain.toString()));
  } catch {
    return undefined;
  }
}

function readSealed(path: string): Sealed | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw secretError('auth', `${path} cannot be read: ${cause instanceof Error ? cause.message : cause}`, cause);
  }
  const sealed = parse(text);
  if (sealed === 'newer') throw secretError('auth', `a newer imux wrote ${path}; update imux`);
  if (sealed) return sealed;
  throw secretError(
    'auth',
    `${path} is damaged; imux leaves it as it is: bring it back from a backup, or move it away`,
  );
}

function parse(text: string): Sealed | 'newer' | undefined {
  let raw: Partial<Sealed>;
  try {
    raw = JSON.parse(text) ?? {};
  } catch {
    return undefined;
  }
  if (raw.imux !== 'secrets' || typeof raw.version !== 'number') return undefined;
  if (raw.version > 1) return 'newer';
  const { kdf, cipher, iv, tag, data } = raw;
  const texts = [kdf?.salt, iv, tag, data].every((value) => typeof value === 'string');
  // Bounded, so that a changed file cannot make us take all memory.
  const sane = kdf?.name === 'scrypt' && kdf.N >= 2 ** 14 && kdf.N <= 2 ** 20 && kdf.r === 8 && kdf.p === 1;
  if (!texts || !sane || cipher !== 'aes-256-gcm' || raw.version !== 1) return undefined;
  const { name, N, r, p, salt } = kdf;
  return { imux: 'secrets', version: 1, kdf: { name, N, r, p, salt }, cipher, iv, tag, data } as Sealed;
}

function sameKdf(a: Sealed['kdf'], b: Sealed['kdf']): boolean {
  return a.N === b.N && a.r === b.r && a.p === b.p && a.salt === b.salt;
}
