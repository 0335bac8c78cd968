/**
 * The accounts file, `accounts.json` in the config folder. The hub is its only writer; a person may edit it by hand
 * while no hub runs. It never holds a secret, only where each secret is kept.
 */
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type Conf from 'conf';
import type { AccountConfig, AccountName } from './config.ts';
import { makePrivate, makePrivateFolder, replaceSafely } from './private-file.ts';
import { FORMAT, isNewer, parseSettings, SettingsError, type SettingsView } from './settings-format.ts';

export {
  accountName,
  FORMAT,
  refuseSecrets,
  type Section,
  SettingsError,
  type SettingsView,
} from './settings-format.ts';

const NAME = 'accounts';

/** What the file holds now, without conf and its schema checker (20 to 30 ms): for the quick paths. @throws SettingsError */
export function readSettings(folder: string, format: string = FORMAT): SettingsView {
  const path = join(folder, `${NAME}.json`);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (isMissing(cause)) return { accounts: [], section: () => undefined, hooks: () => [], format: undefined };
    throw new SettingsError(
      `cannot be read: ${cause instanceof Error ? cause.message : cause}`,
      path,
      undefined,
      cause,
    );
  }
  return parseSettings(text, path, format);
}

/** The accounts file with the right to write it. */
export interface Settings {
  readonly path: string;
  /** Read afresh, in the order of the file. @throws SettingsError */
  read(): SettingsView;
  find(name: AccountName): AccountConfig | undefined;
  /** Adds the account or replaces the one of that name. @throws SettingsError; the file is then as before. */
  put(config: AccountConfig): Promise<void>;
  /** False if there was none. */
  remove(name: AccountName): Promise<boolean>;
}

type Raw = Record<string, unknown>;
/** A step brings a file of an older format to the version of its key; it must not mind a file that is there already. */
export type Migrations = Readonly<Record<string, (store: Conf<Raw>) => void>>;

export interface SettingsOptions {
  readonly format?: string;
  readonly migrations?: Migrations;
}

/**
 * Opens the file for the hub: brings an older one up to date (a copy of it stays beside it) and makes it private.
 * A missing file stays missing until the first account.
 * @throws SettingsError where it is broken, or newer than this imux: it is never overwritten then.
 */
export async function openSettings(folder: string, options: SettingsOptions = {}): Promise<Settings> {
  const { format = FORMAT, migrations = {} } = options;
  makePrivateFolder(folder);
  const path = join(folder, `${NAME}.json`);
  const read = (): SettingsView => readSettings(folder, format);
  const found = read();
  if (found.format !== undefined && isNewer(format, found.format)) {
    copyFileSync(path, `${path}.${found.format}`);
    makePrivate(`${path}.${found.format}`);
    await openStore(folder, path, format, migrations);
  }
  tighten(path);

  let opened: Conf<Raw> | undefined;
  const open = async (): Promise<Conf<Raw>> => {
    opened ??= await openStore(folder, path, format, migrations);
    return opened;
  };
  const change = async (edit: (accounts: Raw) => Raw): Promise<void> => {
    // conf would take a file that is broken or newer by now for its own: look first.
    read();
    const store = await open();
    const accounts = edit(asRaw(store.get('accounts')));
    try {
      replaceSafely(
        path,
        () => store.set('accounts', accounts),
        (text) => holds(text, accounts),
      );
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new SettingsError(`cannot be written: ${why}. It is as before`, path, undefined, cause);
    }
  };

  return {
    path,
    read,
    find: (name) => read().accounts.find((account) => account.name === name),
    async put({ name, ...config }) {
      await change((accounts) => ({ ...accounts, [name]: { ...asRaw(accounts[name]), ...config } }));
    },
    async remove(name) {
      const known = read().accounts.some((account) => account.name === name);
      if (known)
        await change((accounts) => Object.fromEntries(Object.entries(accounts).filter(([key]) => key !== name)));
      return known;
    },
  };
}

async function openStore(folder: string, path: string, format: string, migrations: Migrations): Promise<Conf<Raw>> {
  const { default: Store } = await import('conf');
  try {
    return new Store<Raw>({
      cwd: folder,
      configName: NAME,
      configFileMode: 0o600,
      clearInvalidConfig: false,
      // An account's name may hold a dot.
      accessPropertiesByDotNotation: false,
      projectVersion: format,
      migrations: { ...migrations },
      schema,
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SettingsError(`${why}. imux leaves the file as it is`, path, undefined, cause);
  }
}

const ref = {
  type: 'object',
  required: ['kind'],
  properties: {
    kind: { enum: ['keychain', 'file', 'command', 'env'] },
    command: { type: 'string', minLength: 1 },
    variable: { type: 'string', minLength: 1 },
  },
} as const;

/** JSON Schema 2020-12 of each top-level key; other keys are kept as they are. */
const schema = {
  accounts: {
    type: 'object',
    propertyNames: { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$' },
    additionalProperties: {
      type: 'object',
      required: ['network'],
      properties: {
        network: { type: 'string', minLength: 1 },
        enabled: { type: 'boolean' },
        settings: { type: 'object', additionalProperties: { type: 'string' } },
        secrets: { type: 'object', additionalProperties: ref },
      },
    },
  },
  hub: { type: 'object' },
  ui: { type: 'object' },
  aliases: { type: 'object', additionalProperties: { type: 'string' } },
  hooks: {},
  archive: { type: 'object' },
} as const;

function holds(text: string, accounts: Raw): boolean {
  try {
    return JSON.stringify(JSON.parse(text).accounts) === JSON.stringify(accounts);
  } catch {
    return false;
  }
}

function tighten(path: string): void {
  try {
    makePrivate(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function asRaw(value: unknown): Raw {
  return typeof value === 'object' && value !== null ? (value as Raw) : {};
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
