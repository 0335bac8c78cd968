import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { AdapterEvent, Message } from '../../adapters/contract.ts';
import { waitFor } from '../servers/process.ts';
import { messageOf, userId } from './network.ts';
import { startHub, type TestFront, type TestHub } from './start.ts';

let hub: TestHub | undefined;
afterEach(async () => {
  await hub?.end();
  hub = undefined;
});

interface Stage {
  readonly hub: TestHub;
  readonly front: TestFront;
  /** Lines that the hooks wrote to this file. */
  lines(name?: string): readonly string[];
  log(): string;
  hear(text: string, more?: Partial<Message>, live?: boolean): void;
  emit(event: AdapterEvent): void;
}

/** A hub with the account `work` and these hooks, which see their folder as $HOME. */
async function hooked(...hooks: readonly object[]): Promise<Stage> {
  const env = { PATH: process.env.PATH ?? '', SECRET: 'of the hub' };
  const started = await startHub({ eventLine: (change) => JSON.stringify(change) });
  hub = started;
  const home = started.paths.data;
  await started.hub.stop();
  const again = await started.again({ env: { ...env, HOME: home, IMUX_HOME: join(home, '..') } });
  hub = again;
  const front = await again.front();
  await front.add('work');
  setHooks(again, hooks);
  const file = (name: string): string => join(home, name);
  const emit = (event: AdapterEvent): void => again.network.on('work@test').emit(event);
  return {
    hub: again,
    front,
    lines: (name = 'out') =>
      existsSync(file(name))
        ? readFileSync(file(name), 'utf8')
            .split('\n')
            .filter((line) => line !== '')
        : [],
    log: () => readFileSync(join(home, 'hub.log'), 'utf8'),
    hear: (text, more = {}, live = true) =>
      emit({ type: 'message', live, message: messageOf('alice@test', text, more) }),
    emit,
  };
}

