import { timeOf } from '../hub/offline.ts';
import type { LinkClient } from '../link/client.ts';
import type { ExportedMessage, Params, Result } from '../link/messages.ts';
import { VERSION } from '../version.ts';
import { exit } from './exit.ts';
import { accountJson, jsonLine } from './json.ts';
import { type Io, readArgs, usage } from './verb.ts';

export const help = `Usage: imux export [--account NAME] [--since TIME] [--accounts]

Writes the accounts and the whole archive to standard output, one JSON object a line:
"export" (first), "account", "conversation", "message". A message is what imux watch
--json shows, with reactions, errors and the rest of what is stored, and under "native"
the network's own ids. No secret is ever in it, only where each one is kept.
imux import reads it back; what is there already is left alone.

      --account NAME   of one account only
      --since TIME     messages from then on: 2026-01-31, 2026-01-31T12:30, today, or an age: 2h, 7d
      --accounts       the accounts alone

Examples:
  imux export | zstd > imux.ndjson.zst
  imux export --account libera --since 2026-01-01 | jq -r 'select(.type == "message") | .text'
`;

const options = { account: { type: 'string' }, since: { type: 'string' }, accounts: { type: 'boolean' } } as const;

/** Messages asked for at a time: the hub does other things in between. */
const PAGE = 500;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = readArgs(args, options);
  if (positionals.length > 0) throw usage(`what is "${positionals[0]}"?`);
  const since = values.since === undefined ? undefined : readTime(values.since);
  const link = await io.hub();
  try {
    const one = values.account === undefined ? {} : { account: values.account };
    // Before the first line: a name that nobody has is no empty export.
    if (values.account !== undefined) await link.call('accounts.show', { account: values.account }, io.signal);
    await io.print(jsonLine({ v: 1, type: 'export', imux: VERSION, at: new Date().toISOString() }));
    await exportAccounts(link, values.account, io);
    if (values.accounts) return exit.ok;
    const { conversations } = await link.call('archive.conversations', one, io.signal);
    for (const conversation of conversations) {
      await io.print(jsonLine({ v: 1, type: 'conversation', ...conversation }));
    }
    for (let after: string | undefined = '0'; after !== undefined; ) {
      const params: Params<'archive.export'> = {
        after,
        limit: PAGE,
        ...one,
        ...(since === undefined ? {} : { since }),
      };
      const page: Result<'archive.export'> = await link.call('archive.export', params, io.signal);
      // The next page is asked for when the reader has taken this one.
      if (page.messages.length > 0) await io.print(page.messages.map(messageLine).join('\n'));
      after = page.last;
    }
    return exit.ok;
  } finally {
    link.close();
  }
}

async function exportAccounts(link: LinkClient, only: string | undefined, io: Io): Promise<void> {
  const { accounts } = await link.call('accounts.list', {}, io.signal);
  for (const view of accounts) {
    if (only !== undefined && only !== view.account) continue;
    const { settings, secrets } = await link.call('accounts.show', { account: view.account }, io.signal);
    // As `account show`: of a secret only where it is kept.
    await io.print(jsonLine({ ...accountJson(view), settings, secrets }));
  }
}

function messageLine({ conversation: _, ...message }: ExportedMessage): string {
  return jsonLine({ v: 1, type: 'message', ...message });
}

/** A day is one of the person's own zone. */
function readTime(text: string): string {
  try {
    return new Date(timeOf(text, Date.now())).toISOString();
  } catch (cause) {
    throw usage(`--since: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}
