import { knownAccounts } from '../hub/known.ts';
import { readUnread, type Unread } from '../hub/unread.ts';
import { exit } from './exit.ts';
import { jsonLine } from './json.ts';
import { type Io, readArgs, usage, VerbError } from './verb.ts';

export const help = `Usage: imux unread [--account NAME] [--format FMT] [--json]

How many messages are unread, for status bars: at once, from the archive, without a hub
and without a connection. (A hub has to run for the count to grow: imux hub start.)

      --account NAME   of one account only
      --format FMT     FMT with its placeholders filled in; an empty line where nothing
                       is unread, so that the bar hides it
      --json           one JSON object, with the count of each account

Placeholders: {unread} messages · {mentions} of them that name you · {chats}
conversations with something unread · {accounts} their accounts, such as "libera work".

Examples:
  imux unread
  set -g status-right '#(imux unread --format "✉ {unread}")'     # tmux
  imux unread --json | jq '.accounts[] | select(.account == "work") | .unread'
`;

const options = { account: { type: 'string' }, format: { type: 'string' }, json: { type: 'boolean' } } as const;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = readArgs(args, options);
  if (positionals.length > 0) throw usage(`what is "${positionals[0]}"?`);
  if (values.json && values.format !== undefined) throw usage('--json and --format do not go together');
  if (values.format !== undefined) refuseUnknown(values.format);
  const found = readUnread(io.paths);
  if (values.account !== undefined) refuseStranger(values.account, found, io);
  const accounts = values.account === undefined ? found : found.filter(({ account }) => account === values.account);
  await io.print(line(accounts, values));
  return exit.ok;
}

/** An account that has nothing unread is not among those found; one that does not exist is a mistake. @throws VerbError */
function refuseStranger(name: string, found: readonly Unread[], io: Io): void {
  if (found.some(({ account }) => account === name)) return;
  if (knownAccounts(io.paths).some(({ account }) => account === name)) return;
  throw new VerbError(exit.noUser, `no account is called "${name}"; imux account list shows them`);
}

function line(accounts: readonly Unread[], wish: { readonly json?: boolean; readonly format?: string }): string {
  const sum = (field: 'unread' | 'mentions' | 'chats'): number => accounts.reduce((all, each) => all + each[field], 0);
  const total = { unread: sum('unread'), mentions: sum('mentions'), chats: sum('chats') };
  if (wish.json) return jsonLine({ v: 1, type: 'unread', ...total, accounts });
  if (wish.format === undefined) return String(total.unread);
  if (total.unread === 0) return '';
  const filled: Readonly<Record<string, string | number>> = {
    ...total,
    accounts: accounts.map(({ account }) => account).join(' '),
  };
  return wish.format.replace(placeholder, (_, name: string) => String(filled[name]));
}

const names: readonly string[] = ['unread', 'mentions', 'chats', 'accounts'];
const placeholder = /\{(\w+)\}/g;

function refuseUnknown(format: string): void {
  for (const [, name = ''] of format.matchAll(placeholder)) {
    if (!names.includes(name))
      throw usage(`--format: {${name}} is not one of ${names.map((known) => `{${known}}`).join(' ')}`);
  }
}
