import type { Adapter, AdapterEvent, Clock, Diagnosis } from '../adapters/contract.ts';
import { type AdapterError, asAdapterError, type ErrorCode } from '../adapters/errors.ts';
import { type Account, type AccountConfig, type AccountSink, createAccount, type Status } from './account.ts';
import { bindHost } from './host.ts';
import type { Vault } from './secrets/ladder.ts';
import { createScrubber } from './secrets/scrub.ts';
import { refuseSecrets } from './settings-format.ts';

export interface CheckStep {
  /** `settings`, `secret`, those of the network's diagnosis (`dns`, `tcp`, `tls` …), `sign-in`, `roster`, `sign-out`. */
  readonly step: string;
  readonly ok: boolean;
  readonly text: string;
  /** Of a step that failed. */
  readonly code?: ErrorCode | 'settings' | 'timeout' | 'cancelled';
  /** What a person can do about it. */
  readonly remedy?: string;
}

export interface CheckParts {
  readonly config: AccountConfig;
  readonly adapter: Adapter | Error;
  /** The account's own: what arrives during the check is stored like anything else, so nothing is lost by it. */
  readonly sink: AccountSink;
  readonly vault: Vault;
  readonly clock: Clock;
  /** The account as it runs; it signs out for the check and starts again afterwards. */
  readonly live?: Account | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For the whole sign-in. */
  readonly timeoutMs?: number;
  /** Told of each step as it is done. */
  onStep?(step: CheckStep): void;
}

export interface CheckResult {
  readonly ok: boolean;
  readonly steps: readonly CheckStep[];
}

const SIGN_IN_MS = 60_000;
/** A network sends its list right after the sign-in, if it has one. */
const ROSTER_MS = 10_000;

/** Signs in with a connection of its own, says step by step how it went, and signs out. Stops at the first failure. */
export async function checkAccount(parts: CheckParts): Promise<CheckResult> {
  const { live, onStep } = parts;
  const steps: CheckStep[] = [];
  const tell: Tell = (step, text, code, remedy) => {
    const done = { step, ok: code === undefined, text, ...(code && { code }), ...(remedy && { remedy }) };
    steps.push(done);
    onStep?.(done);
  };
  const result = (): CheckResult => ({ ok: steps.every(({ ok }) => ok), steps });

  const adapter = checkSettings(parts, tell);
  if (!adapter || !(await checkSecrets(parts, adapter, tell))) return result();
  if (!(await checkWay(parts, adapter, tell))) return result();
  const pausing = live !== undefined && live.status.state !== 'offline' && live.status.state !== 'failed';
  if (pausing) await live.stop();
  try {
    await checkConnection(parts, adapter, tell);
  } finally {
    if (pausing) live.start();
  }
  // A failed account may work now: the person checked it for that.
  if (!pausing && live?.status.state === 'failed' && result().ok) live.retry();
  return result();
}

/** A code tells of a failure. */
type Tell = (step: string, text: string, code?: CheckStep['code'], remedy?: string) => void;

function checkSettings({ config, adapter }: CheckParts, tell: Tell): Adapter | undefined {
  if (adapter instanceof Error) {
    tell('settings', adapter.message, 'settings');
    return undefined;
  }
  try {
    refuseSecrets(config.settings, adapter.about);
    adapter.parse(config.settings);
    tell('settings', `the settings are right for ${adapter.about.title}`);
    return adapter;
  } catch (error) {
    tell('settings', error instanceof Error ? error.message : String(error), 'settings');
    return undefined;
  }
}

async function checkSecrets({ config, vault, sink }: CheckParts, { about }: Adapter, tell: Tell): Promise<boolean> {
  for (const { key, label } of about.fields.filter(({ secret }) => secret)) {
    const ref = Object.hasOwn(config.secrets, key) ? config.secrets[key] : undefined;
    // Whether an account can do without it depends on its other settings; the sign-in tells.
    if (!ref) continue;
    try {
      await vault.read(config.name, key, ref, (prompt) => sink.ask(prompt));
      tell('secret', `${label} found: ${vault.describe(config.name, key, ref)}`);
    } catch (error) {
      const { message, code } = asAdapterError(error);
      tell('secret', message, code);
      return false;
    }
  }
  return true;
}

/** The way to the server, on a connection of its own, while the account itself stays as it is. */
async function checkWay(parts: CheckParts, adapter: Adapter, tell: Tell): Promise<boolean> {
  for await (const { step, ok, text, code, remedy } of diagnoseAccount(parts, adapter)) {
    tell(step, text, ok ? undefined : (code ?? 'protocol'), remedy);
    if (!ok) return false;
  }
  return true;
}

