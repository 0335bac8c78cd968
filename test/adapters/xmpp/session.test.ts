import { type Element, xml } from '@xmpp/xml';
import { afterEach, describe, expect, it } from 'vitest';
import type { MessageId, Nonce } from '../../../adapters/contract.ts';
import { AdapterError } from '../../../adapters/errors.ts';
import { waitFor } from '../../servers/process.ts';
import { type Fake, type FakeOptions, fake } from './fake.ts';
import { chat } from './stage.ts';

let on: Fake;
afterEach(() => on.stop());
const bob = `<item jid='bob@example.org' name='Bob' subscription='both'><group>Friends</group></item>`;
const begin = async (options: FakeOptions = {}): Promise<void> => {
  on = await fake({ roster: bob, ...options });
};
const states = () =>
  on.host.events.flatMap((event) =>
    event.type === 'presence' ? [[event.state, event.note ?? ''].join(' ').trim()] : [],
  );
const message = (from: string, id: string, body: string, extra = ''): string =>
  `<message from='${from}' type='chat' id='${id}'><body>${body}</body>${extra}</message>`;
const last = (): Element => on.sent.at(-1) ?? xml('nothing');

describe('the contact list', () => {
  it('comes with names, groups and subscriptions, right after `online`', async () => {
    await begin({
      roster: `${bob}<item jid='Carol@Example.ORG' subscription='none' ask='subscribe'/><item jid='gone@example.org' subscription='remove'/>`,
    });
    expect(on.host.events.slice(0, 2)).toEqual([
      { type: 'online', self: 'me@example.org', name: 'me' },
      {
        type: 'roster',
        chats: [],
        contacts: [
          {
            id: 'bob@example.org',
            chat: 'bob@example.org',
            address: 'bob@example.org',
            name: 'Bob',
            groups: ['Friends'],
            subscription: 'both',
          },
          {
            id: 'carol@example.org',
            chat: 'carol@example.org',
            address: 'carol@example.org',
            name: 'carol',
            groups: [],
            subscription: 'asked',
          },
        ],
      },
    ]);
  });

  it('is asked for before the first presence is sent', async () => {
    await begin();
    const names = on.sent.map((stanza) => (stanza.getChild('query', 'jabber:iq:roster') ? 'roster' : stanza.name));
    expect(names.indexOf('roster')).toBeLessThan(names.indexOf('presence'));
  });

  it('forgets its copy with the first change, and keeps a new one at the end', async () => {
    const memory = new Map<string, string>();
    const withVersion = (iq: Element) =>
      iq.getChild('query', 'jabber:iq:roster')
        ? xml('query', { xmlns: 'jabber:iq:roster', ver: 'v7' }, xml('item', { jid: 'bob@example.org' }))
        : undefined;
    await begin({ memory, answer: withVersion });
    await on.stop();
    expect(memory.get('roster')).toContain('"v7"');
    await begin({ memory, answer: withVersion });
    on.feed(
      `<iq type='set' id='p'><query xmlns='jabber:iq:roster' ver='v8'><item jid='new@example.org' subscription='both'/></query></iq>`,
    );
    await on.stop();
    expect(memory.get('roster')).toContain('"v8"');
    expect(memory.get('roster')).toContain('new@example.org');
  });

  it('names the foreign network of a contact behind a gateway, asking each domain once, ever', async () => {
    const memory = new Map<string, string>();
    let asked = 0;
    const answer = (iq: Element) => {
      if (iq.attrs.to !== 'irc.example.org') return undefined;
      asked++;
      return xml(
        'query',
        { xmlns: 'http://jabber.org/protocol/disco#info' },
        xml('identity', { category: 'gateway', type: 'irc' }),
      );
    };
    const roster = `${bob}<item jid='#tea%net@irc.example.org' subscription='both'/><item jid='x@irc.example.org' subscription='both'/>`;
    await begin({ memory, roster, answer });
    await on.host.next('contact', ({ contact }) => contact.address === 'x@irc.example.org' && contact.via === 'irc');
    await on.stop();
    await begin({ memory, roster, answer });
    expect((await on.host.next('roster')).contacts.map(({ via }) => via)).toEqual([undefined, 'irc', 'irc']);
    expect(asked).toBe(1);
  });
});

