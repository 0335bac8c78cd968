import { join } from 'node:path';
import { createPace, watchWake } from '../../accounts/pace.ts';
import { keychainService } from '../../accounts/secrets/keychain.ts';
import { openVault } from '../../accounts/secrets/ladder.ts';
import { loadAdapter } from '../../adapters/index.ts';
import { openArchive } from '../archive/archive.ts';
import { type Outbox, openOutbox } from '../core/outbox.ts';
import { createCore } from '../core/state.ts';
import { messageView } from '../core/views.ts';
import type { Change } from '../link/messages.ts';
import type { LinkServer } from '../link/server.ts';
import { type Accounts, createAccounts, describe, takeEvent } from './accounts.ts';
import { type Batch, createBatch } from './batch.ts';
import { systemClock } from './clock.ts';
import type { Hooks } from './hooks.ts';
import type { Idle } from './idle.ts';
import { createIndexing } from './indexing.ts';
import { lineOf } from './line.ts';
import type { Log } from './log.ts';
import type { HubOptions } from './options.ts';
import type { HubParts } from './parts.ts';
import { createPrompts } from './prompts.ts';
import { type Keeping, readKeeping, retention } from './retention.ts';
import { createTypingClock } from './typing.ts';

/** What is there only once the rest is: nothing goes to a network or a front before. */
export interface Late {
  accounts?: Accounts;
  link?: LinkServer;
  idle?: Idle;
  keeping?: () => Keeping;
  hooks?: Hooks | undefined;
}

export interface Engine {
  readonly parts: HubParts;
  readonly batch: Batch;
  readonly accounts: Accounts;
}

/** Core, archive, outbox and accounts, tied together. */
export function engine(options: HubOptions, stack: AsyncDisposableStack, log: Log, late: Late): Engine {
  const { paths, env = process.env, clock = systemClock, networks } = options;
  const notice = (text: string): void => log.write('warn', 'archive', text);
  const archive = openArchive(join(paths.data, 'archive.db'), { notice });
  stack.defer(archive.close);
  const core = createCore(archive);
  const tidy = retention(archive, () => late.keeping?.() ?? readKeeping(undefined), clock.now);
  const indexing = createIndexing(archive, tidy, (error) => notice(describe(error)));
  stack.defer(indexing.stop);
  const batch = createBatch((changes) => {
    late.link?.broadcast(changes);
    late.hooks?.take(changes);
  });
  stack.defer(batch.stop);
  const publish = (changes: readonly Change[]): void => {
    if (changes.length === 0) return;
    tellWaiting(outbox, changes);
    batch.push(changes);
    indexing.traffic();
  };
  const outbox = openOutbox({
    store: archive,
    line: (name) => {
      const running = late.accounts?.find(name);
      return running && lineOf(running.account, running.entry);
    },
    changed: (row) => batch.push([{ type: 'message-changed', message: messageView(core, row), what: 'state' }]),
    after: afterMs,
  });
  const typing = createTypingClock((name, chat, user) => {
    const running = accounts.find(name);
    if (running) takeEvent(parts, running.entry, { type: 'typing', chat, user, active: false });
  });
  stack.defer(typing.stop);
  const parts: HubParts = {
    core,
    archive,
    outbox,
    typing,
    clock,
    log,
    publish,
    idleWork: indexing.traffic,
    prompts: createPrompts(
      core.state,
      () => (late.link?.listeners('prompt') ?? 0) > 0,
      publish,
      (name) => {
        const waiting = late.accounts?.find(name);
        if (waiting?.entry.enabled && waiting.entry.state !== 'online') waiting.account.retry();
      },
    ),
    vault: options.vault ?? openVault({ folder: paths.data, service: keychainService(env), clock, env }),
    pace: createPace(clock),
    wake: watchWake(clock),
    loadAdapter: networks?.load ?? loadAdapter,
  };
  const accounts = createAccounts(parts);
  late.accounts = accounts;
  return { parts, batch, accounts };
}

/** A receipt of the network may be what a `send` waits for. */
function tellWaiting(outbox: Outbox, changes: readonly Change[]): void {
  for (const change of changes) {
    if (change.type === 'message-changed' && change.what === 'state' && change.message.state)
      outbox.notify({ row: Number(change.message.id), state: change.message.state });
  }
}

function afterMs(ms: number, call: () => void): () => void {
  const timer = setTimeout(call, Math.min(ms, 2 ** 31 - 1));
  return () => clearTimeout(timer);
}
