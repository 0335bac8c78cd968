import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { AccountView, NetworkView, PromptView } from '../../src/link/messages.ts';
import { openTerminal, type Terminal } from '../e2e/terminal.ts';
import { waitFor } from '../servers/process.ts';
import { type FakeHub, fakeHub } from './fake-hub.ts';

const program = fileURLToPath(new URL('../../bin/imux.ts', import.meta.url));
const CANARY = 'canary-42';

const network: NetworkView = {
  network: 'xmpp',
  title: 'XMPP',
  fields: [
    { key: 'jid', label: 'Address', hint: 'alice@example.org' },
    { key: 'password', label: 'Password', secret: true },
    { key: 'mode', label: 'Mode', choices: ['fast', 'slow'] },
    { key: 'resource', label: 'Resource', optional: true },
  ],
  can: [],
  cannot: [],
  addressExample: 'a@b',
};

const view = (account: string): AccountView => ({
  account,
  network: 'xmpp',
  id: '',
  state: 'connecting',
  enabled: true,
  presence: 'online',
  abilities: [],
});

let hub: FakeHub | undefined;
let terminal: Terminal | undefined;
afterEach(async () => {
  terminal?.kill();
  await hub?.close();
});

function open(now: FakeHub, args: readonly string[]): Terminal {
  terminal = openTerminal(process.execPath, [program, ...args], { env: { IMUX_HOME: now.home } });
  return terminal;
}

async function serving(prompt?: PromptView): Promise<FakeHub> {
  const now = await fakeHub({
    networks: () => ({ networks: [network] }),
    subscribe: () => ({ accounts: [], contacts: [], requests: [], prompts: [] }),
    'accounts.show': () => ({ account: view('work'), settings: {}, secrets: {} }),
    'accounts.add': async ({ name }) => {
      if (prompt) {
        now.change({ type: 'prompt', prompt });
        await waitFor(() => now.calls.some(({ method }) => method === 'prompts.answer'));
      }
      return { account: view(name), kept: { password: 'keychain' } };
    },
    'accounts.remove': () => ({}),
    'accounts.check': () => ({ ok: true, steps: [{ step: 'sign-in', ok: true, text: 'signed in as alice' }] }),
    'prompts.answer': () => ({}),
  });
  hub = now;
  return now;
}

const sent = (now: FakeHub, method: string): unknown => now.calls.find((call) => call.method === method)?.params;

describe('imux account in a terminal', () => {
  it('asks for what is missing one thing at a time, secrets without an echo, and checks what it made', async () => {
    const now = await serving();
    const screen = open(now, ['account', 'add']);
    await screen.shows('Network (xmpp):');
    screen.type('xmpp\r');
    await screen.shows('Your name for the account');
    screen.type('work\r');
    await screen.shows('Address (alice@example.org):');
    screen.type('\r');
    await screen.shows('this is needed');
    screen.type('a@b\r');
    await screen.shows('Password:');
    screen.type(`${CANARY}\r`);
    await screen.shows('Mode (fast | slow):');
    screen.type('medium\r');
    await screen.shows('it is one of fast, slow');
    screen.type('fast\r');
    await screen.shows('✓ sign-in: signed in as alice');
    expect(await screen.exited).toBe(0);
    expect(screen.raw()).not.toContain(CANARY);
    // Not even letter by letter among those of another echo.
    expect(screen.rows().map((row) => row.trim())).toContain('Password:');
    expect(screen.rows().join('\n')).toContain('more settings, with imux account set NAME --set KEY=VALUE: resource');
    expect(sent(now, 'accounts.add')).toEqual({
      network: 'xmpp',
      name: 'work',
      settings: { jid: 'a@b', mode: 'fast' },
      secrets: { password: { kind: 'given', secret: CANARY } },
    });
  });

  it("puts the hub's questions for that account to the person, and no other's", async () => {
    const prompt = { id: 'p1', account: 'work', prompt: { kind: 'password', text: 'Choose a passphrase' } } as const;
    const now = await serving(prompt);
    const given = ['--set', 'jid=a@b', '--set', 'mode=slow', '--secret-file'];
    const screen = open(now, ['account', 'add', 'xmpp', 'work', ...given]);
    await screen.shows('Password:');
    screen.type('x\r');
    await screen.shows('Choose a passphrase:');
    now.change({
      type: 'prompt',
      prompt: { ...prompt, id: 'p2', account: 'other', prompt: { kind: 'text', text: 'Not mine' } },
    });
    screen.type(`${CANARY}\r`);
    expect(await screen.exited).toBe(0);
    expect(sent(now, 'prompts.answer')).toEqual({ id: 'p1', text: CANARY });
    expect(screen.raw()).not.toMatch(/canary|Not mine/);
  });

  it('ends at Ctrl-C with nothing done, the terminal as before', async () => {
    const now = await serving();
    const screen = open(now, ['account', 'add', 'xmpp', 'work']);
    await screen.shows('Address');
    screen.type('\x03');
    expect(await screen.exited).toBe(130);
    expect(sent(now, 'accounts.add')).toBeUndefined();
  });

  it('asks before it removes an account', async () => {
    const now = await serving();
    const no = open(now, ['account', 'remove', 'work']);
    await no.shows('Remove work');
    no.type('\r');
    expect(await no.exited).toBe(0);
    expect(sent(now, 'accounts.remove')).toBeUndefined();
    const yes = open(now, ['account', 'remove', 'work']);
    await yes.shows('Remove work');
    yes.type('y\r');
    expect(await yes.exited).toBe(0);
    expect(sent(now, 'accounts.remove')).toEqual({ account: 'work' });
  });
});
