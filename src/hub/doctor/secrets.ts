import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AccountConfig, SecretRef } from '../../../accounts/account.ts';
import { keychainService, openKeychain } from '../../../accounts/secrets/keychain.ts';
import type { Vault } from '../../../accounts/secrets/ladder.ts';
import type { About, Clock } from '../../../adapters/contract.ts';
import { AdapterError, asAdapterError } from '../../../adapters/errors.ts';
import type { Paths } from '../../paths.ts';
import { type Finding, fault, warning, well } from './finding.ts';

const OTHERS = '--secret-file, --secret-command or --secret-env keep a secret without a keychain';

/** The rungs of the ladder: the keychain, and the encrypted file; commands and variables are looked at for each account. */
export async function* ladder(
  paths: Paths,
  env: NodeJS.ProcessEnv,
  clock: Clock,
  accounts: readonly AccountConfig[],
): AsyncIterable<Finding> {
  const users = accounts.filter(({ secrets }) => Object.values(secrets).some(({ kind }) => kind === 'keychain'));
  try {
    await openKeychain({ clock }).getPassword(keychainService(env), 'imux doctor: is a keychain here?');
    yield well('secrets', 'keychain', 'open');
  } catch (error) {
    const { message, code } = asAdapterError(error);
    const [state, remedy] = apart(message);
    if (accounts.length > 0 && users.length === 0) yield well('secrets', 'keychain', `${state}; no account needs it`);
    else if (users.length === 0) yield warning('secrets', 'keychain', state, remedy || OTHERS);
    else {
      const names = users.map(({ name }) => name).join(', ');
      yield fault('secrets', 'keychain', `${state}; ${names} needs it`, code, remedy || OTHERS);
    }
  }
  const file = join(paths.data, 'secrets.enc');
  if (existsSync(file)) yield well('secrets', 'file', `${file}, opened with its passphrase`);
}

/** Whether each secret of an account is where the accounts file says; it is never shown. */
export async function* secretsOf(config: AccountConfig, about: About, vault: Vault): AsyncIterable<Finding> {
  for (const { key, label } of about.fields.filter(({ secret }) => secret)) {
    const ref = Object.hasOwn(config.secrets, key) ? config.secrets[key] : undefined;
    if (ref) yield { ...(await rung(config, key, label, ref, vault)), account: config.name };
  }
}

async function rung(config: AccountConfig, key: string, label: string, ref: SecretRef, vault: Vault): Promise<Finding> {
  const where = vault.describe(config.name, key, ref);
  // Its passphrase is the hub's to ask for.
  if (ref.kind === 'file') return well('account', 'secret', `${label} in the ${where}`);
  const nobody = (): Promise<never> => Promise.reject(new AdapterError('auth', 'nobody to ask'));
  try {
    await vault.read(config.name, key, ref, nobody);
    return well('account', 'secret', `${label} found: ${where}`);
  } catch (error) {
    const { message, code } = asAdapterError(error);
    const [text, remedy] = apart(message);
    return fault(
      'account',
      'secret',
      text,
      code,
      remedy || `give it again: imux account set ${config.name} --secret-stdin`,
    );
  }
}

/** The texts of secretError say what is wrong, and behind a semicolon what to do. */
export function apart(message: string): readonly [text: string, remedy: string] {
  const at = message.indexOf('; ');
  return at < 0 ? [message, ''] : [message.slice(0, at), message.slice(at + 2)];
}
