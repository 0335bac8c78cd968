import { afterEach, describe, expect, it } from 'vitest';
import type { AccountView, NetworkView } from '../../src/link/messages.ts';
import { type FakeHub, fakeHub, Refusal } from './fake-hub.ts';
import { imux } from './run.ts';

const CANARY = 'cänary-42';

const networks: readonly NetworkView[] = [
  {
    network: 'xmpp',
    title: 'XMPP',
    fields: [
      { key: 'jid', label: 'Address', hint: 'alice@example.org' },
      { key: 'password', label: 'Password', secret: true },
      { key: 'tls', label: 'TLS', optional: true, choices: ['auto', 'direct'], preset: 'auto' },
    ],
    can: ['contacts'],
    cannot: ['voice'],
    addressExample: 'alice@example.org',
  },
  {
    network: 'irc',
    title: 'IRC',
    fields: [
      { key: 'nick', label: 'Nick' },
      { key: 'password', label: 'Password', secret: true, optional: true },
      { key: 'server-password', label: "Server's password", secret: true, optional: true },
    ],
    can: ['channels'],
    cannot: [],
    addressExample: '#imux',
  },
];

const view = (account: string, more: Partial<AccountView> = {}): AccountView => ({
  account,
  network: 'xmpp',
  id: 'alice@example.org',
  state: 'online',
  enabled: true,
  presence: 'online',
  abilities: [],
  ...more,
});

let hub: FakeHub | undefined;
afterEach(() => hub?.close());

async function serving(): Promise<FakeHub> {
  const now = await fakeHub({
    networks: () => ({ networks }),
    'accounts.list': () => ({
      accounts: [
        view('work'),
        view('libera', {
          network: 'irc',
          id: '',
          state: 'failed',
          error: { code: 'auth', message: 'wrong password' },
        }),
        view('old', { enabled: false, state: 'offline' }),
      ],
    }),
    'accounts.add': ({ name, network, secrets }) => ({
      account: view(name, { network, state: 'connecting' }),
      kept: Object.fromEntries(Object.keys(secrets).map((key) => [key, 'keychain, service "imux"'])),
    }),
    'accounts.show': ({ account }) => {
      if (account !== 'work') throw new Refusal({ code: 'not-found', message: `no account is called "${account}"` });
      return {
        account: view('work'),
        settings: { jid: 'alice@example.org' },
        secrets: { password: 'command: pass show work' },
      };
    },
    'accounts.set': ({ account }) => ({ account: view(account) }),
    'accounts.remove': () => ({}),
    'accounts.enable': ({ account, enabled }) => ({ account: view(account, { enabled }) }),
    'accounts.check': ({ account }) =>
      account === 'work'
        ? { ok: true, steps: [{ step: 'sign-in', ok: true, text: 'signed in as alice' }] }
        : {
            ok: false,
            steps: [
              { step: 'settings', ok: true, text: 'fine' },
              { step: 'sign-in', ok: false, text: 'not let in: wrong password', code: 'auth' },
            ],
          },
  });
  hub = now;
  return now;
}

const sent = (now: FakeHub, method: string): unknown => now.calls.find((call) => call.method === method)?.params;

