import { xml } from '@xmpp/xml';
import { afterEach, describe, expect, it } from 'vitest';
import { AdapterError } from '../../../adapters/errors.ts';
import { type Fake, type FakeOptions, fake } from './fake.ts';
import { chat } from './stage.ts';

let on: Fake;
afterEach(() => on.stop());
const begin = async (options: FakeOptions = {}): Promise<void> => {
  on = await fake({
    roster: `<item jid='bob@example.org' subscription='both'/><item jid='eve@example.org' subscription='none'/>`,
    ...options,
  });
};
const texts = (): string[] => on.host.events.flatMap((event) => (event.type === 'message' ? [event.message.text] : []));
const kinds = (): string[] => on.host.events.slice(2).map((event) => event.type);

const forwarded = (from: string, to: string, body: string): string =>
  `<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='${from}' to='${to}' type='chat' id='carbon-${body}-1'><body>${body}</body></message></forwarded>`;
const carbon = (by: string, kind: string, inner: string, extra = ''): string =>
  `<message from='${by}' to='me@example.org/here'>${extra}<${kind} xmlns='urn:xmpp:carbons:2'>${inner}</${kind}></message>`;

describe('X1 carbons', () => {
  const toBob = forwarded('me@example.org/phone', 'bob@example.org', 'mine');
  const fromBob = forwarded('bob@example.org/x', 'me@example.org/phone', 'his');

  it('of our own account are taken', async () => {
    await begin();
    on.feed(carbon('me@example.org', 'sent', toBob) + carbon('me@example.org', 'received', fromBob));
    expect(on.host.events.slice(2)).toMatchObject([
      { message: { from: 'self', chat: 'bob@example.org', text: 'mine' } },
      { message: { from: 'bob@example.org', chat: 'bob@example.org', text: 'his' } },
    ]);
  });

  for (const by of [
    'eve@evil.example/x',
    'bob@example.org',
    'me@example.org/other',
    'example.org',
    'me@example.org.evil.example',
    'mе@example.org',
    'room@conference.example.org',
  ]) {
    it(`by ${by} are dropped whole, a body beside them too`, async () => {
      await begin();
      for (const kind of ['sent', 'received']) {
        on.feed(carbon(by, kind, kind === 'sent' ? toBob : fromBob, '<body>beside</body>'));
      }
      expect(kinds()).toEqual([]);
    });
  }

  it('within carbons are dropped', async () => {
    await begin();
    const inner = `<forwarded xmlns='urn:xmpp:forward:0'>${carbon('me@example.org', 'sent', toBob, '<body>outer</body>')}</forwarded>`;
    on.feed(carbon('me@example.org', 'received', inner));
    expect(kinds()).toEqual([]);
  });

  it('that claim to be sent by us hold what we sent', async () => {
    await begin();
    on.feed(carbon('me@example.org', 'sent', fromBob));
    expect(kinds()).toEqual([]);
  });
});

describe('X2 roster pushes', () => {
  const push = (from: string): string =>
    `<iq type='set' id='push-1'${from}><query xmlns='jabber:iq:roster'><item jid='mallory@evil.example' subscription='both'/></query></iq>`;
  for (const from of [
    ` from='eve@evil.example'`,
    ` from='me@example.org/other'`,
    ` from='bob@example.org'`,
    ` from='evil.example'`,
  ]) {
    it(`with${from} change nothing and are refused`, async () => {
      await begin();
      on.feed(push(from));
      expect(kinds()).toEqual([]);
      expect(on.sent.at(-1)?.attrs).toMatchObject({ type: 'error', id: 'push-1' });
    });
  }
  for (const from of ['', ` from='me@example.org'`]) {
    it(`with${from || ' no from'} are taken and answered`, async () => {
      await begin();
      on.feed(push(from));
      expect(kinds()).toEqual(['contact']);
      expect(on.sent.at(-1)?.attrs).toMatchObject({ type: 'result', id: 'push-1' });
    });
  }
});

describe('X3 archive results', () => {
  const result = (from: string, queryid: string, body: string): string =>
    `<message from='${from}'><result xmlns='urn:xmpp:mam:2' queryid='${queryid}' id='a-${body}'>${forwarded('bob@example.org/x', 'me@example.org', body)}</result></message>`;

  it('count only for an open query, and from whom it was put to', async () => {
    const late: string[] = [];
    await begin({
      answer: (iq) => {
        const query = iq.getChild('query', 'urn:xmpp:mam:2');
        if (!query) return undefined;
        const id = query.attrs.queryid ?? '';
        on.feed(result('me@example.org', id, 'right'));
        for (const [by, queryid] of [
          ['eve@evil.example', id],
          ['bob@example.org', id],
          ['me@example.org/other', id],
          ['me@example.org', 'other'],
          ['me@example.org', ''],
        ]) {
          on.feed(result(by ?? '', queryid ?? '', 'wrong'));
        }
        late.push(id);
        return xml('fin', { xmlns: 'urn:xmpp:mam:2', complete: 'true' });
      },
    });
    const page = await on.session.history?.page(chat('bob@example.org'));
    expect(page?.messages.map(({ text }) => text)).toEqual(['right']);
    on.feed(result('me@example.org', late[0] ?? '', 'after the end'));
    expect(texts()).toEqual([]);
  });

  it('bring no message of another chat into this one', async () => {
    await begin({
      answer: (iq) => {
        const query = iq.getChild('query', 'urn:xmpp:mam:2');
        if (!query) return undefined;
        const inner = forwarded('eve@example.org/x', 'me@example.org', 'smuggled');
        on.feed(
          `<message from='me@example.org'><result xmlns='urn:xmpp:mam:2' queryid='${query.attrs.queryid}' id='q'>${inner}</result></message>`,
        );
        return xml('fin', { xmlns: 'urn:xmpp:mam:2', complete: 'true' });
      },
    });
    expect((await on.session.history?.page(chat('bob@example.org')))?.messages).toEqual([]);
  });
});

