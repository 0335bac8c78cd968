import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateFolder } from '../../accounts/private-file.ts';
import { networkNames } from '../../adapters/index.ts';
import { asLinkError, Fault } from '../core/fault.ts';
import { contactView } from '../core/views.ts';
import type { Handlers, LinkError } from '../link/messages.ts';
import { openLinkServer } from '../link/server.ts';
import { newCookie, ownFolder, removeStale, socketPlace } from '../link/socket.ts';
import type { Paths } from '../paths.ts';
import { VERSION } from '../version.ts';
import { type Accounts, describe } from './accounts.ts';
import { engine, type Late } from './engine.ts';
import { guardProcess } from './guard.ts';
import { type Hooks, openHooks } from './hooks.ts';
import { createIdle } from './idle.ts';
import { takeLock } from './lock.ts';
import { type Log, openLog } from './log.ts';
import { accountMethods } from './methods/accounts.ts';
import { archiveMethods } from './methods/archive.ts';
import { contactMethods } from './methods/contacts.ts';
import { hubMethods } from './methods/hub.ts';
import { messageMethods } from './methods/messages.ts';
import type { HubOptions } from './options.ts';
import type { HubParts } from './parts.ts';
import { createResolving } from './resolving.ts';
import { createSending } from './sending.ts';
import { type HubSettings, loadSettings } from './settings.ts';

export type { HubOptions };

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
    stack.defer(guardProcess(log));
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
  const late: Late = {};
  const { parts, batch, accounts } = engine(options, stack, log, late);
  const settings = loadSettings(options.paths.config, accounts, log);
  await settings.ready()?.catch(() => {});
  const link = await openLinkServer({
    path,
    cookie,
    handlers: handlers(options, parts, accounts, settings, late),
    errorOf: (error) => errorOf(error, log),
    before: (method) => (method === 'hello' || method.startsWith('hub.') ? undefined : settings.ready()),
    flush: batch.flush,
    ...(options.feedLimit === undefined ? {} : { feedLimit: options.feedLimit }),
    frontsChanged: () => {
      parts.prompts.audience();
      late.idle?.look();
    },
  });
  stack.defer(link.close);
  const idle = createIdle({
    onDemand: options.onDemand ?? false,
    seconds: () => options.idleSeconds ?? settings.hub().idleSeconds,
    busy: () => link.fronts() > 0 || parts.outbox.queued() > 0 || (late.hooks?.busy() ?? false),
  });
  stack.defer(idle.stopLooking);
  const hooks = hooksOf(options, parts);
  Object.assign(late, { link, idle, hooks, keeping: settings.keeping });
  return {
    onStop: idle.onEnd,
    async quiet() {
      idle.stopLooking();
      await hooks?.stop();
      await parts.outbox.stop(outboxGraceMs);
      const signedOut = new AbortController();
      const late = parts.clock.sleep(signOutMs, signedOut.signal).catch(() => undefined);
      await Promise.race([accounts.stop(), late]);
      // A timer would hold the process until then.
      signedOut.abort();
      batch.flush();
    },
  };
}

function hooksOf({ paths, env = process.env, eventLine }: HubOptions, parts: HubParts): Hooks | undefined {
  if (!eventLine) return undefined;
  const contact: Parameters<typeof openHooks>[0]['contact'] = (key) => {
    const entry = parts.core.state.entries.get(key);
    return entry && contactView(entry);
  };
  return openHooks({ folder: paths.config, env, log: parts.log, line: eventLine, contact });
}

function handlers(
  options: HubOptions,
  parts: HubParts,
  accounts: Accounts,
  settings: HubSettings,
  late: Late,
): Handlers {
  const resolving = createResolving(parts, accounts, settings.aliases);
  return {
    ...hubMethods(
      parts,
      accounts,
      () => late.link,
      () => late.idle,
    ),
    ...messageMethods(parts, accounts, resolving, createSending(parts, accounts, resolving)),
    ...archiveMethods(parts),
    ...contactMethods(parts, accounts, resolving),
    ...accountMethods(parts, accounts, settings.file, options.networks?.names ?? networkNames),
  };
}

function errorOf(error: unknown, log: Log): LinkError {
  const told = asLinkError(error);
  if (told.code === 'hub' && !(error instanceof Fault)) {
    log.write('warn', 'hub', `a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  return told;
}
