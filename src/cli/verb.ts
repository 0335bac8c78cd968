import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import type { LinkClient } from '../link/client.ts';
import type { LinkError } from '../link/messages.ts';
import { findPaths, type Paths } from '../paths.ts';
import { exit, exitCodeOf } from './exit.ts';

/** What a verb may touch of the process. */
export interface Io {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly paths: Paths;
  /** A diagnostic line on stderr, `imux: ` before it. */
  say(text: string): void;
  /** One line on stdout; waits where the reader is slower than we are. */
  print(line: string): Promise<void>;
  /** The hub, started where none runs (`start` false: an error then). */
  hub(start?: boolean): Promise<LinkClient>;
}

export interface Verb {
  /** What `--help` prints. */
  readonly help: string;
  /** Resolves with the exit code. @throws VerbError, LinkFailure. */
  run(args: readonly string[], io: Io): Promise<number>;
}

/** Something the caller did wrong, with the exit code that tells which. */
export class VerbError extends Error {
  override readonly name = 'VerbError';
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export const usage = (message: string): VerbError => new VerbError(exit.usage, message);

/** parseArgs, its complaint as a usage error. */
export function readArgs<T extends ParseArgsOptionsConfig>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true, tokens: true });
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    // Node goes on with advice that is of no use where the option was only misspelt.
    const [what] = said.split('. To specify');
    throw new VerbError(exit.usage, `${what} (--help lists the options)`, { cause });
  }
}

/** @throws VerbError */
export function readSeconds(value: string): number {
  const seconds = Number(value);
  if (!/^\d+(\.\d+)?$/.test(value) || seconds > 86_400 * 7) throw usage(`"${value}" is not a number of seconds`);
  return seconds;
}

/** @throws VerbError */
export function readCount(option: string, value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw usage(`${option} ${value}: not a number above 0`);
  return Number(value);
}

/** The exit code of what a signal ended. */
export const stoppedCode = (signal: AbortSignal): number =>
  signal.reason === 'SIGTERM' ? exit.terminated : exit.interrupted;

type Verbs = Readonly<Record<string, () => Promise<Verb>>> & { readonly screen: () => Promise<Verb> };

/** `engines` of package.json; npm only warns of it. */
const OLDEST_NODE = 24;

/** Runs the verb that the arguments name and sets the exit code. Only that verb's code is loaded. */
export async function runVerb(verbs: Verbs): Promise<void> {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    process.stderr.write(`imux needs Node ${OLDEST_NODE} or later; this is ${process.version}\n`);
    process.exitCode = exit.unavailable;
    return;
  }
  const { name, args, profile } = pick(process.argv.slice(2));
  const stop = new AbortController();
  endOnSignals(stop, name === 'hub' ? HUB_END_MS : END_MS);
  try {
    if (name === '--version' || name === '-V') {
      stdout().write(`imux ${(await import('../version.ts')).VERSION}\n`);
      return;
    }
    const [about] = args;
    if (name === '--help' || name === '-h' || (name === 'help' && about === undefined)) {
      stdout().write((await import('./help.ts')).help);
      return;
    }
    if (name === 'help' && about !== undefined) {
      stdout().write((await verbNamed(verbs, about)).help);
      return;
    }
    const verb = await verbNamed(verbs, name);
    if (asksForHelp(args)) {
      stdout().write(verb.help);
      return;
    }
    const code = await verb.run(args, makeIo(stop.signal, profile));
    process.exitCode = code === exit.interrupted ? stoppedCode(stop.signal) : code;
  } catch (error) {
    report(error, stop.signal, name);
  }
}

async function verbNamed(verbs: Verbs, name: string): Promise<Verb> {
  const load = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (!load) throw usage(`there is no verb "${name}"; imux --help lists them`);
  return await load();
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).some((arg) => arg === '--help' || arg === '-h');
}

