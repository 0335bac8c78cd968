import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type IrcServer, startIrcServer } from '../../src/demo/irc-server.ts';
import { startXmppServer, type XmppServer } from '../../src/demo/xmpp-server.ts';
import { need, type TempDir, tempDir, waitFor } from '../servers/process.ts';
import { openTerminal } from './terminal.ts';

const run = promisify(execFile);
const examples = fileURLToPath(new URL('../../docs/examples/', import.meta.url));
const program = fileURLToPath(new URL('../../bin/imux.ts', import.meta.url));
const alice = 'work:alice@localhost';

let dir: TempDir;
let xmpp: XmppServer;
let irc: IrcServer;
let env: NodeJS.ProcessEnv;
/** What the networks heard: `NETWORK TARGET TEXT`. */
const heard: string[] = [];
const children = new Set<ChildProcess>();

/** A person's machine: `imux` in PATH, an account on a small XMPP server and one on a small IRC server, a hub that stays. */
beforeAll(async () => {
  dir = await tempDir('examples');
  mkdirSync(join(dir.path, 'bin'));
  const shim = join(dir.path, 'bin', 'imux');
  writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  chmodSync(shim, 0o755);
  env = {
    ...process.env,
    PATH: `${join(dir.path, 'bin')}:${process.env.PATH}`,
    HOME: dir.path,
    IMUX_HOME: join(dir.path, 'h'),
    PASSWORD: 'pw',
  };
  await startXmpp(0);
  irc = await startIrcServer({ people: [{ nick: 'bob' }], channels: [{ name: '#ops', members: ['bob'] }] });
  irc.onMessage((_, to, text) => heard.push(`irc ${to} ${text}`));
  const set = (...pairs: readonly string[]): readonly string[] => pairs.flatMap((pair) => ['--set', pair]);
  await imux('hub', 'start');
  await imux(
    'account',
    'add',
    'xmpp',
    'work',
    ...set('jid=me@localhost', `server=127.0.0.1:${xmpp.port}`, 'tls=none'),
    '--secret-env',
    'PASSWORD',
  );
  await imux('account', 'add', 'irc', 'net', ...set(`server=127.0.0.1:${irc.port}`, 'tls=off', 'nick=me', 'join=#ops'));
  await waitFor(async () => {
    const { stdout } = await imux('account', 'list', '--json');
    return stdout
      .trim()
      .split('\n')
      .every((line) => JSON.parse(line).state === 'online');
  });
}, 60_000);

async function startXmpp(port: number): Promise<void> {
  const users = [{ name: 'me', password: 'pw' }];
  const contact = { jid: 'alice@localhost', name: 'Alice', groups: [], subscription: 'both' as const };
  xmpp = await startXmppServer({ users, roster: { me: [contact] }, port });
  xmpp.onMessage((_, to, text) => heard.push(`xmpp ${to} ${text}`));
}

afterEach(() => {
  for (const child of children) if (child.pid !== undefined) process.kill(-child.pid);
  children.clear();
});
afterAll(async () => {
  await imux('hub', 'stop').catch(() => {});
  await xmpp.stop();
  await irc.stop();
  await dir.remove();
});

