import type { Clock } from '../../adapters/contract.ts';
import { keychainError, keychainSilent, secretError } from './errors.ts';

/** keytar's four verbs, with its arguments: https://github.com/atom/node-keytar#docs */
export interface Keychain {
  getPassword(service: string, account: string): Promise<string | null>;
  setPassword(service: string, account: string, password: string): Promise<void>;
  /** False if there was none. */
  deletePassword(service: string, account: string): Promise<boolean>;
  findCredentials(service: string): Promise<readonly { readonly account: string; readonly password: string }[]>;
}

/** The part of @napi-rs/keyring in use. */
export type KeyringLibrary = Pick<typeof import('@napi-rs/keyring'), 'AsyncEntry' | 'findCredentialsAsync'>;

export interface KeychainOptions {
  readonly clock: Clock;
  readonly load?: () => Promise<KeyringLibrary>;
  /** How long one call may take, an unlock prompt included. */
  readonly timeoutMs?: number;
  readonly platform?: NodeJS.Platform;
}

/** Its default would silently fall back to the kernel's keyring, which is empty after a reboot. */
const PINNED = { linux: { store: 'secret-service' } } as const;

/**
 * The desktop's keychain: Secret Service, macOS Keychain, Windows Credential Manager. Errors are AdapterErrors that say
 * what to do.
 */
export function openKeychain(options: KeychainOptions): Keychain {
  const { clock, load = () => import('@napi-rs/keyring'), timeoutMs = 10_000, platform = process.platform } = options;
  let last: Promise<unknown> = Promise.resolve();

  /** One at a time: a call that waits for an unlock prompt holds a thread, and must not hold all of Node's four. */
  const call = async <T>(work: (library: KeyringLibrary) => Promise<T>): Promise<T> => {
    const given = new AbortController();
    const turn = last.then(async () => {
      const library = await load().catch(notHere);
      if (platform === 'linux') await probe(library);
      // Nobody waits for it any more: a secret must not be stored after it was said that it was not.
      given.signal.throwIfAborted();
      return await work(library);
    });
    last = turn.catch(() => {});
    return await within(turn, given);
  };

  const within = async <T>(turn: Promise<T>, given: AbortController): Promise<T> => {
    const over = new AbortController();
    const late = clock.sleep(timeoutMs, over.signal).then(
      () => 'late' as const,
      () => 'over' as const,
    );
    try {
      const first = await Promise.race([turn.then((value) => ({ value })), late]);
      if (typeof first === 'object') return first.value;
      throw keychainSilent();
    } catch (error) {
      throw error instanceof Error && error.name === 'AdapterError' ? error : keychainError(error);
    } finally {
      given.abort();
      over.abort();
    }
  };

  return {
    getPassword: (service, account) =>
      call(async ({ AsyncEntry }) => (await new AsyncEntry(service, account, PINNED).getPassword()) ?? null),
    setPassword: (service, account, password) =>
      call(({ AsyncEntry }) => new AsyncEntry(service, account, PINNED).setPassword(password)),
    deletePassword: (service, account) =>
      call(({ AsyncEntry }) => new AsyncEntry(service, account, PINNED).deletePassword()),
    findCredentials: (service) => call(({ findCredentialsAsync }) => findCredentialsAsync(service)),
  };
}

/**
 * AsyncEntry's constructor talks to D-Bus on the calling thread, and blocks it for 2 s where the keychain hangs (seen
 * with a stopped gnome-keyring). This search does not, so it goes first.
 */
async function probe({ findCredentialsAsync }: KeyringLibrary): Promise<void> {
  await findCredentialsAsync('imux: is a keychain here?');
}

function notHere(cause: unknown): never {
  throw secretError(
    'unsupported',
    'imux has no keychain support on this platform (the native part of @napi-rs/keyring is missing); use --secret-file, --secret-command or --secret-env',
    cause,
  );
}

/**
 * Under what name a profile's secrets stand in the keychain; another IMUX_HOME is another set of accounts.
 */
export function keychainService(env: NodeJS.ProcessEnv, profile: string = env.IMUX_PROFILE ?? ''): string {
  const home = env.IMUX_HOME ? ` (${env.IMUX_HOME})` : '';
  return `imux${home}${profile ? `/${profile}` : ''}`;
}