function pick(argv: readonly string[]): { name: string; args: readonly string[]; profile: string | undefined } {
  let rest = argv;
  let profile: string | undefined;
  if (rest[0]?.startsWith('--profile=')) {
    profile = rest[0].slice('--profile='.length);
    rest = rest.slice(1);
  } else if (rest[0] === '--profile') {
    profile = rest[1];
    rest = rest.slice(2);
  }
  const [name = 'screen', ...args] = rest;
  return { name, args, profile };
}

function makeIo(signal: AbortSignal, profile: string | undefined): Io {
  // A hub that this process starts reads the profile from here.
  if (profile) process.env.IMUX_PROFILE = profile;
  let paths: Paths;
  try {
    paths = findPaths(process.env, profile);
  } catch (cause) {
    throw new VerbError(exit.usage, cause instanceof Error ? cause.message : String(cause), { cause });
  }
  return {
    get stdin() {
      // A verb that still reads has the end of it. A terminal is left to the screen, which puts it back as it was.
      if (!process.stdin.isTTY) signal.addEventListener('abort', () => process.stdin.destroy(), { once: true });
      return process.stdin;
    },
    get stdout() {
      return stdout();
    },
    env: process.env,
    signal,
    paths,
    say: (text) => void process.stderr.write(`imux: ${text}\n`),
    print: (line) =>
      new Promise((resolve) => {
        if (stdout().write(`${line}\n`)) resolve();
        else stdout().once('drain', resolve);
      }),
    async hub(start = true) {
      if (!start) return (await import('../link/client.ts')).attach(paths, 'imux');
      return (await import('../link/start.ts')).attachOrStart(paths, 'imux');
    },
  };
}

/** What then still holds on to the event loop is not worth waiting for. */
const END_MS = 2_000;
/** The hub lets texts out that are on their way, and signs its accounts out. */
const HUB_END_MS = 10_000;

function endOnSignals(stop: AbortController, endMs: number): void {
  for (const [name, code] of [
    ['SIGINT', exit.interrupted],
    ['SIGTERM', exit.terminated],
  ] as const) {
    process.once(name, () => {
      stop.abort(name);
      process.exitCode = code;
      setTimeout(() => process.exit(code), endMs).unref();
    });
  }
}

let guarded = false;

/**
 * Node opens its streams at their first use, and a verb that prints nothing need not pay for that.
 * Node turns SIGPIPE into an EPIPE error: a reader that has enough (`| head -1`) is no error.
 */
function stdout(): NodeJS.WriteStream {
  if (!guarded) {
    guarded = true;
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      process.exit(error.code === 'EPIPE' ? exit.ok : exit.io);
    });
  }
  return process.stdout;
}

function report(error: unknown, signal: AbortSignal, verb: string): void {
  if (signal.aborted) {
    process.exitCode = stoppedCode(signal);
    return;
  }
  if (error instanceof VerbError) {
    process.stderr.write(`imux ${verb}: ${error.message}\n`);
    process.exitCode = error.exitCode;
    return;
  }
  const detail = linkErrorOf(error);
  if (detail) {
    process.stderr.write(`imux ${verb}: ${describe(detail)}\n`);
    process.exitCode = exitCodeOf(detail.code);
    return;
  }
  process.stderr.write(
    `imux ${verb}: a fault of imux itself: ${error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exitCode = exit.software;
}

/** Told by their names, so that verbs that never reach a hub need not load the link. */
function linkErrorOf(error: unknown): LinkError | undefined {
  if (!(error instanceof Error)) return undefined;
  switch (error.name) {
    case 'LinkFailure':
    case 'Fault':
      return 'detail' in error ? (error.detail as LinkError) : undefined;
    case 'ArchiveError':
      return { code: 'disk', message: error.message };
    case 'SettingsError':
      return { code: 'settings', message: error.message };
    default:
      return undefined;
  }
}

export function describe(error: LinkError): string {
  const candidates = error.candidates?.length ? `\n${error.candidates.map((target) => `  ${target}`).join('\n')}` : '';
  return `${error.message}${candidates}`;
}