const imux = (...args: readonly string[]): Promise<{ stdout: string }> => run('imux', args, { env });

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function example(name: string, ...args: readonly string[]): Promise<Ended> {
  return await run(join(examples, name), args, { env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

/** One that runs until the test ends it. */
function start(name: string, ...args: readonly string[]): void {
  const child = spawn(join(examples, name), args, { env, stdio: ['ignore', 'ignore', 'inherit'], detached: true });
  children.add(child);
  child.once('exit', () => children.delete(child));
}

const times = (line: string): number => heard.filter((each) => each === line).length;

describe('the examples', () => {
  it('ci-notify.sh tells a room how a job ended, once', async () => {
    expect(await example('ci-notify.sh', 'net:#ops', '17', 'green')).toMatchObject({ code: 0 });
    expect(await example('ci-notify.sh', 'net:#ops', '17', 'green')).toMatchObject({ code: 0 });
    await waitFor(() => times('irc #ops job 17: green') > 0);
    expect(times('irc #ops job 17: green')).toBe(1);
  });

  it('ci-notify.sh fails where it never can arrive, and not where it only is late', async () => {
    expect(await example('ci-notify.sh', 'nobody', '18', 'green')).toMatchObject({ code: 67 });
    const { port } = xmpp;
    await xmpp.stop();
    expect(await example('ci-notify.sh', alice, '19', 'red', '0.5')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`queued: ${alice}`),
    });
    await startXmpp(port);
    await waitFor(() => times('xmpp alice@localhost job 19: red') === 1, { timeoutMs: 30_000 });
  }, 60_000);

  it('approve.sh goes on only with a yes', async () => {
    const answers = ['yes', 'rather not'];
    const stop = xmpp.onMessage((_, to, text) => {
      if (text.startsWith('Deploy')) xmpp.say(to, 'me@localhost', answers.shift() ?? '');
    });
    expect(await example('approve.sh', alice, 'Deploy')).toMatchObject({ code: 0, stdout: `approved by ${alice}\n` });
    expect(await example('approve.sh', alice, 'Deploy')).toMatchObject({
      code: 1,
      stderr: 'not approved: rather not\n',
    });
    stop();
    expect(await example('approve.sh', alice, 'Deploy', '0.5')).toMatchObject({ code: 75, stdout: '' });
  });

  it('tail-to-room.sh sends what is new in a log, line by line', async () => {
    const log = join(dir.path, 'app.log');
    writeFileSync(log, 'old error\n');
    start('tail-to-room.sh', log, alice, 'error');
    await waitFor(() => {
      appendFileSync(log, 'an error\na note\n');
      return times('xmpp alice@localhost an error') > 0;
    });
    expect([times('xmpp alice@localhost old error'), times('xmpp alice@localhost a note')]).toEqual([0, 0]);
  });

  it.skipIf(!need('the examples', 'jq'))('bot.sh answers a person and a room, and no program', async () => {
    start('bot.sh', 'net');
    // It is the second front, beside the one that asks.
    await waitFor(async () => JSON.parse((await imux('hub', 'status', '--json')).stdout).fronts > 1);
    irc.say('bob', 'me', '!say ready');
    await waitFor(() => times('irc bob ready') > 0);
    irc.notice('bob', '#ops', '!say never');
    irc.say('bob', '#ops', "!say $(date) 'as it is' \\n");
    await waitFor(() => times("irc #ops $(date) 'as it is' \\\\n") === 1);
    irc.say('bob', '#ops', '!uptime');
    await waitFor(() => heard.some((line) => line.startsWith('irc #ops') && line.includes('load average')));
    expect(heard.join('\n')).not.toContain('never');
    expect(readFileSync(join(examples, 'bot.sh'), 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(20);
  });

  it.skipIf(!need('the examples', 'jq'))('on-mention.sh, a hook, answers where somebody says the name', async () => {
    const path = join(dir.path, 'h', 'config', 'accounts.json');
    const hooks = [{ run: [join(examples, 'on-mention.sh')], on: ['mention'], words: ['status'] }];
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), hooks }));
    irc.say('bob', '#ops', 'status of the others?');
    irc.notice('bob', '#ops', 'me: status');
    irc.say('bob', '#ops', 'me: status?');
    await waitFor(() => times('irc #ops all is well here') > 0);
    irc.say('bob', '#ops', 'me: and the status now?');
    await waitFor(() => times('irc #ops all is well here') === 2);
  });

  it.skipIf(!need('the examples', 'tmux'))('tmux.conf shows what is unread in a real tmux', async () => {
    const tmux = ['-S', join(dir.path, 'tmux.sock'), '-f', join(examples, 'tmux.conf')];
    xmpp.say('alice@localhost', 'me@localhost', 'are you there?');
    const terminal = openTerminal('tmux', [...tmux, 'new-session', 'sleep 100'], { env: { ...env, TMUX: '' } });
    try {
      await terminal.shows(/[1-9]\d* unread, \d+ for you/, 20_000);
    } finally {
      await run('tmux', [...tmux, 'kill-server']);
    }
  });
});
