import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseQuery } from '../../src/archive/query.ts';
import type { Archive, Incoming } from '../../src/archive/types.ts';
import { archive, archivePath, chat, id, incoming, nonce, there, user } from './fixture.ts';

const DAY = 86_400_000;
const never = new AbortController().signal;

interface Corpus {
  readonly a: Archive;
  /** Texts found, newest first. */
  readonly found: (query: string, limit?: number, account?: string) => readonly string[];
}

const MESSAGES: readonly (Partial<Incoming> & { readonly in: string })[] = [
  { in: 'ops', text: 'The server is down', from: user('alice@x'), fromName: 'Alice', at: 10 * DAY },
  { in: 'ops', text: 'server restarted, all 100% green', from: user('bob@x'), fromName: 'Bob', at: 12 * DAY },
  { in: 'bob', text: 'Привет, как СЕРВЕР?', from: user('bob@x'), fromName: 'Bob', at: 11 * DAY },
  { in: 'bob', text: '今天天气很好', from: user('bob@x'), fromName: 'Bob', at: 13 * DAY },
  { in: 'bob', text: '我们去北京', from: user('bob@x'), fromName: 'Bob', at: 14 * DAY },
  { in: 'bob', text: 'say "quoted" AND OR NOT text: a* ^b (c)', from: user('bob@x'), fromName: 'Bob', at: 15 * DAY },
  { in: 'bob', text: 'a_b', from: 'self', fromName: '', at: 16 * DAY },
  { in: 'bob', text: '', files: [{ id: 'f' as never, name: 'Quarterly Report.pdf' }], at: 17 * DAY },
  { in: 'bob', text: 'ok', from: user('bob@x'), fromName: 'Bob', at: 18 * DAY },
];

async function corpus(indexed: 'nothing' | 'half' | 'all'): Promise<Corpus> {
  const a = archive();
  const keys = {
    ops: a.conversation('libera', chat('#ops', { kind: 'room', title: '#ops', address: '#ops' })).key,
    bob: a.conversation('work', chat('bob', { title: 'Bob Builder', address: 'bob@example.org' })).key,
  };
  for (const [n, { in: where, ...about }] of MESSAGES.entries()) {
    if (n === 4 && indexed === 'half') await a.index(never);
    a.receive(incoming(where === 'ops' ? keys.ops : keys.bob, about));
  }
  if (indexed === 'all') await a.index(never);
  return { a, found: (query, limit = 50, account) => a.search(query, limit, account).map((row) => row.text) };
}

describe.each(['nothing', 'half', 'all'] as const)('a search while %s is indexed', (indexed) => {
  test.each([
    ['server', ['server restarted, all 100% green', 'The server is down']],
    ['SERVER down', ['The server is down']],
    ['erve', ['server restarted, all 100% green', 'The server is down']],
    ['"server is"', ['The server is down']],
    ['"server restarted, all 100% green"', ['server restarted, all 100% green']],
    ['"server restarted, all 100% grean"', []],
    ['"is server"', []],
    ['сервер', ['Привет, как СЕРВЕР?']],
    ['ПРИВЕТ', ['Привет, как СЕРВЕР?']],
    ['天气', ['今天天气很好']],
    ['很好', ['今天天气很好']],
    ['北京', ['我们去北京']],
    ['京', ['我们去北京']],
    ['海', []],
    ['ОК', []],
    ['ВЕ', ['Привет, как СЕРВЕР?']],
    ['OK', ['ok']],
    ['100%', ['server restarted, all 100% green']],
    ['0%', ['server restarted, all 100% green']],
    ['a_b', ['a_b']],
    ['%', ['server restarted, all 100% green']],
    ['text: a*', ['say "quoted" AND OR NOT text: a* ^b (c)']],
    ['NOT ^b', ['say "quoted" AND OR NOT text: a* ^b (c)']],
    ['report', ['']],
    ['"quarterly report.pdf"', ['']],
    ['has:file', ['']],
    ['from:alice', ['The server is down']],
    ['from:"bob" server', ['server restarted, all 100% green']],
    ['from:me', ['a_b']],
    ['from:nobody', []],
    ['in:#ops server', ['server restarted, all 100% green', 'The server is down']],
    ['in:builder ok', ['ok']],
    ['in:nowhere server', []],
    ['account:libera', ['server restarted, all 100% green', 'The server is down']],
    ['account:none server', []],
    ['', []],
    ['""', []],
  ] as const)('finds by %s', async (query, expected) => {
    const { found } = await corpus(indexed);
    expect(found(query)).toEqual(expected);
  });

  test('before and after limit the time, not the order of arrival', async () => {
    const { found } = await corpus(indexed);
    const day = (n: number): string => new Date(n * DAY).toISOString();
    expect(found(`before:${day(12)}`)).toEqual(['Привет, как СЕРВЕР?', 'The server is down']);
    expect(found(`after:${day(18)}`)).toEqual(['ok']);
    expect(found(`server after:${day(11)}`)).toEqual(['server restarted, all 100% green']);
    expect(found(`after:${day(30)}`)).toEqual([]);
    expect(found(`before:${day(1)} server`)).toEqual([]);
  });

  test('what is older comes later, also where it arrived last', async () => {
    const { a, found } = await corpus(indexed);
    const { key } = there(a.conversations('libera')[0]);
    for (let n = 0; n < 600; n += 1)
      a.import({ key, id: id(`old-${n}`), from: 'self', fromName: '', at: n, text: 'old server', mention: false });
    if (indexed === 'all') await a.index(never);
    expect(found('server', 3)).toEqual(['server restarted, all 100% green', 'The server is down', 'old server']);
    expect(a.search('server', 10).map(({ at }) => at)).toEqual([
      12 * DAY,
      10 * DAY,
      599,
      598,
      597,
      596,
      595,
      594,
      593,
      592,
    ]);
    expect(found(`server before:1970-01-02`, 700)).toHaveLength(600);
    expect(found(`server after:${new Date(11 * DAY).toISOString()}`, 700)).toHaveLength(1);
  });

  test('the limit and the account of the caller hold', async () => {
    const { found } = await corpus(indexed);
    expect(found('server', 1)).toEqual(['server restarted, all 100% green']);
    expect(found('server', 50, 'work')).toEqual([]);
    expect(found('server', 0)).toEqual([]);
  });
});

