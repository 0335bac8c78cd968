import type { EventLine } from '../hub/hooks.ts';
import { exit } from './exit.ts';
import { accountJson, changeJson, jsonLine } from './json.ts';
import { type Io, readArgs, usage } from './verb.ts';

export const help = `Usage: imux hub run|start|stop|status|install|uninstall [--json]

The background process that holds the accounts online. The screen and the verbs start
it by themselves; it then ends a while after the last of them has left.

  run        in the foreground, for systemd and the like; stays until stopped
  start      in the background, and stays until stopped
  stop       signs out and ends
  status     who is online, since when, how much memory
  install    writes a systemd user unit and starts it: the hub then comes with your session
  uninstall  stops it and removes the unit

Example:
  imux hub status --json | jq .accounts
`;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = readArgs(args, { json: { type: 'boolean' }, 'on-demand': { type: 'boolean' } });
  const [what, ...more] = positionals;
  if (more.length > 0) throw usage(`what is "${more[0]}"?`);
  switch (what) {
    case 'run':
      return await runHere(values['on-demand'] ?? false, io);
    case 'start':
      return await start(io);
    case 'stop':
      return await stop(io);
    case 'status':
      return await status(values.json ?? false, io);
    case 'install':
      return await (await import('./hub-unit.ts')).install(io);
    case 'uninstall':
      return await (await import('./hub-unit.ts')).uninstall(io);
    default:
      throw usage('it is: hub run, start, stop, status, install or uninstall');
  }
}

async function runHere(onDemand: boolean, io: Io): Promise<number> {
  const { openHub } = await import('../hub/hub.ts');
  const hub = await openHub({ paths: io.paths, onDemand, eventLine });
  if (!onDemand) io.say(`the hub runs; ${io.paths.run}/hub.sock`);
  io.signal.addEventListener('abort', () => void hub.stop());
  await hub.ended;
  return exit.ok;
}

/** What a hook gets on its standard input. */
const eventLine: EventLine = (change, contact) => {
  const json = changeJson(change, contact);
  return json && jsonLine(json);
};

async function start(io: Io): Promise<number> {
  const link = await io.hub();
  try {
    await link.call('hub.keep', { keep: true });
    io.say(`the hub runs, process ${link.hub.pid}`);
    return exit.ok;
  } finally {
    link.close();
  }
}

async function stop(io: Io): Promise<number> {
  const { LinkFailure } = await import('../link/client.ts');
  try {
    const link = await io.hub(false);
    const gone = new Promise<void>((resolve) => link.on('closed', () => resolve()));
    await link.call('hub.stop', {});
    await gone;
    return exit.ok;
  } catch (error) {
    if (!(error instanceof LinkFailure) || error.cause === undefined) throw error;
    io.say('no hub is running');
    return exit.ok;
  }
}

async function status(json: boolean, io: Io): Promise<number> {
  const link = await io.hub(false);
  try {
    const now = await link.call('hub.status', {});
    if (json) {
      const { accounts, ...rest } = now;
      await io.print(jsonLine({ v: 1, type: 'hub', ...rest, accounts: accounts.map(accountJson) }));
      return exit.ok;
    }
    const since = new Date(now.startedAt).toLocaleString();
    await io.print(
      `hub ${now.imux}, process ${now.pid}, since ${since}, ${Math.round(now.memoryBytes / 1024 / 1024)} MB`,
    );
    await io.print(
      `${now.fronts} front${now.fronts === 1 ? '' : 's'}, ${now.queued} queued${now.kept ? ', stays until stopped' : ''}`,
    );
    for (const account of now.accounts) {
      const why = account.error ? `: ${account.error.message}` : '';
      await io.print(`${account.account} (${account.network}) ${account.state}${why}`);
    }
    return exit.ok;
  } finally {
    link.close();
  }
}
