import { afterEach, describe, expect, it } from 'vitest';
import type { LinkErrorCode, MessageState, Receipt, Wait } from '../../src/link/messages.ts';
import { type FakeHub, fakeHub, Refusal, takes } from './fake-hub.ts';
import { imux } from './run.ts';

let hub: FakeHub | undefined;
afterEach(() => hub?.close());

const receipt = (target: string, state: MessageState, code?: LinkErrorCode): Receipt => ({
  target,
  account: 'work',
  network: 'xmpp',
  id: '7',
  state,
  ...(code && { error: { code, message: `it is ${code}` } }),
});

interface Taken {
  readonly target: string;
  readonly text?: string;
  readonly path?: string;
  readonly key?: string;
  readonly wait: Wait;
  readonly timeout: number;
}

/** A hub that takes every text; what it was told to send, and to wait for, is in `sent`. */
async function willing(
  state: MessageState = 'accepted',
  code?: LinkErrorCode,
): Promise<{ home: string; sent: () => readonly Taken[] }> {
  const now = await fakeHub(takes((target) => receipt(target, state, code)));
  hub = now;
  return { home: now.home, sent: () => sentBy(now) };
}

function sentBy({ calls }: FakeHub): readonly Taken[] {
  const waits = calls.filter(({ method }) => method === 'receipt').map(({ params }) => params as Taken);
  return calls
    .filter(({ method }) => method === 'send' || method === 'files.send')
    .map(({ params }, at) => {
      const { conversation, ...rest } = params as Taken & { conversation: string };
      return { ...rest, target: conversation.slice(1), wait: waits[at]?.wait ?? rest.wait };
    });
}