describe('X5 changes of messages', () => {
  it('by somebody else stay in their own chat', async () => {
    await begin();
    on.feed(`<message from='bob@example.org/x' type='chat' id='bob-wrote-this'><body>original</body></message>`);
    on.feed(
      `<message from='eve@example.org/x' type='chat'><body>forged</body><replace xmlns='urn:xmpp:message-correct:0' id='bob-wrote-this'/></message>`,
    );
    on.feed(
      `<message from='eve@example.org/x' type='chat'><retract xmlns='urn:xmpp:message-retract:1' id='bob-wrote-this'/></message>`,
    );
    for (const event of on.host.events) {
      if (event.type === 'edited' || event.type === 'retracted')
        expect(event).toMatchObject({ chat: 'eve@example.org', by: 'eve@example.org' });
    }
  });

  it('of ours by the other side are not taken', async () => {
    await begin();
    const id = await on.session.send(chat('bob@example.org'), 'mine', 'my-own-message' as never);
    on.feed(
      `<message from='bob@example.org/x' type='chat'><body>his</body><replace xmlns='urn:xmpp:message-correct:0' id='${id}'/></message>`,
    );
    expect(kinds()).not.toContain('edited');
  });
});

describe('X6 rooms', () => {
  const room = 'tea@conference.example.org';
  const enter = async (features: readonly string[]): Promise<void> => {
    await begin({
      answer: (iq) =>
        iq.attrs.to === room
          ? xml(
              'query',
              { xmlns: 'http://jabber.org/protocol/disco#info' },
              ...features.map((feature) => xml('feature', { var: feature })),
            )
          : undefined,
    });
    const joined = on.session.rooms?.join(room);
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    const user = (code: string): string =>
      `<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='member' role='participant'/>${code}</x>`;
    on.feed(
      `<presence from='${room}/bob@example.org'>${user('')}</presence><presence from='${room}/me'>${user("<status code='110'/>")}</presence>`,
    );
    on.feed(`<message from='${room}' type='groupchat'><subject/></message>`);
    await joined;
  };

  it('a private message goes to room/nick, whatever the nick is', async () => {
    await enter([]);
    on.feed(`<message from='${room}/bob@example.org' type='chat' id='private-message'><body>psst</body></message>`);
    const { message } = await on.host.next('message');
    expect(message).toMatchObject({ chat: `${room}/bob@example.org`, from: `${room}/bob@example.org` });
  });

  for (const [features, id] of [
    [[], 'chosen-by-sender'],
    [['urn:xmpp:sid:0'], 'made-by-the-room'],
  ] as const) {
    it(`stanza ids are the room's only where it announces them: [${features.join()}]`, async () => {
      await enter(features);
      on.feed(
        `<message from='${room}/bob@example.org' type='groupchat' id='chosen-by-sender'><body>x</body><stanza-id xmlns='urn:xmpp:sid:0' by='${room}' id='made-by-the-room'/><stanza-id xmlns='urn:xmpp:sid:0' by='evil@example.org' id='other'/></message>`,
      );
      expect((await on.host.next('message')).message.id).toBe(id);
    });
  }

  it('a live message does not become a past one by a stamp that its sender wrote', async () => {
    await enter([]);
    on.feed(
      `<message from='${room}/bob@example.org' type='groupchat' id='backdated-one'><body>old?</body><delay xmlns='urn:xmpp:delay' from='${room}' stamp='2020-01-01T00:00:00Z'/></message>`,
    );
    expect((await on.host.next('message')).live).toBe(true);
  });

  it('messages of a room that we are not in are dropped', async () => {
    await begin();
    on.feed(
      `<message from='other@conference.example.org/x' type='groupchat' id='unasked-message'><body>spam</body></message>`,
    );
    expect(kinds()).toEqual([]);
  });
});

