import type { AccountConfig } from '../../accounts/account.ts';
import { keychainService } from '../../accounts/secrets/keychain.ts';
import { openVault } from '../../accounts/secrets/ladder.ts';
import { readSettings, type SettingsView } from '../../accounts/settings.ts';
import type { LinkClient } from '../link/client.ts';
import type { Paths } from '../paths.ts';
import { systemClock } from './clock.ts';
import { account } from './doctor/accounts.ts';
import { count, type Finding, fault, well } from './doctor/finding.ts';
import { archive, folders, socket } from './doctor/places.ts';
import { ladder } from './doctor/secrets.ts';

export type { Finding } from './doctor/finding.ts';

/** The accounts file as far as it can be read. */
export interface Ground {
  readonly findings: readonly Finding[];
  readonly accounts: readonly AccountConfig[];
  /** A hub would refuse to work with this file. */
  readonly broken: boolean;
}

/** Folders, socket, archive and the accounts file: without a hub, and changing nothing. */
export function examineGround(paths: Paths): Ground {
  const places = [...folders(paths), socket(paths), ...archive(paths)];
  try {
    const view = readSettings(paths.config);
    return { findings: [...places, ...settings(view)], accounts: view.accounts, broken: false };
  } catch (error) {
    return { findings: [...places, settingsFault('file', error)], accounts: [], broken: true };
  }
}

function* settings(view: SettingsView): Iterable<Finding> {
  const { length } = view.accounts;
  yield well(
    'settings',
    'file',
    length === 0 ? 'no accounts yet; imux account add makes one' : count(length, 'account'),
  );
  try {
    const hooks = view.hooks();
    if (hooks.length > 0) yield well('settings', 'hooks', count(hooks.length, 'hook'));
  } catch (error) {
    yield settingsFault('hooks', error);
  }
}

function settingsFault(step: string, error: unknown): Finding {
  const text = error instanceof Error ? error.message : String(error);
  return fault('settings', step, text, 'settings', 'mend the file at that place; imux never overwrites a broken one');
}

export interface Examination {
  readonly paths: Paths;
  readonly env: NodeJS.ProcessEnv;
  readonly accounts: readonly AccountConfig[];
  /** Of these accounts only; all where it is empty. */
  readonly names: readonly string[];
  readonly link: LinkClient | undefined;
  readonly signal: AbortSignal;
}

/** Where secrets are, and each account from its settings to its roster. */
export async function* examineAccounts(examination: Examination): AsyncIterable<Finding> {
  const { paths, env, accounts, names, link, signal } = examination;
  const chosen = accounts.filter(({ name }) => names.length === 0 || names.includes(name));
  const clock = systemClock;
  const vault = openVault({ folder: paths.data, service: keychainService(env), clock, env });
  yield* ladder(paths, env, clock, chosen);
  for (const config of chosen) {
    try {
      yield* account(config, { vault, clock, link, signal });
    } catch (error) {
      // What ends one account's examination is a finding too.
      const text = error instanceof Error ? error.message : String(error);
      yield {
        ...fault('account', 'check', text, 'hub', 'hub.log in the data folder tells more'),
        account: config.name,
      };
    }
  }
}
