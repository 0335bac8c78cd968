import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { LINK_VERSION } from '../../src/link/messages.ts';
import { messageOf } from '../hub/network.ts';
import { startHub, type TestHub } from '../hub/start.ts';
import { waitFor } from '../servers/process.ts';

let hub: TestHub | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await hub?.end();
  hub = undefined;
});

interface Raw {
  readonly socket: Socket;
  readonly answers: { id?: unknown; result?: unknown; error?: { code: number; data?: { code: string } } }[];
  say(text: string): void;
  ask(id: number, method: string, params: unknown): void;
  hello(cookie?: string, version?: number): void;
  closed(): boolean;
}

async function raw(of: TestHub): Promise<Raw> {
  const socket = connect(join(of.paths.run, 'hub.sock'));
  sockets.push(socket);
  const answers: Raw['answers'] = [];
  let held = '';
  let closed = false;
  socket.on('data', (chunk) => {
    const lines = (held + chunk.toString()).split('\n');
    held = lines.pop() ?? '';
    for (const line of lines) answers.push(JSON.parse(line));
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  const say = (text: string): void => void socket.write(`${text}\n`);
  const ask: Raw['ask'] = (id, method, params) => say(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  return {
    socket,
    answers,
    say,
    ask,
    hello: (cookie = readFileSync(join(of.paths.run, 'cookie'), 'utf8'), version = LINK_VERSION) =>
      ask(1, 'hello', { version, front: 'raw', cookie }),
    closed: () => closed,
  };
}

const answer = (front: Raw, at = 0): Promise<Raw['answers'][number]> => waitFor(() => front.answers[at]);

describe('the handshake', () => {
  it('comes first: any other method is refused', async () => {
    hub = await startHub();
    const front = await raw(hub);
    front.ask(1, 'hub.status', {});
    expect((await answer(front)).error?.data?.code).toBe('refused');
  });

  it('U2 a wrong cookie is refused', async () => {
    hub = await startHub();
    for (const cookie of ['', 'x', '0'.repeat(64)]) {
      const front = await raw(hub);
      front.hello(cookie);
      expect((await answer(front)).error?.data?.code).toBe('auth');
      front.ask(2, 'hub.status', {});
      expect((await answer(front, 1)).error?.data?.code).toBe('refused');
    }
  });

  it('another version is refused in words that help', async () => {
    hub = await startHub();
    const front = await raw(hub);
    front.hello(undefined, 99);
    expect(JSON.stringify(await answer(front))).toMatch(/version 1.*version 99.*hub stop/);
  });

  it.skipIf(process.getuid?.() !== 0)('U2 another user cannot reach the socket', async () => {
    hub = await startHub();
    const socket = join(hub.paths.run, 'hub.sock');
    const script = `require('node:net').connect(${JSON.stringify(socket)}).on('error', (e) => { console.log(e.code); }).on('connect', () => console.log('in'))`;
    // The way to the folder is open, and Node itself is where nobody may read it: only the folder's own mode stands.
    chmodSync(join(hub.paths.run, '../..'), 0o755);
    chmodSync(join(hub.paths.run, '..'), 0o755);
    const dir = join(hub.paths.run, '../..');
    const node = join(dir, 'node');
    cpSync(process.execPath, node);
    chmodSync(node, 0o755);
    const other = spawnSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', node, '-e', script], {
      cwd: '/',
      env: {},
      encoding: 'utf8',
    });
    expect(other.stdout.trim(), other.stderr).toBe('EACCES');
  });
});

describe('U3 what a front may do to the hub', () => {
  it('bad JSON, deep JSON and what is no request are answered, and the connection lives', async () => {
    hub = await startHub();
    const front = await raw(hub);
    front.hello();
    await answer(front);
    const deep = 200_000;
    const lines = ['{', 'null', '5', '"x"', '[]', '{}', '[null]', `${'['.repeat(deep)}${']'.repeat(deep)}`];
    for (const line of lines) front.say(line);
    front.ask(7, 'no.such.method', {});
    front.ask(8, 'read', { conversation: 5 });
    front.ask(9, 'hub.status', {});
    await waitFor(() => front.answers.some(({ id }) => id === 9));
    expect(front.answers).toHaveLength(lines.length + 4);
    expect(front.answers.find(({ id }) => id === 7)?.error?.data?.code).toBe('usage');
    expect(front.answers.find(({ id }) => id === 8)?.error?.data?.code).toBe('usage');
    expect(front.answers.find(({ id }) => id === 9)?.result).toBeDefined();
  });

  it('a line without end drops the front that sent it, and no other', async () => {
    hub = await startHub();
    const good = await hub.front();
    const bad = await raw(hub);
    bad.hello();
    await answer(bad);
    const chunk = Buffer.alloc(256 * 1024, 'x');
    for (let sent = 0; sent < 32 && !bad.closed(); sent += 1) {
      await new Promise((resolve) => bad.socket.write(chunk, resolve));
    }
    await waitFor(() => bad.closed());
    expect((await good.call('hub.status', {})).fronts).toBe(1);
  });

  it('who says nothing that is a hello is dropped', async () => {
    hub = await startHub();
    const front = await raw(hub);
    front.socket.write(Buffer.alloc(100 * 1024, 'x'));
    await waitFor(() => front.closed());
  });

  it('1,000 connections do not keep the next one out', async () => {
    hub = await startHub();
    const of = hub;
    await Promise.all(Array.from({ length: 1_000 }, () => raw(of)));
    const front = await hub.front();
    expect((await front.call('hub.status', {})).fronts).toBe(1);
  });

  it('a front that does not read is told to subscribe again; others get everything', async () => {
    hub = await startHub();
    const good = await hub.front();
    await good.add('work');
    await good.subscribe();
    const slow = await raw(hub);
    slow.hello();
    await answer(slow);
    slow.ask(2, 'subscribe', {});
    await answer(slow, 1);
    slow.socket.pause();

    const session = hub.network.on('work@test');
    const text = 'x'.repeat(20_000);
    const count = 1_500;
    const read = (): number => good.changes.filter((change) => change.type === 'message').length;
    for (let n = 0; n < count; n += 1) {
      session.emit({ type: 'message', live: true, message: messageOf('alice@test', text) });
      if (n % 50 === 49) await waitFor(() => read() === n + 1);
    }
    expect(good.resyncs()).toBe(0);

    slow.socket.resume();
    const methods = (): unknown[] => slow.answers.map((each) => Reflect.get(each, 'method'));
    await waitFor(() => methods().includes('resync'));
    expect(methods().at(-1)).toBe('resync');
    slow.ask(3, 'subscribe', {});
    await waitFor(() => slow.answers.some(({ id }) => id === 3));
    session.emit({ type: 'message', live: true, message: messageOf('alice@test', 'after') });
    await waitFor(() => JSON.stringify(slow.answers.at(-1)).includes('"after"'));
  });
});

describe('subscribing', () => {
  it('brings only the kinds of change that were asked for', async () => {
    hub = await startHub();
    const all = await hub.front();
    await all.add('work');
    const some = await hub.front();
    await all.subscribe();
    await some.subscribe(['unread']);
    hub.network.on('work@test').emit({ type: 'message', live: true, message: messageOf('alice@test', 'x') });
    await all.next('message');
    await some.next('unread');
    expect(new Set(some.changes.map((change) => change.type))).toEqual(new Set(['unread']));
  });

  it('gives a snapshot that no later change repeats', async () => {
    hub = await startHub();
    const first = await hub.front();
    await first.add('work');
    await first.subscribe();
    hub.network.on('work@test').emit({ type: 'message', live: true, message: messageOf('alice@test', 'before') });
    const second = await hub.front();
    const { contacts } = await second.subscribe();
    expect(contacts.find(({ id }) => id === 'alice@test')?.unread).toBe(1);
    hub.network.on('work@test').emit({ type: 'message', live: true, message: messageOf('alice@test', 'after') });
    const { message } = await second.next('message');
    expect(message.text).toBe('after');
  });
});
