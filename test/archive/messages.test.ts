import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Row } from '../../src/archive/types.ts';
import type { ConversationKey } from '../../src/link/messages.ts';
import { archive, archivePath, chat, id, incoming, nonce, there, user } from './fixture.ts';

describe('conversations', () => {
  test('a chat of an account has one key for ever, over restarts too', () => {
    const path = archivePath();
    const first = archive(path);
    const key = first.conversation('work', chat('alice')).key;
    expect(key).toMatch(/^c[0-9a-z]+$/);
    expect(first.conversation('work', chat('alice')).key).toBe(key);
    first.close();
    const second = archive(path);
    expect(second.find('work', chat('alice').id)?.key).toBe(key);
    expect(second.conversation('work', chat('bob')).key).not.toBe(key);
  });

  test('the same native id in two accounts means two conversations', () => {
    const a = archive();
    expect(a.conversation('work', chat('alice')).key).not.toBe(a.conversation('home', chat('alice')).key);
    expect(a.conversations('home').map((c) => c.account)).toEqual(['home']);
    expect(a.conversations()).toHaveLength(2);
  });

  test('title, topic and address follow the network', () => {
    const path = archivePath();
    const first = archive(path);
    first.conversation('work', chat('room', { kind: 'room', topic: 'old' }));
    const { key } = first.conversation('work', chat('room', { kind: 'room', title: 'Room', topic: 'new' }));
    first.close();
    expect(archive(path).get(key)).toMatchObject({ kind: 'room', title: 'Room', topic: 'new' });
  });

  test('a key that was not minted here is refused', () => {
    const a = archive();
    for (const key of ['c1', 'c', 'x', '', 'c1; DROP TABLE message', 'c-1']) {
      expect(a.get(key as ConversationKey)).toBeUndefined();
      expect(() => a.receive(incoming(key as ConversationKey))).toThrow(/no conversation/);
    }
  });
});

