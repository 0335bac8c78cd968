import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { xml } from '@xmpp/xml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIrcServer } from '../../src/demo/irc-server.ts';
import { type Hub, openHub } from '../../src/hub/hub.ts';
import { attach, type LinkClient } from '../../src/link/client.ts';
import type { AccountInput } from '../../src/link/messages.ts';
import { findPaths } from '../../src/paths.ts';
import { type PlainClient, plainClient } from '../adapters/xmpp/client.ts';
import { type FaultWorld, faultWorld, networks } from '../faults/world.ts';
import { type TempDir, tempDir, waitFor } from '../servers/process.ts';
import { imux } from './run.ts';

let dir: TempDir;
let world: FaultWorld;
let irc: Awaited<ReturnType<typeof startIrcServer>>;
let hub: Hub;
let front: LinkClient;
let bob: PlainClient;

beforeAll(async () => {
  dir = await tempDir('bounces');
  world = await faultWorld();
  // Without echo-message and labels: a refusal is what comes before the answer to a PING.
  irc = await startIrcServer({ caps: [], people: [{ nick: 'ida' }] });
  const env = { ...world.env, IMUX_HOME: dir.path };
  const paths = findPaths(env);
  hub = await openHub({ paths, env });
  front = await attach(paths, 'test');
  const old = { server: `127.0.0.1:${irc.port}`, tls: 'off', nick: 'me', sasl: 'none' };
  const accounts: readonly AccountInput[] = [
    world.accounts.xmpp,
    { ...world.accounts.irc, settings: old },
    world.accounts.telegram,
  ];
  for (const account of accounts) await front.call('accounts.add', account);
  world.say('telegram', 'hello bot');
  await waitFor(async () => {
    const { accounts: now } = await front.call('accounts.list', {});
    return now.filter(({ state }) => state === 'online').length === networks.length;
  });
  // Somebody who is there, but sends no receipts.
  bob = await plainClient({ port: world.xmpp.port, user: 'bob', password: 'bobpw' });
  bob.send(xml('presence'));
  bounceXmpp();
  bounceIrc();
});
afterAll(async () => {
  front.close();
  await bob.close();
  await hub.stop();
  await irc.stop();
  await world.stop();
  await dir.remove();
});

