import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createPace, watchWake } from '../../accounts/pace.ts';
import { makePrivateFolder } from '../../accounts/private-file.ts';
import { keychainService } from '../../accounts/secrets/keychain.ts';
import { openVault, type Vault } from '../../accounts/secrets/ladder.ts';
import type { Adapter, Clock } from '../../adapters/contract.ts';
import { loadAdapter, networkNames } from '../../adapters/index.ts';
import { openArchive } from '../archive/archive.ts';
import { asLinkError, Fault } from '../core/fault.ts';
import { openOutbox } from '../core/outbox.ts';
import { createCore } from '../core/state.ts';
import { messageView } from '../core/views.ts';
import type { Change } from '../link/messages.ts';
import { type LinkServer, openLinkServer } from '../link/server.ts';
import { newCookie, ownFolder, removeStale, socketPlace } from '../link/socket.ts';
import type { Paths } from '../paths.ts';
import { VERSION } from '../version.ts';
import { type Accounts, createAccounts, describe, takeEvent } from './accounts.ts';
import { createBatch } from './batch.ts';
import { systemClock } from './clock.ts';
import { createIdle, type Idle } from './idle.ts';
import { createIndexing } from './indexing.ts';
import { lineOf } from './line.ts';
import { takeLock } from './lock.ts';
import { type Log, openLog } from './log.ts';
import { accountMethods } from './methods/accounts.ts';
import { contactMethods } from './methods/contacts.ts';
import { hubMethods } from './methods/hub.ts';
import { messageMethods } from './methods/messages.ts';
import type { HubParts } from './parts.ts';
import { createPrompts } from './prompts.ts';
import { createResolving } from './resolving.ts';
import { createSending } from './sending.ts';
import { loadSettings } from './settings.ts';
import { createTypingClock } from './typing.ts';

export interface HubOptions {
  readonly paths: Paths;
  /** Started by a front: ends a while after the last one left. */
  readonly onDemand?: boolean;
  /** That while, in place of what the settings say. */
  readonly idleSeconds?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly clock?: Clock;
  readonly vault?: Vault;
  readonly networks?: {
    readonly names: readonly string[];
    /** @throws Error that names the known networks. */
    load(network: string): Promise<Adapter>;
  };
}

export interface Hub {
  /** Resolves when the hub has ended, whoever asked for it. */
  readonly ended: Promise<void>;
  /** Signs every account out, lets what is on its way go out, and gives up the socket and the lock. */
  stop(): Promise<void>;
}

/** What may still go out when the hub is to end, in milliseconds. */
const outboxGraceMs = 2_000;
const signOutMs = 5_000;

/**
 * Starts the hub of these paths: lock, archive, accounts, socket. A broken accounts file does not keep it from running:
 * every method then fails with what is wrong, until the file is mended.
 * @throws HubRuns, SocketRefused, ArchiveError
 */
export async function openHub(options: HubOptions): Promise<Hub> {
  const { paths } = options;
  const stack = new AsyncDisposableStack();
  const ended = Promise.withResolvers<void>();
  try {
    const place = socketPlace(paths.run);
    ownFolder(paths.run);
    mkdirSync(paths.data, { recursive: true, mode: 0o700 });
    makePrivateFolder(paths.data);
    const lock = takeLock(join(paths.data, 'hub.lock'), `process ${process.pid}, ${place.socket}`);
    stack.defer(lock.release);
    const log = openLog(join(paths.data, 'hub.log'), { debug: Boolean(options.env?.IMUX_DEBUG) });
    stack.defer(log.close);
    log.write('info', 'hub', `imux ${VERSION} starts, process ${process.pid}`);
    removeStale(place.socket);
    const hub = await compose(options, stack, log, place.socket, newCookie(place.cookie));
    const stop = once(async () => {
      log.write('info', 'hub', 'ends');
      await hub.quiet();
      await stack.disposeAsync();
      ended.resolve();
    });
    hub.onStop(() => void stop());
    return { ended: ended.promise, stop };
  } catch (error) {
    report(paths, error);
    await stack.disposeAsync();
    throw error;
  }
}

/** A hub in the background has nobody else to tell why it did not start. */
function report(paths: Paths, error: unknown): void {
  try {
    const log = openLog(join(paths.data, 'hub.log'));
    log.write('warn', 'hub', `did not start: ${describe(error)}`);
    log.close();
  } catch {
    // The caller has the error too.
  }
}

