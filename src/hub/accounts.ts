import {
  type Account,
  type AccountConfig,
  type AccountSink,
  createAccount,
  type Status,
} from '../../accounts/account.ts';
import type { Adapter, AdapterEvent } from '../../adapters/contract.ts';
import { Fault } from '../core/fault.ts';
import { reduce } from '../core/reduce.ts';
import { type AccountEntry, addAccount, type Entry, removeAccount } from '../core/state.ts';
import { takeStatus } from '../core/status.ts';
import { accountView } from '../core/views.ts';
import type { HubParts } from './parts.ts';

/** A configured account as it runs in this hub. */
export interface Running {
  readonly config: AccountConfig;
  readonly adapter: Adapter | Error;
  readonly account: Account;
  readonly entry: AccountEntry;
  readonly sink: AccountSink;
}

export interface Accounts {
  /** @throws Fault `not-found` */
  get(name: string): Running;
  find(name: string): Running | undefined;
  /** The account that a conversation belongs to. */
  of(entry: Entry): Running;
  all(): readonly Running[];
  /** Makes it, and connects it where it is enabled. What is wrong with it shows as its state. */
  add(config: AccountConfig): Promise<Running>;
  /** As `add`, in place of the one of that name; its conversations stay as they are. */
  replace(config: AccountConfig): Promise<Running>;
  remove(name: string): Promise<void>;
  /** Calls back whenever the state of an account changed; returns the way to end it. */
  onStatus(listener: (account: AccountEntry) => void): () => void;
  stop(): Promise<void>;
}

export function createAccounts(parts: HubParts): Accounts {
  const running = new Map<string, Running>();
  const listeners = new Set<(account: AccountEntry) => void>();
  const announce = (entry: AccountEntry): void => {
    for (const listener of [...listeners]) listener(entry);
  };

  const build = async (config: AccountConfig): Promise<Running> => {
    const adapter = await parts.loadAdapter(config.network).catch(asError);
    const { name, network, enabled } = config;
    const entry = parts.core.state.accounts.get(name) ?? addAccount(parts.core, { account: name, network, enabled });
    entry.enabled = enabled;
    const sink = sinkOf(parts, entry, (status) => {
      parts.publish(takeStatus(entry, status));
      parts.log.write('info', name, statusText(status));
      if (status.state !== 'connecting' && status.state !== 'online') parts.prompts.withdraw(name);
      if (status.state === 'online') showPresence(parts, made);
      parts.outbox.wake(name);
      announce(entry);
    });
    const account = createAccount(config, { ...parts, adapter, sink });
    const made = { config, adapter, account, entry, sink };
    entry.abilities = [...account.facets];
    running.set(name, made);
    parts.publish([{ type: 'account', account: accountView(entry) }]);
    if (enabled) account.start();
    return made;
  };

  const get = (name: string): Running => {
    const found = running.get(name);
    if (found) return found;
    const known = [...running.keys()].join(', ') || 'none; imux account add makes one';
    throw new Fault('not-found', `no account is called "${name}"; there are: ${known}`);
  };

  return {
    get,
    find: (name) => running.get(name),
    of: (entry) => get(entry.account.account),
    all: () => [...running.values()],
    add: build,
    async replace(config) {
      await running.get(config.name)?.account.stop();
      return await build(config);
    },
    async remove(name) {
      await get(name).account.stop();
      running.delete(name);
      parts.outbox.remove(name);
      const gone = removeAccount(parts.core, name);
      parts.publish([{ type: 'account-removed', account: name }]);
      if (gone) announce(gone);
    },
    onStatus(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stop: async () => void (await Promise.allSettled(Array.from(running.values(), ({ account }) => account.stop()))),
  };
}

function sinkOf(parts: HubParts, entry: AccountEntry, status: (status: Status) => void): AccountSink {
  const { archive, log } = parts;
  const name = entry.account;
  return {
    event: (event) => takeEvent(parts, entry, event),
    status,
    saved: () => archive.saved(name),
    ask: (prompt) => parts.prompts.ask(name, prompt),
    memory: archive.memory(name),
    log: (level, text) => log.write(level, name, text),
  };
}

/**
 * One bad event harms nothing but itself: where core stumbles over it, that is logged. Only a fault of the disk goes back
 * to the session, which must not tell the network that the event was received.
 */
export function takeEvent(parts: HubParts, entry: AccountEntry, event: AdapterEvent): void {
  try {
    if (event.type === 'message' && event.message.nonce !== undefined)
      parts.outbox.echo(event.message.nonce, event.message.id);
    if (event.type === 'typing') parts.typing.note(entry.account, event.chat, event.user, event.active);
    parts.publish(reduce(parts.core, entry, event, parts.clock.now()));
  } catch (error) {
    if (error instanceof Error && error.name === 'ArchiveError') throw error;
    parts.log.write('warn', entry.account, `a ${event.type} event could not be taken: ${describe(error)}`);
  }
}

/** A fresh connection begins as present; what the person chose is set again. */
function showPresence(parts: HubParts, { account, entry }: Running): void {
  if (entry.wanted === 'online' && entry.note === undefined) return;
  if (!account.facets.has('presence')) return;
  // The status comes before the session may be called on; a turn later it may.
  setImmediate(() => {
    Promise.resolve()
      .then(() => account.facet('presence').set(entry.wanted, entry.note))
      .catch((error: unknown) => parts.log.write('warn', entry.account, `presence not set: ${describe(error)}`));
  });
}

function statusText(status: Status): string {
  switch (status.state) {
    case 'offline':
    case 'connecting':
    case 'online':
      return status.state;
    case 'waiting':
      return `waiting until ${new Date(status.until).toISOString()}: ${status.error.message}`;
    case 'failed':
      return `failed (${status.error.code}): ${status.error.message}`;
  }
}

export const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
