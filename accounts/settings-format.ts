import type { About } from '../adapters/contract.ts';
import type { AccountConfig, AccountName, SecretRef } from './config.ts';
import { type Hook, parseHooks } from './hooks-format.ts';
import { JsonFault, type Place, placeOf, walkJson } from './json-place.ts';

/** Version of the accounts file's format (semver, as conf's migrations count); not of imux. */
export const FORMAT = '1.0.0';

/** Parts of the file beside `accounts`; kept as they stand, each read by what it concerns. */
export const sections = ['hub', 'ui', 'aliases', 'hooks', 'archive'] as const;
export type Section = (typeof sections)[number];

/** The accounts file, a name or a setting is not as it must be. The text names the place and what to do. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly path: string | undefined;
  readonly place: Place | undefined;

  constructor(message: string, path?: string, place?: Place, cause?: unknown) {
    const where = path === undefined ? '' : `${path}${place ? `:${place.line}:${place.column}` : ''}: `;
    super(where + message, cause === undefined ? undefined : { cause });
    this.path = path;
    this.place = place;
  }
}

export interface SettingsView {
  readonly accounts: readonly AccountConfig[];
  section(name: Section): unknown;
  /** Checked only when asked for: a wrong hook must keep no account offline. @throws SettingsError with the place. */
  hooks(): readonly Hook[];
  /** As the file says; undefined in a file written by hand. */
  readonly format: string | undefined;
}

/** Letters, digits, `.`, `_`, `-`, beginning with a letter or digit; at most 32. @throws SettingsError */
export function accountName(name: string): AccountName {
  if (!isAccountName(name)) {
    throw new SettingsError(
      `"${name}" is no account name: letters, digits, . _ - (first a letter or digit), at most 32, as in "work"`,
    );
  }
  return name;
}

function isAccountName(name: string): name is AccountName {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/.test(name);
}

/** @throws SettingsError where a value that must be kept secret stands among the settings. */
export function refuseSecrets(settings: Readonly<Record<string, string>>, about: Pick<About, 'fields'>): void {
  for (const [key, value] of Object.entries(settings)) {
    if (about.fields.some((field) => field.secret && field.key === key)) {
      throw new SettingsError(
        `"${key}" is a secret and may not stand in the accounts file; give it with --secret-stdin, --secret-command or --secret-env`,
      );
    }
    if (/^[a-z][a-z0-9+.-]*:\/\/[^/@\s]*:[^/@\s]+@/i.test(value)) {
      throw new SettingsError(`"${key}" is an address with a password in it, and may not stand in the accounts file`);
    }
  }
}

const UNCHANGED = 'imux leaves the file as it is; mend it, or move it away to begin anew';

/** Checks and types the text of an accounts file. @throws SettingsError with the place of the fault. */
export function parseSettings(text: string, path: string, known: string = FORMAT): SettingsView {
  const root = record(parseJson(text, path));
  if (root === undefined) throw broken(text, path, [], 'the whole must be an object { … }');
  const format = formatOf(root);
  if (format !== undefined && isNewer(format, known)) {
    throw new SettingsError(
      `a newer imux wrote this (format ${format}, this one knows ${known}); update imux. The file is left as it is`,
      path,
    );
  }
  const complain: Complain = (where, what) => {
    throw broken(text, path, where, what);
  };
  const accounts = record(root.accounts ?? {}) ?? complain(['accounts'], 'must be an object of accounts by name');
  return {
    accounts: Object.entries(accounts).map(([name, raw]) => parseAccount(name, raw, complain)),
    section: (name) => (Object.hasOwn(root, name) ? root[name] : undefined),
    hooks: () => parseHooks(Object.hasOwn(root, 'hooks') ? root.hooks : undefined, complain),
    format,
  };
}

type Complain = (where: readonly string[], what: string) => never;

function parseAccount(name: string, raw: unknown, complain: Complain): AccountConfig {
  const where = ['accounts', name];
  if (!isAccountName(name)) return complain(where, `"${name}" is no account name`);
  const account = record(raw) ?? complain(where, 'must be an object { "network": …, "settings": … }');
  const { network, enabled = true, settings = {}, secrets = {} } = account;
  if (typeof network !== 'string' || network === '') return complain([...where, 'network'], 'must name a network');
  if (typeof enabled !== 'boolean') return complain([...where, 'enabled'], 'must be true or false');
  const texts = record(settings) ?? complain([...where, 'settings'], 'must be an object of texts');
  const refs = record(secrets) ?? complain([...where, 'secrets'], 'must be an object');
  return {
    name,
    network,
    enabled,
    settings: Object.fromEntries(
      Object.entries(texts).map(([key, value]) =>
        typeof value === 'string'
          ? [key, value]
          : complain([...where, 'settings', key], 'must be a text in double quotes'),
      ),
    ),
    secrets: Object.fromEntries(
      Object.entries(refs).map(([key, ref]) => [key, parseRef(ref, [...where, 'secrets', key], complain)]),
    ),
  };
}

function parseRef(raw: unknown, where: readonly string[], complain: Complain): SecretRef {
  const ref = record(raw);
  switch (ref?.kind) {
    case 'keychain':
    case 'file':
      return { kind: ref.kind };
    case 'command':
      if (typeof ref.command === 'string' && ref.command !== '') return { kind: 'command', command: ref.command };
      return complain([...where, 'command'], 'must be a command line');
    case 'env':
      if (typeof ref.variable === 'string' && ref.variable !== '') return { kind: 'env', variable: ref.variable };
      return complain([...where, 'variable'], 'must name an environment variable');
    default:
      // What stands here instead may be the secret itself: it is not repeated.
      return complain(where, 'must say where the secret is kept: { "kind": "keychain" | "file" | "command" | "env" }');
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    walkJson(text, () => {});
    return JSON.parse(text);
  } catch (cause) {
    const place = cause instanceof JsonFault ? cause.place : undefined;
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new SettingsError(`${what}. ${UNCHANGED}`, path, place, cause);
  }
}

function broken(text: string, path: string, where: readonly string[], what: string): SettingsError {
  const name = where.length === 0 ? '' : `${where.join('.')} `;
  return new SettingsError(`${name}${what}. ${UNCHANGED}`, path, placeOf(text, where));
}

/** Where conf notes the version up to which a file was migrated. */
function formatOf(root: Readonly<Record<string, unknown>>): string | undefined {
  const version = record(record(root.__internal__)?.migrations)?.version;
  return typeof version === 'string' ? version : undefined;
}

export function isNewer(format: string, than: string): boolean {
  const theirs = format.split('.').map(Number);
  const ours = than.split('.').map(Number);
  for (let part = 0; part < 3; part++) {
    const difference = (theirs[part] ?? 0) - (ours[part] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