const once = (work: () => Promise<void>): (() => Promise<void>) => {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
};

interface Composed {
  /** Ends what goes in and out, before the archive is closed. */
  quiet(): Promise<void>;
  onStop(stop: () => void): void;
}

async function compose(
  options: HubOptions,
  stack: AsyncDisposableStack,
  log: Log,
  path: string,
  cookie: string,
): Promise<Composed> {
  const { paths, env = process.env, clock = systemClock } = options;
  const networks = options.networks ?? { names: networkNames, load: loadAdapter };
  const notice = (text: string): void => log.write('warn', 'archive', text);
  const archive = openArchive(join(paths.data, 'archive.db'), { notice });
  stack.defer(archive.close);
  const core = createCore(archive);
  const indexing = createIndexing(archive, (error) => log.write('warn', 'archive', describe(error)));
  stack.defer(indexing.stop);

  let link: LinkServer | undefined;
  let idle: Idle | undefined;
  let accounts: Accounts | undefined;
  const batch = createBatch((changes) => link?.broadcast(changes));
  const publish = (changes: readonly Change[]): void => {
    if (changes.length === 0) return;
    for (const change of changes) {
      if (change.type === 'message-changed' && change.what === 'state' && change.message.state)
        outbox.notify({ row: Number(change.message.id), state: change.message.state });
    }
    batch.push(changes);
    indexing.traffic();
  };
  const outbox = openOutbox({
    store: archive,
    line: (name) => {
      const running = accounts?.find(name);
      return running && lineOf(running.account, running.entry);
    },
    changed: (row) => batch.push([{ type: 'message-changed', message: messageView(core, row), what: 'state' }]),
    after: (ms, call) => {
      const timer = setTimeout(call, Math.min(ms, 2 ** 31 - 1));
      return () => clearTimeout(timer);
    },
  });
  const prompts = createPrompts(core.state, () => (link?.listeners('prompt') ?? 0) > 0, publish);
  const typing = createTypingClock((name, chat, user) => {
    const running = accounts?.find(name);
    if (running) takeEvent(parts, running.entry, { type: 'typing', chat, user, active: false });
  });
  stack.defer(typing.stop);
  const vault = options.vault ?? openVault({ folder: paths.data, service: keychainService(env), clock, env });
  const parts: HubParts = {
    core,
    archive,
    outbox,
    prompts,
    typing,
    vault,
    clock,
    pace: createPace(clock),
    wake: watchWake(clock),
    log,
    publish,
    loadAdapter: networks.load,
  };
  const running = createAccounts(parts);
  accounts = running;
  const settings = loadSettings(paths.config, running, log);
  await settings.ready()?.catch(() => {});

  const resolving = createResolving(parts, running, settings.aliases);
  const sending = createSending(parts, running, resolving);
  link = await openLinkServer({
    path,
    cookie,
    handlers: {
      ...hubMethods(
        parts,
        running,
        () => link,
        () => idle,
      ),
      ...messageMethods(parts, running, resolving, sending),
      ...contactMethods(parts, running, resolving),
      ...accountMethods(parts, running, settings.file, networks.names),
    },
    errorOf: (error) => {
      const told = asLinkError(error);
      if (told.code === 'hub' && !(error instanceof Fault))
        log.write('warn', 'hub', `a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return told;
    },
    before: (method) => (method === 'hello' || method.startsWith('hub.') ? undefined : settings.ready()),
    flush: batch.flush,
    frontsChanged: () => {
      prompts.audience();
      idle?.look();
    },
  });
  const server = link;
  stack.defer(() => server.close());
  idle = createIdle({
    onDemand: options.onDemand ?? false,
    seconds: () => options.idleSeconds ?? settings.hub().idleSeconds,
    busy: () => server.fronts() > 0 || outbox.queued() > 0,
  });
  const ending = idle;
  stack.defer(ending.stopLooking);

  return {
    onStop: ending.onEnd,
    async quiet() {
      ending.stopLooking();
      await outbox.stop(outboxGraceMs);
      await Promise.race([running.stop(), clock.sleep(signOutMs)]);
      batch.flush();
    },
  };
}
