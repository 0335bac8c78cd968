import type { Finding } from '../hub/doctor.ts';
import type { LinkClient } from '../link/client.ts';
import { VERSION } from '../version.ts';
import { terminalFindings } from './doctor-terminal.ts';
import { exit, exitCodeOf } from './exit.ts';
import { jsonLine } from './json.ts';
import { type Io, readArgs, VerbError } from './verb.ts';

export const help = `Usage: imux doctor [NAME…] [--no-hub] [--json]

What is wrong here and what to do about it: folders, socket, archive, accounts file,
keychain, terminal, hub, and each account (or those named) step by step, from the name
of its server to its contact list. An account that is online is left in peace.

      --no-hub   start no hub; accounts are then looked at without signing in
      --json     a finding a line, as JSON

Exit codes: 0 nothing is wrong (there may be warnings); else that of the worst fault:
69 hub or network · 74 disk · 76 protocol or TLS · 77 credentials · 78 accounts file.

Examples:
  imux doctor
  imux doctor work
  imux doctor --json | jq -r 'select(.level == "fault") | .remedy'
`;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals: names } = readArgs(args, { 'no-hub': { type: 'boolean' }, json: { type: 'boolean' } });
  const { examineGround, examineAccounts } = await import('../hub/doctor.ts');
  const codes: number[] = [];
  const report = reporter(values.json ?? false, codes, io);
  const { findings, accounts, broken } = examineGround(io.paths);
  const unknown = names.find((name) => !broken && !accounts.some((account) => account.name === name));
  if (unknown !== undefined) throw new VerbError(exit.noUser, `no account is called "${unknown}"`);
  for (const finding of findings) await report(finding);
  for await (const finding of terminalFindings(io)) await report(finding);
  const hub = await examineHub(io, !values['no-hub'] && !broken && accounts.length > 0);
  for (const finding of hub.findings) await report(finding);
  try {
    const { paths, env, signal } = io;
    const link = broken ? undefined : hub.link;
    for await (const finding of examineAccounts({ paths, env, accounts, names, link, signal })) await report(finding);
  } finally {
    hub.link?.close();
  }
  return Math.max(exit.ok, ...codes);
}

const marks = { ok: '✓', warning: '!', fault: '✗' } as const;

function reporter(json: boolean, codes: number[], io: Io): (finding: Finding) => Promise<void> {
  let about = '';
  return async (finding) => {
    const { area, account, step, level, text, code, remedy } = finding;
    if (level === 'fault') codes.push(code ? exitCodeOf(code) : exit.unavailable);
    if (json) return await io.print(jsonLine({ v: 1, type: 'finding', ...finding }));
    const title = account === undefined ? area : `account ${account}`;
    if (title !== about) await io.print(title);
    about = title;
    await io.print(`  ${marks[level]} ${step}: ${text}`);
    if (remedy) await io.print(`      ${remedy}`);
  };
}

interface HubState {
  readonly findings: readonly Finding[];
  readonly link?: LinkClient;
}

async function examineHub(io: Io, start: boolean): Promise<HubState> {
  const area = 'hub';
  let running = true;
  try {
    const link = await io.hub(false).catch((error: unknown) => {
      running = false;
      if (!start) throw error;
      return io.hub();
    });
    const { imux, pid } = link.hub;
    const told = `${running ? 'runs' : 'started for this'}, version ${imux}, process ${pid}`;
    const old: Finding = {
      area,
      step: 'version',
      level: 'warning',
      text: `the hub is of version ${imux}, this is ${VERSION}`,
      remedy: 'imux hub stop; the next verb starts the new one',
    };
    return { link, findings: [{ area, step: 'process', level: 'ok', text: told }, ...(imux === VERSION ? [] : [old])] };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    // None runs, and none was wanted.
    if (!start && isAbsent(error)) return { findings: [{ area, step: 'process', level: 'ok', text: 'none runs' }] };
    const remedy = `look at hub.log in ${io.paths.data}`;
    return { findings: [{ area, step: 'process', level: 'fault', text, code: 'hub', remedy }] };
  }
}

/** ENOENT or ECONNREFUSED behind a LinkFailure. */
function isAbsent(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Error && 'code' in error.cause;
}
