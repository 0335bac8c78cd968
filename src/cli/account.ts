import type { LinkClient } from '../link/client.ts';
import type { AccountView, CheckStep } from '../link/messages.ts';
import { type Flags, flags, inputFor, secretFrom, settingsFrom } from './account-input.ts';
import { exit, exitCodeOf } from './exit.ts';
import { accountJson, jsonLine } from './json.ts';
import { answering, ask, canAsk } from './questions.ts';
import { table } from './table.ts';
import { type Io, readArgs, usage } from './verb.ts';

export const help = `Usage: imux account add NETWORK NAME [OPTIONS]
       imux account list|show NAME|set NAME|remove NAME|enable NAME|disable NAME|check NAME

NAME is yours to choose (letters, digits, . _ -); it stands before the colon in a target,
as in work:alice@example.org. In a terminal, add asks for what is missing.

      --set KEY=VALUE        a setting; imux networks lists them. KEY= takes it away
      --secret-stdin         the password or token is the first line of standard input
      --secret-command CMD   a command line prints it, such as "pass show chat/work"
      --secret-env VAR       the environment of the hub holds it
      --secret-file          keep it in imux's own encrypted file, not in the keychain
      --secret-key KEY       which secret is meant, where a network has several
      --yes                  remove without asking
      --json                 one JSON object a line

A secret never stands in the arguments: other programs can read those. Where there is no
keychain (servers, CI): --secret-command; or --secret-file, whose passphrase imux asks for,
or runs IMUX_PASSPHRASE_COMMAND for, from the environment of the hub.

Examples:
  imux account add xmpp work --set jid=alice@example.org --secret-command "pass show work"
  imux account add irc libera --set server=libera --set nick=alice --set "join=#imux,#bash"
  pass show bot | imux account add telegram tg --secret-stdin
  imux account check work
`;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = readArgs(args, flags);
  const [what, ...rest] = positionals;
  switch (what) {
    case 'add':
      return await add(rest, values, io);
    case 'list':
      return await list(rest, values, io);
    case 'show':
      return await withLink(io, (link) => show(one(rest, what), values, link, io));
    case 'set':
      return await withLink(io, (link) => set(one(rest, what), values, link, io));
    case 'remove':
      return await remove(one(rest, what), values, io);
    case 'enable':
    case 'disable':
      return await withLink(io, (link) => enable(one(rest, what), what === 'enable', values, link, io));
    case 'check':
      return await withLink(io, (link) => check(one(rest, what), values, link, io));
    default:
      throw usage('it is: account add, list, show, set, remove, enable, disable or check');
  }
}

function one(names: readonly string[], what: string): string {
  const [name, ...more] = names;
  if (name === undefined) throw usage(`the name of the account is missing: imux account ${what} NAME`);
  // What is too much is not repeated: it may be a password.
  if (more.length > 0) throw usage(`account ${what} takes one name; settings are given with --set KEY=VALUE`);
  return name;
}

async function withLink(io: Io, work: (link: LinkClient) => Promise<number>): Promise<number> {
  const link = await io.hub();
  try {
    return await work(link);
  } finally {
    link.close();
  }
}

async function add(names: readonly string[], values: Flags, io: Io): Promise<number> {
  if (names.length > 2) throw usage('account add takes a network and a name; settings are given with --set KEY=VALUE');
  return await withLink(io, async (link) => {
    const { networks } = await link.call('networks', {}, io.signal);
    const input = await inputFor(networks, names, values, io);
    const { account, kept } = await answering(io, link, input.name, () => link.call('accounts.add', input, io.signal));
    for (const [field, where] of Object.entries(kept)) io.say(`${field}: ${where}`);
    if (values.json) await io.print(jsonLine(accountJson(account)));
    else io.say(`${account.account} (${account.network}) is added`);
    if (!canAsk(io)) {
      if (!values.json) io.say(`imux account check ${account.account} tells whether it can sign in`);
      return exit.ok;
    }
    return await check(account.account, { ...values, json: false }, link, io);
  });
}

