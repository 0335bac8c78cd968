import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdapterError } from '../../adapters/errors.ts';
import { startHub, type TestFront, type TestHub } from '../hub/start.ts';
import { waitFor } from '../servers/process.ts';
import { imux, outcomeOf, startImux } from './run.ts';

let hub: TestHub;
let front: TestFront;
beforeEach(async () => {
  hub = await startHub();
  front = await hub.front();
  await front.add('work');
});
afterEach(() => hub.end());

const run = (args: readonly string[], stdin?: string | Buffer) =>
  imux(args, { home: hub.home, ...(stdin !== undefined && { stdin }) });
const fronts = async (): Promise<number> => (await front.call('hub.status', {})).fronts;
const ledger = (): readonly string[] => hub.network.ledger.map(({ text }) => text);

describe('S9 imux send, stopped by a signal', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s while standard input is still read: nothing is sent, at once, %i', async (signal, code) => {
    const child = startImux(['send', 'Alice'], { home: hub.home });
    const outcome = outcomeOf(child);
    child.stdin.write('half of a te');
    await waitFor(() => child.stdin.writableLength === 0);
    await sleep(300);
    child.kill(signal);
    expect(await outcome).toMatchObject({ code, stdout: '' });
    expect(ledger()).toEqual([]);
    expect((await front.call('messages.since', { after: '0', limit: 9 })).messages).toEqual([]);
  });

  it('while the target is being resolved: nothing is sent, also not later', async () => {
    hub.network.onSignIn = () => Promise.reject(new AdapterError('unreachable', 'no route'));
    hub.network.on('work@test').drop();
    await waitFor(() => !hub.network.isOnline('work@test'));
    const child = startImux(['send', 'work:new@test', '-m', 'x'], { home: hub.home });
    const outcome = outcomeOf(child);
    await waitFor(async () => (await fronts()) === 2);
    child.kill('SIGINT');
    expect(await outcome).toMatchObject({ code: 130, stderr: 'imux: stopped; nothing was sent\n' });
    hub.network.onSignIn = undefined;
    await front.call('accounts.retry', { account: 'work' });
    await waitFor(() => hub.network.isOnline('work@test'));
    expect((await run(['send', 'work:new@test', '-m', 'y'])).code).toBe(0);
    expect(ledger()).toEqual(['y']);
  });

  it('once it is in the outbox: its id is told and it goes its way', async () => {
    const gate = Promise.withResolvers<void>();
    let sending = false;
    hub.network.onSend = () => {
      sending = true;
      return gate.promise;
    };
    const child = startImux(['send', '--json', 'Alice', '-m', 'x'], { home: hub.home });
    const outcome = outcomeOf(child);
    await waitFor(() => sending);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await outcome;
    const receipt = JSON.parse(stdout);
    expect(code).toBe(130);
    expect(receipt).toMatchObject({ type: 'receipt', state: 'unknown', id: expect.stringMatching(/^\d+$/) });
    expect(stderr).toContain(`message ${receipt.id}`);
    gate.resolve();
    const settled = { messages: [receipt.id], wait: 'accepted', timeout: 5 } as const;
    expect(await front.call('receipt', settled)).toMatchObject({ state: 'accepted' });
  });
});