describe('receiving', () => {
  test('what is read back is what was returned', () => {
    const a = archive();
    const key = a.conversation('work', chat('alice')).key;
    const text = fc.string({ unit: 'grapheme' });
    const message = fc.record(
      {
        id: text.map(id),
        from: fc.oneof(fc.constant('self' as const), text.map(user)),
        fromName: text,
        at: fc.integer({ min: 0, max: 4e12 }),
        text,
        mention: fc.boolean(),
        unread: fc.boolean(),
        nonce: text.map(nonce),
        style: fc.constantFrom('action' as const, 'notice' as const),
        replyTo: text.map(id),
        files: fc.array(fc.record({ id: fc.constant('f' as never), name: text, bytes: fc.nat() }), { maxLength: 2 }),
      },
      { requiredKeys: ['id', 'from', 'fromName', 'at', 'text', 'mention', 'unread'] },
    );
    fc.assert(
      fc.property(message, (m) => {
        const row = a.receive({ key, ...m });
        if (row) expect(a.row(row.row)).toEqual(row);
      }),
    );
  });

  test('rows keep the order of arrival, whatever the time in the message', () => {
    const a = archive();
    const key = a.conversation('work', chat('alice')).key;
    const times = [300, 100, 200];
    const rows = times.map((at) => there(a.receive(incoming(key, { at }))).row);
    expect(rows).toEqual([...rows].sort((x, y) => x - y));
    expect(a.page(key, 10).map((row) => row.at)).toEqual(times);
    expect(a.get(key)?.last).toBe(300);
  });

  test('F20 the same id is stored once in a conversation, and once in each other conversation', () => {
    const a = archive();
    const [one, two] = [a.conversation('work', chat('alice')).key, a.conversation('work', chat('bob')).key];
    expect(a.receive(incoming(one, { id: id('x') }))).toBeDefined();
    expect(a.receive(incoming(one, { id: id('x'), text: 'other' }))).toBeUndefined();
    expect(a.receive(incoming(two, { id: id('x') }))).toBeDefined();
    expect(a.get(one)?.unread).toBe(1);
  });

  test('F20 the same nonce by the same sender is stored once; another sender cannot suppress it', () => {
    const a = archive();
    const key = a.conversation('work', chat('room')).key;
    expect(a.receive(incoming(key, { from: user('eve'), nonce: nonce('n') }))).toBeDefined();
    expect(a.receive(incoming(key, { from: user('bob'), nonce: nonce('n') }))).toBeDefined();
    expect(a.receive(incoming(key, { from: user('bob'), nonce: nonce('n') }))).toBeUndefined();
  });

  test('the echo of an own message gives its row the id and stores nothing', () => {
    const a = archive();
    const key = a.conversation('work', chat('room')).key;
    const { row } = a.enqueue({ key, nonce: nonce('n'), text: 'hi', at: 1 });
    a.settle(row.row, 'unknown');
    expect(a.receive(incoming(key, { from: 'self', nonce: nonce('n'), id: id('server-1') }))).toBeUndefined();
    expect(a.byId(key, id('server-1'))).toMatchObject({ row: row.row, state: 'accepted' });
    expect(a.page(key, 10)).toHaveLength(1);
    expect(a.outbox()).toEqual([]);
  });

  test('a stranger who repeats our nonce is not our echo', () => {
    const a = archive();
    const key = a.conversation('work', chat('room')).key;
    const { row } = a.enqueue({ key, nonce: nonce('n'), text: 'hi', at: 1 });
    expect(a.receive(incoming(key, { from: user('eve'), nonce: nonce('n') }))).toBeDefined();
    expect(a.row(row.row)).toMatchObject({ state: 'queued' });
  });

  test('own messages from another device are accepted and not unread', () => {
    const a = archive();
    const key = a.conversation('work', chat('alice')).key;
    expect(a.receive(incoming(key, { from: 'self' }))?.state).toBe('accepted');
    expect(a.get(key)?.unread).toBe(0);
  });

  test('X16 a time that is none becomes the time of arrival', () => {
    const a = archive();
    const key = a.conversation('work', chat('alice')).key;
    const row = there(a.receive(incoming(key, { at: Number.NaN })));
    expect(Math.abs(row.at - Date.now())).toBeLessThan(60_000);
    expect(a.receive(incoming(key, { at: 12.75 }))?.at).toBe(12);
  });
});

describe('unread', () => {
  test('counts what came unread, mentions among it, and survives a restart', () => {
    const path = archivePath();
    const first = archive(path);
    const key = first.conversation('work', chat('alice')).key;
    first.receive(incoming(key, { mention: true }));
    first.receive(incoming(key, { unread: false, mention: true }));
    first.receive(incoming(key));
    first.close();
    expect(archive(path).get(key)).toMatchObject({ unread: 2, mentions: 1 });
  });

  test('reading up to a row leaves what came after it, and never goes back', () => {
    const a = archive();
    const key = a.conversation('work', chat('alice')).key;
    const rows = [true, false, true].map((mention) => there(a.receive(incoming(key, { mention }))).row);
    const [first = 0, second = 0, third = 0] = rows;
    expect(a.markRead(key, second)).toMatchObject({ unread: 1, mentions: 1, readUpTo: second });
    expect(a.markRead(key, first)).toMatchObject({ unread: 1, mentions: 1, readUpTo: second });
    expect(a.markRead(key, third)).toMatchObject({ unread: 0, mentions: 0, readUpTo: third });
  });
});

