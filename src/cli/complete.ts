import { findPaths, type Paths } from '../paths.ts';
import { exit } from './exit.ts';
import { type Form, formsOf, type HelpPage, type Option, optionsOf, readHelp } from './help-page.ts';
import type { Io } from './verb.ts';

export const help = `Usage: imux __complete SHELL …

What the completion of a shell asks for: see imux completion.
`;

/** What may stand at the cursor, and a few words about it. */
interface Candidate {
  readonly value: string;
  readonly about: string;
}

/** The shell itself knows its files best. */
const FILES = ':files';
const MOST = 200;

/**
 * `bash WORD LINE`, with what readline will replace and the line up to the cursor, or `zsh|fish -- WORD…`, the last of which is at the cursor. Never
 * connects to anything and never fails aloud: a completion that complains is worse than none.
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const [shell, ...rest] = args;
  const [word = '', line = ''] = rest;
  const words = shell === 'bash' ? splitLine(line).slice(1) : rest.slice(rest[0] === '--' ? 1 : 0);
  const current = words.at(-1) ?? '';
  const found = await candidates(words.slice(0, -1), current, io).catch(() => []);
  if (found === FILES) {
    await io.print(FILES);
    return exit.ok;
  }
  const fits = found.filter(({ value }) => value.startsWith(current)).slice(0, MOST);
  for (const { value, about } of fits) {
    await io.print(shell === 'bash' ? forBash(value, current, word) : `${value}\t${about.replace(/\s+/g, ' ')}`);
  }
  return exit.ok;
}

/** Words as a shell sees them, quotes and backslashes undone; an empty last one where the line ends in a blank. */
function splitLine(line: string): readonly string[] {
  const words = line.match(/(?:\\.|"(?:\\.|[^"\\])*"?|'[^']*'?|[^\s\\"'])+/gs) ?? [];
  const plain = words.map(unquoted);
  return /(^|[^\\])\s$/.test(line) ? [...plain, ''] : plain;
}

