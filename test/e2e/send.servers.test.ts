import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeServer } from '../adapters/xmpp/fake-server.ts';
import { ircPeer } from '../contract/irc.peer.ts';
import { type TestCa, testCa } from '../servers/ca.ts';
import { freePort, need, waitFor } from '../servers/process.ts';
import { type Prosody, startProsody } from '../servers/prosody.ts';
import { program } from './build.ts';
import { type Home, openHome } from './home.ts';
import {
  type BotApiServer,
  type Listener,
  listenXmpp,
  type Ngircd,
  startBotApi,
  startNgircd,
  xmppSettings,
} from './servers.ts';

const here = need('the exit codes of send', 'prosody', 'go-sendxmpp', 'ngircd', 'openssl');
const root = process.getuid?.() === 0;

describe.skipIf(!here)('S1 the exit code of imux send', () => {
  let ca: TestCa;
  let prosody: Prosody;
  let ngircd: Ngircd;
  let telegram: BotApiServer;
  let bob: Listener;
  let home: Home;

  beforeAll(async () => {
    ca = await testCa();
    [prosody, ngircd, telegram] = await Promise.all([
      startProsody({
        users: [
          { name: 'alice', password: 'alice-pw' },
          { name: 'bob', password: 'bob-pw' },
        ],
      }),
      startNgircd(ca),
      startBotApi({ people: [dodo] }),
    ]);
    await prosody.roster('alice', [{ jid: 'bob@localhost', name: 'Bob' }]);
    home = await openHome({ PW: 'alice-pw', WRONG: 'wrong', TOKEN: telegram.token });
    await home.add('xmpp', 'work', xmppSettings(prosody, 'alice'), 'alice-pw');
    await home.add('irc', 'irc', { server: `localhost:${ngircd.ports.tls}`, ca: ca.caFile, nick: 'imuxer' });
    await home.add('telegram', 'tg', { api: telegram.root }, telegram.token);
    bob = await listenXmpp(prosody, 'bob', 'bob-pw');
    telegram.say(dodo, 'hello bot');
    for (const account of ['work', 'irc', 'tg']) await home.account(account, 'online');
    await waitFor(async () => (await home.json(['contacts', '--json', '--account', 'tg'])).length > 0);
  });
  afterAll(async () => {
    await bob?.stop();
    await home?.end();
    await Promise.all([prosody?.stop(), ngircd?.stop(), telegram?.stop()]);
    await ca?.remove();
  });

  const send = (target: string, ...more: readonly string[]) => home.imux(['send', target, '-m', 'x', ...more]);
  /** The code, and the one line on stderr that says why. */
  const ends = async (sending: ReturnType<Home['imux']>, code: number, why: RegExp = /./): Promise<void> => {
    const { code: actual, stdout, stderr } = await sending;
    expect({ code: actual, stdout }, stderr).toEqual({ code, stdout: '' });
    expect(stderr).toMatch(why);
    expect(stderr).toMatch(/^imux.*\n/);
    expect(stderr).not.toMatch(/\bat .*\.js:|Error:/);
  };

  it('0: the server of each network accepted it', async () => {
    for (const target of ['work:bob@localhost', 'irc:imuxer', 'tg:@dodo'])
      expect(await send(target)).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  it('64: no target, no such option, a file where the network has none, no text and nobody to pipe it', async () => {
    await ends(home.imux(['send']), 64, /no target/);
    await ends(home.imux(['send', '--nonsense', 'work:bob@localhost']), 64, /nonsense/);
    await ends(home.imux(['send', '--file', join(ca.folder, 'ca.crt'), 'irc:imuxer']), 64, /cannot send files/);
    await ends(send('work:bob@localhost', '--wait', 'never'), 64, /queued, accepted or delivered/);
  });

  it('S7 65: bad UTF-8, NUL, nothing, or a control character; nothing goes out', async () => {
    const before = bob.heard();
    for (const stdin of [Buffer.from([0x68, 0xff, 0x69]), 'a\0b', '', '\n', 'a\x1b[31mb'])
      await ends(home.imux(['send', 'work:bob@localhost'], { stdin }), 65, /text/);
    expect(bob.heard()).toBe(before);
  });

  it('S8 65: too long, unless --split sends it in parts', async () => {
    const stdin = `${'long '.repeat(999)}ends.`;
    const before = telegram.sent.length;
    await ends(home.imux(['send', 'tg:@dodo'], { stdin }), 65, /too long .* --split/);
    expect(telegram.sent).toHaveLength(before);
    expect((await home.imux(['send', '--split', 'tg:@dodo'], { stdin })).code).toBe(0);
    // The blank at the cut goes: Telegram takes blanks off both ends.
    expect(telegram.sent.slice(before).map(({ text }) => text.length)).toEqual([4094, 905]);
  });

  it('65: a target that can be no address of its network', async () => {
    for (const target of ['work:@@', 'work:a b@localhost', 'irc:two words', 'irc:#a,b', 'tg:no address', 'work:', ''])
      await ends(send(target), 65);
  });

  it('65: a name that two accounts have; both are named, and neither gets it', async () => {
    await home.add('loopback', 'one', {});
    await home.add('loopback', 'two', {});
    for (const account of ['one', 'two']) await home.account(account, 'online');
    await ends(send('echo'), 65, /one:echo\n.*two:echo/);
    for (const account of ['one', 'two']) await home.imux(['account', 'remove', account]);
  });

  it('67: no such contact or room, on each network, and no such name or account', async () => {
    for (const target of [
      'work:nobody@localhost',
      'work:none@conference.localhost',
      'irc:nobody',
      'tg:4711',
      'tg:@alice',
    ])
      await ends(send(target), 67);
    await ends(send('Nobody of that name'), 67, /no contact or room is called/);
    await ends(send('nowhere:bob@localhost'), 67, /no account is called "nowhere"/);
  });

  it("68: DNS knows no such host, of the account's server", async () => {
    await home.add('xmpp', 'gone', { jid: 'alice@im.invalid' }, 'alice-pw');
    await home.add('irc', 'irc-gone', { server: 'irc.invalid', nick: 'x' });
    await home.add('telegram', 'tg-gone', { api: 'https://api.invalid' }, telegram.token);
    await Promise.all(
      ['gone:bob@im.invalid', 'irc-gone:bob', 'tg-gone:1'].map((target) =>
        ends(send(target, '--timeout', '3'), 68, /no (such )?host|no host/),
      ),
    );
    for (const account of ['gone', 'irc-gone', 'tg-gone']) await home.imux(['account', 'remove', account]);
  });

  it('69: nobody listens at the server, or the account is switched off', async () => {
    await home.add('xmpp', 'down', { jid: 'alice@localhost', server: '127.0.0.1:1' }, 'alice-pw');
    await ends(send('down:bob@localhost', '--timeout', '0.5'), 69, /down is not online: .*ECONNREFUSED/);
    await home.imux(['account', 'disable', 'down']);
    await ends(send('down:bob@localhost'), 69, /switched off/);
    await home.imux(['account', 'remove', 'down']);
  });

  it('69: the hub cannot start', async () => {
    const own = await openHome();
    mkdirSync(own.path, { recursive: true });
    writeFileSync(join(own.path, 'data'), 'a file in place of the folder');
    const { code, stderr } = await own.imux(['send', 'work:a@b', '-m', 'x']);
    expect(code, stderr).toBe(69);
    rmSync(join(own.path, 'data'));
    await own.end();
  });

  it('S4 75: the time is up, and what waits is said to be queued', async () => {
    const silent = createServer(() => {});
    const port = await listen(silent);
    await home.add('xmpp', 'slow', { jid: 'alice@localhost', server: `127.0.0.1:${port}` }, 'alice-pw');
    await ends(send('slow:bob@localhost', '--timeout', '0.3'), 75, /slow did not come online in time/);
    await home.imux(['account', 'remove', 'slow']);
    silent.close();
  });

  it('S4 75: the network asks to wait, and the text goes out once after that', async () => {
    const flood = {
      kind: 'status',
      status: 429,
      description: 'Too Many Requests',
      parameters: { retry_after: 2 },
    } as const;
    const before = telegram.sent.length;
    telegram.fail('sendMessage', flood);
    await ends(home.imux(['send', 'tg:@dodo', '-m', 'patience', '--timeout', '0.5']), 75);
    await waitFor(() => telegram.sent.length > before, { timeoutMs: 10_000 });
    expect(telegram.sent.slice(before).map(({ text }) => text)).toEqual(['patience']);
  });

  it('T6 S4 75: it may have gone out; it is called unknown and not sent again', async () => {
    const before = telegram.sent.length;
    telegram.fail('sendMessage', { kind: 'drop' });
    const { code, stdout } = await home.imux(['send', '--json', 'tg:@dodo', '-m', 'perhaps']);
    expect(JSON.parse(stdout)).toMatchObject({ type: 'receipt', state: 'unknown', account: 'tg' });
    expect(code).toBe(75);
    expect((await send('tg:@dodo')).code).toBe(0);
    expect(telegram.sent.slice(before).map(({ text }) => text)).toEqual(['perhaps', 'x']);
  });

  it('X10 76: a certificate that nobody vouches for, on XMPP and IRC', async () => {
    await home.add('xmpp', 'forged', { jid: 'alice@localhost', server: `127.0.0.1:${prosody.ports.c2s}` }, 'alice-pw');
    await home.add('irc', 'irc-forged', { server: `localhost:${ngircd.ports.tls}`, nick: 'x' });
    await ends(send('forged:bob@localhost', '--timeout', '2'), 76, /certificate .* authority is not known/);
    await ends(send('irc-forged:bob', '--timeout', '2'), 76, /certificate/);
    for (const account of ['forged', 'irc-forged']) await home.imux(['account', 'remove', account]);
  });

  it('X9 L3 76: STARTTLS was stripped; no byte of a sign-in is sent', async () => {
    const stripped = await fakeServer(async (client) => {
      await client.open(
        `<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>`,
      );
      await client.gone;
    });
    await home.add('xmpp', 'bare', { jid: 'alice@localhost', server: `127.0.0.1:${stripped.port}` }, 'alice-pw');
    await ends(send('bare:bob@localhost', '--timeout', '2'), 76, /offers no TLS/);
    expect(stripped.clients.length).toBeGreaterThan(0);
    for (const client of stripped.clients) expect(client.received()).not.toMatch(/<auth|alice-pw|AGFsaWNl/);
    await home.imux(['account', 'remove', 'bare']);
    await stripped.stop();
  });

  it('77: wrong password on XMPP, a token that was revoked, and a place where one may not write', async () => {
    await home.add('xmpp', 'wrong', xmppSettings(prosody, 'alice'), 'wrong');
    await ends(send('wrong:bob@localhost'), 77, /refused the name or the password/);
    telegram.fail('sendMessage', {
      kind: 'status',
      status: 403,
      description: 'Forbidden: bot was blocked by the user',
    });
    await ends(send('tg:@dodo'), 77, /they have blocked this bot/);
    const owner = await ircPeer(ngircd.ports.plain, '', 'owner');
    owner.write('JOIN #closed');
    owner.write('MODE #closed +i');
    await owner.line((line) => / MODE #closed \+i/.test(line));
    await ends(send('irc:#closed'), 77, /invited people only/);
    await owner.close();
    await home.imux(['account', 'remove', 'wrong']);
  });

  it('S6 of several targets: the worst, each with a line of its own; 75 where one may still go out', async () => {
    const { code, stdout, stderr } = await home.imux([
      'send',
      '--json',
      'work:bob@localhost',
      'irc:nobody',
      'tg:@dodo',
      '-m',
      'to several',
    ]);
    const states = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).state);
    expect({ code, states }).toEqual({ code: 67, states: ['accepted', 'failed', 'accepted'] });
    expect(stderr.trim().split('\n')).toHaveLength(1);
    await bob.hears('to several');
    const first = await home.imux(['send', '--fail-fast', 'irc:nobody', 'work:bob@localhost', '-m', 'never sent']);
    expect(first.code).toBe(67);
    await send('work:bob@localhost');
    expect(bob.heard()).not.toContain('never sent');
  });

  it('S2 --wait tells queued, accepted and delivered apart', async () => {
    const state = async (wait: string, ...more: readonly string[]): Promise<unknown> =>
      JSON.parse((await send('work:bob@localhost', '--json', '--wait', wait, ...more)).stdout).state;
    expect(['queued', 'sent', 'accepted']).toContain(await state('queued'));
    expect(await state('accepted')).toBe('accepted');
    // go-sendxmpp sends no receipts: the server has it, and nobody says that the person does.
    await ends(send('work:bob@localhost', '--wait', 'delivered', '--timeout', '0.5'), 75, /not delivered in time/);
  });

  it('S9 130 and 143: interrupted while it reads, nothing is sent; afterwards the code tells', async () => {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const reading = home.start(['send', '--lines', 'work:bob@localhost'], { open: true });
      reading.write(`before ${signal}\nhalf of a`);
      await bob.hears(`before ${signal}`);
      reading.kill(signal);
      expect((await reading.done).code).toBe(code);
      const waiting = home.start(['send', '--wait', 'delivered', 'work:bob@localhost', '-m', `with ${signal}`]);
      await bob.hears(`with ${signal}`);
      waiting.kill(signal);
      expect((await waiting.done).code).toBe(code);
    }
    expect(bob.heard()).not.toContain('half of a');
  });

  it('S10 a reader that has enough ends it quietly', async () => {
    const command = `"$NODE" "$IMUX" networks --json | head -1`;
    const { status, stdout, stderr } = inShell(command);
    expect({ status, lines: stdout.trim().split('\n').length, stderr }).toEqual({ status: 0, lines: 1, stderr: '' });
    const piped = inShell(`"$NODE" "$IMUX" networks --json | (exec 0<&-; sleep 0.5); echo "\${PIPESTATUS[0]}"`);
    expect(piped.stdout.trim()).toBe('0');
    expect(piped.stderr).toBe('');
  });

  const inShell = (command: string) =>
    spawnSync('bash', ['-c', command], {
      encoding: 'utf8',
      env: { ...home.env, NODE: process.execPath, IMUX: program },
    });

  it.skipIf(!root)('F6 74: the disk is full; nothing goes out, and it works again when there is space', async () => {
    const own = await openHome({ PW: 'alice-pw' });
    mkdirSync(own.path, { recursive: true, mode: 0o700 });
    run('mount', '-t', 'tmpfs', '-o', 'size=3m,mode=0700', 'tmpfs', own.path);
    try {
      await own.add('xmpp', 'small', xmppSettings(prosody, 'alice'), 'alice-pw');
      await own.account('small', 'online');
      fill(own.path);
      const stdin = `no room ${'y'.repeat(100_000)}`;
      const full = await own.imux(['send', 'small:bob@localhost'], { stdin });
      expect(full).toMatchObject({ code: 74, stderr: expect.stringMatching(/disk|space/i) });
      rmSync(join(own.path, 'ballast'));
      expect((await own.imux(['send', 'small:bob@localhost', '-m', 'room again'])).code).toBe(0);
      await bob.hears('room again');
      expect(bob.heard()).not.toContain('no room');
    } finally {
      await own.imux(['hub', 'stop']);
      run('umount', '-l', own.path);
      await own.end();
    }
  });
});

const dodo = { id: 42, name: 'Dodo', username: 'dodo' };

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

/** Takes all that is left of a file system. */
function fill(folder: string): void {
  for (const size of [65_536, 4_096, 512]) {
    try {
      for (;;) writeFileSync(join(folder, 'ballast'), Buffer.alloc(size), { flag: 'a' });
    } catch {
      // Full, for pieces of that size.
    }
  }
}

async function listen(server: Server): Promise<number> {
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return port;
}
