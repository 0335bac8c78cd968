/** The person's own commands, run on events: which hook an event sets off, and how many run at once. */
import { type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Hook, HookKind } from '../../accounts/hooks-format.ts';
import { readSettings } from '../../accounts/settings.ts';
import type { Change, ContactView, ConversationKey } from '../link/messages.ts';
import { describe } from './accounts.ts';
import { type HookRun, startHook } from './hook-run.ts';
import type { Log } from './log.ts';

/** A change as one line of JSON for programs, as `imux watch --json` prints it; undefined for what concerns only screens. */
export type EventLine = (
  change: Change,
  contact: (conversation: ConversationKey) => ContactView | undefined,
) => string | undefined;

export interface HooksParts {
  /** Holds accounts.json, whose section `hooks` is read again whenever the file changed. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly line: EventLine;
  contact(conversation: ConversationKey): ContactView | undefined;
}

export interface Hooks {
  take(changes: readonly Change[]): void;
  busy(): boolean;
  /** Ends what runs; nothing begins after it. */
  stop(): Promise<void>;
}

const AT_ONCE = 4;
const WAITING = 100;

export function openHooks(parts: HooksParts): Hooks {
  const { log } = parts;
  const read = hookReader(parts);
  const waiting: { readonly hook: Hook; readonly line: string }[] = [];
  const running = new Set<HookRun>();
  let dropped = 0;
  let over = false;

  const next = (): void => {
    while (!over && running.size < AT_ONCE) {
      const job = waiting.shift();
      if (!job) return tellDropped();
      const run = startHook(job.hook, job.line, parts);
      running.add(run);
      void run.ended.then(() => {
        running.delete(run);
        next();
      });
    }
  };
  const tellDropped = (): void => {
    if (dropped > 0) log.write('warn', 'hooks', `${dropped} events were dropped: more than ${WAITING} were waiting`);
    dropped = 0;
  };
  const queue = (hook: Hook, line: string): void => {
    if (waiting.length < WAITING) waiting.push({ hook, line });
    else if (++dropped === 1)
      log.write('warn', 'hooks', `${hook.run[0]}: ${WAITING} events wait; what is more is dropped`);
  };

  return {
    take(changes) {
      if (over) return;
      const hooks = read();
      if (hooks.length === 0) return;
      for (const change of changes) {
        const event = eventOf(change, parts.contact);
        const wanted = event ? hooks.filter((ready) => sets(ready, event)) : [];
        const line = wanted.length > 0 ? parts.line(change, parts.contact) : undefined;
        if (line !== undefined) for (const { hook } of wanted) queue(hook, line);
      }
      next();
    },
    busy: () => running.size > 0 || waiting.length > 0,
    async stop() {
      over = true;
      waiting.length = 0;
      await Promise.all(Array.from(running, (run) => run.stop()));
    },
  };
}

interface Ready {
  readonly hook: Hook;
  readonly words: RegExp | undefined;
}

/** The hooks of the file as it stands; a look costs one stat. A wrong one is logged once and no hook runs until it is mended. */
function hookReader({ folder, log }: HooksParts): () => readonly Ready[] {
  const path = join(folder, 'accounts.json');
  let seen = '';
  let hooks: readonly Ready[] = [];
  return () => {
    const found = statSync(path, { throwIfNoEntry: false });
    const now = found ? versionOf(found) : '';
    if (now === seen) return hooks;
    seen = now;
    try {
      hooks = readSettings(folder)
        .hooks()
        .map((hook) => ({ hook, words: patternOf(hook.words) }));
    } catch (error) {
      hooks = [];
      log.write('warn', 'hooks', `no hook runs: ${describe(error)}`);
    }
    return hooks;
  };
}

const versionOf = ({ ino, size, mtimeMs }: Stats): string => `${ino} ${size} ${mtimeMs}`;

/** What a hook may look at in a change. */
interface Event {
  readonly kinds: readonly HookKind[];
  readonly account: string | undefined;
  readonly target?: string | undefined;
  readonly text?: string | undefined;
  readonly self?: boolean;
}

function sets({ hook, words }: Ready, { kinds, account, target, text, self }: Event): boolean {
  return (
    kinds.some((kind) => hook.on.includes(kind)) &&
    (hook.self || !self) &&
    passes(hook.accounts, account) &&
    passes(hook.targets, target) &&
    (words === undefined || (text !== undefined && words.test(text)))
  );
}

function eventOf(change: Change, contact: HooksParts['contact']): Event | undefined {
  switch (change.type) {
    case 'message': {
      const { account, target, text, from, mention } = change.message;
      // What a network plays back is no news.
      if (!change.live) return undefined;
      return { kinds: mention ? ['message', 'mention'] : ['message'], account, target, text, self: from.self };
    }
    case 'message-changed': {
      const { account, target, text, from } = change.message;
      if (change.what === 'state') return { kinds: ['receipt'], account, target, text };
      return { kinds: [change.what], account, target, text, self: from.self && change.what !== 'reactions' };
    }
    case 'presence':
    case 'typing': {
      const { account, target } = contact(change.conversation) ?? {};
      return { kinds: [change.type], account, target };
    }
    case 'account':
      return { kinds: ['account'], account: change.account.account };
    case 'request': {
      const { account, from, text } = change.request;
      return { kinds: ['request'], account, target: `${account}:${from}`, text };
    }
    default:
      return undefined;
  }
}

function passes(wanted: readonly string[], value: string | undefined): boolean {
  return wanted.length === 0 || wanted.some((each) => each.toLowerCase() === value?.toLowerCase());
}

/** Any of the words, whole and in either case; undefined where there are none. */
function patternOf(words: readonly string[]): RegExp | undefined {
  if (words.length === 0) return undefined;
  const literal = words.map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|');
  return new RegExp(`(?<![\\p{L}\\p{N}_])(?:${literal})(?![\\p{L}\\p{N}_])`, 'iu');
}
