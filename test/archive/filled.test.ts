import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { STEPS } from '../../src/archive/schema.ts';
import type { Archive } from '../../src/archive/types.ts';
import type { ConversationKey } from '../../src/link/messages.ts';
import { archive, archivePath, chat, incoming, nonce } from './fixture.ts';

const minute = 60_000;

function conversation(): { readonly a: Archive; readonly key: ConversationKey } {
  const a = archive();
  return { a, key: a.conversation('work', chat('alice')).key };
}

const texts = (a: Archive, key: ConversationKey, limit = 100, before?: number): readonly string[] =>
  a.page(key, limit, before).map(({ text }) => text);

describe('what is filled in later', () => {
  test('stands where its time belongs, on every page', () => {
    const { a, key } = conversation();
    for (const at of [50, 60, 70]) a.receive(incoming(key, { text: `live ${at}`, at: at * minute }));
    for (const at of [10, 20, 55, 65])
      a.receive(incoming(key, { text: `filled ${at}`, at: at * minute, filled: 'missed' }));

    const all = ['filled 10', 'filled 20', 'live 50', 'filled 55', 'live 60', 'filled 65', 'live 70'];
    expect(texts(a, key)).toEqual(all);
    const paged: string[] = [];
    for (let before: number | undefined; ; ) {
      const page = a.page(key, 2, before);
      if (page.length === 0) break;
      paged.unshift(...page.map(({ text }) => text));
      before = page[0]?.row;
    }
    expect(paged).toEqual(all);
  });

  test('F7 what happens now comes last, also where a clock was set back', () => {
    const { a, key } = conversation();
    const day = 86_400_000;
    a.receive(incoming(key, { text: 'before', at: 5 * day }));
    a.enqueue({ key, nonce: nonce('n'), text: 'own, a day behind', at: 4 * day });
    a.receive(incoming(key, { text: 'after', at: 4 * day + 1 }));
    expect(texts(a, key)).toEqual(['before', 'own, a day behind', 'after']);
  });

  test('follows what came before it where only the clocks or their precision differ', () => {
    const { a, key } = conversation();
    a.receive(incoming(key, { text: 'before we went', at: 10_400 }));
    a.receive(incoming(key, { text: 'missed in the same second', at: 10_000, filled: 'missed' }));
    a.receive(incoming(key, { text: 'now', at: 11_000 }));
    expect(texts(a, key)).toEqual(['before we went', 'missed in the same second', 'now']);
  });

  test('stands exactly where its time belongs where older messages were asked for', () => {
    const { a, key } = conversation();
    a.receive(incoming(key, { text: 'here', at: 10_400 }));
    for (const at of [10_200, 10_300, 10_000, 10_100]) a.receive(incoming(key, { text: `${at}`, at, filled: 'older' }));
    expect(texts(a, key)).toEqual(['10000', '10100', '10200', '10300', 'here']);
  });

  test('is unread until the row below it is read, also where that row was read before', () => {
    const { a, key } = conversation();
    const below = a.receive(incoming(key, { text: 'below', at: 100 * minute, unread: true }));
    expect(a.markRead(key, below?.row ?? 0)).toMatchObject({ unread: 0 });
    a.receive(incoming(key, { text: 'missed', at: 50 * minute, filled: 'missed', unread: true }));
    expect(a.get(key)).toMatchObject({ unread: 1 });
    expect(a.markRead(key, below?.row ?? 0)).toMatchObject({ unread: 0 });
  });

  test('reading up to it leaves unread what stands below', () => {
    const { a, key } = conversation();
    a.receive(incoming(key, { text: 'below', at: 100 * minute, unread: true }));
    const missed = a.receive(incoming(key, { text: 'missed', at: 50 * minute, filled: 'missed', unread: true }));
    expect(a.markRead(key, missed?.row ?? 0)).toMatchObject({ unread: 1 });
  });

  test('F12 rows of the first layout keep their order', () => {
    const path = archivePath();
    mkdirSync(dirname(path));
    const db = new DatabaseSync(path);
    db.exec(`${STEPS[0]}; PRAGMA user_version = 1`);
    db.exec(`INSERT INTO conversation VALUES (1, 'work', 'alice', 'direct', 'alice', 'alice', NULL, 0, 0, 0, 30)`);
    for (const [row, at] of [
      [1, 10],
      [2, 30],
      [3, 20],
    ])
      db.exec(
        `INSERT INTO message (row, conversation, id, sender, sender_name, at, text, edited, retracted, mention, counted, tried)
         VALUES (${row}, 1, 'i${row}', 'alice', 'Alice', ${at}, 'text ${row}', 0, 0, 0, 0, 0)`,
      );
    db.close();
    const a = archive(path);
    const key = a.conversation('work', chat('alice')).key;
    expect(texts(a, key)).toEqual(['text 1', 'text 2', 'text 3']);
    expect(a.receive(incoming(key, { text: 'next', at: 40 }))?.row).toBe(4);
    expect(texts(a, key).at(-1)).toBe('next');
  });
});
