import { describe, expect, test } from 'vitest';
import { asciiDomain, parseJid, tryJid } from '../../../../adapters/xmpp/transport/jid.ts';
import { refusal } from './open.ts';

describe('a JID', () => {
  // RFC 7622 section 3.5, table 1, and more.
  test.each([
    ['juliet@example.com', 'juliet@example.com'],
    ['juliet@example.com/foo', 'juliet@example.com/foo'],
    ['juliet@example.com/foo bar', 'juliet@example.com/foo bar'],
    ['juliet@example.com/foo@bar', 'juliet@example.com/foo@bar'],
    ['foo\\20bar@example.com', 'foo\\20bar@example.com'],
    ['fussball@example.com', 'fussball@example.com'],
    ['fu\u00dfball@example.com', 'fu\u00dfball@example.com'],
    ['\u03c0@example.com', '\u03c0@example.com'],
    ['\u03a3@example.com/foo', '\u03c3@example.com/foo'],
    ['king@example.com/\u265a', 'king@example.com/\u265a'],
    ['example.com', 'example.com'],
    ['example.com/foobar', 'example.com/foobar'],
    ['a.example.com/b@example.net', 'a.example.com/b@example.net'],
    ['Alice@EXAMPLE.com', 'alice@example.com'],
    ['alice@example.com.', 'alice@example.com'],
    ['alice@b\u00fccher.example', 'alice@b\u00fccher.example'],
    ['alice@xn--bcher-kva.example', 'alice@b\u00fccher.example'],
    ['alice@B\u00dcCHER.example', 'alice@b\u00fccher.example'],
    ['e\u0301@example.com', '\u00e9@example.com'],
    ['\uff21lice@example.com', 'alice@example.com'],
    ['alice@example.com/a\u00a0b', 'alice@example.com/a b'],
    ['alice@127.0.0.1', 'alice@127.0.0.1'],
    ['alice@[::1]/x', 'alice@[::1]/x'],
    ['alice@localhost', 'alice@localhost'],
    ['room@conference.example.com/Nick / Name', 'room@conference.example.com/Nick / Name'],
  ])('L13 %j is %j', (text, canonical) => {
    const { full, bare } = parseJid(text);
    expect(full).toBe(canonical);
    expect(bare).toBe(canonical.split('/')[0]);
    expect(parseJid(full)).toEqual(parseJid(text));
  });

  // RFC 7622 section 3.5, table 2, and more.
  test.each([
    ['"juliet"@example.com'],
    ['foo bar@example.com'],
    ['juliet@example.com/'],
    ['@example.com'],
    ['henry\u2163@example.com'],
    ['\u265a@example.com'],
    ['juliet@'],
    ['/foobar'],
    [''],
    ['ali\0ce@example.com'],
    ['alice@exam ple.com'],
    ['alice@exa\tmple.com'],
    ['alice@example.com\0'],
    ['alice@example.com/a\0b'],
    ['alice@example.com/a\nb'],
    ['alice@example.com..'],
    ['alice@.example.com'],
    ['alice@example..com'],
    ['alice@example.com:5222'],
    ['alice@example.com#x'],
    ['alice@exa%6dple.com'],
    ['alice@1234'],
    ['alice@-bad.example'],
    ['al\u200bice@example.com'],
    ['al\u00adice@example.com'],
    ['a<b@example.com'],
    ["o'neil@example.com"],
    [`${'a'.repeat(1_024)}@example.com`],
    [`alice@${'a'.repeat(64)}.example`],
    [`alice@${'abcdefghi.'.repeat(26)}example`],
    [`alice@example.com/${'é'.repeat(512)}`],
    ['x'.repeat(100_000)],
  ])('L13 %j is none', async (text) => {
    await refusal((async () => parseJid(text))(), 'bad-data');
    expect(tryJid(text)).toBeUndefined();
  });

  test('L13 the longest parts are taken', () => {
    expect(parseJid(`${'a'.repeat(1_023)}@example.com/${'b'.repeat(1_023)}`).resource).toHaveLength(1_023);
  });

  test('the domain for DNS and certificates is in A-labels', () => {
    expect(asciiDomain('bücher.example')).toBe('xn--bcher-kva.example');
    expect(asciiDomain('[::1]')).toBe('::1');
  });
});
