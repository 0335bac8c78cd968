import { openSettings, type Settings } from '../../accounts/settings.ts';
import { Fault } from '../core/fault.ts';
import { type Accounts, describe } from './accounts.ts';
import type { Log } from './log.ts';
import { type Keeping, readKeeping } from './retention.ts';

/** The part `hub` of the accounts file. */
export interface HubSection {
  /** How long a hub that a front started stays after the last one left. */
  readonly idleSeconds: number;
}

/** The accounts file as the hub uses it: read once, and again while it is broken. */
export interface HubSettings {
  /** Undefined: all is well. @throws SettingsError while the file is broken; the accounts start once it is mended. */
  ready(): Promise<void> | undefined;
  file(): Settings;
  hub(): HubSection;
  aliases(): ReadonlyMap<string, string>;
  /** How long messages stay; for ever while the file is broken. */
  keeping(): Keeping;
}

const defaultIdleSeconds = 30;

export function loadSettings(folder: string, accounts: Accounts, log: Log): HubSettings {
  let settings: Settings | undefined;
  let loading: Promise<void> | undefined;

  const load = async (): Promise<void> => {
    try {
      const opened = await openSettings(folder);
      const { accounts: configs } = opened.read();
      await Promise.all(configs.map((config) => accounts.add(config)));
      settings = opened;
    } catch (error) {
      log.write('warn', 'hub', describe(error));
      throw error;
    } finally {
      loading = undefined;
    }
  };
  const file = (): Settings => {
    if (!settings) throw new Fault('settings', 'the accounts file is not read yet');
    return settings;
  };

  return {
    ready() {
      if (settings) return undefined;
      loading ??= load();
      return loading;
    },
    file,
    hub() {
      const section = record(settings?.read().section('hub'));
      const seconds = section.idleSeconds;
      return { idleSeconds: typeof seconds === 'number' && seconds >= 0 ? seconds : defaultIdleSeconds };
    },
    keeping: () => readKeeping(settings?.read().section('archive')),
    aliases: () => aliasesOf(file().read().section('aliases')),
  };
}

/** Names that the person gave to targets: the part `aliases` of the accounts file. */
export function aliasesOf(section: unknown): ReadonlyMap<string, string> {
  const named = Object.entries(record(section));
  return new Map(named.filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
