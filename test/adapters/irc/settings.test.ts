import { expect, test } from 'vitest';
import { irc } from '../../../adapters/irc/index.ts';

test('TLS is on by default, with its usual port, and off only when said so', () => {
  expect(irc.parse({ server: 'irc.example.org', nick: 'bob' })).toMatchObject({
    host: 'irc.example.org',
    port: 6697,
    tls: true,
  });
  expect(irc.parse({ server: 'irc.example.org', nick: 'bob', tls: 'off' })).toMatchObject({ port: 6667, tls: false });
  expect(irc.parse({ server: '[::1]:7000', nick: 'bob' })).toMatchObject({ host: '::1', port: 7000 });
});

test('a well-known network is named by its preset', () => {
  expect(irc.parse({ server: 'libera', nick: 'bob' })).toMatchObject({
    host: 'irc.libera.chat',
    port: 6697,
    tls: true,
  });
});

test('login, user and real name come from the nick unless given', () => {
  expect(irc.parse({ server: 'libera', nick: 'bob' })).toMatchObject({
    login: 'bob',
    user: 'bob',
    realname: 'bob',
    sasl: 'auto',
  });
});

test('join takes channels with keys', () => {
  expect(irc.parse({ server: 'libera', nick: 'bob', join: '#a, b key,##c' }).join).toEqual([
    { name: '#a' },
    { name: '#b', key: 'key' },
    { name: '##c' },
  ]);
});

test.each([
  [{ nick: 'bob' }, /server is missing/],
  [{ server: 'libera' }, /nick is missing/],
  [{ server: 'a b', nick: 'bob' }, /not host:port/],
  [{ server: 'a:99999', nick: 'bob' }, /not host:port/],
  [{ server: 'libera', nick: 'bob smith' }, /not a nick/],
  [{ server: 'libera', nick: 'bob', tls: 'maybe' }, /tls must be on or off/],
  [{ server: 'libera', nick: 'bob', sasl: 'magic' }, /sasl must be one of/],
  [{ server: 'libera', nick: 'bob', sasl: 'external' }, /needs cert/],
  [{ server: 'libera', nick: 'bob', realname: 'a\r\nQUIT' }, /one line/],
])('what is wrong with %j is said in words', (settings, words) => {
  expect(() => irc.parse(settings)).toThrow(words);
});
