import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startHub, type TestFront, type TestHub } from '../hub/start.ts';
import { imux } from './run.ts';

describe('imux help', () => {
  it('with a verb is the help of that verb', async () => {
    const invocation = { home: '/nonexistent' };
    const help = await imux(['help', 'send'], invocation);
    expect(help).toEqual(await imux(['send', '--help'], invocation));
    expect(help.stdout).toContain('Usage: imux send');
    expect(await imux(['help', 'sned'], invocation)).toMatchObject({ code: 64, stdout: '' });
  });
});

describe('with accounts', () => {
  let hub: TestHub;
  let front: TestFront;
  beforeEach(async () => {
    hub = await startHub();
    front = await hub.front();
    await front.add('work');
  });
  afterEach(() => hub.end());
  const run = (...args: string[]) => imux(args, { home: hub.home });

  it.each([
    ['export', '--account', 'wrok'],
    ['watch', '--account', 'wrok', '--timeout', '5'],
    ['unread', '--account', 'wrok'],
  ])('%s refuses the name of an account that is none', async (...args) => {
    const { code, stdout, stderr } = await run(...args);
    expect(stderr).toContain('no account is called "wrok"');
    expect({ code, stdout }).toEqual({ code: 67, stdout: '' });
  });

  it('counts 0 for an account with nothing unread', async () => {
    expect(await run('unread', '--account', 'work')).toMatchObject({ code: 0, stdout: '0\n' });
  });

  it('export takes the times that history and search take', async () => {
    expect((await run('export', '--since', '2h')).code).toBe(0);
    expect((await run('export', '--since', 'today')).code).toBe(0);
    expect((await run('export', '--since', 'soon')).code).toBe(64);
  });

  it('a target of no account says which accounts there are', async () => {
    expect((await run('send', 'wrok:alice', '-m', 'x')).stderr).toContain(
      'no account is called "wrok"; there are: work',
    );
  });
});
