/**
 * Where secrets are kept: keychain, encrypted file, command, environment. Which one is the person's choice, noted for
 * each secret in the accounts file; where that one fails, no other is tried.
 */
import { join } from 'node:path';
import type { Clock } from '../../adapters/contract.ts';
import type { AccountName, SecretRef } from '../config.ts';
import { readCommand } from './command.ts';
import { readEnv } from './env.ts';
import { secretError } from './errors.ts';
import { openSecretFile, type SecretFile } from './file.ts';
import { type Keychain, openKeychain } from './keychain.ts';
import { type Ask, passphrases } from './passphrase.ts';

/** What a front hands in; `given` carries the secret itself, once. */
export type SecretSource =
  | { readonly kind: 'given'; readonly secret: string; readonly into: 'keychain' | 'file' }
  | { readonly kind: 'command'; readonly command: string }
  | { readonly kind: 'env'; readonly variable: string };

export interface Kept {
  readonly ref: SecretRef;
  /** For a person: where it is now. */
  readonly where: string;
}

/** Each call names one secret by its account and the key of its field. Errors are AdapterErrors with the remedy. */
export interface Vault {
  /** @throws AdapterError `auth` if it is not there, or as secretError says. */
  read(account: AccountName, field: string, ref: SecretRef, ask: Ask): Promise<string>;
  /** Stores it, or notes where it is; resolves once it was read back. */
  keep(account: AccountName, field: string, source: SecretSource, ask: Ask): Promise<Kept>;
  /** Removes what we stored; what the person keeps (command, environment) stays. */
  forget(account: AccountName, field: string, ref: SecretRef, ask: Ask): Promise<void>;
  describe(account: AccountName, field: string, ref: SecretRef): string;
}

export interface VaultOptions {
  /** Holds secrets.enc: Paths.data. */
  readonly folder: string;
  /** See keychainService. */
  readonly service: string;
  readonly clock: Clock;
  readonly env?: NodeJS.ProcessEnv;
  readonly keychain?: Keychain;
  readonly file?: SecretFile;
}

export function openVault(options: VaultOptions): Vault {
  const { folder, service, clock, env = process.env } = options;
  const keychain = options.keychain ?? openKeychain({ clock });
  const file = options.file ?? openSecretFile(join(folder, 'secrets.enc'));
  const passphrase = passphrases(env, clock);

  const describe: Vault['describe'] = (account, field, ref) => {
    switch (ref.kind) {
      case 'keychain':
        return `keychain, service "${service}", account "${entryOf(account, field)}"`;
      case 'file':
        return `encrypted file ${file.path}`;
      case 'command':
        return `command: ${ref.command}`;
      case 'env':
        return `environment variable ${ref.variable}`;
    }
  };

  const read: Vault['read'] = async (account, field, ref, ask) => {
    const found = await find(entryOf(account, field), ref, ask);
    if (found) return found;
    throw secretError(
      'auth',
      `no ${field} in the ${describe(account, field, ref)}; store it with: imux account set ${account} --secret-stdin`,
    );
  };

  const find = async (entry: string, ref: SecretRef, ask: Ask): Promise<string | null | undefined> => {
    switch (ref.kind) {
      case 'keychain':
        return await keychain.getPassword(service, entry);
      case 'file':
        return await file.get(entry, passphrase.from(ask, file.path));
      case 'command':
        return await readCommand(ref.command, { clock, env });
      case 'env':
        return readEnv(ref.variable, env);
    }
  };

  const keep: Vault['keep'] = async (account, field, source, ask) => {
    const ref = refOf(source);
    if (source.kind === 'given') {
      await store(entryOf(account, field), source, ask);
      if ((await read(account, field, ref, ask)) !== source.secret) {
        throw secretError('refused', `the ${describe(account, field, ref)} gave back something else than was stored`);
      }
    }
    return { ref, where: describe(account, field, ref) };
  };

  const store = async (entry: string, source: SecretSource & { kind: 'given' }, ask: Ask): Promise<void> => {
    if (source.secret === '') throw secretError('refused', 'the secret is empty');
    if (source.into === 'keychain') await keychain.setPassword(service, entry, source.secret);
    else await file.set(entry, source.secret, passphrase.from(ask, file.path));
  };

  const forget: Vault['forget'] = async (account, field, ref, ask) => {
    const entry = entryOf(account, field);
    if (ref.kind === 'keychain') await keychain.deletePassword(service, entry);
    if (ref.kind === 'file') await file.delete(entry, passphrase.from(ask, file.path));
  };

  return { read, keep, forget, describe };
}

function entryOf(account: AccountName, field: string): string {
  return `${account}/${field}`;
}

function refOf(source: SecretSource): SecretRef {
  return source.kind === 'given' ? { kind: source.into } : source;
}
