import { dirname } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { messageOf, userId } from '../hub/network.ts';
import { startHub, type TestFront, type TestHub } from '../hub/start.ts';
import { waitFor } from '../servers/process.ts';
import { imux } from './run.ts';

async function hubAndFront(): Promise<{ hub: TestHub; front: TestFront; home: string }> {
  const hub = await startHub();
  onTestFinished(hub.end);
  return { hub, front: await hub.front(), home: dirname(hub.paths.data) };
}

type Line = Readonly<Record<string, unknown>>;
const linesOf = (text: string): Line[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
/** The message without our own ids, which count what one archive took in, and the own address, which is not stored. */
const told = (line: Line): Line => ({
  ...line,
  id: undefined,
  replyTo: line.replyTo && 'some',
  from: { ...(line.from as object), id: undefined },
});
const messages = (text: string): Line[] => linesOf(text).filter(({ type }) => type === 'message');

/** An account with what an archive can hold of a message: files, styles, edits, reactions, answers, states. */
async function furnished({ hub, front }: { hub: TestHub; front: TestFront }): Promise<void> {
  await front.add('work');
  const session = hub.network.on('work@test');
  const say = (text: string, more: object = {}): string => {
    const message = messageOf('alice@test', text, more);
    session.emit({ type: 'message', message, live: true });
    return message.id;
  };
  const first = say('one\n\u202etwo');
  say('', { files: [{ id: 'f1', name: 'a.png', mime: 'image/png', bytes: 7 }], style: 'notice', replyTo: first });
  const alice = userId('alice@test');
  session.emit({ type: 'edited', chat: 'alice@test', id: first, by: alice, text: 'edited' } as never);
  session.emit({ type: 'reactions', chat: 'alice@test', id: first, by: alice, emoji: ['👍'] } as never);
  const gone = say('gone');
  session.emit({ type: 'retracted', chat: 'alice@test', id: gone, by: alice } as never);
  await front.call('send', { target: 'work:alice@test', text: 'own', key: 'k1', wait: 'accepted', timeout: 5 });
  hub.network.onSend = async () => {
    throw new Error('no');
  };
  await front.call('send', { target: 'work:alice@test', text: 'failed', wait: 'accepted', timeout: 5 });
}

describe('imux export', () => {
  it('tells accounts without secrets, conversations and messages, each line with v: 1', async () => {
    const { hub, front, home } = await hubAndFront();
    await furnished({ hub, front });
    const { code, stdout } = await imux(['export'], { home });
    expect(code).toBe(0);
    const lines = linesOf(stdout);
    expect(lines.every(({ v }) => v === 1)).toBe(true);
    expect([...new Set(lines.map(({ type }) => type))]).toEqual(['export', 'account', 'conversation', 'message']);
    expect(lines[1]).toEqual({
      v: 1,
      type: 'account',
      account: 'work',
      network: 'test',
      id: 'work@test',
      state: 'online',
      enabled: true,
      settings: { self: 'work@test' },
      secrets: {},
    });
    expect(messages(stdout)[0]).toMatchObject({
      text: 'edited',
      edited: true,
      reactions: { '👍': [expect.any(String)] },
      native: { chat: 'alice@test', from: 'alice@test' },
    });
  });

  it('gives one account, or messages from a time on, or the accounts alone', async () => {
    const { hub, front, home } = await hubAndFront();
    await furnished({ hub, front });
    await front.add('home');
    const old = messageOf('bob@test', 'old', { at: new Date('2001-01-01T00:00:00Z') });
    hub.network.on('home@test').emit({ type: 'message', message: old, live: true });
    const export_ = async (...args: string[]): Promise<Line[]> =>
      linesOf((await imux(['export', ...args], { home })).stdout);
    await waitFor(async () => (await export_('--account', 'home')).some(({ text }) => text === 'old'));
    const accounts = (lines: Line[]): unknown[] => [...new Set(lines.slice(1).map(({ account }) => account))];
    expect(accounts(await export_('--account', 'home'))).toEqual(['home']);
    expect((await export_('--since', '2002-01-01')).some(({ text }) => text === 'old')).toBe(false);
    expect((await export_('--accounts')).map(({ type }) => type)).toEqual(['export', 'account', 'account']);
    expect((await imux(['export', '--since', 'once'], { home })).code).toBe(64);
  });

  it('is taken in by another imux without loss, twice without a second copy, and sends nothing there', async () => {
    const from = await hubAndFront();
    await furnished(from);
    const { stdout } = await imux(['export'], { home: from.home });
    const to = await hubAndFront();
    const first = await imux(['import', '-'], { home: to.home, stdin: stdout });
    expect(first).toMatchObject({ code: 0, stdout: '' });
    expect(first.stderr).toContain('work was added, switched off');
    const taken = (await imux(['export'], { home: to.home })).stdout;
    expect(messages(taken).map(told)).toEqual(messages(stdout).map(told));
    const conversations = (text: string): Line[] =>
      linesOf(text)
        .filter(({ type }) => type === 'conversation')
        .map((line) => ({ ...line, unread: 0 }));
    expect(conversations(taken)).toEqual(expect.arrayContaining(conversations(stdout)));

    const again = await imux(['import', '-'], { home: to.home, stdin: stdout });
    expect(again.stderr).toContain(`0 messages stored, ${messages(stdout).length} known already`);
    expect(messages((await imux(['export'], { home: to.home })).stdout)).toEqual(messages(taken));
    expect(to.hub.network.ledger).toEqual([]);
  });

  it('what waited to be sent is in doubt in the other imux, not sent by it', async () => {
    const from = await hubAndFront();
    await from.front.add('work');
    from.hub.network.onSend = () => new Promise(() => {});
    for (const text of ['on its way', 'waiting'])
      await from.front.call('send', { target: 'work:alice@test', text, wait: 'queued', timeout: 5 });
    const { stdout } = await imux(['export'], { home: from.home });
    const to = await hubAndFront();
    await to.front.add('work');
    await imux(['import', '-'], { home: to.home, stdin: stdout });
    const { messages: outbox } = await to.front.call('outbox.list', {});
    expect(outbox.map(({ text, state }) => [text, state])).toEqual([
      ['on its way', 'unknown'],
      ['waiting', 'unknown'],
    ]);
    expect(to.hub.network.ledger).toEqual([]);
  });

  it('lines that are broken are told with their numbers, and the others taken', async () => {
    const from = await hubAndFront();
    await furnished(from);
    const { stdout } = await imux(['export'], { home: from.home });
    const to = await hubAndFront();
    const spoiled = stdout.replace(/"kind":"person","from"/, '"kind":"person","style":"loud","from"');
    const stdin = `${spoiled}{"v":1,"type":"message"}\n{"v":2}\nnonsense\n`;
    const { code, stderr } = await imux(['import', '-'], { home: to.home, stdin });
    expect(code).toBe(65);
    const count = stdout.trim().split('\n').length;
    for (const n of [1, 2, 3]) expect(stderr).toContain(`-:${count + n}: not understood`);
    expect(stderr).toContain('refused: a message of an unknown style');
    expect(stderr).toContain(`${messages(stdout).length - 1} messages stored`);
  });
});
