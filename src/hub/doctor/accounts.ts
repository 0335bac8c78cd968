import type { AccountConfig, AccountSink } from '../../../accounts/account.ts';
import { diagnoseAccount } from '../../../accounts/check.ts';
import type { Vault } from '../../../accounts/secrets/ladder.ts';
import { refuseSecrets } from '../../../accounts/settings-format.ts';
import type { Adapter, Clock } from '../../../adapters/contract.ts';
import { AdapterError } from '../../../adapters/errors.ts';
import { loadAdapter } from '../../../adapters/index.ts';
import { sanitiseLine } from '../../core/sanitise.ts';
import type { LinkClient } from '../../link/client.ts';
import type { AccountView, CheckStep, LinkErrorCode } from '../../link/messages.ts';
import { count, type Finding, fault, warning, well } from './finding.ts';
import { apart, secretsOf } from './secrets.ts';

export interface AccountParts {
  readonly vault: Vault;
  readonly clock: Clock;
  /** Without one the sign-in cannot be tried: what arrives with it would be lost. */
  readonly link: LinkClient | undefined;
  readonly signal: AbortSignal;
}

/** From the settings to the roster. An account that is online is left in peace; any other is signed in by the hub. */
export async function* account(config: AccountConfig, parts: AccountParts): AsyncIterable<Finding> {
  const { name } = config;
  const own = (finding: Finding): Finding => ({ ...finding, account: name });
  if (!config.enabled) return yield own(well('account', 'settings', 'switched off'));
  const adapter = await adapterOf(config);
  if (adapter instanceof Error) {
    const remedy = `mend it: imux account set ${name} --set KEY=VALUE (imux networks lists networks and keys)`;
    return yield own(fault('account', 'settings', adapter.message, 'settings', remedy));
  }
  const { link, signal } = parts;
  const { accounts = [] } = link ? await link.call('accounts.list', {}, signal) : {};
  const view = accounts.find((each) => each.account === name);
  if (!link || !view || view.state === 'online') {
    yield own(well('account', 'settings', `right for ${adapter.about.title}`));
    yield* secretsOf(config, adapter.about, parts.vault);
    for await (const step of diagnoseAccount({ ...parts, config, sink: deaf }, adapter)) {
      yield own(findingOf(step, name));
      if (!step.ok) return;
    }
    return yield* signedIn(name, view, parts);
  }
  const { steps } = await link.call('accounts.check', { account: name }, signal);
  for (const step of steps) yield own(findingOf(step, name));
}

async function adapterOf({ network, settings }: AccountConfig): Promise<Adapter | Error> {
  try {
    const adapter = await loadAdapter(network);
    refuseSecrets(settings, adapter.about);
    adapter.parse(settings);
    return adapter;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function* signedIn(name: string, view: AccountView | undefined, parts: AccountParts): AsyncIterable<Finding> {
  if (!parts.link || !view) {
    const text = 'not tried: no hub that could keep what arrives';
    return yield { ...warning('account', 'sign-in', text, 'imux doctor without --no-hub starts one'), account: name };
  }
  yield { ...well('account', 'sign-in', `online as ${view.id}`), account: name };
  const { contacts } = await parts.link.call('contacts', { account: name }, parts.signal);
  const listed = contacts.filter((contact) => contact.listed);
  const rooms = listed.filter(({ kind }) => kind === 'room').length;
  yield {
    ...well('account', 'roster', `${count(listed.length - rooms, 'contact')}, ${count(rooms, 'room')}`),
    account: name,
  };
}

function findingOf({ step, ok, text, code, remedy }: CheckStep, name: string): Finding {
  const clean = sanitiseLine(text);
  if (!ok && step === 'secret') {
    const [what, advice] = apart(clean);
    return fault('account', step, what, code ?? 'auth', advice || remedyFor('auth', name));
  }
  if (!ok) return fault('account', step, clean, code ?? 'protocol', remedy ?? remedyFor(code, name));
  return remedy ? warning('account', step, clean, remedy) : well('account', step, clean);
}

/** Where the step itself knows no better. */
export function remedyFor(code: LinkErrorCode | undefined, name: string): string {
  switch (code) {
    case 'auth':
      return `give the secret again: imux account set ${name} --secret-stdin`;
    case 'settings':
      return `mend it: imux account set ${name} --set KEY=VALUE`;
    case 'unreachable':
    case 'timeout':
      return 'look whether this machine is online and the server is up, then try again';
    case 'rate-limited':
      return 'wait a while, then try again';
    default:
      return `hub.log in the data folder tells more; imux account show ${name} shows the settings`;
  }
}

/** For a look that must leave nothing behind. */
const deaf: AccountSink = {
  event() {},
  status() {},
  saved: () => Promise.reject(new AdapterError('unreachable', 'nothing is stored here')),
  ask: () => Promise.reject(new AdapterError('auth', 'nobody to ask')),
  memory: { get: () => undefined, set() {} },
  log() {},
};