function setHooks({ paths }: TestHub, hooks: unknown): void {
  const path = join(paths.config, 'accounts.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), hooks }));
}

/** Appends what it is given to a file in $HOME. */
const keep = (name = 'out'): readonly string[] => ['sh', '-c', `cat >> "$HOME/${name}"`];
const texts = (stage: Stage, name?: string): readonly string[] =>
  stage.lines(name).map((line) => JSON.parse(line).message.text);

describe('a hook', () => {
  it('gets the event as one line of JSON on its standard input', async () => {
    const stage = await hooked({ run: keep() });
    stage.hear('hello');
    await waitFor(() => stage.lines().length === 1);
    expect(JSON.parse(stage.lines()[0] ?? '')).toMatchObject({ type: 'message', message: { text: 'hello' } });
  });

  it('runs without a shell: its arguments are what they are', async () => {
    const stage = await hooked({ run: ['touch', 'a; touch b', '$HOME'] });
    stage.hear('hello');
    const there = (name: string): boolean => existsSync(join(stage.hub.paths.data, name));
    await waitFor(() => there('$HOME'));
    expect([there('a; touch b'), there('b')]).toEqual([true, false]);
  });

  it('sees little of the environment of the hub, and where imux is at home', async () => {
    const stage = await hooked({ run: ['sh', '-c', 'env >> out'] });
    stage.hear('hello');
    await waitFor(() => stage.lines().some((line) => line.startsWith('IMUX_HOME=')));
    expect(stage.lines().join('\n')).not.toContain('SECRET');
  });

  it('is chosen by account, target, kind and whole words', async () => {
    const stage = await hooked(
      { run: keep('word'), words: ['deploy', 'a.b', 'roll-back', 'c++ (now)'] },
      { run: keep('account'), account: 'other' },
      { run: keep('target'), target: ['work:bob@test'] },
      { run: keep('mention'), on: 'mention' },
      { run: keep('presence'), on: ['presence'] },
    );
    stage.hear('we Deploy now');
    stage.hear('deployment aXb roll back');
    stage.hear('to roll-back');
    stage.hear('C++ (now)!');
    stage.hear('from bob', { chat: messageOf('bob@test', '').chat, from: userId('bob@test') });
    stage.emit({ type: 'presence', user: userId('alice@test'), state: 'away' });
    await waitFor(
      () => stage.lines('word').length + stage.lines('target').length + stage.lines('presence').length === 5,
    );
    expect([...texts(stage, 'word')].sort()).toEqual(['C++ (now)!', 'to roll-back', 'we Deploy now']);
    expect(texts(stage, 'target')).toEqual(['from bob']);
    expect([stage.lines('account'), stage.lines('mention')]).toEqual([[], []]);
  });

  it('never runs for back-fill, nor for own words unless asked for', async () => {
    const stage = await hooked({ run: keep() }, { run: keep('self'), self: true });
    stage.hear('old', {}, false);
    stage.hear('mine', { from: 'self' });
    stage.hear('theirs');
    await waitFor(() => stage.lines().length === 1 && stage.lines('self').length === 2);
    expect(texts(stage)).toEqual(['theirs']);
    expect([...texts(stage, 'self')].sort()).toEqual(['mine', 'theirs']);
  });

  it('that hangs is ended with its children when its time is up, and said to be', async () => {
    const run = ['sh', '-c', 'trap "" TERM; sleep 100 & echo $! > pid; wait; sleep 100'];
    const stage = await hooked({ run, timeout: 0.3 });
    stage.hear('hello');
    await waitFor(() => stage.log().includes('sh ended after 0.3 s'));
    const pid = Number(stage.lines('pid')[0]);
    await waitFor(() => !isAlive(pid));
  });

  it('that prints without end is bounded, in the log too', async () => {
    const stage = await hooked({ run: ['yes', 'spam'], timeout: 0.5 });
    stage.hear('hello');
    await waitFor(() => stage.log().includes('yes ended after 0.5 s'));
    expect(stage.log().length).toBeLessThan(5_000);
  });

  it('that does not read, fails or does not exist harms nothing and is logged', async () => {
    const stage = await hooked({ run: ['false'] }, { run: ['/no/such/program'] }, { run: keep() });
    stage.hear('x'.repeat(900_000));
    await waitFor(() => /false ended with 1/.test(stage.log()) && /did not start/.test(stage.log()));
    await waitFor(() => stage.lines().length === 1);
    expect(stage.hub.network.isOnline('work@test')).toBe(true);
  });

  it('that is slow holds up no more than four at once and a hundred in wait; the rest is dropped and counted', async () => {
    const stage = await hooked({ run: ['sh', '-c', 'echo x >> began; sleep 100'], timeout: 60 });
    for (let n = 0; n < 150; n++) stage.hear(`m${n}`);
    await waitFor(() => stage.log().includes('what is more is dropped') && stage.lines('began').length === 4);
    await stage.front.call('accounts.list', {});
    expect(stage.lines('began')).toHaveLength(4);
  });

  it('ends with the hub', async () => {
    const stage = await hooked({ run: ['sh', '-c', 'echo $$ > pid; exec sleep 100'], timeout: 60 });
    stage.hear('hello');
    const pid = Number(await waitFor(() => stage.lines('pid')[0]));
    await stage.hub.hub.stop();
    expect(isAlive(pid)).toBe(false);
  });
});

describe('the section hooks', () => {
  it('counts from the next event on when the file was edited', async () => {
    const stage = await hooked({ run: keep('first') });
    stage.hear('one');
    await waitFor(() => stage.lines('first').length === 1);
    setHooks(stage.hub, [{ run: keep('second') }]);
    stage.hear('two');
    await waitFor(() => stage.lines('second').length === 1);
    expect(texts(stage, 'first')).toEqual(['one']);
  });

  it('that is wrong is logged with its place; the accounts go on', async () => {
    const stage = await hooked({ run: 'not a list' });
    stage.hear('hello');
    await waitFor(() => /no hook runs: .*accounts\.json:1:\d+: hooks\.0\.run must be a list/.test(stage.log()));
    expect(stage.hub.network.isOnline('work@test')).toBe(true);
  });

  it('stays as it is when the hub writes the accounts', async () => {
    const stage = await hooked({ run: keep() });
    await stage.front.add('home');
    stage.hear('hello');
    await waitFor(() => stage.lines().length === 1);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
