import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { messageOf } from '../hub/network.ts';
import { startHub, type TestFront, type TestHub } from '../hub/start.ts';
import { waitFor } from '../servers/process.ts';
import { imux, outcomeOf, program, startImux } from './run.ts';

let hub: TestHub;
let front: TestFront;
beforeEach(async () => {
  hub = await startHub();
  front = await hub.front();
  await front.add('work');
});
afterEach(() => hub.end());

const say = (text: string, chat = 'alice@test'): void =>
  hub.network.on('work@test').emit({ type: 'message', live: true, message: messageOf(chat, text) });
const fronts = async (): Promise<number> => (await front.call('hub.status', {})).fronts;
const lines = (stdout: string): { id: string; text: string; type: string }[] =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
const idOf = async (text: string): Promise<string> =>
  (await front.call('messages.since', { after: '0', limit: 1_000 })).messages.find((one) => one.text === text)?.id ??
  '';

describe('imux watch --since', () => {
  it('begins with what came after that message and goes on live, nothing twice', async () => {
    for (const text of ['one', 'two', 'three']) say(text);
    await waitFor(() => idOf('three'));
    const watching = imux(['watch', '--json', 'work:alice@test', '--since', await idOf('one'), '--count', '4'], {
      home: hub.home,
      onOutput: (stdout) => {
        if (lines(stdout).length === 2) ['four', 'five'].map((text) => say(text));
      },
    });
    expect(lines((await watching).stdout).map(({ text }) => text)).toEqual(['two', 'three', 'four', 'five']);
  });

  it('loses and doubles nothing while a flood goes on', async () => {
    const total = 3_000;
    let said = 0;
    const flood = setInterval(() => {
      for (let n = 0; n < 50 && said < total; n += 1) say(String(said++));
    }, 5);
    await waitFor(() => said > 500);
    const { stdout } = await imux(
      ['watch', '--json', '--no-self', 'work:alice@test', '--since', '0', '--count', String(total)],
      { home: hub.home },
    );
    clearInterval(flood);
    expect(lines(stdout).map(({ text }) => Number(text))).toEqual(Array.from({ length: total }, (_, n) => n));
  });

  it('with 0 begins with the first message of all', async () => {
    say('first');
    await waitFor(() => idOf('first'));
    const { stdout } = await imux(['watch', '--json', '--since', '0', '--count', '1'], { home: hub.home });
    expect(lines(stdout)).toMatchObject([{ text: 'first' }]);
  });

  it('with an id that was never given begins live', async () => {
    const watching = imux(['watch', '--json', '--no-self', '--since', '99999', '--count', '1'], { home: hub.home });
    await waitFor(async () => (await fronts()) === 2);
    const talk = setInterval(() => say('now'), 20);
    expect(lines((await watching).stdout)).toMatchObject([{ text: 'now' }]);
    clearInterval(talk);
  });

  it.each(['x', '-1', '1.5'])('refuses %j with 64', async (id) => {
    expect((await imux(['watch', `--since=${id}`], { home: hub.home })).code).toBe(64);
  });
});

describe('imux watch and a reader that is too slow', () => {
  it('shows every message once, in order, after the hub has dropped changes for it', async () => {
    await hub.end();
    hub = await startHub({ feedLimit: 64 * 1024 });
    front = await hub.front();
    await front.add('work');
    const child = startImux(['watch', '--json', 'work:alice@test', '--no-self'], { home: hub.home });
    await waitFor(async () => (await fronts()) === 2);
    const total = 20_000;
    let stdout = '';
    // Nobody reads: the pipe fills, the verb waits, the hub drops.
    for (let n = 0; n < total; n += 1) {
      say(`${n} ${'x'.repeat(200)}`);
      if (n % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    await waitFor(() => stdout.includes(`"text":"${total - 1} `), { timeoutMs: 20_000 });
    child.kill('SIGTERM');
    expect((await outcomeOf(child)).code).toBe(143);
    const seen = lines(stdout).filter(({ type }) => type === 'message');
    expect(seen.map(({ text }) => Number(text.split(' ')[0]))).toEqual(Array.from({ length: total }, (_, n) => n));
  });

  it('S10 ends quietly where the reader has enough', async () => {
    const shell = spawn('sh', ['-c', `"${process.execPath}" "${program}" watch --json | head -1`], {
      env: { ...process.env, IMUX_HOME: hub.home },
    });
    const outcome = outcomeOf(shell);
    await waitFor(async () => (await fronts()) === 2);
    const talk = setInterval(() => say('something'), 20);
    const { stdout, stderr } = await outcome;
    clearInterval(talk);
    expect(lines(stdout)).toHaveLength(1);
    expect(stderr).toBe('');
    await waitFor(async () => (await fronts()) === 1);
  });
});

describe('imux watch changes nothing', () => {
  it('enters no room that it is to watch', async () => {
    const watching = imux(['watch', 'work:#elsewhere', '--json', '--count', '1'], { home: hub.home });
    await waitFor(async () => (await fronts()) === 2);
    say('not this');
    const talk = setInterval(() => say('in there', '#elsewhere'), 20);
    const { stdout } = await watching;
    clearInterval(talk);
    expect(lines(stdout)).toMatchObject([{ type: 'message', target: 'work:#elsewhere', text: 'in there' }]);
    expect(hub.network.entered).toEqual([]);
  });

  it('tells where to go on when the hub goes', async () => {
    const child = startImux(['watch', '--json'], { home: hub.home });
    const outcome = outcomeOf(child);
    await waitFor(async () => (await fronts()) === 2);
    say('last words');
    const id = await waitFor(() => idOf('last words'));
    await front.call('hub.stop', {});
    expect(await outcome).toMatchObject({ code: 69, stderr: expect.stringContaining(`--since ${id}`) });
  });
});
