import { exit } from './exit.ts';
import { printMessages } from './history.ts';
import { type Io, readArgs, readCount, usage } from './verb.ts';

export const help = `Usage: imux search [OPTIONS] QUERY…

Messages of all accounts that hold all words of the query, oldest first, from the archive
on this machine: no connection is made, no hub is needed.

      --account NAME   of one account only
      --limit N        at most so many, the newest of them (default 50)
      --json           one JSON object a line

A query has words and "phrases in quotes", found anywhere in a text or in the name of a
file, whatever their case, and any of:
  from:alice      written by somebody whose name or address holds that; from:me: by you
  in:#ops         in a conversation whose name or address holds that
  account:work    of that account
  before:T after:T   T is 2026-01-31, 2026-01-31T12:30, today, yesterday, or an age: 2h, 7d
  has:file        with a file

Examples:
  imux search invoice from:anna after:30d
  imux search '"release notes" in:#ops' --json | jq -r .text
`;

const options = {
  account: { type: 'string' },
  limit: { type: 'string', default: '50' },
  json: { type: 'boolean' },
} as const;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = readArgs(args, options);
  const query = positionals.join(' ').trim();
  if (query === '') throw usage('no query; imux search --help shows how');
  const limit = readCount('--limit', values.limit);
  const { openOffline } = await import('../hub/offline.ts');
  const archive = openOffline(io.paths);
  try {
    await printMessages(archive.search(query, limit, values.account), values.json ?? false, io);
    return exit.ok;
  } finally {
    archive.close();
  }
}
