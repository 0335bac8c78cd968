import type { AccountConfig, AccountName, SecretRef } from '../../../accounts/account.ts';
import { checkAccount } from '../../../accounts/check.ts';
import type { Vault } from '../../../accounts/secrets/ladder.ts';
import { accountName, refuseSecrets, type Settings } from '../../../accounts/settings.ts';
import type { Adapter } from '../../../adapters/contract.ts';
import { Fault } from '../../core/fault.ts';
import { sanitiseLine } from '../../core/sanitise.ts';
import { accountView } from '../../core/views.ts';
import type { CheckStep, Handlers, Method, NetworkView, SecretSource } from '../../link/messages.ts';
import { type Accounts, describe, type Running } from '../accounts.ts';
import { remedyFor } from '../doctor/accounts.ts';
import type { HubParts } from '../parts.ts';
import { createTurns } from '../turns.ts';

type AccountMethods = Pick<Handlers, 'networks' | Extract<Method, `accounts.${string}`>>;

interface Kept {
  readonly refs: Readonly<Record<string, SecretRef>>;
  /** For a person. */
  readonly where: Readonly<Record<string, string>>;
}

export function accountMethods(
  parts: HubParts,
  accounts: Accounts,
  settings: () => Settings,
  networkNames: readonly string[],
): AccountMethods {
  const { vault, prompts, archive } = parts;

  const keep = async (
    name: AccountName,
    secrets: Readonly<Record<string, SecretSource>>,
    before: Readonly<Record<string, SecretRef>>,
  ): Promise<Kept> => {
    const refs: Record<string, SecretRef> = {};
    const where: Record<string, string> = {};
    for (const [field, source] of Object.entries(secrets)) {
      const kept = await vault.keep(name, field, placed(source, before[field]), (prompt) => prompts.ask(name, prompt));
      refs[field] = kept.ref;
      where[field] = kept.where;
    }
    return { refs, where };
  };

  const forget = async (name: AccountName, refs: Readonly<Record<string, SecretRef>>): Promise<void> => {
    for (const [field, ref] of Object.entries(refs)) {
      await vault
        .forget(name, field, ref, (prompt) => prompts.ask(name, prompt))
        .catch((error: unknown) => parts.log.write('warn', name, `secret ${field} not removed: ${describe(error)}`));
    }
  };

  const stored = ({ config }: Running): AccountConfig => settings().find(config.name) ?? config;

  const methods: AccountMethods = {
    networks: async () => ({
      networks: await Promise.all(networkNames.map(async (name) => networkView(await parts.loadAdapter(name)))),
    }),
    'accounts.list': async () => ({ accounts: accounts.all().map(({ entry }) => accountView(entry)) }),
    'accounts.show': async ({ account }) => {
      const running = accounts.get(account);
      const { name, settings: shown, secrets } = stored(running);
      const where = Object.entries(secrets).map(([field, ref]) => [field, vault.describe(name, field, ref)]);
      return { account: accountView(running.entry), settings: shown, secrets: Object.fromEntries(where) };
    },
    'accounts.add': async ({ network, name: given, settings: values, secrets, enabled = true }) => {
      const name = nameOf(given);
      if (accounts.find(name)) throw new Fault('bad-data', `there is an account "${name}" already`);
      const adapter = await known(parts, network);
      refuseWrong(adapter, values, Object.keys(secrets));
      const kept = await keep(name, secrets, {});
      const config = { name, network, enabled, settings: values, secrets: kept.refs };
      try {
        await settings().put(config);
      } catch (error) {
        await forget(name, kept.refs);
        throw error;
      }
      const { entry } = await accounts.add(config);
      return { account: accountView(entry), kept: kept.where };
    },
    'accounts.set': async ({ account, settings: values, secrets }) => {
      const before = stored(accounts.get(account));
      const merged = Object.entries({ ...before.settings, ...values }).filter(([, value]) => value !== '');
      const after = Object.fromEntries(merged);
      refuseWrong(await known(parts, before.network), after, Object.keys(secrets));
      const { refs } = await keep(before.name, secrets, before.secrets);
      const config = { ...before, settings: after, secrets: { ...before.secrets, ...refs } };
      await settings().put(config);
      const { entry } = await accounts.replace(config);
      return { account: accountView(entry) };
    },
    'accounts.remove': async ({ account }) => {
      const running = accounts.get(account);
      const { name, secrets } = stored(running);
      await settings().remove(name);
      await accounts.remove(name);
      archive.forget(name);
      await forget(name, secrets);
      return {};
    },
    'accounts.enable': async ({ account, enabled }) => {
      const running = accounts.get(account);
      const config = { ...stored(running), enabled };
      await settings().put(config);
      const { entry } = await accounts.replace(config);
      return { account: accountView(entry) };
    },
    'accounts.retry': async ({ account }) => {
      const running = accounts.get(account);
      if (!running.entry.enabled) throw new Fault('refused', `${account} is switched off`);
      running.account.retry();
      return {};
    },
    'accounts.check': async ({ account }) => {
      const running = accounts.get(account);
      const { config, adapter, sink, account: live } = running;
      const { ok, steps } = await checkAccount({ ...parts, config, adapter, sink, live });
      // They may quote the server.
      return { ok, steps: steps.map((step) => mendable({ ...step, text: sanitiseLine(step.text) }, config.name)) };
    },
  }; // Two changes of one account at a time would leave two sessions of it, of which only one could be ended.
  const inTurn = createTurns();
  return {
    ...methods,
    'accounts.add': (params) => inTurn(params.name, () => methods['accounts.add'](params)),
    'accounts.set': (params) => inTurn(params.account, () => methods['accounts.set'](params)),
    'accounts.remove': (params) => inTurn(params.account, () => methods['accounts.remove'](params)),
    'accounts.enable': (params) => inTurn(params.account, () => methods['accounts.enable'](params)),
  };
}

