import type { Change, ContactView } from '../link/messages.ts';
import { exit } from './exit.ts';
import { changeJson, jsonLine } from './json.ts';
import { type Live, openLive } from './live.ts';
import { plainMessage } from './plain.ts';
import { type Io, readArgs, readCount, readSeconds, stoppedCode, usage, VerbError } from './verb.ts';

export const help = `Usage: imux watch [TARGET…] [OPTIONS]

Shows what happens as it comes, of all accounts or of the given targets. In plain
form messages only; with --json presence, typing, receipts, edits and more as well.
Watching changes nothing: no room is entered, nothing counts as read.

      --since ID       first what came after the message with that ID, then go on live
      --account NAME   of one account only
      --count N        end after N (messages; with --json: events)
      --timeout SEC    end after that time; exit code 75 where --count was not reached
      --no-self        leave out what you wrote
      --json           one JSON object a line

No message is lost and none comes twice, however slowly this is read: what did not fit
is fetched from the archive. IDs rise; a script that keeps the last one it has dealt
with goes on with --since where it left off, also after a restart of itself or the hub.
A message from a network's archive, old when it came, has "live": false.

Examples:
  imux watch libera:#ops
  imux watch --json | jq -r 'select(.type == "message") | .text'
  imux watch --json --since "$(cat last)" work:me@example.org | while read -r event; do
    handle "$event" && jq -r '.id // empty' <<<"$event" >last
  done
`;

const options = {
  since: { type: 'string' },
  account: { type: 'string' },
  count: { type: 'string' },
  timeout: { type: 'string' },
  'no-self': { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = readArgs(args, options);
  const count = values.count === undefined ? Number.POSITIVE_INFINITY : readCount('--count', values.count);
  const timeout = values.timeout === undefined ? undefined : readSeconds(values.timeout);
  const since = values.since === undefined ? undefined : readId(values.since);
  const link = await io.hub();
  const over = timeout === undefined ? undefined : AbortSignal.timeout(timeout * 1000);
  const signal = over === undefined ? io.signal : AbortSignal.any([io.signal, over]);
  try {
    if (values.account !== undefined) await link.call('accounts.show', { account: values.account }, signal);
    const wanted = new Set<string>();
    for (const target of positionals) wanted.add((await link.call('look', { target }, signal)).place.target);
    const live = await openLive(link, { ...(since !== undefined && { since }), signal });
    const passes = (change: Change): boolean =>
      (wanted.size === 0 || wanted.has(targetOf(change, live.contacts) ?? '')) &&
      (values.account === undefined || accountOf(change, live.contacts) === values.account) &&
      !(values['no-self'] && change.type === 'message' && change.message.from.self);
    const show = (change: Change): string | undefined => {
      if (!values.json) return change.type === 'message' ? plainMessage(change.message) : undefined;
      const json = changeJson(change, (key) => live.contacts.get(key));
      return json && jsonLine(json);
    };
    if (await follow(live, { count, passes, show }, io)) return exit.ok;
    return timeIsUp(io, over, count);
  } catch (error) {
    if (over?.aborted || io.signal.aborted) return timeIsUp(io, over, count);
    throw error;
  } finally {
    link.close();
  }
}

/** A time alone is a wish to watch for that long; with a count, it was too short. */
function timeIsUp(io: Io, over: AbortSignal | undefined, count: number): number {
  if (io.signal.aborted) return stoppedCode(io.signal);
  return over?.aborted && count !== Number.POSITIVE_INFINITY ? exit.tempFail : exit.ok;
}

interface Following {
  readonly count: number;
  readonly passes: (change: Change) => boolean;
  readonly show: (change: Change) => string | undefined;
}

/** Prints each line once the one before was taken. True: the count was reached. */
async function follow(live: Live, { count, passes, show }: Following, io: Io): Promise<boolean> {
  let left = count;
  try {
    for await (const change of live) {
      const line = passes(change) ? show(change) : undefined;
      if (line === undefined) continue;
      await io.print(line);
      left -= 1;
      if (left <= 0) return true;
    }
  } catch (error) {
    if (!(error instanceof VerbError)) throw error;
    throw new VerbError(error.exitCode, `${error.message}; --since ${live.last()} goes on from here`, { cause: error });
  }
  return false;
}

function readId(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw usage(`--since ${value}: it is the id of a message, or 0 for all of them`);
  return Number(value);
}

function targetOf(change: Change, contacts: ReadonlyMap<string, ContactView>): string | undefined {
  switch (change.type) {
    case 'message':
    case 'message-changed':
      return change.message.target;
    case 'contact':
      return change.contact.target;
    case 'presence':
    case 'typing':
    case 'unread':
    case 'contact-removed':
    case 'members':
    case 'member':
      return contacts.get(change.conversation)?.target;
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
