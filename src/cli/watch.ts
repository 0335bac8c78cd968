import type { LinkClient } from '../link/client.ts';
import type { Change, ContactView, MessageView } from '../link/messages.ts';
import { exit } from './exit.ts';
import { changeJson, jsonLine } from './json.ts';
import { readSeconds } from './send.ts';
import { type Io, readArgs, usage, VerbError } from './verb.ts';

export const help = `Usage: imux watch [TARGET…] [OPTIONS]

Shows what happens as it comes, of all accounts or of the given targets. In plain
form messages only; with --json presence, typing, receipts, edits and more as well.

      --account NAME   of one account only
      --count N        end after N (messages; with --json: events)
      --timeout SEC    end after that time; exit code 75 where --count was not reached
      --no-self        leave out what you wrote
      --json           one JSON object a line

Examples:
  imux watch libera:#ops
  imux watch --json | jq -r 'select(.type == "message") | .text'
`;

const options = {
  account: { type: 'string' },
  count: { type: 'string' },
  timeout: { type: 'string' },
  'no-self': { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = readArgs(args, options);
  const count = values.count === undefined ? Number.POSITIVE_INFINITY : readCount(values.count);
  const timeout = values.timeout === undefined ? undefined : readSeconds(values.timeout);
  const link = await io.hub();
  try {
    const contacts = new Map<string, ContactView>();
    const wanted = await conversationsOf(link, positionals, io.signal);
    const passes = (change: Change): boolean =>
      (wanted === undefined || wanted.has(conversationOf(change) ?? '')) &&
      (values.account === undefined || accountOf(change, contacts) === values.account) &&
      !(values['no-self'] && change.type === 'message' && change.message.from.self);
    const show = (change: Change): string | undefined => {
      if (!values.json) return change.type === 'message' ? plain(change.message) : undefined;
      const json = changeJson(change, (key) => contacts.get(key));
      return json && jsonLine(json);
    };
    return await follow(link, contacts, { count, timeout, passes, show }, io);
  } finally {
    link.close();
  }
}

interface Following {
  readonly count: number;
  /** Seconds. */
  readonly timeout: number | undefined;
  readonly passes: (change: Change) => boolean;
  readonly show: (change: Change) => string | undefined;
}

/** Prints until the count, the time, a signal or the end of the hub. */
function follow(link: LinkClient, contacts: Map<string, ContactView>, wish: Following, io: Io): Promise<number> {
  return new Promise((resolve, reject) => {
    let left = wish.count;
    const outOfTime = (): void => end(wish.count === Number.POSITIVE_INFINITY ? exit.ok : exit.tempFail);
    const timer = wish.timeout === undefined ? undefined : setTimeout(outOfTime, wish.timeout * 1000);
    const end = (code: number): void => {
      clearTimeout(timer);
      resolve(code);
    };
    io.signal.addEventListener('abort', () => end(io.signal.reason === 'SIGTERM' ? exit.terminated : exit.interrupted));
    link.on('closed', () => reject(new VerbError(exit.unavailable, 'the hub has gone')));
    link.on('resync', () => void subscribe().catch(reject));
    link.on('changes', (changes) => {
      for (const change of changes) {
        if (change.type === 'contact') contacts.set(change.contact.conversation, change.contact);
        if (left <= 0 || !wish.passes(change)) continue;
        const line = wish.show(change);
        if (line === undefined) continue;
        left -= 1;
        void io.print(line);
        if (left <= 0) return end(exit.ok);
      }
    });
    const subscribe = async (): Promise<void> => {
      const snapshot = await link.call('subscribe', {});
      for (const contact of snapshot.contacts) contacts.set(contact.conversation, contact);
    };
    subscribe().catch(reject);
  });
}

function readCount(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw usage(`--count ${value}: not a number above 0`);
  return Number(value);
}

async function conversationsOf(
  link: LinkClient,
  targets: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  if (targets.length === 0) return undefined;
  const keys = new Set<string>();
  for (const target of targets) keys.add((await link.call('resolve', { target }, signal)).contact.conversation);
  return keys;
}

function conversationOf(change: Change): string | undefined {
  switch (change.type) {
    case 'message':
    case 'message-changed':
      return change.message.conversation;
    case 'contact':
      return change.contact.conversation;
    case 'presence':
    case 'typing':
    case 'unread':
    case 'contact-removed':
    case 'members':
    case 'member':
      return change.conversation;
    case 'account':
    case 'account-removed':
    case 'request':
    case 'request-done':
    case 'prompt':
    case 'prompt-done':
    case 'notice':
      return undefined;
  }
}

function accountOf(change: Change, contacts: ReadonlyMap<string, ContactView>): string | undefined {
  switch (change.type) {
    case 'message':
    case 'message-changed':
      return change.message.account;
    case 'account':
      return change.account.account;
    case 'account-removed':
    case 'notice':
      return change.account;
    case 'request':
      return change.request.account;
    case 'prompt':
      return change.prompt.account;
    case 'contact':
      return change.contact.account;
    case 'presence':
    case 'typing':
    case 'unread':
    case 'contact-removed':
    case 'members':
    case 'member':
      return contacts.get(change.conversation)?.account;
    case 'request-done':
    case 'prompt-done':
      return undefined;
  }
}

/** `12:03 work:alice@example.org Alice: text`; further lines of a text are indented. */
function plain({ at, target, from, text, style, files }: MessageView): string {
  const time = new Date(at).toTimeString().slice(0, 5);
  const who = style === 'action' ? `* ${from.name} ` : `${from.name}: `;
  const attached = (files ?? []).map((file) => `[${file.name}]`).join(' ');
  return `${time} ${target} ${who}${text.replaceAll('\n', '\n      ')}${attached && ` ${attached}`}`;
}
