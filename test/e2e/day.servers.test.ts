import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ircPeer } from '../contract/irc.peer.ts';
import { type TestCa, testCa } from '../servers/ca.ts';
import { need, waitFor } from '../servers/process.ts';
import { type Prosody, startProsody } from '../servers/prosody.ts';
import { startTelegramTestApi } from '../servers/telegram-test-api.ts';
import { program } from './build.ts';
import { type Home, isAlive, openHome } from './home.ts';
import {
  type BotApiServer,
  type Inspircd,
  listenXmpp,
  type Ngircd,
  startBotApi,
  startInspircd,
  startNgircd,
  xmppSettings,
} from './servers.ts';

const here = need(
  'a day with accounts of three networks',
  'prosody',
  'go-sendxmpp',
  'inspircd',
  'atheme-services',
  'ngircd',
  'openssl',
);
const dodo = { id: 42, name: 'Dodo', username: 'dodo' };
const PASSPHRASE = 'a passphrase for the file';

describe.skipIf(!here)('a day with accounts of three networks', () => {
  let ca: TestCa;
  let prosody: Prosody;
  let inspircd: Inspircd;
  let ngircd: Ngircd;
  let telegram: BotApiServer;
  let home: Home;
  let libera: Record<string, string>;

  beforeAll(async () => {
    ca = await testCa();
    [prosody, inspircd, ngircd, telegram] = await Promise.all([
      startProsody({
        users: [
          { name: 'alice', password: 'alice-pw' },
          { name: 'bob', password: 'bob-pw' },
          { name: 'carol', password: 'carol-pw' },
        ],
      }),
      startInspircd(ca),
      startNgircd(ca),
      startBotApi({ people: [dodo] }),
    ]);
    await inspircd.register(new Map([['imuxer', 'irc-pw']]));
    await prosody.roster('alice', [{ jid: 'bob@localhost', name: 'Bob', groups: ['Friends'] }]);
    libera = { server: `localhost:${inspircd.ports.tls}`, ca: ca.caFile, nick: 'imuxer', join: '#imux' };
    home = await openHome({
      WORK_PW: 'alice-pw',
      TG_TOKEN: telegram.token,
      WRONG_PW: 'not the password',
      IMUX_PASSPHRASE_COMMAND: `printf %s '${PASSPHRASE}'`,
    });
  });
  afterAll(async () => {
    await home?.end();
    await Promise.all([prosody?.stop(), inspircd?.stop(), ngircd?.stop(), telegram?.stop()]);
    await ca?.remove();
  });

  const settings = (all: Record<string, string>): string[] =>
    Object.entries(all).flatMap(([key, value]) => ['--set', `${key}=${value}`]);

  it('U5 S13 takes each secret in the way that was chosen, and a password in the arguments not at all', async () => {
    writeFileSync(join(ca.folder, 'carol'), 'carol-pw\n');
    const adds: readonly (readonly [string[], string])[] = [
      [['xmpp', 'work', ...settings(xmppSettings(prosody, 'alice')), '--secret-env', 'WORK_PW'], ''],
      [['xmpp', 'home', ...settings(xmppSettings(prosody, 'carol')), '--secret-command', `cat ${ca.folder}/carol`], ''],
      [['irc', 'libera', ...settings(libera), '--secret-stdin', '--secret-file'], 'irc-pw\n'],
      [['irc', 'old', ...settings({ ...libera, server: `localhost:${ngircd.ports.tls}`, nick: 'older' })], ''],
      [['telegram', 'tg', '--set', `api=${telegram.root}`, '--secret-env', 'TG_TOKEN'], ''],
    ];
    for (const [args, stdin] of adds) {
      const { code, stdout, stderr } = await home.imux(['account', 'add', ...args], { stdin });
      expect([args[1], code, stdout], stderr).toEqual([args[1], 0, '']);
    }
    const refused = await home.imux(['account', 'add', 'xmpp', 'x', '--set', 'jid=a@b', '--set', 'password=secret']);
    expect(refused).toMatchObject({ code: 64, stderr: expect.not.stringContaining('password=secret') });
    const file = readFileSync(join(home.path, 'config/accounts.json'), 'utf8');
    for (const secret of ['alice-pw', 'carol-pw', 'irc-pw', telegram.token]) expect(file).not.toContain(secret);
  });

  it('signs all of them in, two of one network side by side, and lists them', async () => {
    for (const name of ['work', 'home', 'libera', 'old', 'tg']) await home.account(name, 'online');
    const { stdout } = await home.imux(['account', 'list']);
    expect(stdout).toMatch(/^work +xmpp +alice@localhost +online$/m);
    expect(stdout).toMatch(/^libera +irc +imuxer +online$/m);
  });

  it('checks an account step by step, and says which step fails', async () => {
    const good = await home.imux(['account', 'check', 'libera']);
    expect(good).toMatchObject({ code: 0, stdout: expect.stringContaining('signed in as imuxer') });
    await home.add('xmpp', 'mistyped', xmppSettings(prosody, 'alice'), 'not the password');
    const bad = await home.imux(['account', 'check', 'mistyped']);
    expect(bad.code).toBe(77);
    expect(bad.stdout).toMatch(/^✓ settings[^✗]*✓ secret[^✗]*✗ sign-in: not let in/);
    await home.account('libera', 'online');
  });

  it('F19 S1 a wrong password fails once, is not tried again, and send says so with 77', async () => {
    await home.account('mistyped', 'failed');
    const tries = (): number => prosody.log().split('Failed authentication').length;
    const before = tries();
    const { code, stderr } = await home.imux(['send', 'mistyped:bob@localhost', '-m', 'x']);
    expect({ code, stderr }).toEqual({ code: 77, stderr: expect.stringContaining('the name or the password') });
    expect(tries()).toBe(before);
    expect((await home.imux(['account', 'remove', 'mistyped'])).code).toBe(0);
    expect((await home.imux(['account', 'show', 'mistyped'])).code).toBe(67);
  });

  it('echo hello | imux send work:bob@localhost arrives at a different XMPP client, and exits 0', async () => {
    const bob = await listenXmpp(prosody, 'bob', 'bob-pw');
    try {
      expect(await home.imux(['send', 'work:bob@localhost'], { stdin: 'hello\n' })).toMatchObject({
        code: 0,
        stdout: '',
        stderr: '',
      });
      await bob.hears('alice@localhost: hello');
    } finally {
      await bob.stop();
    }
  });

  it('a message to a channel, and to a nick, is seen by another IRC client, on both servers', async () => {
    for (const [account, port] of [
      ['libera', inspircd.ports.plain],
      ['old', ngircd.ports.plain],
    ] as const) {
      const peer = await ircPeer(port, '', `peer${account}`);
      peer.write('JOIN #imux');
      await peer.line((line) => / 366 /.test(line));
      expect((await home.imux(['send', `${account}:#imux`, '-m', 'to the room'])).code).toBe(0);
      expect(await peer.heard((text) => text === 'to the room', '#imux')).toBe('to the room');
      expect((await home.imux(['send', `${account}:${peer.nick}`, '--', 'just', 'you'])).code).toBe(0);
      expect(await peer.heard((text) => text === 'just you')).toBe('just you');
      await peer.close();
    }
  });

  it('a Telegram text arrives at the Bot API server as it is, with no parse mode', async () => {
    // A bot learns of a person, and of their name, once they have written to it.
    expect((await home.imux(['send', 'tg:@dodo', '-m', 'x'])).code).toBe(67);
    telegram.say(dodo, 'hello bot');
    await waitFor(async () => (await home.json(['contacts', '--json', '--account', 'tg'])).length > 0);
    expect((await home.imux(['send', 'tg:@dodo', '-m', '*not* <b>markup</b>_'])).code).toBe(0);
    expect(telegram.sent.at(-1)).toMatchObject({ chat: 42, text: '*not* <b>markup</b>_' });
    expect(telegram.calls.filter(({ method }) => method === 'sendMessage').at(-1)?.payload).not.toHaveProperty(
      'parse_mode',
    );
  });

  it('a Telegram text arrives at telegram-test-api, which is not ours', async () => {
    const server = await startTelegramTestApi();
    const token = `123456:${'t'.repeat(35)}`;
    server.tokens.add(token);
    server.people.set(7, { name: 'Lory', username: 'lory' });
    const own = await openHome({ TOKEN: token });
    try {
      await own.add('telegram', 'bot', { api: server.root }, token);
      expect(await own.imux(['send', 'bot:7', '-m', 'hello'])).toMatchObject({ code: 0, stderr: '' });
      const messages = server.server.storage.botMessages.map(({ message }) => message);
      expect(messages).toMatchObject([{ chat_id: 7, text: 'hello' }]);
    } finally {
      await own.end();
      await server.stop();
    }
  });

  it('contacts of all accounts are one list, and a name that one account has is a target', async () => {
    telegram.say(dodo, 'good morning');
    const rows = await waitFor(async () => {
      const all = await home.json(['contacts', '--json']);
      return all.some(({ name, unread }) => name === 'Dodo' && unread === 2) && all;
    });
    expect(rows).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          account: 'work',
          network: 'xmpp',
          target: 'work:bob@localhost',
          groups: ['Friends'],
        }),
        expect.objectContaining({ account: 'libera', network: 'irc', target: 'libera:#imux', kind: 'room' }),
        expect.objectContaining({ account: 'old', network: 'irc', target: 'old:#imux', kind: 'room' }),
        expect.objectContaining({ account: 'tg', network: 'telegram', target: 'tg:@dodo' }),
      ]),
    );
    const rehearsal = await home.imux(['send', '--dry-run', 'Bob', '-m', 'x']);
    expect(rehearsal.stdout).toBe('would send 1 bytes by work (xmpp) to Bob <bob@localhost>\n');
    const only = await home.json(['contacts', '--json', '--account', 'libera']);
    expect(new Set(only.map(({ account }) => account))).toEqual(new Set(['libera']));
    expect((await home.json(['chats', '--unread', '--json'])).map(({ target }) => target)).toContain('tg:@dodo');
    expect((await home.json(['networks', '--json'])).map(({ network }) => network)).toEqual(
      expect.arrayContaining(['xmpp', 'irc', 'telegram']),
    );
  });

  it('watch prints what comes, of the accounts that it was asked for', async () => {
    const watch = home.start(['watch', '--json', '--count', '1', '--account', 'tg', '--timeout', '20']);
    const fronts = async (): Promise<unknown> => (await home.json(['hub', 'status', '--json']))[0]?.fronts;
    // Itself, the watch, and nobody else.
    await waitFor(async () => (await fronts()) === 2);
    const peer = await ircPeer(inspircd.ports.plain, '', 'noise');
    peer.write('PRIVMSG imuxer :not for this watch');
    await peer.close();
    telegram.say(dodo, 'are you there?');
    const { code, stdout } = await watch.done;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ v: 1, type: 'message', account: 'tg', text: 'are you there?' });
  });

  it('S10 watch ends quietly when its reader has enough', async () => {
    const command = `"${process.execPath}" "${program}" watch --json --account tg | head -1; echo "\${PIPESTATUS[0]}"`;
    const piped = promisify(execFile)('bash', ['-c', command], { env: home.env });
    await waitFor(async () => (await home.json(['hub', 'status', '--json']))[0]?.fronts === 2);
    let over = false;
    const ended = piped.finally(() => {
      over = true;
    });
    telegram.say(dodo, 'one');
    // Sooner or later one finds nobody to read it.
    await waitFor(() => over || !telegram.say(dodo, 'more'));
    const { stdout, stderr } = await ended;
    expect(stdout).toMatch(/^\{.*"text":"one".*\}\n0\n$/);
    expect(stderr).toBe('');
  });

  it('an account is changed, switched off and on again while the hub runs', async () => {
    expect((await home.imux(['account', 'set', 'old', '--set', 'nick=changed'])).code).toBe(0);
    await waitFor(async () => (await home.account('old', 'online')).id === 'changed');
    expect((await home.imux(['account', 'disable', 'old'])).code).toBe(0);
    expect(await home.imux(['send', 'old:#imux', '-m', 'x'])).toMatchObject({
      code: 69,
      stderr: expect.stringContaining('switched off'),
    });
    expect((await home.imux(['account', 'enable', 'old'])).code).toBe(0);
    await home.account('old', 'online');
    const [shown] = await home.json(['account', 'show', 'old', '--json']);
    expect(shown).toMatchObject({ account: 'old', settings: { nick: 'changed' } });
    expect((await home.imux(['account', 'set', 'old', '--set', 'nick=two words'])).code).toBe(65);
  });

  it('F2 a server that stops leaves its account waiting with a reason; it comes back by itself, and what was queued goes out once', async () => {
    await prosody.kill();
    expect(await home.account('work', 'waiting')).toMatchObject({ error: { message: expect.any(String) } });
    const queued = await home.imux(['send', '--json', '--wait', 'queued', 'work:bob@localhost', '-m', 'kept for you']);
    expect(queued.code).toBe(0);
    expect(JSON.parse(queued.stdout)).toMatchObject({ state: 'queued' });
    const late = await home.imux(['send', '--timeout', '0.2', 'work:bob@localhost', '-m', 'kept as well']);
    expect(late).toMatchObject({ code: 75, stderr: expect.stringContaining('work') });
    expect((await home.account('tg', 'online')).account).toBe('tg');

    await prosody.start();
    const bob = await listenXmpp(prosody, 'bob', 'bob-pw');
    await home.account('work', 'online', 30_000);
    await bob.hears('kept for you');
    await bob.hears('kept as well');
    await home.imux(['send', 'work:bob@localhost', '-m', 'the last']);
    await bob.hears('the last');
    for (const text of ['kept for you', 'kept as well']) expect(bob.heard().split(text)).toHaveLength(2);
    await bob.stop();
  });

  it('hub start keeps it, status tells of it, stop ends it, and the next verb starts another', async () => {
    expect((await home.imux(['hub', 'start'])).code).toBe(0);
    const pid = await home.hubPid();
    const [status] = await home.json(['hub', 'status', '--json']);
    expect(status).toMatchObject({ type: 'hub', pid, kept: true, queued: 0 });
    expect((await home.imux(['hub', 'stop'])).code).toBe(0);
    await waitFor(() => !isAlive(pid));
    expect(await home.imux(['hub', 'status'])).toMatchObject({ code: 69 });
    expect(await home.imux(['hub', 'stop'])).toMatchObject({ code: 0, stderr: 'imux: no hub is running\n' });
    await home.account('work', 'online');
    expect(await home.hubPid()).not.toBe(pid);
  });

  it('hub run stays in the foreground and ends on SIGTERM', async () => {
    const own = await openHome();
    const hub = own.start(['hub', 'run'], { open: true });
    await waitFor(() => hub.stderr().includes('the hub runs'));
    expect(await own.hubPid()).toBe(hub.pid);
    hub.kill('SIGTERM');
    const { code, ms } = await hub.done;
    expect(code).toBe(0);
    expect(ms).toBeLessThan(5_000);
    await own.end();
  });

  it('F12 S1 a broken accounts file is 78 with its place, and stays as it is', async () => {
    await home.imux(['hub', 'stop']);
    const file = join(home.path, 'config/accounts.json');
    const good = readFileSync(file, 'utf8');
    const broken = good.replace('"accounts"', '"accounts');
    writeFileSync(file, broken);
    const { code, stderr } = await home.imux(['send', 'work:bob@localhost', '-m', 'x']);
    expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringContaining(file) });
    expect(stderr).toMatch(/accounts\.json:\d+:\d+: /);
    expect(readFileSync(file, 'utf8')).toBe(broken);
    writeFileSync(file, good);
    await home.account('work', 'online');
  });
});
