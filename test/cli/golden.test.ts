import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AccountView, Change, ContactView, MessageView } from '../../src/link/messages.ts';
import { tempDir, waitFor } from '../servers/process.ts';
import { contactOf, type FakeHub, fakeHub, Refusal } from './fake-hub.ts';
import { imux } from './run.ts';
import { types, wrongLine } from './schema.ts';

const folder = new URL('golden/', import.meta.url).pathname;

const alice: ContactView = { ...contactOf('work:alice@example.org'), name: 'Alice', groups: ['Friends'], unread: 2 };
const room: ContactView = {
  ...contactOf('libera:#imux'),
  network: 'irc',
  name: '#imux',
  kind: 'room',
  status: 'a topic',
  mentions: 1,
  via: 'matrix',
  last: '2026-11-20T12:00:00.000Z',
};
const work: AccountView = {
  account: 'work',
  network: 'xmpp',
  id: 'me@example.org',
  state: 'waiting',
  error: { code: 'unreachable', message: 'no route to the server' },
  retryAt: '2026-11-20T12:00:30.000Z',
  enabled: true,
  presence: 'offline',
  abilities: ['contacts'],
};
const message: MessageView = {
  id: '17',
  conversation: alice.conversation,
  account: 'work',
  network: 'xmpp',
  target: alice.target,
  kind: 'person',
  from: { id: 'alice@example.org', name: 'Alice', self: false },
  at: '2026-11-20T12:00:00.000Z',
  text: 'tea?\n🐇 \u009b31m',
};
const own: MessageView = {
  ...message,
  id: '18',
  from: { id: 'me@example.org', name: 'me', self: true },
  state: 'failed',
  error: { code: 'rate-limited', message: 'not so fast', retryAfter: 30, certain: true },
  replyTo: '17',
  edited: true,
  files: [{ id: 'f1', name: 'tea.png', mime: 'image/png', bytes: 4_096 }],
  style: 'action',
  reactions: { '☕': ['Alice'] },
  key: 'tea-1',
};
const here = { conversation: alice.conversation };
const changes: readonly Change[] = [
  { type: 'message', message: { ...message, id: '16', text: 'long ago', retracted: true }, live: false },
  { type: 'message', message, live: true },
  { type: 'message', message: own, live: true },
  { type: 'message-changed', message: own, what: 'state' },
  { type: 'message-changed', message: own, what: 'edited' },
  { type: 'message-changed', message: own, what: 'retracted' },
  { type: 'message-changed', message: own, what: 'reactions' },
  { type: 'presence', ...here, presence: 'away', status: 'at tea' },
  { type: 'typing', ...here, name: 'Alice', active: true },
  { type: 'account', account: work },
  {
    type: 'request',
    request: { id: 'r1', account: 'work', kind: 'invite', from: 'queen@example.org', text: 'croquet' },
  },
];
const snapshot = { accounts: [work], contacts: [alice, room], requests: [], prompts: [], last: '10' };
const receipts = {
  '1': { target: alice.target, account: 'work', network: 'xmpp', id: '1', key: 'k', state: 'accepted' },
  '2': {
    target: room.target,
    account: 'libera',
    network: 'irc',
    id: '2',
    state: 'unknown',
    error: { code: 'timeout', message: 'part 2 of 2: no word yet', certain: false },
    parts: [
      { id: '2', state: 'accepted' },
      { id: '3', state: 'unknown', error: { code: 'timeout', message: 'no word yet', certain: false } },
    ],
  },
} as const;

