import { accountView, snapshot } from '../../core/views.ts';
import { type Handlers, LINK_VERSION, type Method } from '../../link/messages.ts';
import type { LinkServer } from '../../link/server.ts';
import { VERSION } from '../../version.ts';
import type { Accounts } from '../accounts.ts';
import type { Idle } from '../idle.ts';
import type { HubParts } from '../parts.ts';

type HubMethods = Pick<Handlers, 'hello' | 'subscribe' | Extract<Method, `hub.${string}`>>;

/** What concerns the hub itself; its link and its idling exist by the time that a front can ask. */
export function hubMethods(
  parts: HubParts,
  accounts: Accounts,
  link: () => LinkServer | undefined,
  idle: () => Idle | undefined,
): HubMethods {
  const startedAt = new Date(parts.clock.now()).toISOString();
  return {
    hello: async () => ({ version: LINK_VERSION, imux: VERSION, pid: process.pid, startedAt }),
    subscribe: async ({ snapshot: whole = true }) => ({
      ...(whole ? snapshot(parts.core) : { accounts: [], contacts: [], requests: [], prompts: [] }),
      last: String(parts.archive.lastRow()),
    }),
    'hub.status': async () => ({
      pid: process.pid,
      imux: VERSION,
      startedAt,
      fronts: link()?.fronts() ?? 0,
      accounts: accounts.all().map(({ entry }) => accountView(entry)),
      memoryBytes: process.memoryUsage.rss(),
      queued: parts.outbox.queued(),
      kept: idle()?.kept() ?? true,
    }),
    'hub.keep': async ({ keep }) => {
      idle()?.keep(keep);
      return {};
    },
    'hub.stop': async () => {
      idle()?.end();
      return {};
    },
  };
}
