import { describe, expect, it } from 'vitest';
import * as outbound from '../../../adapters/xmpp/outbound.ts';

const parts = (stanza: ReturnType<typeof outbound.message>): string[] =>
  stanza.getChildElements().map(({ name }) => name);

describe('a message stanza', () => {
  const to = 'bob@example.org';
  const table = [
    ['asks a person for receipt and marker', { type: 'chat' }, ['body', 'origin-id', 'request', 'markable', 'active']],
    ['asks a room for nothing', { type: 'groupchat' }, ['body', 'origin-id']],
    [
      'is marked as private in a room',
      { type: 'chat', inRoom: true },
      ['body', 'origin-id', 'request', 'markable', 'active', 'x'],
    ],
    ['names what it corrects', { type: 'groupchat', replaces: 'r' }, ['body', 'origin-id', 'replace']],
    ['names what it answers', { type: 'groupchat', reply: { id: 'q' } }, ['body', 'origin-id', 'reply']],
    [
      'quotes what it answers for older clients',
      { type: 'groupchat', reply: { id: 'q', quoted: 'old' } },
      ['body', 'origin-id', 'reply', 'fallback'],
    ],
    ['names the file that it is', { type: 'groupchat', url: true }, ['body', 'origin-id', 'x']],
  ] as const;
  for (const [name, given, expected] of table) {
    it(name, () => {
      const stanza = outbound.message({ to, id: 'n', text: 'hi', ...given });
      expect(stanza.attrs).toMatchObject({ to, id: 'n', type: given.type });
      expect(stanza.getChild('origin-id')?.attrs.id).toBe('n');
      expect(parts(stanza)).toEqual(expected);
    });
  }

  it('keeps the text as it was written', () => {
    const text = ' /me <b>&amp;</b>\n\n"👩‍👩‍👧" ';
    expect(outbound.message({ to, type: 'chat', id: 'n', text }).getChildText('body')).toBe(text);
  });

  it('quotes three lines at most, and counts the quotation in code points', () => {
    const reply = { id: 'q', quoted: '🎉 one\ntwo\nthree\nfour' };
    const stanza = outbound.message({ to, type: 'chat', id: 'n', text: 'yes', reply });
    expect(stanza.getChildText('body')).toBe('> 🎉 one\n> two\n> three\nyes');
    const { start, end } = stanza.getChild('fallback')?.getChild('body')?.attrs ?? {};
    expect([start, end]).toEqual(['0', String([...'> 🎉 one\n> two\n> three\n'].length)]);
  });
});

describe('a presence stanza', () => {
  for (const [state, show] of [
    ['online', null],
    ['away', 'away'],
    ['busy', 'dnd'],
  ] as const) {
    it(`shows ${state}`, () => {
      const stanza = outbound.presence(state, 'a note');
      expect([stanza.getChildText('show'), stanza.getChildText('status')]).toEqual([show, 'a note']);
    });
  }
});
