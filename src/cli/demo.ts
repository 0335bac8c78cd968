import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { enliven } from '../demo/lively.ts';
import type { Stage } from '../demo/stage.ts';
import type { LinkClient } from '../link/client.ts';
import { attachOrStart } from '../link/start.ts';
import { findPaths } from '../paths.ts';
import { type Io, readArgs, usage } from './verb.ts';

export const help = `Usage: imux demo

The screen on small built-in XMPP, IRC and Telegram servers with lively contacts. Nothing
leaves this machine, your own accounts are not touched, and all is gone afterwards.
`;

export async function run(args: readonly string[], io: Io): Promise<number> {
  readArgs(args, {});
  if (!io.stdin.isTTY || !io.stdout.isTTY) throw usage('the demo needs a terminal');
  const home = mkdtempSync(join(tmpdir(), 'imux-demo-'));
  const password = randomBytes(12).toString('hex');
  const token = `1000:${randomBytes(20).toString('hex')}`.slice(0, 40);
  const { ircStage, telegramStage, xmppStage } = await import('../demo/stages.ts');
  const stages = await Promise.all([xmppStage(password), ircStage(password), telegramStage(token)]);
  const calm: (() => void)[] = [];
  // The hub that is started below inherits them.
  Object.assign(process.env, { IMUX_HOME: home, IMUX_DEMO_PASSWORD: password, IMUX_DEMO_TOKEN: token });
  delete process.env.IMUX_PROFILE;
  const paths = findPaths(process.env, '');
  try {
    const link = await attachOrStart(paths, 'demo');
    await enlivenOnceOnline(link, stages, calm);
    await addAccounts(link, stages);
    const { openScreen } = await import('../tui/index.ts');
    const connect = (): Promise<LinkClient> => attachOrStart(paths, 'demo');
    const code = await openScreen({ connect, stdin: io.stdin, stdout: io.stdout, signal: io.signal });
    await stopHub(link);
    return code;
  } finally {
    for (const stop of calm) stop();
    await Promise.all(stages.map((stage) => stage.stop()));
    rmSync(home, { recursive: true, force: true });
  }
}

/** Nobody speaks before there is somebody to hear it. */
async function enlivenOnceOnline(link: LinkClient, stages: readonly Stage[], calm: (() => void)[]): Promise<void> {
  const asleep = new Set(stages);
  link.on('changes', (changes) => {
    for (const change of changes) {
      if (change.type !== 'account' || change.account.state !== 'online') continue;
      for (const stage of asleep) {
        if (stage.account.name !== change.account.account) continue;
        asleep.delete(stage);
        calm.push(enliven(stage));
      }
    }
  });
  await link.call('subscribe', { only: ['account'], snapshot: false });
}

async function addAccounts(link: LinkClient, stages: readonly Stage[]): Promise<void> {
  for (const { account } of stages) {
    const { network, name, settings, secretField, secret } = account;
    const variable = secretField === 'token' ? 'IMUX_DEMO_TOKEN' : 'IMUX_DEMO_PASSWORD';
    const secrets = secretField && secret ? { [secretField]: { kind: 'env', variable } as const } : {};
    await link.call('accounts.add', { network, name, settings, secrets });
  }
}

/** Resolves when it has gone, so that its folder can go too. */
async function stopHub(link: LinkClient): Promise<void> {
  const gone = new Promise<void>((resolve) => link.on('closed', () => resolve()));
  await link.call('hub.stop', {}).catch(() => undefined);
  await gone;
  // It closes its files after its socket.
  for (let tries = 0; tries < 200 && isAlive(link.hub.pid); tries++) await sleep(10);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
