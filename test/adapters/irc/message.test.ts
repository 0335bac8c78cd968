import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkLine, formatLine, parseLine, tag } from '../../../adapters/irc/transport/message.ts';

test.each([
  ['PING', { command: 'PING', params: [] }],
  ['foo bar baz :asdf quux', { command: 'FOO', params: ['bar', 'baz', 'asdf quux'] }],
  [
    ':coolguy foo bar baz  :  asdf quux ',
    { command: 'FOO', source: 'coolguy', params: ['bar', 'baz', '  asdf quux '] },
  ],
  [':coolguy PRIVMSG bar :lol :) ', { command: 'PRIVMSG', params: ['bar', 'lol :) '] }],
  [':gravel.mozilla.org MODE #tckk +n ', { command: 'MODE', params: ['#tckk', '+n'] }],
  [':a!b@c MODE x :', { command: 'MODE', nick: 'a', params: ['x', ''] }],
  [':src AWAY', { command: 'AWAY', source: 'src', params: [] }],
  ['@a=b;c   :src  JOIN   #chan', { command: 'JOIN', rawTags: 'a=b;c', source: 'src', params: ['#chan'] }],
])('%s is read as modern.ircdocs.horse says', (line, expected) => {
  expect(parseLine(line)).toMatchObject(expected);
});

test.each(['', ' ', ':only-a-source', '@only=tags', '@a :b '])('a line without a command (%j) is none', (line) => {
  expect(parseLine(line)?.command ?? '').toBe('');
});

test('a tag is read with its escapes, the last of equal ones counting, and is not taken for another', () => {
  const line = parseLine(String.raw`@time=1;a=\:\s\\\r\n\x\;b;msgid=first;xmsgid=no;msgid=a=b PING`);
  if (!line) throw new Error('no line');
  expect(tag(line, 'a')).toBe('; \\\r\nx');
  expect(tag(line, 'b')).toBe('');
  expect(tag(line, 'msgid')).toBe('a=b');
  expect(tag(line, 'time')).toBe('1');
  expect(tag(line, 'tim')).toBeUndefined();
});

test('what is written is read back, tags and all', () => {
  const word = fc.stringMatching(/^[a-zA-Z0-9#]{1,8}$/);
  const text = fc.string({ unit: 'binary' }).map((value) => value.replace(/[\r\n\0]/g, ''));
  fc.assert(
    fc.property(word, fc.array(word), text, fc.string(), (command, middle, last, value) => {
      const line = parseLine(formatLine(command, [...middle, last], new Map([['+k', value.replaceAll('\0', '')]])));
      expect(line?.command).toBe(command.toUpperCase());
      expect(line?.params).toEqual([...middle, last]);
      expect(line && tag(line, '+k')).toBe(value.replaceAll('\0', ''));
    }),
  );
});

test.each(['\r', '\n', '\r\n', '\0'])('L14 I1 %j in any place of a command is refused before it is written', (bad) => {
  for (const params of [
    [`#c${bad}QUIT`, 'x'],
    ['#c', `x${bad}QUIT`],
    [`${bad}`, 'x'],
  ]) {
    expect(() => formatLine('PRIVMSG', params)).toThrow(expect.objectContaining({ code: 'refused' }));
  }
  expect(() => checkLine(`PRIVMSG #c${bad}QUIT :x`)).toThrow(expect.objectContaining({ code: 'refused' }));
});

test.each(['', 'two words', ':colon'])('I1 %j cannot pass for a parameter in the middle', (bad) => {
  expect(() => formatLine('PRIVMSG', [bad, 'x'])).toThrow(expect.objectContaining({ code: 'refused' }));
});
