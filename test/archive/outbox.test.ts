import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { Archive } from '../../src/archive/types.ts';
import type { ConversationKey, MessageState } from '../../src/link/messages.ts';
import { archive, archivePath, chat, id, incoming, nonce, there, user } from './fixture.ts';

const STATES: readonly MessageState[] = ['queued', 'sent', 'accepted', 'delivered', 'read', 'failed', 'unknown'];
const ERROR = { code: 'refused', message: 'no' } as const;

let sent = 0;
function enqueue(a: Archive, key: ConversationKey, about: { text?: string; scriptKey?: string } = {}) {
  sent += 1;
  return a.enqueue({ key, nonce: nonce(`n${sent}`), text: 'hi', at: sent, ...about });
}

function outbox() {
  const path = archivePath();
  const a = archive(path);
  return { path, a, key: a.conversation('work', chat('alice')).key };
}

/** Brings a fresh message to a state by the way that leads there. */
function inState(a: Archive, key: ConversationKey, state: MessageState): number {
  const { row } = enqueue(a, key).row;
  if (state !== 'queued') a.settle(row, state);
  expect(a.row(row)?.state).toBe(state);
  return row;
}

describe('states only rise', () => {
  const RISES: Readonly<Record<MessageState, readonly MessageState[]>> = {
    queued: ['sent', 'accepted', 'delivered', 'read', 'failed', 'unknown'],
    sent: ['accepted', 'delivered', 'read', 'failed', 'unknown'],
    accepted: ['delivered', 'read'],
    delivered: ['read'],
    read: [],
    failed: ['accepted', 'delivered', 'read'],
    unknown: ['accepted', 'delivered', 'read', 'failed'],
  };
  test.each(STATES.flatMap((from) => STATES.map((to) => [from, to] as const)))('from %s to %s', (from, to) => {
    const { a, key } = outbox();
    const row = inState(a, key, from);
    const rises = RISES[from].includes(to);
    expect(a.settle(row, to)?.state).toBe(rises ? to : undefined);
    expect(a.row(row)?.state).toBe(rises ? to : from);
  });

  test('a reason stands beside a failure and goes with it', () => {
    const { a, key } = outbox();
    const { row } = enqueue(a, key).row;
    const error = { code: 'rate-limited', message: 'slow down', retryAfter: 30, certain: true } as const;
    expect(a.settle(row, 'failed', { error })?.error).toEqual(error);
    expect(a.requeue(row)?.error).toBeUndefined();
  });

  test('only what failed or is in doubt can be queued again', () => {
    const { a, key } = outbox();
    for (const state of STATES) {
      const again = state === 'failed' || state === 'unknown';
      expect(a.requeue(inState(a, key, state))?.state).toBe(again ? 'queued' : undefined);
    }
  });
});

describe('durable before it is reported', () => {
  test('another process sees a queued message and its states at once', () => {
    const { path, a, key } = outbox();
    a.receive(incoming(key));
    const { row } = enqueue(a, key).row;
    const other = new DatabaseSync(path, { readOnly: true });
    const state = other.prepare('SELECT state FROM message WHERE row = ?');
    expect(state.get(row)?.state).toBe('queued');
    a.settle(row, 'sent');
    expect(state.get(row)?.state).toBe('sent');
    expect(other.prepare('SELECT count(*) AS n FROM message').get()?.n).toBe(2);
    other.close();
  });

  test('F17 tries are counted on disk', () => {
    const { path, a, key } = outbox();
    const { row } = enqueue(a, key).row;
    expect([a.tried(row), a.tried(row)]).toEqual([1, 2]);
    a.close();
    expect(archive(path).tried(row)).toBe(3);
  });
});

describe('the order and the keys', () => {
  test('the outbox is in the order of sending, of one account or of all, and holds no settled message', () => {
    const { a, key } = outbox();
    const other = a.conversation('home', chat('bob')).key;
    const rows = [key, other, key].map((to) => enqueue(a, to).row.row);
    const [first = 0, second = 0, third = 0] = rows;
    a.settle(first, 'failed', { error: ERROR });
    a.requeue(first);
    expect(a.outbox('work').map((row) => row.row)).toEqual([first, third]);
    a.settle(third, 'accepted');
    expect(a.outbox().map((row) => row.row)).toEqual([first, second]);
  });

  test('S5 the same script key returns the message that was stored first, over restarts too', () => {
    const { path, a, key } = outbox();
    const first = enqueue(a, key, { scriptKey: 'k', text: 'one' });
    expect(first.fresh).toBe(true);
    expect(enqueue(a, key, { scriptKey: 'k', text: 'two' })).toEqual({ row: first.row, fresh: false });
    a.close();
    const again = archive(path);
    expect(enqueue(again, key, { scriptKey: 'k', text: 'one' })).toEqual({ row: first.row, fresh: false });
    expect(again.byScriptKey('k')).toEqual(first.row);
    expect(again.page(key, 10)).toHaveLength(1);
  });

  test('what is read back is what enqueue returned', () => {
    const { a, key } = outbox();
    const { row } = a.enqueue({ key, nonce: nonce('f'), text: '', at: 1, path: '/home/me/cat.png', replyTo: id('x') });
    expect(a.row(row.row)).toEqual(row);
    expect(row.files).toMatchObject([{ name: 'cat.png' }]);
    expect(a.pathOf(row.row)).toBe('/home/me/cat.png');
  });

  test('what may have gone out cannot be discarded while it is on its way; the rest can', () => {
    const { a, key } = outbox();
    for (const state of STATES) {
      const row = inState(a, key, state);
      const may = state === 'queued' || state === 'failed' || state === 'unknown';
      expect(a.discard(row)).toBe(may);
      expect(a.row(row) === undefined).toBe(may);
    }
  });

  test('the number of a discarded row is never given again', () => {
    const { path, a, key } = outbox();
    const { row } = enqueue(a, key).row;
    a.discard(row);
    a.close();
    expect(enqueue(archive(path), key).row.row).toBeGreaterThan(row);
  });
});