describe('imux account add', () => {
  it('hands on settings and where the secret is', async () => {
    const now = await serving();
    const args = ['account', 'add', 'xmpp', 'work', '--set', 'jid=alice@example.org', '--set', 'tls=direct'];
    const { code, stderr } = await imux([...args, '--secret-command', 'pass show work'], { home: now.home });
    expect(stderr).toBe(
      'imux: password: keychain, service "imux"\nimux: work (xmpp) is added\nimux: imux account check work tells whether it can sign in\n',
    );
    expect(code).toBe(0);
    expect(sent(now, 'accounts.add')).toEqual({
      network: 'xmpp',
      name: 'work',
      settings: { jid: 'alice@example.org', tls: 'direct' },
      secrets: { password: { kind: 'command', command: 'pass show work' } },
    });
  });

  it.each([
    [[], { kind: 'given', secret: CANARY }],
    [['--secret-file'], { kind: 'given', secret: CANARY, into: 'file' }],
  ])('S13 takes the secret from the first line of standard input: %j', async (more, source) => {
    const now = await serving();
    const args = ['account', 'add', 'xmpp', 'work', '--set', 'jid=a@b', '--secret-stdin', ...more];
    const { code, stdout, stderr } = await imux(args, { home: now.home, stdin: `${CANARY}\nuser: alice\n` });
    expect(code).toBe(0);
    expect(sent(now, 'accounts.add')).toMatchObject({ secrets: { password: source } });
    expect(stdout + stderr).not.toContain(CANARY);
  });

  it('takes the environment variable that the hub is to read, for the secret that is named', async () => {
    const now = await serving();
    const args = [
      'account',
      'add',
      'irc',
      'net',
      '--set',
      'nick=al',
      '--secret-env',
      'IRC_PASS',
      '--secret-key',
      'server-password',
    ];
    expect((await imux(args, { home: now.home })).code).toBe(0);
    expect(sent(now, 'accounts.add')).toMatchObject({
      secrets: { 'server-password': { kind: 'env', variable: 'IRC_PASS' } },
    });
  });

  it('prints the account as JSON', async () => {
    const now = await serving();
    const { stdout } = await imux(['account', 'add', 'irc', 'net', '--set', 'nick=al', '--json'], { home: now.home });
    expect(JSON.parse(stdout)).toEqual({
      v: 1,
      type: 'account',
      account: 'net',
      network: 'irc',
      id: 'alice@example.org',
      state: 'connecting',
      enabled: true,
    });
  });

  it.each<[string, readonly string[], RegExp]>([
    ['no network', [], /network is missing; there are xmpp, irc/],
    ['an unknown network', ['icq', 'x'], /no network "icq"; there are xmpp, irc/],
    ['no name', ['xmpp'], /name of the account is missing/],
    ['what is missing, all at once', ['xmpp', 'work'], /xmpp needs --set jid=… and --secret-stdin too/],
    ['an unknown setting', ['xmpp', 'work', '--set', 'jdi=x'], /no setting "jdi"; it has jid, tls/],
    ['no KEY=VALUE', ['xmpp', 'work', '--set', 'jid'], /takes KEY=VALUE/],
    ['two ways at once', ['xmpp', 'w', '--set', 'jid=a@b', '--secret-stdin', '--secret-env', 'X'], /in one way/],
    [
      'an unknown secret',
      ['irc', 'w', '--set', 'nick=a', '--secret-env', 'X', '--secret-key', 'pin'],
      /no secret "pin"; it has password, server-password/,
    ],
    [
      'a file for a command',
      ['irc', 'w', '--set', 'nick=a', '--secret-env', 'X', '--secret-file'],
      /imux itself is to keep/,
    ],
  ])('says what is wrong and sends nothing: %s', async (_what, args, why) => {
    const now = await serving();
    const { code, stderr } = await imux(['account', 'add', ...args], { home: now.home });
    expect(stderr).toMatch(why);
    expect(code).toBe(64);
    expect(sent(now, 'accounts.add')).toBeUndefined();
  });

  it.each([[['--set', `password=${CANARY}`]], [[`--password=${CANARY}`]], [['--password', CANARY]], [[CANARY]]])(
    'U5 S13 refuses a secret in the arguments without repeating it: %j',
    async (args) => {
      const now = await serving();
      const { code, stdout, stderr } = await imux(['account', 'add', 'xmpp', 'w', '--set', 'jid=a@b', ...args], {
        home: now.home,
      });
      expect(code).toBe(64);
      expect(stdout + stderr).not.toContain(CANARY);
      expect(JSON.stringify(now.calls)).not.toContain(CANARY);
    },
  );

  it('refuses an empty secret', async () => {
    const now = await serving();
    const { code, stderr } = await imux(['account', 'add', 'irc', 'w', '--set', 'nick=a', '--secret-stdin'], {
      home: now.home,
    });
    expect(stderr).toContain('is empty');
    expect(code).toBe(65);
  });
});

