import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { hubNodeOptions } from '../link/start.ts';
import { exit } from './exit.ts';
import { type Io, VerbError } from './verb.ts';

/** `imux hub install`: a systemd user unit for this profile, started with the session. Nothing outside the person's folders. */
export async function install(io: Io): Promise<number> {
  const unit = unitName(io.env);
  const path = unitPath(io.env);
  write(path, unitText(io.env, process.execPath, realpathSync(process.argv[1] ?? '')));
  await io.print(path);
  const commands = [['daemon-reload'], ['enable', '--now', unit]];
  return await systemctl(commands, io, 'installed', `${unit} runs, and starts with your session`);
}

export async function uninstall(io: Io): Promise<number> {
  const unit = unitName(io.env);
  const path = unitPath(io.env);
  if (!existsSync(path)) {
    io.say(`there is no ${path}`);
    return exit.ok;
  }
  const code = await systemctl([['disable', '--now', unit]], io, 'stopped', `${unit} is stopped`);
  rmSync(path);
  io.say(`${path} is removed`);
  const reloaded = await systemctl([['daemon-reload']], io, 'removed', undefined);
  return code === exit.ok ? reloaded : code;
}

/** One unit for each profile; another IMUX_HOME is another set of accounts too, but has to be kept by hand. */
function unitName({ IMUX_PROFILE: profile }: NodeJS.ProcessEnv): string {
  return profile ? `imux-${profile}.service` : 'imux.service';
}

function unitPath(env: NodeJS.ProcessEnv): string {
  const config = env.XDG_CONFIG_HOME?.startsWith('/') ? env.XDG_CONFIG_HOME : join(env.HOME ?? homedir(), '.config');
  return join(config, 'systemd', 'user', unitName(env));
}

/** Passed on, so that the unit means the same folders as this shell, and hooks and secret commands find their programs. */
const VARIABLES = ['PATH', 'IMUX_HOME', 'IMUX_PROFILE', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME'];

/** https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html */
export function unitText(env: NodeJS.ProcessEnv, node: string, program: string): string {
  const given = VARIABLES.flatMap((name) => (env[name] ? [`Environment=${quoted(`${name}=${env[name]}`)}`] : []));
  return `[Unit]
Description=imux hub: chat accounts in the background
After=network-online.target

[Service]
ExecStart=${[node, ...hubNodeOptions, program].map(commandWord).join(' ')} hub run
${given.join('\n')}
Restart=on-failure
RestartSec=5
# Signing out and what is still on its way.
TimeoutStopSec=15
# 78: the accounts file has to be mended first.
RestartPreventExitStatus=78
UMask=0077

[Install]
WantedBy=default.target
`;
}

/** Specifiers (%) and, in commands, variables ($) are systemd's: doubled they stand for themselves. */
const quoted = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%').replaceAll('\n', '\\n')}"`;
const commandWord = (text: string): string => quoted(text).replaceAll('$', '$$$$');

function write(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: 0o600 });
    // The PATH of a shell may tell more than others need to know.
    chmodSync(path, 0o600);
  } catch (cause) {
    throw new VerbError(exit.io, `${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** Runs them one after the other; where there is no systemd of the person's own, says what is left to do. */
async function systemctl(
  commands: readonly (readonly string[])[],
  io: Io,
  what: string,
  done: string | undefined,
): Promise<number> {
  for (const [at, command] of commands.entries()) {
    const problem = await run('systemctl', ['--user', ...command]);
    if (problem === undefined) continue;
    const left = commands.slice(at).map((rest) => `  systemctl --user ${rest.join(' ')}`);
    io.say(`not ${what} yet: ${problem}; in a session with systemd run\n${left.join('\n')}`);
    return exit.unavailable;
  }
  if (done) io.say(done);
  return exit.ok;
}

function run(command: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(0, 500);
    });
    child.once('error', () => resolve(`there is no ${command} here`));
    child.once('close', (code) =>
      resolve(code === 0 ? undefined : said.trim().split('\n')[0] || `it ended with ${code}`),
    );
  });
}