/** The diagnosis by the account's network, lent the account's secrets; its texts hold none of them. */
export async function* diagnoseAccount(
  parts: Pick<CheckParts, 'config' | 'sink' | 'vault' | 'clock' | 'signal'>,
  adapter: Adapter,
): AsyncIterable<Diagnosis> {
  const { config, sink, vault, clock, signal = new AbortController().signal } = parts;
  const scrub = createScrubber();
  const mute = { ...parts, scrub, sink: { ...sink, event() {} }, online() {}, lost() {} };
  const { host, close } = bindHost(config, { ...mute, vault, clock });
  try {
    for await (const found of adapter.diagnose?.(adapter.parse(config.settings), host, signal) ?? []) {
      yield { ...found, text: scrub.text(found.text) };
    }
  } catch (error) {
    const { message, code } = asAdapterError(error);
    yield { step: 'diagnosis', ok: false, text: scrub.text(message), code };
  } finally {
    close();
  }
}

async function checkConnection(parts: CheckParts, adapter: Adapter, tell: Tell): Promise<void> {
  const { config, sink, vault, clock, signal, timeoutMs = SIGN_IN_MS } = parts;
  const seen = watch(sink);
  const account = createAccount(config, { adapter, sink: seen.sink, vault, clock });
  const began = clock.now();
  account.start();
  try {
    const status = await seen.settled.within(clock, timeoutMs, signal);
    const took = `${((clock.now() - began) / 1000).toFixed(1)} s`;
    if (status?.state !== 'online') {
      tell('sign-in', ...whyNot(status, timeoutMs, signal));
      return;
    }
    tell('sign-in', `connected and signed in as ${status.self} (${took})`);
    await checkRoster(parts, account, seen, tell);
  } finally {
    await account.stop();
  }
  tell('sign-out', 'signed out');
}

async function checkRoster({ clock, signal }: CheckParts, account: Account, seen: Seen, tell: Tell): Promise<void> {
  if (!account.facets.has('contacts') && !account.facets.has('rooms')) {
    tell('roster', 'this network keeps no contact list');
    return;
  }
  const roster = await seen.roster.within(clock, ROSTER_MS, signal);
  if (!roster) tell('roster', `no contact list came within ${ROSTER_MS / 1000} s`, 'timeout');
  else tell('roster', `${count(roster.contacts.length, 'contact')}, ${count(roster.chats.length, 'room')}`);
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function whyNot(
  status: Status | undefined,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): [text: string, code: CheckStep['code']] {
  if (status?.state === 'waiting' || status?.state === 'failed') return [reason(status.error), status.error.code];
  if (signal?.aborted) return ['stopped', 'cancelled'];
  return [`not signed in within ${timeoutMs / 1000} s`, 'timeout'];
}

function reason(error: AdapterError): string {
  switch (error.code) {
    case 'auth':
      return `not let in: ${error.message}`;
    case 'unreachable':
      return `no connection: ${error.message}`;
    default:
      return error.message;
  }
}

/** A value that comes once. */
interface Once<T> {
  give(value: T): void;
  /** Undefined where it did not come in time, or the signal aborted. */
  within(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<T | undefined>;
}

function once<T>(): Once<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  return {
    give: resolve,
    async within(clock, ms, signal) {
      const over = new AbortController();
      const late = clock.sleep(ms, signal ? AbortSignal.any([signal, over.signal]) : over.signal);
      const none = (): undefined => undefined;
      const first = await Promise.race([promise, late.then(none, none)]);
      over.abort();
      return first;
    },
  };
}

type Roster = Extract<AdapterEvent, { type: 'roster' }>;

interface Seen {
  readonly sink: AccountSink;
  readonly settled: Once<Status>;
  readonly roster: Once<Roster>;
}

/** The sink with two ears in it. The status stays here: it is not the live account's. */
function watch(sink: AccountSink): Seen {
  const settled = once<Status>();
  const roster = once<Roster>();
  return {
    settled,
    roster,
    sink: {
      event(event) {
        sink.event(event);
        if (event.type === 'roster') roster.give(event);
      },
      status(status) {
        if (status.state !== 'connecting' && status.state !== 'offline') settled.give(status);
      },
      saved: () => sink.saved(),
      ask: (prompt) => sink.ask(prompt),
      memory: sink.memory,
      log: (level, text) => sink.log(level, text),
    },
  };
}
