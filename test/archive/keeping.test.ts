import { statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Archive, Imported } from '../../src/archive/types.ts';
import type { ConversationKey } from '../../src/link/messages.ts';
import { archive, archivePath, chat, id, incoming, nonce, there, user } from './fixture.ts';

const never = new AbortController().signal;

function conversation(path = archivePath()): { readonly a: Archive; readonly key: ConversationKey } {
  const a = archive(path);
  return { a, key: a.conversation('work', chat('alice')).key };
}

const texts = (a: Archive, key: ConversationKey): readonly string[] => a.page(key, 1000).map(({ text }) => text);

describe('what is imported', () => {
  const old = (key: ConversationKey, about: Partial<Imported> = {}): Imported => ({
    key,
    id: id('log:1'),
    from: user('alice'),
    fromName: 'Alice',
    at: 5,
    text: 'old',
    mention: false,
    ...about,
  });

  test('is read, stands where its time belongs, and is stored once', () => {
    const { a, key } = conversation();
    a.receive(incoming(key, { text: 'live', at: 100 }));
    expect(a.import(old(key))).toBe(true);
    expect(a.import(old(key))).toBe(false);
    expect(texts(a, key)).toEqual(['old', 'live']);
    expect(a.get(key)).toMatchObject({ unread: 1, last: 100 });
  });

  test('is known again by its nonce, where the network has given it no id', () => {
    const { a, key } = conversation();
    const own = a.enqueue({ key, nonce: nonce('n1'), text: 'own', at: 10 }).row;
    const { id: _, ...without } = old(key, { from: 'self', nonce: nonce('n1'), text: 'own' });
    expect(a.import(without)).toBe(false);
    expect(a.row(own.row)?.state).toBe('queued');
  });

  test("keeps all that is told of it, but not a script's key that is taken", () => {
    const { a, key } = conversation();
    a.enqueue({ key, nonce: nonce('n1'), text: 'own', at: 10, scriptKey: 'k' });
    const told = { edited: true, reactions: { '👍': ['Bob'] }, state: 'failed', replyTo: id('log:0') } as const;
    const error = { code: 'refused', message: 'no' } as const;
    a.import(old(key, { ...told, error, from: 'self', scriptKey: 'k' }));
    expect(a.byId(key, id('log:1'))).toMatchObject({ ...told, error, from: 'self' });
    expect(a.byScriptKey('k')?.text).toBe('own');
  });
});

describe('what is too old', () => {
  test('goes, the oldest first and no more at a time than asked, from the search too; numbers are not given again', async () => {
    const { a, key } = conversation();
    const rows = [10, 20, 30, 40].map((at) =>
      there(a.receive(incoming(key, { at, text: `word ${at}`, unread: false }))),
    );
    await a.index(never);
    expect(a.expire(key, 35, 2)).toBe(2);
    expect(texts(a, key)).toEqual(['word 30', 'word 40']);
    expect(a.expire(key, 35, 2)).toBe(1);
    expect(a.expire(key, 35, 2)).toBe(0);
    expect(a.search('word', 10).map(({ text }) => text)).toEqual(['word 40']);
    expect(a.expire(key, 99, 9)).toBe(1);
    expect(there(a.receive(incoming(key))).row).toBeGreaterThan(there(rows.at(-1)).row);
  });

  test('stays while it is unread, and goes once it is read', () => {
    const { a, key } = conversation();
    const first = there(a.receive(incoming(key, { at: 1, text: 'read' })));
    const second = there(a.receive(incoming(key, { at: 2, text: 'unread' })));
    a.markRead(key, first.row);
    expect(a.expire(key, 1000, 10)).toBe(1);
    expect(texts(a, key)).toEqual(['unread']);
    expect(a.get(key)).toMatchObject({ unread: 1 });
    expect(a.expire(key, 1000, 10)).toBe(0);
    a.markRead(key, second.row);
    expect(a.expire(key, 1000, 10)).toBe(1);
    expect(a.get(key)).toMatchObject({ unread: 0 });
  });

  test('stays while it is in the outbox: queued, on its way, failed or in doubt', () => {
    const { a, key } = conversation();
    const rows = ['queued', 'sent', 'failed', 'unknown', 'accepted'].map((text) => ({
      text,
      row: a.enqueue({ key, nonce: nonce(text), text, at: 1 }).row.row,
    }));
    for (const { row, text } of rows) if (text !== 'queued') a.settle(row, text as 'sent');
    expect(a.expire(key, 1000, 10)).toBe(1);
    expect(texts(a, key)).toEqual(['queued', 'sent', 'failed', 'unknown']);
  });

  test('leaves its space to the disk, a little at a time', async () => {
    const path = archivePath();
    const { a, key } = conversation(path);
    for (let at = 0; at < 5000; at += 1) a.receive(incoming(key, { at, text: 'x'.repeat(400), unread: false }));
    await a.saved();
    a.close();
    const before = statSync(path).size;
    const b = archive(path);
    while (b.expire(key, 4900, 500) > 0);
    let steps = 1;
    while (b.shrink()) steps += 1;
    b.close();
    expect(steps).toBeGreaterThan(1);
    expect(statSync(path).size).toBeLessThan(before / 4);
  });
});

test('what is unread stays so over a restart, in numbers and in place', () => {
  const path = archivePath();
  const { a, key } = conversation(path);
  const [first] = [1, 2, 3].map((at) => a.receive(incoming(key, { at, mention: at === 3 })));
  a.markRead(key, there(first).row);
  a.flush();
  a.close();
  const b = archive(path);
  expect(b.get(key)).toMatchObject({ unread: 2, mentions: 1, readUpTo: there(first).row });
  expect(b.markRead(key, b.lastRow())).toMatchObject({ unread: 0, mentions: 0 });
});