/** A message that says `bounce TYPE CONDITION` comes back so (RFC 6120 8.3), before it is acknowledged. */
function bounceXmpp(): void {
  world.xmpp.onStanza((stanza) => {
    const [, type, condition] = /^bounce (\w+) ([\w-]+)$/.exec(stanza.getChildText('body') ?? '') ?? [];
    if (type === undefined) return;
    const { id, to } = stanza.attrs;
    world.xmpp.inject(
      'me',
      `<message type='error' id='${id}' from='${to}'><error type='${type}'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
    );
  });
}

/** A text that says `bounce NUMERIC` is refused so. */
function bounceIrc(): void {
  irc.onMessage((_, target, text) => {
    const [, numeric] = /^bounce (\d{3})$/.exec(text) ?? [];
    if (numeric !== undefined) irc.raw(`:irc.test ${numeric} me ${target} :as the test wants it\r\n`, 'me');
  });
}

const send = async (target: string, text: string): Promise<readonly [number | null, Record<string, unknown>]> => {
  const { code, stdout } = await imux(['send', '--json', '--timeout', '5', target, '-m', text], { home: dir.path });
  const receipt = JSON.parse(stdout);
  await discard(receipt.id);
  return [code, receipt];
};
/** What is only put off would come again and again. */
const discard = async (id: string | undefined): Promise<void> => {
  if (id !== undefined) await front.call('outbox.discard', { message: id }).catch(() => {});
};

describe('S2 what success means', () => {
  const wait = async (target: string, state: string, text: string) => {
    const args = ['send', '--json', '--wait', state, '--timeout', '2', target, '-m', text];
    const { code, stdout } = await imux(args, { home: dir.path });
    return { code, state: JSON.parse(stdout).state };
  };

  it('XMPP: accepted is the word of the server, delivered that of the contact (XEP-0184)', async () => {
    expect(await wait('xmpp:bob@localhost', 'accepted', 'no receipt')).toEqual({ code: 0, state: 'accepted' });
    expect(await wait('xmpp:bob@localhost', 'delivered', 'no receipt either')).toEqual({ code: 75, state: 'accepted' });
    const delivered = wait('xmpp:bob@localhost', 'delivered', 'with receipt');
    const stanza = await bob.next((one) => one.getChildText('body') === 'with receipt');
    const { id, from } = stanza.attrs;
    bob.send(xml('message', { to: from }, xml('received', { xmlns: 'urn:xmpp:receipts', id })));
    expect(await delivered).toEqual({ code: 0, state: 'delivered' });
  });

  it('IRC without echo: accepted is an answer to a PING sent after the text', async () => {
    const before = irc.received.length;
    expect(await wait('irc:ida', 'accepted', 'before the ping')).toEqual({ code: 0, state: 'accepted' });
    const commands = irc.received.slice(before).map((line) => line.split(' ')[0]);
    expect(commands.indexOf('PING')).toBeGreaterThan(commands.indexOf('PRIVMSG'));
  });

  it('Telegram: accepted is the ok of the Bot API', async () => {
    expect(await wait('telegram:@tina', 'accepted', 'ok')).toEqual({ code: 0, state: 'accepted' });
    expect(world.telegram.sent.at(-1)).toMatchObject({ text: 'ok' });
  });

  it.each(['telegram:@tina', 'irc:ida'])(
    '%s never tells of delivery: refused at once, and nothing is sent',
    async (target) => {
      expect(await wait(target, 'delivered', 'never told')).toEqual({ code: 64, state: 'failed' });
      expect(world.telegram.sent.map(({ text }) => text)).not.toContain('never told');
      expect(irc.received.join()).not.toContain('never told');
    },
  );
});

describe('imux send --file', () => {
  it('sends standard input under a name, and keeps no copy of what is out', async () => {
    const args = ['send', '--file', '-', '--name', 'notes.txt', 'telegram:@tina'];
    expect(await imux(args, { home: dir.path, stdin: 'all of it\n' })).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(world.telegram.sent.at(-1)).toMatchObject({ file: { name: 'notes.txt' } });
    expect(await readdir(join(dir.path, 'data', 'outgoing'))).toEqual([]);
  });

  it('S5 goes out once under a key; another file under it is refused', async () => {
    const [one, two] = [join(dir.path, 'one.txt'), join(dir.path, 'two.txt')];
    await writeFile(one, 'one');
    await writeFile(two, 'two');
    const before = world.telegram.sent.length;
    const file = (path: string) =>
      imux(['send', '--id', 'a file', '--file', path, 'telegram:@tina'], { home: dir.path });
    expect((await file(one)).code).toBe(0);
    expect((await file(one)).code).toBe(0);
    expect((await file(two)).code).toBe(65);
    expect(world.telegram.sent.length - before).toBe(1);
  });

  it('IRC says that it takes none', async () => {
    const outcome = await imux(['send', '--file', '-', 'irc:ida'], { home: dir.path, stdin: 'x' });
    expect(outcome).toMatchObject({ code: 64, stderr: expect.stringContaining('cannot send files') });
  });
});

// Last: the 429 of Telegram holds its chat back for a minute.
describe('S3 a message that comes back', () => {
  it.each([
    ['cancel', 'item-not-found', 'failed', 'not-found', 67],
    ['cancel', 'service-unavailable', 'failed', 'not-found', 67],
    ['modify', 'gone', 'failed', 'not-found', 67],
    ['cancel', 'remote-server-not-found', 'failed', 'host-unknown', 68],
    ['modify', 'jid-malformed', 'failed', 'bad-data', 65],
    ['auth', 'forbidden', 'failed', 'refused', 77],
    ['modify', 'not-acceptable', 'failed', 'refused', 77],
    ['modify', 'policy-violation', 'failed', 'refused', 77],
    ['wait', 'resource-constraint', 'queued', 'rate-limited', 75],
  ])('XMPP %s %s: %s, %s, %i', async (type, condition, state, code, exit) => {
    const [status, receipt] = await send('xmpp:bob@localhost', `bounce ${type} ${condition}`);
    expect(receipt).toMatchObject({ type: 'receipt', state, error: { code } });
    expect(status).toBe(exit);
  });

  it.each([
    ['401', 'failed', 'not-found', 67],
    ['403', 'failed', 'not-found', 67],
    ['404', 'failed', 'refused', 77],
    ['415', 'failed', 'refused', 77],
    ['417', 'failed', 'too-long', 65],
    ['477', 'failed', 'refused', 77],
    ['531', 'failed', 'refused', 77],
    ['439', 'queued', 'rate-limited', 75],
  ])('IRC %s: %s, %s, %i', async (numeric, state, code, exit) => {
    const [status, receipt] = await send('irc:ida', `bounce ${numeric}`);
    expect(receipt).toMatchObject({ type: 'receipt', state, error: { code } });
    expect(status).toBe(exit);
  });

  it.each([
    [400, 'Bad Request: chat not found', 'failed', 'not-found', 67],
    [400, 'Bad Request: PEER_ID_INVALID', 'failed', 'not-found', 67],
    [400, 'Bad Request: message is too long', 'failed', 'too-long', 65],
    [400, "Bad Request: can't parse entities", 'failed', 'refused', 77],
    [403, 'Forbidden: bot was blocked by the user', 'failed', 'refused', 77],
    [403, 'Forbidden: bot was kicked from the group chat', 'failed', 'refused', 77],
    [413, 'Request Entity Too Large', 'failed', 'too-long', 65],
    [429, 'Too Many Requests', 'queued', 'rate-limited', 75],
  ])('Telegram %i %s: %s, %s, %i', async (status, description, state, code, exit) => {
    world.telegram.fail('sendMessage', { kind: 'status', status, description, parameters: { retry_after: 61 } });
    const [left, receipt] = await send('telegram:@tina', 'x');
    expect(receipt).toMatchObject({ type: 'receipt', state, error: { code } });
    expect(left).toBe(exit);
  });

  it('after imux has ended: the message is seen to have failed, with why', async () => {
    const { stdout } = await imux(['send', '--json', 'xmpp:bob@localhost', '-m', 'all is well'], { home: dir.path });
    const { id } = JSON.parse(stdout);
    const stanza = world.taken.xmpp.at(-1);
    expect(stanza).toBe('all is well');
    const row = await waitFor(async () =>
      (await front.call('messages.since', { after: String(Number(id) - 1), limit: 1 })).messages.find(
        (message) => message.state === 'accepted',
      ),
    );
    expect(row.id).toBe(id);
    bounceLate('all is well');
    const late = await waitFor(async () => {
      const { stdout: now } = await imux(['outbox', '--json'], { home: dir.path });
      return now.split('\n').find((line) => line.includes(`"id":"${id}"`));
    });
    expect(JSON.parse(late)).toMatchObject({ state: 'failed', error: { code: 'not-found' } });
  });
});

/** Comes back long after it was taken. */
function bounceLate(body: string): void {
  const id = sentIds.get(body);
  world.xmpp.inject(
    'me',
    `<message type='error' id='${id}' from='bob@localhost'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
  );
}

const sentIds = new Map<string, string>();
beforeAll(() => {
  world.xmpp.onStanza((stanza) => {
    const body = stanza.getChildText('body');
    if (body) sentIds.set(body, stanza.attrs.id ?? '');
  });
});