describe('changing', () => {
  const stored = () => {
    const a = archive();
    const key = a.conversation('work', chat('room')).key;
    const row = there(a.receive(incoming(key, { id: id('x'), text: 'original' })));
    return { a, key, row };
  };

  test('X5 an edit by the author shows, one by anybody else changes nothing', () => {
    const { a, key, row } = stored();
    expect(a.edit(key, id('x'), user('eve'), 'forged')).toBeUndefined();
    expect(a.edit(key, id('x'), 'self', 'forged')).toBeUndefined();
    expect(a.row(row.row)).toEqual(row);
    expect(a.edit(key, id('x'), user('bob'), 'better')).toMatchObject({ text: 'better', edited: true });
  });

  test('X5 an edit in another conversation changes nothing', () => {
    const { a, row } = stored();
    const other = a.conversation('work', chat('other')).key;
    expect(a.edit(other, id('x'), user('bob'), 'forged')).toBeUndefined();
    expect(a.row(row.row)).toEqual(row);
  });

  test('X5 a retraction by the author empties the message for good', () => {
    const { a, key } = stored();
    expect(a.retract(key, id('x'), user('eve'))).toBeUndefined();
    expect(a.retract(key, id('x'), user('bob'))).toMatchObject({ text: '', files: [], retracted: true });
    expect(a.edit(key, id('x'), user('bob'), 'again')).toBeUndefined();
  });

  test('reactions are those that each person set last', () => {
    const { a, key } = stored();
    expect(a.react(key, id('x'), 'eve', ['👍', '__proto__'])?.reactions['👍']).toEqual(['eve']);
    expect(a.react(key, id('x'), 'bob', ['👍'])?.reactions['👍']).toEqual(['eve', 'bob']);
    expect(a.react(key, id('x'), 'bob', ['👍'])).toBeUndefined();
    expect(a.react(key, id('x'), 'eve', [])?.reactions).toEqual({ '👍': ['bob'] });
    expect(a.react(key, id('x'), 'bob', [])?.reactions).toEqual({});
    expect(a.react(key, id('none'), 'bob', ['👍'])).toBeUndefined();
  });

  test('a flood of reactions by one person is cut', () => {
    const { a, key } = stored();
    const flood = Array.from({ length: 1000 }, (_, n) => `e${n}`);
    expect(Object.keys(a.react(key, id('x'), 'eve', flood)?.reactions ?? {})).toHaveLength(20);
  });
});

describe('reading back', () => {
  test('pages go backwards from the end, oldest first, without gap or overlap', () => {
    const a = archive();
    const key = a.conversation('work', chat('alice')).key;
    const other = a.conversation('work', chat('bob')).key;
    const sent: Row[] = [];
    for (let n = 0; n < 25; n += 1) {
      sent.push(there(a.receive(incoming(key))));
      a.receive(incoming(other));
    }
    const pages: Row[][] = [];
    for (let page = a.page(key, 10); page.length > 0; page = a.page(key, 10, page[0]?.row)) pages.unshift([...page]);
    expect(pages.map((page) => page.length)).toEqual([5, 10, 10]);
    expect(pages.flat()).toEqual(sent);
  });

  test('since gives what came after a row over all conversations', () => {
    const a = archive();
    const keys = ['alice', 'bob'].map((name) => a.conversation('work', chat(name)).key);
    const rows = [0, 1, 0, 1].map((n) => there(a.receive(incoming(there(keys[n])))));
    expect(a.since(there(rows[0]).row, 2)).toEqual(rows.slice(1, 3));
    expect(a.since(a.lastRow(), 10)).toEqual([]);
  });
});

describe('adapter memory', () => {
  test('is of one account, survives a restart, and forgets', () => {
    const path = archivePath();
    const first = archive(path);
    first.memory('work').set('offset', '7');
    first.memory('work').set('gone', 'x');
    first.memory('work').set('gone', undefined);
    expect(first.memory('home').get('offset')).toBeUndefined();
    first.close();
    const second = archive(path);
    expect(second.memory('work').get('offset')).toBe('7');
    expect(second.memory('work').get('gone')).toBeUndefined();
    second.forget('work');
    expect(second.memory('work').get('offset')).toBeUndefined();
  });
});