let hub: FakeHub;
beforeAll(async () => {
  hub = await fakeHub({
    contacts: () => ({ contacts: [alice, room] }),
    subscribe: () => snapshot,
    resolve: ({ target }) => {
      const contact = [alice, room].find((one) => one.target === target);
      if (contact) return { contact, limits: { textBytes: 100 } };
      throw new Refusal({ code: 'ambiguous', message: 'any of several', candidates: ['work:bob', 'libera:bob'] });
    },
    look: () => {
      const { account, network, id, target, name, kind } = room;
      return { place: { account, network, id, target, name, kind }, limits: { textBytes: 10 } };
    },
    send: (params) => receipts['conversation' in params && params.conversation === room.conversation ? '2' : '1'],
    receipt: ({ messages: [first] }) => receipts[first === '2' ? '2' : '1'],
    'outbox.list': () => ({ messages: [own] }),
    'accounts.list': () => ({ accounts: [work] }),
    'accounts.show': () => ({ account: work, settings: { jid: 'me@example.org' }, secrets: { password: 'keychain' } }),
    'accounts.check': () => ({
      ok: false,
      steps: [
        { step: 'name', ok: true, text: 'example.org is 192.0.2.1' },
        { step: 'TLS', ok: false, text: 'the certificate is for example.com', code: 'protocol', remedy: 'tell them' },
      ],
    }),
    networks: () => ({
      networks: [
        {
          network: 'xmpp',
          title: 'XMPP',
          fields: [
            { key: 'jid', label: 'Address', hint: 'name@server' },
            { key: 'password', label: 'Password', secret: true, optional: true },
            { key: 'tls', label: 'TLS', choices: ['auto', 'direct'], preset: 'auto' },
          ],
          can: ['messages'],
          cannot: ['calls'],
          addressExample: 'alice@example.org',
        },
      ],
    }),
    'hub.status': () => ({
      pid: 4711,
      imux: '0.1.0',
      startedAt: '2026-11-20T11:00:00.000Z',
      fronts: 1,
      accounts: [work],
      memoryBytes: 60_000_000,
      queued: 2,
      kept: true,
    }),
  });
});
afterAll(() => hub.close());

const verbs: Readonly<Record<string, readonly string[]>> = {
  account: ['account', 'list', '--json'],
  'account-show': ['account', 'show', 'work', '--json'],
  chats: ['chats', '--json'],
  check: ['account', 'check', 'work', '--json'],
  contacts: ['contacts', '--json'],
  'dry-run': ['send', '--dry-run', '--split', '--json', room.target, '-m', 'a long text, in parts'],
  hub: ['hub', 'status', '--json'],
  networks: ['networks', '--json'],
  outbox: ['outbox', '--json'],
  send: ['send', '--json', alice.target, room.target, 'bob', '-m', 'tea'],
  unread: ['unread', '--json'],
  watch: ['watch', '--json', '--since', '10', '--count', String(changes.length)],
};

describe('S11 what the verbs print with --json', () => {
  it.each(Object.entries(verbs))('%s is what its golden file holds', async (name, args) => {
    const outcome = imux(args, { home: hub.home });
    if (name === 'watch') {
      await waitFor(() => hub.calls.some(({ method }) => method === 'subscribe'));
      hub.change(...changes);
    }
    await expect((await outcome).stdout).toMatchFileSnapshot(join(folder, `${name}.ndjson`));
  });
});

const golden = readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')] as const);
const lines = golden.flatMap(([file, text]) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line, at) => [`${file}:${at + 1}`, line] as const),
);

describe('S11 what differs from machine to machine', () => {
  it.each([
    [['doctor', '--json', '--no-hub'], 'finding'],
    [['import', '--json', '--format', 'weechat', '/dev/null'], 'import'],
  ])('%j stands in the schema', async (args, type) => {
    const dir = await tempDir('golden');
    const { stdout, stderr } = await imux(args, { home: dir.path });
    await imux(['hub', 'stop'], { home: dir.path });
    await dir.remove();
    const printed = stdout.split('\n').filter(Boolean);
    expect(printed.length, stderr).toBeGreaterThan(0);
    for (const line of printed) expect([JSON.parse(line).type, wrongLine(line)]).toEqual([type, undefined]);
  });
});

describe('S11 docs/schema', () => {
  it.each(lines)('%s stands in the schema, with every field', (_, line) => {
    expect(wrongLine(line)).toBeUndefined();
  });

  it('has a golden line for each type that it names', () => {
    const shown = new Set(lines.map(([, line]) => JSON.parse(line).type));
    expect(types.filter((type) => !shown.has(type))).toEqual([]);
  });

  it('lets fields through that a later imux may add, and refuses a field that changed its meaning', () => {
    const [, line = ''] = lines.find(([where]) => where.startsWith('contacts')) ?? [];
    const later = { ...JSON.parse(line), mood: 'fine' };
    expect(wrongLine(JSON.stringify(later), true)).toBeUndefined();
    expect(wrongLine(JSON.stringify(later))).toContain('additional');
    expect(wrongLine(JSON.stringify({ ...later, unread: 'two' }), true)).toContain('/unread');
  });

  it('holds no character on which a terminal acts', () => {
    for (const [, line] of lines) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
  });
});
