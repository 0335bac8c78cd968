import type { Field } from '../../adapters/contract.ts';
import type { AccountInput, NetworkView, SecretSource } from '../link/messages.ts';
import { exit } from './exit.ts';
import { ask, askSecret, canAsk } from './questions.ts';
import { readText } from './stdin.ts';
import { type Io, usage, VerbError } from './verb.ts';

export const flags = {
  set: { type: 'string', multiple: true },
  'secret-stdin': { type: 'boolean' },
  'secret-command': { type: 'string' },
  'secret-env': { type: 'string' },
  'secret-file': { type: 'boolean' },
  'secret-key': { type: 'string' },
  yes: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

export interface Flags {
  readonly set?: string[];
  readonly 'secret-stdin'?: boolean;
  readonly 'secret-command'?: string;
  readonly 'secret-env'?: string;
  readonly 'secret-file'?: boolean;
  readonly 'secret-key'?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** What an account is made of, from the arguments and, in a terminal, from questions. @throws VerbError usage. */
export async function inputFor(
  networks: readonly NetworkView[],
  [network, name]: readonly string[],
  values: Flags,
  io: Io,
): Promise<AccountInput> {
  const known = networks.map((view) => view.network).join(', ');
  const chosen = network ?? (await askFor(io, `Network (${known})`, `the network is missing; there are ${known}`));
  const view = networks.find((candidate) => candidate.network === chosen);
  if (!view) throw usage(`no network "${chosen}"; there are ${known}`);
  const called =
    name ?? (await askFor(io, 'Your name for the account, as in work', 'the name of the account is missing'));
  const settings = { ...settingsFrom(view, values) };
  const secrets = { ...(await secretFrom(view, values, io)) };
  await askWhatIsMissing(view, settings, secrets, values, io);
  return { network: view.network, name: called, settings, secrets };
}

async function askFor(io: Io, question: string, missing: string): Promise<string> {
  if (!canAsk(io)) throw usage(missing);
  return (await ask(io, `${question}: `)).trim();
}

/** @throws VerbError usage, which never repeats a value given for a secret. */
export function settingsFrom({ title, fields }: NetworkView, values: Flags): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (values.set ?? []).map((given) => {
      const equals = given.indexOf('=');
      if (equals < 1) throw usage('--set takes KEY=VALUE');
      const key = given.slice(0, equals);
      const field = fields.find((candidate) => candidate.key === key);
      if (!field) throw usage(`${title} knows no setting "${key}"; it has ${namesOf(fields)}`);
      if (field.secret) {
        throw usage(
          `${key} is a secret, and the arguments of a program can be read by others: change it, and give it with --secret-stdin, --secret-command or --secret-env`,
        );
      }
      return [key, given.slice(equals + 1)];
    }),
  );
}

const namesOf = (fields: readonly Field[]): string =>
  fields
    .filter(({ secret }) => !secret)
    .map(({ key }) => key)
    .join(', ');

/** The one secret that the arguments tell of. */
export async function secretFrom(
  view: NetworkView,
  values: Flags,
  io: Io,
): Promise<Readonly<Record<string, SecretSource>>> {
  const { 'secret-stdin': stdin, 'secret-command': command, 'secret-env': variable } = values;
  const ways = [stdin, command, variable].filter((way) => way !== undefined).length;
  if (ways > 1) throw usage('a secret is given in one way: --secret-stdin, --secret-command or --secret-env');
  if (values['secret-file'] && (command !== undefined || variable !== undefined))
    throw usage('--secret-file is for a secret that imux itself is to keep');
  if (ways === 0) return {};
  const { key, label } = secretField(view, values);
  if (command !== undefined) return { [key]: { kind: 'command', command } };
  if (variable !== undefined) return { [key]: { kind: 'env', variable } };
  const secret = io.stdin.isTTY ? await askSecret(io, `${label}: `) : firstLine(await readText(io.stdin, io.signal));
  if (secret === '') throw new VerbError(exit.data, 'the secret on standard input is empty');
  return { [key]: given(secret, values) };
}

const firstLine = (text: string): string => text.split(/\r?\n/, 1)[0] ?? '';

function given(secret: string, values: Flags): SecretSource {
  return { kind: 'given', secret, ...(values['secret-file'] && { into: 'file' }) };
}

function secretField({ title, fields }: NetworkView, values: Flags): Field {
  const secrets = fields.filter(({ secret }) => secret);
  const wanted = values['secret-key'];
  const field = wanted === undefined ? secrets[0] : secrets.find(({ key }) => key === wanted);
  if (field) return field;
  const keys = secrets.map(({ key }) => key).join(', ');
  throw usage(keys === '' ? `${title} needs no secret` : `${title} has no secret "${wanted}"; it has ${keys}`);
}

const isNeeded = ({ optional, preset }: Field): boolean => !optional && preset === undefined;

/** Asks one thing at a time; where nobody can answer, names all that is missing at once. */
async function askWhatIsMissing(
  { network, fields }: NetworkView,
  settings: Record<string, string>,
  secrets: Record<string, SecretSource>,
  values: Flags,
  io: Io,
): Promise<void> {
  const isOpen = ({ key }: Field): boolean => !Object.hasOwn(settings, key) && !Object.hasOwn(secrets, key);
  const open = fields.filter((field) => isOpen(field) && (isNeeded(field) || field.secret));
  if (!canAsk(io)) {
    const missing = open.filter(isNeeded).map(({ key, secret }) => (secret ? '--secret-stdin' : `--set ${key}=…`));
    if (missing.length > 0)
      throw usage(`${network} needs ${missing.join(' and ')} too; imux networks ${network} tells of each`);
    return;
  }
  for (const field of open) {
    const answer = await askField(field, io);
    if (answer === '') continue;
    if (field.secret) secrets[field.key] = given(answer, values);
    else settings[field.key] = answer;
  }
  const more = fields.filter((field) => isOpen(field) && !field.secret).map(({ key }) => key);
  if (more.length > 0) io.say(`more settings, with imux account set NAME --set KEY=VALUE: ${more.join(', ')}`);
}

async function askField(field: Field, io: Io): Promise<string> {
  const { label, hint, choices, secret } = field;
  const notes = [
    ...(choices ? [choices.join(' | ')] : []),
    ...(hint ? [hint] : []),
    ...(isNeeded(field) ? [] : ['Enter: none']),
  ];
  const question = `${label}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}: `;
  for (;;) {
    const answer = secret ? await askSecret(io, question) : (await ask(io, question)).trim();
    if (choices && answer !== '' && !choices.includes(answer)) io.say(`it is one of ${choices.join(', ')}`);
    else if (answer !== '' || !isNeeded(field)) return answer;
    else io.say('this is needed');
  }
}