async function list(names: readonly string[], values: Flags, io: Io): Promise<number> {
  if (names.length > 0) throw usage('account list takes no name; imux account show NAME shows one');
  return await withLink(io, async (link) => {
    const { accounts } = await link.call('accounts.list', {}, io.signal);
    const rows = accounts.map((view) => [view.account, view.network, view.id, stateOf(view)]);
    const lines = values.json ? accounts.map((view) => jsonLine(accountJson(view))) : table(rows, io.stdout.columns);
    for (const line of lines) await io.print(line);
    if (accounts.length === 0 && !values.json) io.say('no accounts yet; imux account add makes one');
    return exit.ok;
  });
}

function stateOf({ enabled, state, error, retryAt }: AccountView): string {
  if (!enabled) return 'disabled';
  const again = state === 'waiting' && retryAt ? ` until ${new Date(retryAt).toLocaleTimeString()}` : '';
  return `${state}${again}${error ? `: ${error.message}` : ''}`;
}

async function show(name: string, values: Flags, link: LinkClient, io: Io): Promise<number> {
  const { account, settings, secrets } = await link.call('accounts.show', { account: name }, io.signal);
  if (values.json) {
    await io.print(jsonLine({ ...accountJson(account), settings, secrets }));
    return exit.ok;
  }
  const rows = [
    ['account', account.account],
    ['network', account.network],
    ['id', account.id],
    ['state', stateOf(account)],
    ...Object.entries(settings).map(([key, value]) => [`  ${key}`, value]),
    ...Object.entries(secrets).map(([key, where]) => [`  ${key}`, `(secret) ${where}`]),
  ];
  for (const line of table(rows)) await io.print(line);
  return exit.ok;
}

async function set(name: string, values: Flags, link: LinkClient, io: Io): Promise<number> {
  const [{ account }, { networks }] = await Promise.all([
    link.call('accounts.show', { account: name }, io.signal),
    link.call('networks', {}, io.signal),
  ]);
  const network = networks.find((view) => view.network === account.network);
  if (!network) throw usage(`this imux has no network "${account.network}"`);
  const settings = settingsFrom(network, values);
  const secrets = await secretFrom(network, values, io);
  if (Object.keys(settings).length + Object.keys(secrets).length === 0) {
    throw usage('nothing to set; give --set KEY=VALUE or one of --secret-stdin, --secret-command, --secret-env');
  }
  const params = { account: name, settings, secrets };
  const { account: now } = await answering(io, link, name, () => link.call('accounts.set', params, io.signal));
  return await tell(now, `${name} is changed`, values, io);
}

async function remove(name: string, values: Flags, io: Io): Promise<number> {
  return await withLink(io, async (link) => {
    await link.call('accounts.show', { account: name }, io.signal);
    if (!values.yes && canAsk(io)) {
      const answer = await ask(io, `Remove ${name}, and its secrets from where imux keeps them? [y/N] `);
      if (!/^y(es)?$/i.test(answer.trim())) {
        io.say('nothing was removed');
        return exit.ok;
      }
    }
    await answering(io, link, name, () => link.call('accounts.remove', { account: name }, io.signal));
    io.say(`${name} is removed`);
    return exit.ok;
  });
}

async function enable(name: string, enabled: boolean, values: Flags, link: LinkClient, io: Io): Promise<number> {
  const { account } = await link.call('accounts.enable', { account: name, enabled }, io.signal);
  return await tell(account, `${name} is ${enabled ? 'enabled' : 'disabled'}`, values, io);
}

async function tell(account: AccountView, text: string, values: Flags, io: Io): Promise<number> {
  if (values.json) await io.print(jsonLine(accountJson(account)));
  else io.say(text);
  return exit.ok;
}

async function check(name: string, values: Flags, link: LinkClient, io: Io): Promise<number> {
  const checking = () => link.call('accounts.check', { account: name }, io.signal);
  const { ok, steps } = await answering(io, link, name, checking);
  if (values.json) await io.print(jsonLine({ v: 1, type: 'check', account: name, ok, steps }));
  else for (const step of steps) await io.print(stepLine(step));
  return ok ? exit.ok : exitOf(steps);
}

const stepLine = ({ ok, step, text, remedy }: CheckStep): string =>
  `${ok ? '✓' : '✗'} ${step}: ${text}${remedy ? `\n    ${remedy}` : ''}`;

function exitOf(steps: readonly CheckStep[]): number {
  const failed = steps.find(({ ok }) => !ok);
  return failed?.code ? exitCodeOf(failed.code) : exit.unavailable;
}