const unquoted = (word: string): string => word.replace(/\\(.)|["']/gs, '$1');

/**
 * readline replaces only `word`, what stands after the last of its word breaks (`:`, `=`, or from an `@` on): what is
 * before that is left out.
 */
function forBash(value: string, current: string, word: string): string {
  const kept = current.endsWith(unquoted(word)) ? current.length - unquoted(word).length : 0;
  return value.slice(kept).replace(/[^\w@%+=:,./#~^-]|^[#~]/gu, '\\$&');
}

async function candidates(
  before: readonly string[],
  current: string,
  io: Io,
): Promise<readonly Candidate[] | typeof FILES> {
  const { words, paths } = profileOf(before, io);
  const [name, ...args] = words;
  if (name === undefined) return current.startsWith('-') ? general : await verbNames();
  if (name === '--profile') return [];
  const { verbs } = await import('./verbs.ts');
  const load = Object.entries(verbs).find(([verb]) => verb === name)?.[1];
  if (!load) return [];
  return await forVerb(readHelp((await load()).help), args, current, paths);
}

const general: readonly Candidate[] = [
  { value: '--help', about: 'all verbs' },
  { value: '--version', about: 'the version of imux' },
  { value: '--profile', about: 'another set of accounts' },
];

async function verbNames(): Promise<readonly Candidate[]> {
  const { help: text } = await import('./help.ts');
  const lines = text.matchAll(/^ {2}imux ([a-z]+)\b.*? {2,}(.*)$/gm);
  return Array.from(lines, ([, value = '', about = '']) => ({ value, about }));
}

function profileOf(words: readonly string[], { env, paths }: Io): { words: readonly string[]; paths: Paths } {
  const [first = '', second] = words;
  const joined = /^--profile=(.*)$/.exec(first)?.[1];
  if (joined !== undefined) return { words: words.slice(1), paths: findPaths(env, joined) };
  if (first === '--profile' && second !== undefined) return { words: words.slice(2), paths: findPaths(env, second) };
  return { words, paths };
}

async function forVerb(
  page: HelpPage,
  args: readonly string[],
  current: string,
  paths: Paths,
): Promise<readonly Candidate[] | typeof FILES> {
  const options = optionsOf(page);
  const { positionals, pending, over } = readSoFar(args, options);
  if (pending) return await valuesOf(pending, paths);
  const [, long, part] = /^(--[\w-]+=)(.*)$/.exec(current) ?? [];
  if (!over && long !== undefined && part !== undefined) {
    const option = options.find(({ names }) => names.includes(long.slice(0, -1)));
    const values = option ? await valuesOf(option, paths) : [];
    return values === FILES ? [] : values.map(({ value, about }) => ({ value: long + value, about }));
  }
  if (!over && current.startsWith('-')) return optionCandidates(options);
  // What stands after -- is text.
  return over ? [] : await forPositional(formsOf(page), positionals, current, paths);
}

interface SoFar {
  readonly positionals: readonly string[];
  /** The option whose value is at the cursor. */
  readonly pending: Option | undefined;
  readonly over: boolean;
}

function readSoFar(args: readonly string[], options: readonly Option[]): SoFar {
  const positionals: string[] = [];
  let pending: Option | undefined;
  for (const arg of args) {
    if (pending) pending = undefined;
    else if (arg === '--') return { positionals, pending: undefined, over: true };
    else if (arg.startsWith('-')) pending = options.find(({ names, value }) => value && names.includes(arg));
    else positionals.push(arg);
  }
  return { positionals, pending, over: false };
}

function optionCandidates(options: readonly Option[]): readonly Candidate[] {
  const long = options.flatMap(({ names, text }) =>
    names.filter((option) => option.startsWith('--')).map((value) => ({ value, about: text })),
  );
  return [...long, { value: '--help', about: 'explains the verb' }];
}

async function valuesOf({ names, value, text }: Option, paths: Paths): Promise<readonly Candidate[] | typeof FILES> {
  if (value === 'PATH' || value === 'FILE') return FILES;
  const choices = text.split(' | ').map((choice) => /^[a-z][\w-]*/.exec(choice)?.[0] ?? '');
  if (choices.length > 1) return choices.map((choice) => ({ value: choice, about: '' }));
  // Another NAME may be that of a file.
  if (names.includes('--account')) return await accounts(paths);
  return value === 'TARGET' ? await targets('', paths) : [];
}

async function forPositional(
  forms: readonly Form[],
  positionals: readonly string[],
  current: string,
  paths: Paths,
): Promise<readonly Candidate[]> {
  const words = forms.flatMap(({ word }) => word ?? []);
  const [first, ...rest] = positionals;
  if (words.length > 0 && first === undefined) return words.map((value) => ({ value, about: '' }));
  const form = forms.find(({ word }) => word === (words.length > 0 ? first : undefined));
  const at = (words.length > 0 ? rest : positionals).length;
  const last = form?.takes.at(-1);
  const wanted = form?.takes[at] ?? (last?.endsWith('…') ? last : undefined);
  switch (wanted?.replace('…', '')) {
    case 'TARGET':
      return await targets(current, paths);
    case 'NAME':
    case 'ACCOUNT':
      // The name of a new account stands after its network.
      return form?.takes.includes('NETWORK') ? [] : await accounts(paths);
    default:
      return [];
  }
}

async function accounts(paths: Paths): Promise<readonly Candidate[]> {
  const { knownAccounts } = await import('../hub/known.ts');
  return knownAccounts(paths).map(({ account, network }) => ({ value: account, about: network }));
}

/** The accounts first, each with its colon, and after the colon the addresses. */
async function targets(current: string, paths: Paths): Promise<readonly Candidate[]> {
  const colon = current.indexOf(':');
  if (colon < 0) return (await accounts(paths)).map(({ value, about }) => ({ value: `${value}:`, about }));
  const { knownChats } = await import('../hub/known.ts');
  return knownChats(paths, current.slice(0, colon)).map(({ account, address, title }) => ({
    value: `${account}:${address}`,
    about: title === address ? '' : title,
  }));
}