describe('ids and receipts from the network', () => {
  const accepted = (a: Archive, key: ConversationKey, name: string): number => {
    const { row } = enqueue(a, key).row;
    a.settle(row, 'accepted', { id: id(name) });
    return row;
  };

  test('an id is found again, and one that came late is still taken', () => {
    const { a, key } = outbox();
    const { row } = enqueue(a, key).row;
    a.settle(row, 'accepted');
    expect(a.settle(row, 'accepted', { id: id('late') })?.id).toBe('late');
    expect(a.byId(key, id('late'))?.row).toBe(row);
    expect(a.settle(row, 'accepted', { id: id('other') })).toBeUndefined();
  });

  test('an own copy that arrived before the id was known is the same message', () => {
    const { a, key } = outbox();
    const { row } = enqueue(a, key).row;
    a.receive(incoming(key, { from: 'self', id: id('x') }));
    expect(a.settle(row, 'accepted', { id: id('x') })?.id).toBe('x');
    expect(a.page(key, 10).map((m) => m.row)).toEqual([row]);
  });

  test('an id that somebody else used before takes nothing away from them', () => {
    const { a, key } = outbox();
    const theirs = there(a.receive(incoming(key, { id: id('x') })));
    const { row } = enqueue(a, key).row;
    expect(a.settle(row, 'accepted', { id: id('x') })).toMatchObject({ row, state: 'accepted' });
    expect(a.byId(key, id('x'))).toEqual(theirs);
  });

  test('a receipt raises own messages up to its id, and nothing else', () => {
    const { a, key } = outbox();
    const other = a.conversation('work', chat('bob')).key;
    const [one, elsewhere] = [accepted(a, key, '1'), accepted(a, other, '1')];
    const doubtful = inState(a, key, 'unknown');
    const theirs = there(a.receive(incoming(key)));
    const [two, three] = [accepted(a, key, '2'), accepted(a, key, '3')];
    const changed = a.receipt(key, id('2'), 'read', false);
    expect(changed.map((row) => [row.row, row.state])).toEqual([
      [one, 'read'],
      [two, 'read'],
    ]);
    expect([three, elsewhere, doubtful].map((row) => a.row(row)?.state)).toEqual(['accepted', 'accepted', 'unknown']);
    expect(a.row(theirs.row)).toEqual(theirs);
    expect(a.receipt(key, id('2'), 'delivered', false)).toEqual([]);
  });

  test('a single receipt raises that message alone, also one that was in doubt', () => {
    const { a, key } = outbox();
    const [one, two] = [accepted(a, key, '1'), accepted(a, key, '2')];
    expect(a.receipt(key, id('2'), 'delivered', true).map((row) => row.row)).toEqual([two]);
    expect(a.row(one)?.state).toBe('accepted');
    expect(a.receipt(key, id('none'), 'delivered', true)).toEqual([]);
  });

  test('a receipt that overtakes the acceptance is kept: until then the nonce is the name', () => {
    const { a, key } = outbox();
    const { row, nonce: own } = enqueue(a, key).row;
    expect(a.receipt(key, id(String(own)), 'delivered', true)).toEqual([]);
    a.settle(row, 'sent');
    expect(a.receipt(key, id(String(own)), 'delivered', true)).toMatchObject([{ row, state: 'delivered' }]);
    a.settle(row, 'accepted', { id: id('named') });
    expect(a.row(row)).toMatchObject({ state: 'delivered', id: 'named' });
  });

  test("a receipt for somebody else's message changes nothing of it", () => {
    const { a, key } = outbox();
    const theirs = there(a.receive(incoming(key, { id: id('x'), from: user('bob') })));
    expect(a.receipt(key, id('x'), 'read', true)).toEqual([]);
    expect(a.row(theirs.row)).toEqual(theirs);
  });

  test('a bounce fails what was accepted, not what was delivered', () => {
    const { a, key } = outbox();
    const row = accepted(a, key, '1');
    expect(a.bounce(key, id('1'), ERROR)).toMatchObject({ row, state: 'failed', error: ERROR });
    accepted(a, key, '2');
    a.receipt(key, id('2'), 'delivered', true);
    expect(a.bounce(key, id('2'), ERROR)).toBeUndefined();
    expect(a.bounce(key, id('none'), ERROR)).toBeUndefined();
  });
});

test('F19 an account that is forgotten keeps its texts, none of which goes out any more', () => {
  const { a, key } = outbox();
  const other = a.conversation('home', chat('bob')).key;
  const rows = [inState(a, key, 'queued'), inState(a, key, 'sent'), inState(a, other, 'queued')];
  a.forget('work');
  expect(rows.map((row) => a.row(row)?.state)).toEqual(['failed', 'unknown', 'queued']);
});