describe('imux send: the text', () => {
  it('S7 sends standard input without its last line ending, and prints nothing', async () => {
    const { home, sent } = await willing();
    expect(await imux(['send', 'work:a@b'], { home, stdin: 'hello\nyou\n' })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(sent()).toMatchObject([{ target: 'work:a@b', text: 'hello\nyou', wait: 'accepted', timeout: 30 }]);
  });

  it('takes the words after --, or -m, and keeps options in them as words', async () => {
    const { home, sent } = await willing();
    await imux(['send', 'work:a@b', '--', 'do', '--not', 'parse'], { home });
    await imux(['send', '-m', 'short', 'work:a@b'], { home });
    expect(sent()).toMatchObject([{ text: 'do --not parse' }, { text: 'short' }]);
  });

  it.each([
    ['invalid UTF-8', Buffer.from([0x68, 0xff, 0x69])],
    ['a NUL', 'a\0b'],
    ['nothing', ''],
    ['only a line ending', '\n'],
  ])('S7 refuses %s with 65 and sends nothing', async (_, stdin) => {
    const { home, sent } = await willing();
    const { code, stderr } = await imux(['send', 'work:a@b'], { home, stdin });
    expect(code).toBe(65);
    expect(stderr).toMatch(/^imux send: the text/);
    expect(sent()).toEqual([]);
  });

  it('sends an empty text when told to', async () => {
    const { home, sent } = await willing();
    expect((await imux(['send', '--allow-empty', 'work:a@b'], { home })).code).toBe(0);
    expect(sent()).toMatchObject([{ text: '' }]);
  });

  it('sends a message for each line with --lines, in order, each under a key of its own', async () => {
    const { home, sent } = await willing();
    await imux(['send', '--lines', '--id', 'k', 'work:a@b'], { home, stdin: 'one\r\n\ntwo\nthree' });
    expect(sent()).toMatchObject([
      { text: 'one', key: 'k-1' },
      { text: 'two', key: 'k-2' },
      { text: 'three', key: 'k-3' },
    ]);
  });
});

describe('imux send: usage', () => {
  it.each([
    [['send'], 'no target'],
    [['send', 'a:b', '--wait', 'soon'], '--wait'],
    [['send', 'a:b', '--timeout', 'x'], 'seconds'],
    [['send', 'a:b', '-m', 'x', '--', 'y'], 'twice'],
    [['send', 'a:b', '--password', 'x'], "Unknown option '--password' (--help lists the options)\n"],
    [['send', 'a:b', 'the build is green'], '"the build is green" is taken for a target'],
    [['frobnicate'], 'no verb'],
  ])('%j is a usage error (64)', async (args, words) => {
    const { home } = await willing();
    const { code, stderr } = await imux(args, { home });
    expect({ code, said: stderr.includes(words) }).toEqual({ code: 64, said: true });
  });
});

describe('imux send: exit codes', () => {
  const refusals: readonly (readonly [LinkErrorCode, number])[] = [
    ['usage', 64],
    ['unsupported', 64],
    ['ambiguous', 65],
    ['bad-data', 65],
    ['too-long', 65],
    ['not-found', 67],
    ['host-unknown', 68],
    ['unreachable', 69],
    ['hub', 69],
    ['disk', 74],
    ['rate-limited', 75],
    ['timeout', 75],
    ['protocol', 76],
    ['auth', 77],
    ['refused', 77],
    ['settings', 78],
  ];

  it.each(refusals)('S1 a refusal as %s ends with %i and says why', async (code, exit) => {
    const candidates = code === 'ambiguous' ? ['work:bob@x', 'tg:bob'] : [];
    hub = await fakeHub({
      ...takes((target) => receipt(target, 'accepted')),
      resolve: () => {
        throw new Refusal({ code, message: `why ${code}`, candidates });
      },
    });
    const outcome = await imux(['send', 'work:a@b', '-m', 'x'], { home: hub.home });
    expect(outcome.code).toBe(exit);
    expect(outcome.stderr).toContain(`why ${code}`);
    if (code === 'ambiguous') expect(outcome.stderr).toContain('work:bob@x');
  });

  it.each(refusals)('S1 a message that failed as %s ends with %i', async (code, exit) => {
    const { home } = await willing('failed', code);
    expect((await imux(['send', 'work:a@b', '-m', 'x'], { home })).code).toBe(exit);
  });

  it.each([
    ['queued', 'accepted', 75],
    ['sent', 'accepted', 75],
    ['unknown', 'accepted', 75],
    ['accepted', 'delivered', 75],
    ['queued', 'queued', 0],
    ['delivered', 'accepted', 0],
    ['read', 'delivered', 0],
  ] as const)('S2 S4 in the state %s when waiting for %s it ends with %i', async (state, wait, exit) => {
    const { home } = await willing(state);
    expect((await imux(['send', '--wait', wait, 'work:a@b', '-m', 'x'], { home })).code).toBe(exit);
  });
});

it('S2 refuses to wait for a delivery that the network never tells, and sends nothing', async () => {
  const { home, sent } = await willing();
  const { code, stderr } = await imux(['send', '--wait', 'delivered', 'mute:a', '-m', 'x'], { home });
  expect(code).toBe(64);
  expect(stderr).toContain('--wait accepted');
  expect(sent()).toEqual([]);
});

it('S1 a fault of imux itself ends with 70 and says that it is one', async () => {
  hub = await fakeHub({ contacts: () => null as never });
  const { code, stdout, stderr } = await imux(['contacts'], { home: hub.home });
  expect({ code, stdout }).toEqual({ code: 70, stdout: '' });
  expect(stderr).toContain('a fault of imux itself');
});

describe('imux send: several targets', () => {
  async function mixed(): Promise<string> {
    const answers = takes((target) => {
      if (target.startsWith('lost')) throw new Refusal({ code: 'not-found', message: 'nobody there' });
      if (target.startsWith('shut')) throw new Refusal({ code: 'refused', message: 'not you' });
      return receipt(target, target.startsWith('late') ? 'queued' : 'accepted');
    });
    hub = await fakeHub(answers);
    return hub.home;
  }

  it('S6 goes on after a failure, tells each as one JSON line in order, and ends with the worst', async () => {
    const home = await mixed();
    const args = ['send', '--json', 'ok:1', 'lost:2', 'shut:3', '-m', 'x'];
    const { code, stdout, stderr } = await imux(args, { home });
    expect(stderr).toBe('imux: lost:2: nobody there\nimux: shut:3: not you\n');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { v: 1, type: 'receipt', target: 'ok:1', state: 'accepted' },
      { target: 'lost:2', account: 'lost', state: 'failed', error: { code: 'not-found' } },
      { target: 'shut:3', state: 'failed', error: { code: 'refused' } },
    ]);
    expect(code).toBe(77);
  });

  it('S6 ends with 75 where any may still go out', async () => {
    expect((await imux(['send', 'shut:1', 'late:2', '-m', 'x'], { home: await mixed() })).code).toBe(75);
  });

  it('S6 stops at the first failure with --fail-fast', async () => {
    const home = await mixed();
    const { code } = await imux(['send', '--fail-fast', 'lost:1', 'ok:2', '-m', 'x'], { home });
    expect(code).toBe(67);
    expect(hub?.calls.filter(({ method }) => method === 'send').length).toBe(1);
  });
});

it('S11 JSON on stdout escapes what a terminal could act on', async () => {
  const evil = 'a\u001b]0;x\u0007\u009b\u202e\u2028';
  hub = await fakeHub(takes(() => receipt(evil, 'accepted')));
  const { stdout } = await imux(['send', '--json', 'work:a@b', '-m', 'x'], { home: hub.home });
  expect(stdout.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e\u2028]/);
  expect(JSON.parse(stdout).target).toBe(evil);
});
