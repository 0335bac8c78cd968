import { fileURLToPath } from 'node:url';
import type { Presence } from '../../adapters/contract.ts';
import { attach, type LinkClient } from '../../src/link/client.ts';
import type { AccountInput, Change } from '../../src/link/messages.ts';
import { hubNodeOptions } from '../../src/link/start.ts';
import { findPaths, type Paths } from '../../src/paths.ts';
import { spawnServer, tempDir, waitFor } from '../servers/process.ts';

export const program = fileURLToPath(new URL('../../dist/imux.js', import.meta.url));

export interface Seen {
  messages(): number;
  contacts(): number;
  /** Contacts who are there. */
  present(): number;
  until(what: 'messages' | 'contacts' | 'present', count: number, timeoutMs: number): Promise<void>;
}

export interface BenchHub {
  readonly pid: number;
  readonly home: string;
  readonly paths: Paths;
  readonly env: NodeJS.ProcessEnv;
  readonly link: LinkClient;
  /** What the front has been told so far. */
  readonly seen: Seen;
  add(input: AccountInput): Promise<void>;
  online(account: string): Promise<void>;
  stop(): Promise<void>;
}

/** The bundled hub as a process of its own, with a front attached. `prepare` may lay out its folders first. */
export async function benchHub(
  env: NodeJS.ProcessEnv = {},
  prepare?: (paths: Paths) => Promise<void>,
): Promise<BenchHub> {
  const dir = await tempDir('bench');
  const whole = { ...process.env, ...env, IMUX_HOME: dir.path };
  const paths = findPaths(whole);
  await prepare?.(paths);
  const hub = await spawnServer(process.execPath, [...hubNodeOptions, program, 'hub', 'run'], {
    env: whole,
    ready: async () =>
      (await attach(paths, 'bench').then(
        (link) => link.close(),
        () => false,
      )) !== false,
  });
  const link = await attach(paths, 'bench');
  const messages = new Set<string>();
  let subscribed = false;
  let last = 0;
  const online = new Set<string>();
  const contacts = new Set<string>();
  const present = new Set<string>();
  const met = (contact: string, presence: Presence): void => {
    if (presence === 'offline' || presence === 'unknown') present.delete(contact);
    else present.add(contact);
  };
  const note = (change: Change): void => {
    if (change.type === 'message') {
      messages.add(change.message.id);
      last = Math.max(last, Number(change.message.id));
    }
    if (change.type === 'contact') {
      contacts.add(change.contact.conversation);
      met(change.contact.conversation, change.contact.presence);
    }
    if (change.type === 'presence') met(change.conversation, change.presence);
    if (change.type === 'account' && change.account.state === 'online') online.add(change.account.account);
  };
  link.on('changes', (changes) => changes.forEach(note));
  const subscribe = async (): Promise<void> => {
    // Up to there all has come; later ones may come while those before them are fetched.
    let after = String(last);
    const snapshot = await link.call('subscribe', {});
    for (const account of snapshot.accounts) note({ type: 'account', account });
    for (const contact of snapshot.contacts) note({ type: 'contact', contact });
    // What came while this front was too slow is in the archive.
    for (let more = subscribed; more; ) {
      const missed = await link.call('messages.since', { after, limit: 10_000 });
      for (const message of missed.messages) note({ type: 'message', message, live: true });
      after = missed.messages.at(-1)?.id ?? after;
      more = missed.messages.length > 0;
    }
    subscribed = true;
  };
  link.on('resync', () => void subscribe());
  await subscribe();
  const counts = { messages: () => messages.size, contacts: () => contacts.size, present: () => present.size };
  return {
    pid: hub.pid,
    home: dir.path,
    paths,
    env: whole,
    link,
    seen: {
      ...counts,
      until: async (what, count, timeoutMs) =>
        void (await waitFor(() => counts[what]() >= count, { timeoutMs, what: `${count} ${what}` })),
    },
    add: async (input) => void (await link.call('accounts.add', input)),
    online: async (account) =>
      void (await waitFor(() => online.has(account), { timeoutMs: 60_000, what: `${account} to be online` })),
    stop: async () => {
      link.close();
      await hub.stop();
      await dir.remove();
    },
  };
}

/** Longest time that the hub took to answer, in ms, while it lasted: an upper bound of how long its event loop stood. */
export function watchLoop(paths: Paths): { stop(): Promise<number> } {
  let worst = 0;
  let going = true;
  const done = (async () => {
    const link = await attach(paths, 'bench-ping');
    while (going) {
      const from = performance.now();
      await link.call('outbox.list', {});
      worst = Math.max(worst, performance.now() - from);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    link.close();
  })();
  return {
    stop: async () => {
      going = false;
      await done;
      return worst;
    },
  };
}
