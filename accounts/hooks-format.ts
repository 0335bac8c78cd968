/** What can set a hook off; the names are those of the events of `imux watch --json`, and `mention`. */
export const hookKinds = [
  'message',
  'mention',
  'presence',
  'typing',
  'account',
  'request',
  'receipt',
  'edited',
  'retracted',
  'reactions',
] as const;
export type HookKind = (typeof hookKinds)[number];

/** A command of the person's own that runs on an event. An empty list of a filter lets everything pass. */
export interface Hook {
  /** Program and arguments; no shell takes part. */
  readonly run: readonly [program: string, ...args: readonly string[]];
  readonly on: readonly HookKind[];
  /** Names of accounts. */
  readonly accounts: readonly string[];
  /** ACCOUNT:ADDRESS. */
  readonly targets: readonly string[];
  /** Of which the text holds at least one, as a whole word in either case. */
  readonly words: readonly string[];
  /** Also on what the person wrote. */
  readonly self: boolean;
  readonly timeoutSeconds: number;
}

type Complain = (where: readonly string[], what: string) => never;
type Raw = Readonly<Record<string, unknown>>;

const KEYS = ['run', 'on', 'account', 'target', 'words', 'self', 'timeout'];
const DEFAULT_SECONDS = 10;
const MOST_SECONDS = 300;

/** The section `hooks` of the accounts file: a list. `complain` throws, and knows the place in the file. */
export function parseHooks(raw: unknown, complain: Complain): readonly Hook[] {
  if (raw === undefined) return [];
  if (!Array.isArray(raw)) return complain(['hooks'], 'must be a list of hooks: [ { "run": ["command"], … } ]');
  return raw.map((hook: unknown, at) => parseHook(hook, ['hooks', String(at)], complain));
}

function parseHook(raw: unknown, where: readonly string[], complain: Complain): Hook {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    return complain(where, 'must be an object { "run": ["command"], "on": ["message"], … }');
  const hook = raw as Raw;
  // A misspelt filter would let everything pass.
  for (const key of Object.keys(hook)) {
    if (!KEYS.includes(key)) return complain([...where, key], `is none of ${KEYS.join(', ')}`);
  }
  const texts = (key: string): readonly string[] => {
    const value = hook[key] ?? [];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return list.map((each, at) =>
      typeof each === 'string' && each !== ''
        ? each
        : complain([...where, key, ...(Array.isArray(value) ? [String(at)] : [])], 'must be a text in double quotes'),
    );
  };
  return {
    run: parseRun(hook.run, [...where, 'run'], complain),
    on: parseKinds(hook.on === undefined ? ['message'] : texts('on'), [...where, 'on'], complain),
    accounts: texts('account'),
    targets: texts('target'),
    words: texts('words'),
    self: parseFlag(hook.self ?? false, [...where, 'self'], complain),
    timeoutSeconds: parseSeconds(hook.timeout ?? DEFAULT_SECONDS, [...where, 'timeout'], complain),
  };
}

function parseRun(raw: unknown, where: readonly string[], complain: Complain): Hook['run'] {
  const list: readonly unknown[] = Array.isArray(raw) ? raw : [];
  const [program, ...args] = list.filter((each) => typeof each === 'string' && !each.includes('\0'));
  if (typeof program !== 'string' || program === '' || args.length + 1 !== list.length)
    return complain(where, 'must be a list of texts, the program first: ["notify-send", "imux"]; there is no shell');
  return [program, ...args.filter((each) => typeof each === 'string')];
}

function parseKinds(texts: readonly string[], where: readonly string[], complain: Complain): readonly HookKind[] {
  return texts.map(
    (text) =>
      hookKinds.find((kind) => kind === text) ?? complain(where, `"${text}" is none of ${hookKinds.join(', ')}`),
  );
}

function parseFlag(raw: unknown, where: readonly string[], complain: Complain): boolean {
  return typeof raw === 'boolean' ? raw : complain(where, 'must be true or false');
}

function parseSeconds(raw: unknown, where: readonly string[], complain: Complain): number {
  if (typeof raw === 'number' && raw > 0 && raw <= MOST_SECONDS) return raw;
  return complain(where, `must be a number of seconds, at most ${MOST_SECONDS}`);
}