describe('what changes after it was indexed', () => {
  test('an edited text is found by its new words only', async () => {
    const { a, found } = await corpus('all');
    const [row] = a.search('restarted', 1);
    const { key, id: message } = there(row);
    a.edit(key, there(message), user('bob@x'), 'server rebooted');
    expect(found('restarted')).toEqual([]);
    expect(found('rebooted from:bob in:ops')).toEqual(['server rebooted']);
  });

  test('a retracted message and a discarded one are not found', async () => {
    const { a, found } = await corpus('all');
    const row = there(a.search('down', 1)[0]);
    const own = a.enqueue({ key: row.key, nonce: nonce('n'), text: 'discarded soon', at: 1 }).row;
    await a.index(never);
    a.retract(row.key, there(row.id), user('alice@x'));
    a.discard(own.row);
    expect([...found('down'), ...found('discarded'), ...found('alice'), ...found('from:alice')]).toEqual([]);
  });

  test('the index goes on where it stopped, over restarts', async () => {
    const path = archivePath();
    const first = archive(path);
    const key = first.conversation('work', chat('bob')).key;
    for (let n = 0; n < 600; n += 1) first.receive(incoming(key, { text: `number${n}x` }));
    const abort = new AbortController();
    abort.abort();
    await first.index(abort.signal);
    first.close();
    const second = archive(path);
    await second.index(never);
    for (const n of [0, 255, 256, 599]) expect(second.search(`number${n}x`, 5)).toHaveLength(1);
  });
});

test('with and without the index, any search finds the same', async () => {
  const words = [
    'ab',
    'abc',
    'bcd',
    'Ж',
    'жук',
    '北京',
    '京',
    'a b',
    '%',
    "'",
    '"',
    'in:r',
    'from:u1',
    'has:file',
    'ÉÀ',
  ];
  const word = fc.constantFrom(...words);
  const message = fc.record({ text: fc.array(word).map((w) => w.join(' ')), who: fc.nat(3), room: fc.nat(1) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { minLength: 1, maxLength: 12 }),
      fc.array(word, { maxLength: 3 }).map((w) => w.join(' ')),
      async (messages, query) => {
        const a = archive();
        const keys = ['room', 'other'].map((name) => a.conversation('work', chat(name)).key);
        for (const { text, who, room } of messages) {
          a.receive(incoming(there(keys[room]), { text, from: user(`u${who}`), fromName: `U${who}` }));
        }
        const before = a.search(query, 50);
        await a.index(never);
        expect(a.search(query, 50)).toEqual(before);
        a.close();
      },
    ),
    { numRuns: 100 },
  );
});

describe('the query language', () => {
  test('quotes may be left open, and a filter takes a quoted value', () => {
    expect(parseQuery('one "two three" in:"big room" "four')).toMatchObject({
      terms: ['one', 'two three', 'four'],
      in: ['big room'],
    });
  });

  test('dates are days, times, ages or words', () => {
    const now = new Date('2026-03-10T15:00:00').getTime();
    const after = (text: string): number | undefined => parseQuery(`after:${text}`, now).after;
    expect(after('2026-03-01')).toBe(new Date('2026-03-01T00:00').getTime());
    expect(after('2026-03-01T12:30')).toBe(new Date('2026-03-01T12:30').getTime());
    expect(after('2h')).toBe(now - 7_200_000);
    expect(after('today')).toBe(new Date('2026-03-10T00:00').getTime());
    expect(after('yesterday')).toBe(new Date('2026-03-09T00:00').getTime());
  });

  test.each(['before:soon', 'after:2026-13-01', 'after:x', 'has:cheese'])('%s is refused in plain words', (query) => {
    expect(() => parseQuery(query)).toThrow(/is no date|is not known/);
    expect(() => archive().search(query, 5)).toThrow(/is no date|is not known/);
  });

  test('a colon in any other word is part of the word', () => {
    expect(parseQuery('http://x.org note:this').terms).toEqual(['http://x.org', 'note:this']);
  });
});

test('ids are any text, to the archive they mean nothing', () => {
  const a = archive();
  const key = a.conversation('tg', chat('-1001234567890')).key;
  for (const name of ['', '0', '-100:42', "'; DROP TABLE message; --", 'ключ', 'x'.repeat(5000)]) {
    expect(a.receive(incoming(key, { id: id(name) }))?.id).toBe(name);
    expect(a.byId(key, id(name))?.id).toBe(name);
  }
});