describe('presence', () => {
  const presence = (device: string, inner: string, type = ''): string =>
    `<presence from='bob@example.org/${device}'${type}>${inner}</presence>`;

  it('is that of the device with the highest priority, else of the one that is most there', async () => {
    await begin();
    on.feed(presence('phone', '<show>away</show><status>walking</status><priority>5</priority>'));
    on.feed(presence('desk', '<status>at my desk</status>'));
    on.feed(presence('tablet', '<show>dnd</show><priority>5</priority>'));
    on.feed(presence('tablet', '', ` type='unavailable'`));
    on.feed(presence('phone', '', ` type='unavailable'`));
    on.feed(presence('desk', '', ` type='unavailable'`));
    expect(states()).toEqual(['away walking', 'busy', 'away walking', 'online at my desk', 'offline']);
  });

  it('is told once where nothing changed', async () => {
    await begin();
    for (let at = 0; at < 3; at++) on.feed(presence('desk', '<show>xa</show>'));
    expect(states()).toEqual(['away']);
  });

  it('of people who are no contacts is not told', async () => {
    await begin();
    on.feed(`<presence from='eve@example.org/x'/>`);
    expect(states()).toEqual([]);
  });

  it('survives a resumption, without our own being sent again', async () => {
    const memory = new Map<string, string>();
    await begin({ memory });
    on.feed(presence('desk', '<show>away</show>'));
    await on.session.presence?.set('busy', 'working');
    await on.stop();
    await begin({ memory, resumed: true });
    await on.host.next('presence', ({ state }) => state === 'away');
    expect(on.sent.filter(({ name }) => name === 'presence')).toEqual([]);
  });

  it('that fails is told only where somebody was asked for theirs', async () => {
    await begin({ roster: `${bob}<item jid='new@far.example' subscription='none' ask='subscribe'/>` });
    const error = `<error type='cancel'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`;
    on.feed(`<presence type='error' from='bob@example.org'>${error}</presence>`);
    on.feed(`<presence type='error' from='new@far.example'>${error}</presence>`);
    expect(on.host.events.slice(2)).toEqual([
      { type: 'notice', text: 'new@far.example could not be asked: the server of this address was not found' },
    ]);
  });

  it('of a session resumed without a copy is asked for anew', async () => {
    await begin({ resumed: true });
    expect(on.sent.filter(({ name }) => name === 'presence').map(({ attrs }) => attrs.type)).toEqual([
      'unavailable',
      undefined,
    ]);
  });

  it('`offline` is no presence of a connected account', async () => {
    await begin();
    await expect(on.session.presence?.set('offline')).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('message ids', () => {
  const ids = () => on.host.events.flatMap((event) => (event.type === 'message' ? [event.message.id] : []));
  const archived = (id: string): string => `<stanza-id xmlns='urn:xmpp:sid:0' by='me@example.org' id='${id}'/>`;

  it('are the sender’s, by which receipts, edits and replies refer to a message', async () => {
    await begin();
    on.feed(message('bob@example.org/x', 'a-long-enough-id', 'x', archived('a1')));
    expect(ids()).toEqual(['a-long-enough-id']);
  });

  it('are the archive’s where the sender counts from one each time, so that no message is taken for another', async () => {
    await begin();
    on.feed(
      message('bob@example.org/x', '1', 'x', archived('a1')) + message('bob@example.org/x', '1', 'y', archived('a2')),
    );
    expect(ids()).toEqual(['a1', 'a2']);
  });

  it('are the archive’s where the sender uses one twice', async () => {
    await begin();
    on.feed(message('bob@example.org/x', 'always-the-same', 'x', archived('a1')));
    on.feed(message('bob@example.org/x', 'always-the-same', 'y', archived('a2')));
    on.feed(message('bob@example.org/x', 'always-the-same', 'x', archived('a1')));
    expect(ids()).toEqual(['always-the-same', 'a2', 'always-the-same']);
  });

  it('of edits and reactions lead to the message whatever it is called here', async () => {
    await begin();
    on.feed(message('bob@example.org/x', '7', 'x', archived('a7')));
    on.feed(message('bob@example.org/x', '8', 'y', `<replace xmlns='urn:xmpp:message-correct:0' id='7'/>`));
    on.feed(
      `<message from='bob@example.org/x'><reactions xmlns='urn:xmpp:reactions:0' id='7'><reaction>👍</reaction></reactions></message>`,
    );
    expect(on.host.events.slice(3)).toMatchObject([
      { type: 'edited', id: 'a7', text: 'y' },
      { type: 'reactions', id: 'a7', emoji: ['👍'] },
    ]);
  });
});

describe('chats', () => {
  it('with somebody who is no contact are made known before their first message', async () => {
    await begin();
    on.feed(
      message('eve@example.org/x', 'hello-from-eve', 'hi') + message('eve@example.org/x', 'again-from-eve', 'hi'),
    );
    expect(on.host.events.slice(2).map(({ type }) => type)).toEqual(['chat', 'message', 'message']);
  });

  it('go to the bare address, and to a device only where it gets nothing else', async () => {
    await begin();
    on.feed(`<presence from='bob@example.org/bot'><priority>-1</priority></presence>`);
    on.feed(message('bob@example.org/bot', 'hello-from-bot', 'hi'));
    await on.session.send(chat('bob@example.org'), 'x', 'n1' as Nonce);
    expect(last().attrs.to).toBe('bob@example.org/bot');
    on.feed(`<presence from='bob@example.org/desk'/>`);
    on.feed(message('bob@example.org/desk', 'hello-from-desk', 'hi'));
    await on.session.send(chat('bob@example.org'), 'x', 'n2' as Nonce);
    expect(last().attrs).toMatchObject({ to: 'bob@example.org', id: 'n2' });
    expect(last().getChild('origin-id')?.attrs.id).toBe('n2');
  });

  it('end somebody’s typing when they say it', async () => {
    await begin();
    on.feed(
      `<message from='bob@example.org/x' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`,
    );
    on.feed(
      message('bob@example.org/x', 'said-by-bob-1', 'x', `<active xmlns='http://jabber.org/protocol/chatstates'/>`),
    );
    on.feed(
      message('bob@example.org/x', 'said-by-bob-2', 'x', `<active xmlns='http://jabber.org/protocol/chatstates'/>`),
    );
    expect(on.host.events.slice(2).map((event) => (event.type === 'typing' ? event.active : event.type))).toEqual([
      true,
      false,
      'message',
      'message',
    ]);
  });

  it('tell nobody of typing who is not there and whose client may not know of it', async () => {
    await begin();
    const { length } = on.sent;
    await on.session.typing?.set(chat('bob@example.org'), true);
    expect(on.sent.length).toBe(length);
  });

  it('tell of typing when it begins and when it ends, however often it is said', async () => {
    await begin();
    on.feed(`<presence from='bob@example.org/x'/>`);
    const bob = chat('bob@example.org');
    const states = () => on.sent.flatMap((stanza) => /<(composing|paused) /.exec(String(stanza))?.[1] ?? []);
    for (const active of [true, true, false, false, true]) await on.session.typing?.set(bob, active);
    expect(states()).toEqual(['composing', 'paused', 'composing']);
  });

  it('take words of the server as a notice', async () => {
    await begin();
    on.feed(`<message from='example.org' type='headline'><body>maintenance at six</body></message>`);
    expect(on.host.events.at(-1)).toEqual({ type: 'notice', text: 'maintenance at six' });
  });

  it('hear from another device of ours what was read there', async () => {
    await begin();
    on.feed(
      `<message from='me@example.org'><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='me@example.org/phone' to='bob@example.org' type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='bob-said'/></message></forwarded></sent></message>`,
    );
    expect(on.host.events.at(-1)).toEqual({ type: 'read-elsewhere', chat: 'bob@example.org', upTo: 'bob-said' });
  });

  it('take the server’s limit, and 200 kB where it tells none', async () => {
    await begin();
    expect(on.session.limits(chat('bob@example.org')).textBytes).toBe(200_000);
    await on.stop();
    await begin({ features: `<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>65536</max-bytes></limits>` });
    const { textBytes } = on.session.limits(chat('bob@example.org'));
    expect(textBytes).toBeLessThan(65_536);
    await expect(
      on.session.send(chat('bob@example.org'), 'é'.repeat(textBytes / 2 + 1), 'n' as Nonce),
    ).rejects.toMatchObject({ code: 'too-long' });
  });
});

describe('addresses', () => {
  const resolve = (address: string) => on.session.resolve(address, AbortSignal.timeout(1_000));

  it('of contacts and of people on the own server need no question to anybody', async () => {
    await begin();
    const { length } = on.sent;
    expect(await resolve('Bob@Example.org')).toEqual({
      id: 'bob@example.org',
      kind: 'direct',
      address: 'bob@example.org',
      title: 'Bob',
    });
    expect(await resolve('xmpp:new@example.org?message')).toMatchObject({ id: 'new@example.org' });
    expect(on.sent.length).toBe(length);
  });

  for (const address of [
    '',
    '@example.org',
    'a b@example.org',
    'bob@',
    'bob@example.org/',
    'bob@exa mple.org',
    `${'x'.repeat(1_100)}@example.org`,
  ]) {
    it(`"${address.slice(0, 20)}" is none`, async () => {
      await begin();
      await expect(resolve(address)).rejects.toMatchObject({ code: 'bad-data' });
    });
  }

  it('on a server that does not exist are `host-unknown`', async () => {
    await begin({
      answer: (iq) =>
        iq.attrs.to === 'nowhere.example' ? new AdapterError('host-unknown', 'remote server not found') : undefined,
    });
    await expect(resolve('bob@nowhere.example')).rejects.toMatchObject({ code: 'host-unknown' });
  });

  it('on a server that says nothing of itself are people', async () => {
    await begin({
      answer: (iq) => (iq.attrs.to === 'shy.example' ? new AdapterError('refused', 'forbidden') : undefined),
    });
    expect(await resolve('bob@shy.example')).toMatchObject({ kind: 'direct' });
  });
});

describe('rooms', () => {
  const room = 'tea@conference.example.org';
  const enter = (nick = 'me'): void =>
    on.feed(
      `<presence from='${room}/${nick}'><x xmlns='http://jabber.org/protocol/muc#user'><item role='participant'/><status code='110'/></x></presence>`,
    );
  const asked = async (times: number): Promise<void> => {
    await waitFor(
      () => on.sent.filter((stanza) => stanza.attrs.to === `${room}/me` && stanza.name === 'presence').length === times,
    );
  };

  it('that say that we are not in them are entered again', async () => {
    await begin();
    const joined = on.session.rooms?.join(room);
    await asked(1);
    enter();
    await joined;
    on.feed(
      `<message type='error' from='${room}' id='x'><error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
    );
    await asked(2);
    enter();
    await waitFor(() => on.host.events.filter(({ type }) => type === 'members').length === 2);
    expect(on.host.events.map(({ type }) => type)).not.toContain('chat-left');
  });

  it('that the account is to be in stand in the list from the start, and leave it with a reason if they cannot be entered', async () => {
    const memory = new Map([['rooms', JSON.stringify([{ jid: room, nick: 'me', title: 'Tea', joined: true }])]]);
    await begin({ memory });
    expect((await on.host.next('roster')).chats).toEqual([{ id: room, kind: 'room', address: room, title: 'Tea' }]);
    await asked(1);
    on.feed(
      `<presence type='error' from='${room}/me'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`,
    );
    expect((await on.host.next('chat-left')).reason).toContain('banned');
  });

  it('tell of 20,000 people at once, not one by one', async () => {
    await begin();
    const joined = on.session.rooms?.join(room);
    await asked(1);
    on.feed(
      Array.from(
        { length: 20_000 },
        (_, at) =>
          `<presence from='${room}/p${at}'><x xmlns='http://jabber.org/protocol/muc#user'><item role='visitor'/></x></presence>`,
      ).join(''),
    );
    enter();
    await joined;
    const lists = on.host.events.flatMap((event) => (event.type === 'members' ? [event.members.length] : []));
    expect(lists).toEqual([20_001]);
    expect(on.host.events.some(({ type }) => type === 'member')).toBe(false);
  });

  it('need an address that can be one', async () => {
    await begin();
    await expect(on.session.rooms?.join('tea')).rejects.toMatchObject({ code: 'bad-data' });
  });
});

describe('the directory of people', () => {
  const disco = 'http://jabber.org/protocol/disco';
  const service = (search: (iq: Element) => Element | undefined) => (iq: Element) => {
    const ns = iq.getChildElements()[0]?.getNS();
    if (ns === `${disco}#items`)
      return xml('query', { xmlns: `${disco}#items` }, xml('item', { jid: 'users.example.org' }));
    if (iq.attrs.to !== 'users.example.org') return undefined;
    if (ns === `${disco}#info`) return xml('query', { xmlns: ns }, xml('feature', { var: 'jabber:iq:search' }));
    return search(iq);
  };
  const query = (...parts: Element[]): Element => xml('query', { xmlns: 'jabber:iq:search' }, ...parts);

  it('is asked by each of its fields, and names each person once', async () => {
    const item = xml('item', { jid: 'Alice@example.org' }, xml('first', {}, 'Alice'), xml('last', {}, 'Liddell'));
    const answer = service((iq) => {
      if (iq.attrs.type === 'get') return query(xml('instructions'), xml('nick'), xml('first'), xml('email'));
      return iq.getChild('query')?.getChildText('first') === 'ali' ? query(item) : query();
    });
    await begin({ answer });
    const found = await on.session.people?.search('ali');
    expect(found).toEqual([
      {
        id: 'alice@example.org',
        chat: 'alice@example.org',
        address: 'alice@example.org',
        name: 'Alice Liddell',
        groups: [],
      },
    ]);
  });

  it('is asked by its form where it has one', async () => {
    const field = (name: string, value?: string): Element =>
      xml('field', { var: name }, value && xml('value', {}, value));
    const answer = service((iq) => {
      if (iq.attrs.type === 'get')
        return query(xml('x', { xmlns: 'jabber:x:data', type: 'form' }, field('FORM_TYPE'), field('nick')));
      const row = xml('item', {}, field('jid', 'bob@example.org'), field('nick', 'Bobby'));
      return query(xml('x', { xmlns: 'jabber:x:data', type: 'result' }, row));
    });
    await begin({ answer });
    expect(await on.session.people?.search('bob')).toMatchObject([{ address: 'bob@example.org', name: 'Bobby' }]);
    expect(last().toString()).toContain('<value>bob</value>');
  });
});

describe('after the end', () => {
  it('every ability says `unreachable`', async () => {
    await begin();
    await on.stop();
    const { session } = on;
    const room = chat('r@conference.example.org');
    const calls: readonly (() => Promise<unknown> | undefined)[] = [
      () => session.send(room, 'x', 'n' as Nonce),
      () => session.contacts?.add('bob@example.org'),
      () => session.rooms?.join('r@conference.example.org'),
      () => session.presence?.set('online'),
      () => session.typing?.set(room, true),
      () => session.reading?.mark(room, 'x' as MessageId),
      () => session.history?.page(room),
      () => session.edits?.edit(room, 'x' as MessageId, 'y'),
      () => session.lookup?.find(room, 'n' as Nonce),
      () => session.people?.search('bob'),
    ];
    for (const call of calls) await expect(call(), call.toString()).rejects.toMatchObject({ code: 'unreachable' });
  });
});

it('F20 knows before its first presence whether an archive would bring again what waits; without one nothing waits', async () => {
  const memory = new Map<string, string>();
  on = await fake({ memory, disco: [] });
  const asked = on.sent.findIndex(
    (stanza) =>
      stanza.attrs.to === 'me@example.org' && stanza.getChild('query', 'http://jabber.org/protocol/disco#info'),
  );
  const present = on.sent.findIndex(({ name, attrs }) => name === 'presence' && attrs.to === undefined);
  expect(asked).toBeGreaterThanOrEqual(0);
  expect(asked).toBeLessThan(present);
  expect(memory.has('mam.open')).toBe(false);
});