/** A secret that takes the place of another stays where that one was: a machine may have no keychain. */
function placed(source: SecretSource, before: SecretRef | undefined): Parameters<Vault['keep']>[2] {
  if (source.kind !== 'given') return source;
  return { ...source, into: source.into ?? (before?.kind === 'file' ? 'file' : 'keychain') };
}

/** What went wrong never stands without what to do; a missing secret says it by itself. */
function mendable(step: CheckStep, name: AccountName): CheckStep {
  if (step.ok || step.remedy || step.step === 'secret') return step;
  return { ...step, remedy: remedyFor(step.code, name) };
}

function nameOf(given: string): AccountName {
  try {
    return accountName(given);
  } catch (error) {
    throw new Fault('bad-data', describe(error));
  }
}

async function known(parts: HubParts, network: string): Promise<Adapter> {
  try {
    return await parts.loadAdapter(network);
  } catch (error) {
    throw new Fault('bad-data', describe(error));
  }
}

/** Refused before anything is written. */
function refuseWrong(adapter: Adapter, settings: Readonly<Record<string, string>>, secrets: readonly string[]): void {
  const { fields, title } = adapter.about;
  const fault = (text: string): Fault => new Fault('bad-data', text);
  for (const key of Object.keys(settings)) {
    if (!fields.some((field) => field.key === key))
      throw fault(`${title} knows no setting "${key}"; it has ${fields.map((field) => field.key).join(', ')}`);
  }
  for (const key of secrets) {
    if (!fields.some((field) => field.key === key && field.secret)) throw fault(`${title} knows no secret "${key}"`);
  }
  try {
    refuseSecrets(settings, adapter.about);
    adapter.parse(settings);
  } catch (error) {
    throw fault(describe(error));
  }
}

function networkView({ network, about }: Adapter): NetworkView {
  const { title, fields, can, cannot, addressExample } = about;
  return { network, title, fields, can, cannot, addressExample };
}
