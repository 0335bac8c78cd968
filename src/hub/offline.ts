import { join } from 'node:path';
import { readSettings } from '../../accounts/settings.ts';
import { readArchive } from '../archive/archive.ts';
import { QueryError, timeOf } from '../archive/query.ts';
import type { Row } from '../archive/types.ts';
import { Fault } from '../core/fault.ts';
import { addAccount, type Core, createCore } from '../core/state.ts';
import { findTarget } from '../core/targets.ts';
import { messageView } from '../core/views.ts';
import type { MessageView } from '../link/messages.ts';
import type { Paths } from '../paths.ts';
import { aliasesOf } from './settings.ts';

export { timeOf };

export interface Span {
  /** A date, a time or an age, as in a search. */
  readonly since?: string | undefined;
  readonly before?: string | undefined;
}

/** The archive without a hub, whether or not one runs: read-only, on no connection, without a change anywhere. */
export interface Offline {
  /** The last `limit` messages of a conversation within the span, oldest first. @throws Fault */
  history(target: string, limit: number, span: Span): readonly MessageView[];
  /** The newest `limit` messages that a query finds, oldest first. @throws Fault */
  search(query: string, limit: number, account?: string): readonly MessageView[];
  close(): void;
}

/** @throws SettingsError, ArchiveError */
export function openOffline(paths: Paths): Offline {
  const settings = readSettings(paths.config);
  const archive = readArchive(join(paths.data, 'archive.db'));
  if (!archive) return nothing;
  const core: Core = createCore(archive);
  for (const { name, network, enabled } of settings.accounts) addAccount(core, { account: name, network, enabled });
  const aliases = aliasesOf(settings.section('aliases'));
  const views = (rows: readonly Row[]): readonly MessageView[] => rows.map((row) => messageView(core, row));
  return {
    history(target, limit, { since, before }) {
      const found = findTarget(core, target, () => aliases);
      if (found.kind === 'address') throw nobody(target);
      const now = Date.now();
      const from = since === undefined ? 0 : asked(() => timeOf(since, now));
      const to = before === undefined ? Number.MAX_SAFE_INTEGER : asked(() => timeOf(before, now));
      return views(archive.between(found.entry.key, limit, from, to));
    },
    search(query, limit, account) {
      if (account !== undefined && !core.state.accounts.has(account))
        throw new Fault('not-found', `no account is called "${account}"`);
      return views(asked(() => archive.search(query, limit, account))).toReversed();
    },
    close: archive.close,
  };
}

const nobody = (target: string): Fault => new Fault('not-found', `the archive has no conversation with ${target}`);

const nothing: Offline = {
  history: (target) => {
    throw nobody(target);
  },
  search: () => [],
  close: () => {},
};

/** What a person asked for makes no sense: told as such. */
function asked<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof QueryError) throw new Fault('usage', error.message);
    throw error;
  }
}
