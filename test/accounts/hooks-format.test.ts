import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../accounts/settings-format.ts';

const hooksOf = (hooks: unknown): unknown => parseSettings(JSON.stringify({ hooks }, null, 1), 'f.json').hooks();

describe('the section hooks of the accounts file', () => {
  it('has what is left out filled in', () => {
    expect(hooksOf([{ run: ['beep'] }])).toEqual([
      { run: ['beep'], on: ['message'], accounts: [], targets: [], words: [], self: false, timeoutSeconds: 10 },
    ]);
    expect(hooksOf(undefined)).toEqual([]);
  });

  it('takes one text or a list of them', () => {
    expect(
      hooksOf([{ run: ['a', 'b'], on: 'mention', account: ['w', 'x'], target: 'w:a@b', timeout: 60 }]),
    ).toMatchObject([
      { run: ['a', 'b'], on: ['mention'], accounts: ['w', 'x'], targets: ['w:a@b'], timeoutSeconds: 60 },
    ]);
  });

  it.each([
    [{}, 'f.json:2:2: hooks must be a list'],
    [['beep'], 'f.json:3:3: hooks.0 must be an object'],
    [[{ run: 'beep -n' }], 'f.json:4:4: hooks.0.run must be a list of texts'],
    [[{ run: [] }], 'hooks.0.run must be a list of texts'],
    [[{ run: ['beep', 1] }], 'hooks.0.run must be a list of texts'],
    [[{ run: ['beep\0'] }], 'hooks.0.run must be a list of texts'],
    [[{ run: ['beep'], on: ['messages'] }], 'hooks.0.on "messages" is none of message, mention'],
    [[{ run: ['beep'], acount: 'work' }], 'hooks.0.acount is none of run, on, account'],
    [[{ run: ['beep'], words: ['a', 2] }], 'hooks.0.words.1 must be a text'],
    [[{ run: ['beep'], timeout: 0 }], 'hooks.0.timeout must be a number of seconds'],
    [[{ run: ['beep'], timeout: 1e6 }], 'hooks.0.timeout must be a number of seconds'],
    [[{ run: ['beep'], self: 'yes' }], 'hooks.0.self must be true or false'],
  ])('refuses %j with its place', (hooks, message) => {
    expect(() => hooksOf(hooks)).toThrow(message);
  });

  it('keeps no account from being read', () => {
    const text = JSON.stringify({ accounts: { work: { network: 'n' } }, hooks: 'wrong' });
    expect(parseSettings(text, 'f.json').accounts).toHaveLength(1);
  });
});
