import type { MessageView } from '../link/messages.ts';
import { exit } from './exit.ts';
import { jsonLine, messageJson } from './json.ts';
import { localTime, plainMessage } from './plain.ts';
import { type Io, readArgs, readCount, usage } from './verb.ts';

export const help = `Usage: imux history TARGET [OPTIONS]

The last messages of a conversation, oldest first, from the archive on this machine: no
connection is made, no hub is needed, nothing counts as read.

      --limit N      at most so many, the newest of them (default 50)
      --since T      written at T or later
      --before T     written before T
      --json         one JSON object a line

T is 2026-01-31 (midnight here), 2026-01-31T12:30, today, yesterday, or an age: 30m, 2h,
7d, 3w. Times are shown in your zone; in JSON they are UTC.

Examples:
  imux history work:alice@example.org
  imux history libera:#ops --since today --json | jq -r .text
`;

const options = {
  limit: { type: 'string', default: '50' },
  since: { type: 'string' },
  before: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = readArgs(args, options);
  const [target, ...more] = positionals;
  if (target === undefined || more.length > 0) throw usage('imux history TARGET, one of them');
  const limit = readCount('--limit', values.limit);
  const { openOffline } = await import('../hub/offline.ts');
  const archive = openOffline(io.paths);
  try {
    await printMessages(archive.history(target, limit, values), values.json ?? false, io);
    return exit.ok;
  } finally {
    archive.close();
  }
}

export async function printMessages(messages: readonly MessageView[], json: boolean, io: Io): Promise<void> {
  for (const message of messages) {
    if (io.signal.aborted) return;
    await io.print(json ? jsonLine(messageJson(message)) : plainMessage(message, localTime));
  }
}