describe('X14 nothing is accepted unasked', () => {
  it('neither subscriptions nor invitations', async () => {
    await begin();
    const before = on.sent.length;
    on.feed(`<presence from='eve@evil.example' type='subscribe'/>`);
    on.feed(
      `<message from='eve@evil.example/x'><x xmlns='jabber:x:conference' jid='trap@conference.evil.example'/></message>`,
    );
    on.feed(
      `<message from='trap@conference.evil.example'><x xmlns='http://jabber.org/protocol/muc#user'><invite from='eve@evil.example'/></x></message>`,
    );
    on.feed(
      `<message from='eve@evil.example'><x xmlns='http://jabber.org/protocol/rosterx'><item action='add' jid='mallory@evil.example'/></x></message>`,
    );
    on.feed(
      `<message from='me@example.org' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='urn:xmpp:bookmarks:1'><item id='trap@conference.evil.example'><conference xmlns='urn:xmpp:bookmarks:1' autojoin='true'/></item></items></event></message>`,
    );
    expect(kinds()).toEqual(['request', 'request', 'request']);
    expect(on.sent.slice(before)).toEqual([]);
  });
});

describe('X15 who may not see us learns nothing', () => {
  const request = `<request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/>`;
  for (const [from, answers] of [
    ['bob@example.org/x', true],
    ['eve@example.org/x', false],
    ['stranger@evil.example/x', false],
  ] as const) {
    it(`${answers ? 'a contact' : 'somebody else'} (${from}) gets ${answers ? 'a' : 'no'} receipt and marker`, async () => {
      await begin();
      const before = on.sent.length;
      on.feed(`<message from='${from}' type='chat' id='please-confirm'><body>x</body>${request}</message>`);
      const { message } = await on.host.next('message');
      await on.session.reading?.mark(message.chat, message.id);
      await new Promise((resolve) => setImmediate(resolve));
      expect(on.sent.slice(before).length).toBe(answers ? 2 : 0);
    });
    it(`${from} ${answers ? 'gets an' : 'gets no'} answer about our client`, async () => {
      await begin();
      for (const [name, ns] of [
        ['query', 'jabber:iq:version'],
        ['query', 'jabber:iq:last'],
        ['time', 'urn:xmpp:time'],
        ['ping', 'urn:xmpp:ping'],
        ['query', 'http://jabber.org/protocol/disco#info'],
      ]) {
        on.feed(`<iq type='get' id='ask-${ns}' from='${from}'><${name} xmlns='${ns}'/></iq>`);
        expect(on.sent.at(-1)?.attrs, ns).toMatchObject({
          type: answers ? 'result' : 'error',
          id: `ask-${ns}`,
          to: from,
        });
      }
    });
  }

  it('every request is answered, those that nobody knows as well, and replies are not', async () => {
    await begin();
    on.feed(`<iq type='get' id='unknown' from='example.org'><query xmlns='no:such:thing'/></iq>`);
    expect(on.sent.at(-1)?.toString()).toContain('service-unavailable');
    const { length } = on.sent;
    on.feed(`<iq type='result' id='x' from='example.org'/><iq type='error' id='y' from='example.org'/>`);
    expect(on.sent.length).toBe(length);
  });
});

describe('X16 odd stamps and values', () => {
  for (const stamp of ['+292278994-08-17T07:12:55Z', '-1', 'NaN', '']) {
    it(`a message stamped "${stamp}" counts as sent now, and has an id`, async () => {
      await begin();
      on.feed(
        `<message from='bob@example.org/x' id='' type='__proto__'><body>x</body><delay xmlns='urn:xmpp:delay' stamp='${stamp}'/></message>`,
      );
      const { message } = await on.host.next('message');
      expect(Math.abs(message.at.getTime() - Date.now())).toBeLessThan(10_000);
      expect(message.id).not.toBe('');
    });
  }
});

describe('a session without its contact list', () => {
  it('ends with the error that the server gave', async () => {
    await begin();
    const busy = new AdapterError('rate-limited', 'too busy');
    await expect(fake({ answer: () => busy })).rejects.toBe(busy);
  });
});

describe('errors for messages', () => {
  const error = (id: string, from: string, condition = 'service-unavailable'): string =>
    `<message type='error' id='${id}' from='${from}'><error type='cancel'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`;

  it('before the acknowledgement make the send fail', async () => {
    await begin();
    const release = on.holdAcks();
    const sent = on.session.send(chat('nobody@example.org'), 'x', 'nonce-1' as never);
    await new Promise((resolve) => setImmediate(resolve));
    on.feed(error('nonce-1', 'nobody@example.org'));
    release();
    await expect(sent).rejects.toMatchObject({ code: 'not-found', certain: true });
    expect(kinds()).toEqual([]);
  });

  it('of somebody else do not', async () => {
    await begin();
    const release = on.holdAcks();
    const sent = on.session.send(chat('bob@example.org'), 'x', 'nonce-2' as never);
    await new Promise((resolve) => setImmediate(resolve));
    on.feed(error('nonce-2', 'eve@example.org'));
    release();
    expect(await sent).toBe('nonce-2');
  });

  it('after it are told as bounced, with a code', async () => {
    await begin();
    await on.session.send(chat('bob@far.example'), 'x', 'nonce-3' as never);
    on.feed(error('nonce-3', 'bob@far.example', 'remote-server-timeout'));
    expect(await on.host.next('bounced')).toMatchObject({
      chat: 'bob@far.example',
      id: 'nonce-3',
      code: 'unreachable',
    });
  });
});