describe('imux account', () => {
  it('list shows each account with its state and reason', async () => {
    const now = await serving();
    const { code, stdout } = await imux(['account', 'list'], { home: now.home });
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        'work    xmpp  alice@example.org  online',
        'libera  irc                      failed: wrong password',
        'old     xmpp  alice@example.org  disabled',
        '',
      ].join('\n'),
    );
  });

  it('list --json prints an object a line', async () => {
    const now = await serving();
    const { stdout } = await imux(['account', 'list', '--json'], { home: now.home });
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ v, type, account }) => [v, type, account])).toEqual([
      [1, 'account', 'work'],
      [1, 'account', 'libera'],
      [1, 'account', 'old'],
    ]);
    expect(lines[1].error).toEqual({ code: 'auth', message: 'wrong password' });
  });

  it('show tells the settings, and of a secret only where it is', async () => {
    const now = await serving();
    const { stdout } = await imux(['account', 'show', 'work'], { home: now.home });
    expect(stdout).toMatch(/^ {2}jid +alice@example\.org$/m);
    expect(stdout).toMatch(/^ {2}password +\(secret\) command: pass show work$/m);
    const json = JSON.parse((await imux(['account', 'show', 'work', '--json'], { home: now.home })).stdout);
    expect(json).toMatchObject({
      account: 'work',
      settings: { jid: 'alice@example.org' },
      secrets: { password: 'command: pass show work' },
    });
  });

  it('set hands on what changes, and refuses to change nothing', async () => {
    const now = await serving();
    expect(
      (await imux(['account', 'set', 'work', '--set', 'tls=', '--secret-stdin'], { home: now.home, stdin: 'new' }))
        .code,
    ).toBe(0);
    expect(sent(now, 'accounts.set')).toEqual({
      account: 'work',
      settings: { tls: '' },
      secrets: { password: { kind: 'given', secret: 'new' } },
    });
    expect((await imux(['account', 'set', 'work'], { home: now.home })).code).toBe(64);
  });

  it('remove, enable and disable do so, asking nothing where there is no terminal', async () => {
    const now = await serving();
    for (const what of ['remove', 'enable', 'disable']) {
      const { code, stderr } = await imux(['account', what, 'work'], { home: now.home });
      expect(code).toBe(0);
      expect(stderr).toMatch(new RegExp(`work is ${what}d`));
    }
    expect(sent(now, 'accounts.remove')).toEqual({ account: 'work' });
    expect(now.calls.filter(({ method }) => method === 'accounts.enable').map(({ params }) => params)).toEqual([
      { account: 'work', enabled: true },
      { account: 'work', enabled: false },
    ]);
  });

  it('check prints the steps and exits by the first that failed', async () => {
    const now = await serving();
    expect(await imux(['account', 'check', 'work'], { home: now.home })).toMatchObject({
      code: 0,
      stdout: '✓ sign-in: signed in as alice\n',
    });
    expect(await imux(['account', 'check', 'libera'], { home: now.home })).toMatchObject({
      code: 77,
      stdout: '✓ settings: fine\n✗ sign-in: not let in: wrong password\n',
    });
    const { stdout } = await imux(['account', 'check', 'libera', '--json'], { home: now.home });
    expect(JSON.parse(stdout)).toMatchObject({ v: 1, type: 'check', account: 'libera', ok: false });
  });

  it('says that there is no such account', async () => {
    const now = await serving();
    const { code, stderr } = await imux(['account', 'show', 'nobody'], { home: now.home });
    expect(stderr).toBe('imux account: no account is called "nobody"\n');
    expect(code).toBe(67);
  });

  it.each([[[]], [['rename', 'x']], [['show']], [['show', 'a', 'b']], [['list', 'x']]])(
    'is a usage error: %j',
    async (args) => {
      const now = await serving();
      expect((await imux(['account', ...args], { home: now.home })).code).toBe(64);
    },
  );
});

describe('imux networks', () => {
  it('tells what each network can and cannot do, and what an account needs', async () => {
    const now = await serving();
    const { stdout } = await imux(['networks'], { home: now.home });
    expect(stdout).toMatch(/^xmpp: XMPP; an address is written like alice@example\.org$/m);
    expect(stdout).toMatch(/^ {2}\+ contacts$/m);
    expect(stdout).toMatch(/^ {2}- voice$/m);
    expect(stdout).toMatch(/^ {4}jid +needed +Address \(alice@example\.org\)$/m);
    expect(stdout).toMatch(/^ {4}password +secret +Password \(needed\)$/m);
    expect(stdout).toMatch(/^ {2}imux account add xmpp NAME --set jid=… --secret-stdin$/m);
    expect(stdout).toMatch(/^irc: IRC/m);
  });

  it('shows one, as JSON too, and refuses an unknown one', async () => {
    const now = await serving();
    const { stdout } = await imux(['networks', 'irc', '--json'], { home: now.home });
    expect(JSON.parse(stdout)).toMatchObject({ v: 1, type: 'network', network: 'irc', title: 'IRC' });
    expect((await imux(['networks', 'icq'], { home: now.home })).code).toBe(64);
  });
});