describe('S14 imux send --lines', () => {
  it('sends 1,000 lines in their order', async () => {
    const lines = Array.from({ length: 1_000 }, (_, n) => `line ${n}`);
    expect(await run(['send', '--lines', 'Alice'], `${lines.join('\n')}\n`)).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(ledger()).toEqual(lines);
  });

  it('reads no further than the network takes, however fast the pipe', async () => {
    let open = (): void => {};
    hub.network.onSend = () =>
      new Promise((resolve) => {
        open = resolve;
      });
    const child = startImux(['send', '--lines', 'Alice'], { home: hub.home });
    const outcome = outcomeOf(child);
    const chunk = `${'x'.repeat(99)}\n`.repeat(10_000);
    let taken = 0;
    child.stdin.on('error', () => {});
    const pump = (): void => {
      for (; taken < 20 && child.stdin.write(chunk); taken += 1);
    };
    child.stdin.on('drain', pump);
    pump();
    await waitFor(async () => (await front.call('messages.since', { after: '0', limit: 9 })).messages.length === 1);
    await sleep(300);
    // One is with the network; all but what a pipe and a buffer hold is still with the writer.
    expect((await front.call('messages.since', { after: '0', limit: 9 })).messages).toHaveLength(1);
    expect(child.stdin.writableLength).toBeGreaterThan(chunk.length / 2);
    hub.network.onSend = undefined;
    child.kill('SIGTERM');
    open();
    expect((await outcome).code).toBe(143);
  });

  it('tells a line that fails and goes on; the worst is the exit code', async () => {
    hub.network.limits = { textBytes: 10 };
    const lines = Buffer.concat([
      Buffer.from('one\nfar too long a line\n'),
      Buffer.from([0xff, 0x0a]),
      Buffer.from('two'),
    ]);
    const { code, stderr } = await run(['send', '--lines', 'Alice'], lines);
    expect(code).toBe(65);
    expect(stderr).toMatch(/too long[\s\S]*that was line 2\n[\s\S]*line 3: the text is not valid UTF-8\n/);
    expect(ledger()).toEqual(['one', 'two']);
  });

  it('stops at the first that fails with --fail-fast', async () => {
    hub.network.limits = { textBytes: 10 };
    expect((await run(['send', '--lines', '--fail-fast', 'Alice'], 'far too long a line\ntwo')).code).toBe(65);
    expect(ledger()).toEqual([]);
  });
});

describe('S8 imux send --split', () => {
  it('tells each part in the receipt', async () => {
    hub.network.limits = { textBytes: 10 };
    const { stdout } = await run(['send', '--json', '--split', 'Alice', '-m', 'one two three four']);
    expect(JSON.parse(stdout)).toMatchObject({
      state: 'accepted',
      parts: [{ state: 'accepted' }, { state: 'accepted' }],
    });
    expect(ledger()).toEqual(['one two', 'three four']);
  });

  it('without it such a text is refused with 65', async () => {
    hub.network.limits = { textBytes: 10 };
    expect(await run(['send', 'Alice', '-m', 'one two three four'])).toMatchObject({
      code: 65,
      stderr: expect.stringContaining('--split'),
    });
  });
});

describe('imux send --dry-run', () => {
  it('sends nothing, enters nothing, and says by which account to whom', async () => {
    const { code, stdout } = await run(['send', '--dry-run', 'alice', 'work:#elsewhere', '-m', 'hello']);
    expect(code).toBe(0);
    expect(stdout).toBe(
      'would send 5 bytes by work (test) to Alice <alice@test>\nwould send 5 bytes by work (test) to #elsewhere <#elsewhere>\n',
    );
    expect(ledger()).toEqual([]);
    expect(hub.network.entered).toEqual([]);
  });

  it('refuses what would be refused', async () => {
    hub.network.limits = { textBytes: 10 };
    const long = 'one two three four';
    expect((await run(['send', '--dry-run', 'alice', '-m', long])).code).toBe(65);
    expect((await run(['send', '--dry-run', '--split', 'alice', '-m', long])).stdout).toContain('in parts');
    expect((await run(['send', '--dry-run', 'work:nobody@test', '-m', 'x'])).code).toBe(67);
  });
});

describe('imux send --file -', () => {
  const kept = async (): Promise<readonly string[]> => await readdir(join(hub.paths.data, 'outgoing')).catch(() => []);

  it('says unsupported where the network takes no files, and keeps nothing', async () => {
    const outcome = await run(['send', '--file', '-', 'Alice'], 'content');
    expect(outcome).toMatchObject({ code: 64, stderr: expect.stringContaining('cannot send files') });
    expect(await kept()).toEqual([]);
  });

  it.each([
    [['--name', '../x', '--file', '-'], 'content', 64],
    [['--name', 'x'], 'content', 64],
    [['--file', '-', '--id', 'k'], 'content', 64],
    [['--file', '-'], '', 65],
    [['--file', '/nowhere/at/all'], '', 65],
  ])('%j ends with %i', async (args, stdin, code) => {
    expect((await run(['send', ...args, 'Alice'], stdin)).code).toBe(code);
    expect(await kept()).toEqual([]);
  });
});
