import { describe, expect, it } from 'vitest';
import { madeUpId, ownText, type Reading, readAction, readMessage, sentAt } from '../../../adapters/xmpp/inbound.ts';
import { stanzas } from './fake.ts';

const read = (text: string): Reading => {
  const [stanza] = stanzas(text);
  if (!stanza) throw new Error('no stanza');
  return readMessage(stanza);
};

describe('reading a message stanza', () => {
  const table: readonly (readonly [string, string, Partial<Reading>])[] = [
    [
      'body and id',
      `<message id='a' type='chat'><body>hi &amp; ho</body></message>`,
      { type: 'chat', id: 'a', body: 'hi & ho' },
    ],
    ['no type means normal', '<message><body>x</body></message>', { type: 'normal' }],
    ['addresses in one spelling', `<message from='Bob@Example.ORG/Phone'/>`, { from: 'bob@example.org/Phone' }],
    ['the first body only', '<message><body>one</body><body xml:lang="de">eins</body></message>', { body: 'one' }],
    ['no body within other parts', `<message><x xmlns='other'><body>hidden</body></x></message>`, { body: undefined }],
    [
      'a body of another namespace is none',
      `<message><body xmlns='http://www.w3.org/1999/xhtml'>x</body></message>`,
      { body: undefined },
    ],
    ['a prefixed body', `<message xmlns:c='jabber:client'><c:body>x</c:body></message>`, { body: 'x' }],
    ['receipt request', `<message><request xmlns='urn:xmpp:receipts'/></message>`, { wantsReceipt: true }],
    ['receipt', `<message><received xmlns='urn:xmpp:receipts' id='q'/></message>`, { received: 'q' }],
    ['marker', `<message><displayed xmlns='urn:xmpp:chat-markers:0' id='q'/></message>`, { displayed: 'q' }],
    [
      'chat state',
      `<message><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`,
      { state: 'composing' },
    ],
    [
      'unknown chat state',
      `<message><singing xmlns='http://jabber.org/protocol/chatstates'/></message>`,
      { state: undefined },
    ],
    ['correction', `<message><replace xmlns='urn:xmpp:message-correct:0' id='q'/></message>`, { replaces: 'q' }],
    ['retraction', `<message><retract xmlns='urn:xmpp:message-retract:1' id='q'/></message>`, { retracts: 'q' }],
    [
      'reactions, each once, none empty',
      `<message><reactions xmlns='urn:xmpp:reactions:0' id='q'><reaction>👍</reaction><reaction>👍</reaction><reaction/></reactions></message>`,
      { reactions: { id: 'q', emoji: ['👍'] } },
    ],
    [
      'reply',
      `<message><reply xmlns='urn:xmpp:reply:0' id='q' to='a@b'/></message>`,
      { reply: { id: 'q', to: 'a@b' } },
    ],
    [
      'stanza ids with their makers',
      `<message><stanza-id xmlns='urn:xmpp:sid:0' by='R@c.d' id='1'/><stanza-id xmlns='urn:xmpp:sid:0' id='2'/></message>`,
      { stanzaIds: [{ by: 'r@c.d', id: '1' }] },
    ],
    ['origin id', `<message><origin-id xmlns='urn:xmpp:sid:0' id='o'/></message>`, { originId: 'o' }],
    ['file address', `<message><x xmlns='jabber:x:oob'><url>https://a/b</url></x></message>`, { url: 'https://a/b' }],
  ];
  for (const [name, stanza, expected] of table) {
    it(name, () => expect(read(stanza)).toMatchObject(expected));
  }

  it('cuts an absurdly long id', () => {
    expect(read(`<message id='${'x'.repeat(10_000)}'/>`).id.length).toBe(512);
  });
});

describe('the text of a reply', () => {
  const reply = (body: string, ranges: string): string =>
    ownText(
      read(
        `<message><body>${body}</body><reply xmlns='urn:xmpp:reply:0' id='q'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'>${ranges}</fallback></message>`,
      ),
    );
  it('comes without the quotation for older clients', () => {
    expect(reply('&gt; old\nnew', `<body start='0' end='6'/>`)).toBe('new');
  });
  it('counts code points, as XEP-0428 says', () => {
    expect(reply('&gt; 🎉🎉\nnew', `<body start='0' end='5'/>`)).toBe('new');
  });
  it('stays whole where the range makes no sense or would leave nothing', () => {
    for (const range of [
      `<body start='-1' end='3'/>`,
      `<body start='3' end='1'/>`,
      `<body start='x'/>`,
      '<body/>',
      '',
    ]) {
      expect(reply('&gt; old', range)).toBe('> old');
    }
  });
  it('stays whole where nothing is replied to', () => {
    const text = `<message><body>abc</body><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='2'/></fallback></message>`;
    expect(ownText(read(text))).toBe('abc');
  });
});

describe('when a message was sent', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');
  it('is what its stamp says', () => {
    expect(sentAt('2026-11-01T08:00:00Z', now).toISOString()).toBe('2026-11-01T08:00:00.000Z');
  });
  it('is never in the future, for clocks that are a little wrong', () => {
    expect(sentAt('2026-11-22T12:05:00Z', now).getTime()).toBe(now);
  });
  for (const stamp of [
    '+292278994-08-17T07:12:55Z',
    '-000001-01-01T00:00:00Z',
    'NaN',
    '',
    '1970-01-01T00:00:00Z',
    '2999-01-01T00:00:00Z',
  ]) {
    it(`X16 is now where the stamp is "${stamp}"`, () => expect(sentAt(stamp, now).getTime()).toBe(now));
  }
});

describe('small rules', () => {
  it('a message without an id gets the same one each time it comes', () => {
    const text = `<message from='a@b/c'><body>x</body><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/></message>`;
    expect(madeUpId(read(text))).toBe(madeUpId(read(text)));
    expect(madeUpId(read(text))).not.toBe(madeUpId(read(text.replace('>x<', '>y<'))));
  });
  it('/me begins an action, and only with a blank behind it', () => {
    expect(readAction('/me waves')).toEqual({ text: 'waves', action: true });
    expect(readAction('/mean it')).toEqual({ text: '/mean it', action: false });
  });
});
