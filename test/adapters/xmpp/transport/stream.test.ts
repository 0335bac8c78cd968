import { type Element, xml } from '@xmpp/xml';
import { afterEach, describe, expect, test } from 'vitest';
import { testHost } from '../../../contract/host.ts';
import { waitFor } from '../../../servers/process.ts';
import {
  type BindOptions,
  bind,
  type FakeClient,
  type FakeServer,
  fakeServer,
  signIn,
  welcome,
} from '../fake-server.ts';
import { manualClock } from './clock.ts';
import { open, refusal } from './open.ts';

let server: FakeServer | undefined;
afterEach(async () => {
  const running = server;
  server = undefined;
  await running?.stop();
});

/** Signs the client in and hands it to the test. */
async function serve(options: BindOptions = {}, then: (client: FakeClient) => Promise<void> = async () => {}) {
  server = await fakeServer(async (client) => {
    await welcome(client, options);
    await then(client);
  });
  return server;
}

const first = (running: FakeServer): FakeClient => {
  const [client] = running.clients;
  if (!client) throw new Error('no client yet');
  return client;
};
const message = (body: string, attrs: Record<string, string> = {}): Element =>
  xml('message', { to: 'bob@localhost', type: 'chat', ...attrs }, xml('body', {}, body));
const bodies = (stanzas: readonly Element[]): (string | null)[] => stanzas.map((stanza) => stanza.getChildText('body'));
const incoming = (body: string): string => `<message from='bob@localhost/x'><body>${body}</body></message>`;

describe('a stream', () => {
  test('has the address that the server bound and the features after sign-in', async () => {
    const running = await serve({ besides: "<ver xmlns='urn:xmpp:features:rosterver'/>" });
    const { stream } = await open(running.port, { settings: { resource: 'desk' } });
    expect(stream.jid).toBe('alice@localhost/desk');
    expect(stream.features.getChild('ver', 'urn:xmpp:features:rosterver')).toBeDefined();
    expect(stream.resumed).toBe(false);
    await stream.close();
  });

  test('asks for the same resource again where none is set', async () => {
    const running = await serve();
    const memory = new Map<string, string>();
    const jids: string[] = [];
    for (let time = 0; time < 2; time++) {
      const { stream } = await open(running.port, { memory });
      jids.push(stream.jid);
      await stream.close();
    }
    expect(jids[0]).toBe(jids[1]);
  });

  test('hands on stanzas in order, with none lost that came before the caller had it', async () => {
    const running = await serve({}, async (client) => client.write([1, 2, 3].map(String).map(incoming).join('')));
    const { stream, stanzas } = await open(running.port);
    await waitFor(() => stanzas.length === 3);
    first(running).write(incoming('4'));
    await waitFor(() => stanzas.length === 4);
    expect(bodies(stanzas)).toEqual(['1', '2', '3', '4']);
    await stream.close();
  });

  test('X20 text cut between segments arrives whole', async () => {
    const running = await serve();
    const { stream, stanzas } = await open(running.port);
    const bytes = Buffer.from(incoming('emoji 😀 and ä'));
    const cut = bytes.indexOf(0xf0) + 2;
    first(running).write(bytes.subarray(0, cut));
    await new Promise((resolve) => setTimeout(resolve, 20));
    first(running).write(bytes.subarray(cut));
    await waitFor(() => stanzas.length > 0);
    expect(bodies(stanzas)).toEqual(['emoji 😀 and ä']);
    await stream.close();
  });

  test('L2 a throw while a stanza is handled ends that stanza only', async () => {
    const running = await serve();
    const { stream, host, stanzas } = await open(running.port, {
      onStanza: (stanza) => {
        if (stanza.getChildText('body') === 'bad') throw new Error('handler');
      },
    });
    first(running).write(incoming('bad') + incoming('good'));
    await waitFor(() => stanzas.length === 2);
    expect(host.logs.join()).toMatch(/message stanza could not be handled: handler/);
    expect(host.logs.join()).not.toContain('bad');
    await stream.close();
  });

  test.each([
    ['<!DOCTYPE x>', 'restricted-xml'],
    ['<!-- comment -->', 'restricted-xml'],
    ['<?php?>', 'restricted-xml'],
    ['<message>&foo;</message>', 'not-well-formed'],
    ['<message>&#0;</message>', 'not-well-formed'],
    ["<message from='a@b' from='c@d'/>", 'not-well-formed'],
    ['</message>', 'not-well-formed'],
    ['<a>'.repeat(100_000), 'policy-violation'],
  ])('X7 L2 %.40s ends it with a stream error, and this account only', async (text, condition) => {
    const running = await serve();
    const other = await serve();
    const bad = await open(running.port);
    const good = await open(other.port);
    first(running).write(text + incoming('after'));
    const error = await bad.stream.closed;
    expect(error?.code).toBe('protocol');
    await waitFor(() => first(running).received().includes(`<stream:error><${condition} `));
    expect(bad.stanzas).toEqual([]);
    first(other).write(incoming('still here'));
    await waitFor(() => good.stanzas.length === 1);
    await good.stream.close();
    await running.stop();
  });

  test('X8 a body of 100 MB without end is cut off, in little memory and with the event loop free', async () => {
    const running = await serve();
    const { stream, stanzas } = await open(running.port);
    const before = process.memoryUsage().rss;
    let slowest = 0;
    let last = performance.now();
    const pulse = setInterval(() => {
      slowest = Math.max(slowest, performance.now() - last);
      last = performance.now();
    }, 5);
    first(running).write('<message><body>');
    const block = Buffer.alloc(1024 * 1024, 'x');
    let over = false;
    void stream.closed.then(() => {
      over = true;
    });
    for (let sent = 0; sent < 100 && !over; sent++) {
      first(running).write(block);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const error = await stream.closed;
    clearInterval(pulse);
    expect(error?.message).toMatch(/too long/);
    expect(stanzas).toEqual([]);
    expect(slowest).toBeLessThan(200);
    expect(process.memoryUsage().rss - before).toBeLessThan(64e6);
  });

  test('a stream error of the server says why it ended', async () => {
    const running = await serve();
    const { stream } = await open(running.port);
    first(running).write(
      "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Replaced</text></stream:error>",
    );
    const error = await stream.closed;
    expect(error?.code).toBe('refused');
    expect(error?.message).toMatch(/conflict \(Replaced\)/);
  });

  test('X12 a redirect is not followed', async () => {
    const elsewhere = await serve();
    const running = await serve();
    const { stream } = await open(running.port);
    first(running).write(
      `<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>127.0.0.1:${elsewhere.port}</see-other-host></stream:error>`,
    );
    expect((await stream.closed)?.code).toBe('unsupported');
    await first(running).gone;
    expect(elsewhere.clients).toEqual([]);
    await elsewhere.stop();
  });

  test('L10 a lost connection is one error, and nothing is tried again here', async () => {
    const running = await serve();
    const { stream } = await open(running.port);
    first(running).cut();
    expect((await stream.closed)?.code).toBe('unreachable');
    expect(() => stream.send(message('late'))).toThrow(/not connected/);
    await refusal(stream.accepted(message('late')), 'unreachable');
    expect(running.clients).toHaveLength(1);
  });

  test('closes in order: end of stream, then end of socket', async () => {
    const running = await serve();
    const { stream } = await open(running.port);
    stream.send(message('last words'));
    await stream.close();
    expect(await stream.closed).toBeUndefined();
    await first(running).gone;
    expect(first(running).received()).toMatch(/last words.*<\/stream:stream>$/s);
    await stream.close();
  });

  test('closes as well where the server answers nothing', async () => {
    server = await fakeServer(async (client) => await welcome(client));
    const { stream } = await open(server.port);
    first(server).cut();
    await stream.close();
  });

  test('closes when the signal is aborted', async () => {
    const running = await serve();
    const stop = new AbortController();
    const { stream } = await open(running.port, { signal: stop.signal });
    stop.abort();
    expect(await stream.closed).toBeUndefined();
  });

  test.each([0, 1, 2, 3])('given up at step %i, the socket is gone', async (steps) => {
    const stop = new AbortController();
    server = await fakeServer(async (client) => {
      const acts = [async () => {}, async () => await signIn(client), async () => await client.open('<bind/>')];
      for (const act of acts.slice(0, steps)) await act();
      stop.abort();
      await client.gone;
    });
    await refusal(open(server.port, { signal: stop.signal }), 'unreachable');
    await first(server).gone;
  });

  test('with a signal aborted before it connects to nothing', async () => {
    const running = await serve();
    await refusal(open(running.port, { signal: AbortSignal.abort() }), 'unreachable');
    expect(running.clients).toEqual([]);
  });

  test('a sign-in that does not come to an end is given up after 30 s', async () => {
    const clock = manualClock();
    server = await fakeServer(async (client) => await client.gone);
    const opening = refusal(open(server.port, { clock }), 'unreachable');
    await waitFor(() => server?.clients.length === 1 && clock.sleeping() > 0);
    await clock.advance(29_000);
    await clock.advance(1_000);
    expect((await opening).message).toMatch(/within 30 s/);
    await clock.advance(10_000);
    expect(clock.sleeping()).toBe(0);
  });

  test('a server that is no XMPP server is said to be none', async () => {
    server = await fakeServer(async (client) => {
      await waitFor(() => client.received().includes('<stream:stream'));
      client.write('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      await client.gone;
    });
    await refusal(open(server.port), 'protocol');
    await server.stop();
    server = await fakeServer(async (client) => {
      await waitFor(() => client.received().includes('<stream:stream'));
      client.write("<?xml version='1.0'?><html><body>hello</body></html>");
      await client.gone;
    });
    await refusal(open(server.port), 'protocol');
  });

  test.each(['bob@localhost/r', 'alice@evil.example/r', 'alice@localhost', 'not a jid'])(
    'L13 a bound address of %s is refused where it is not of our domain or not full',
    async (jid) => {
      server = await fakeServer(async (client) => {
        await signIn(client);
        await client.open("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
        const iq = await client.next((element) => element.name === 'iq');
        client.write(
          `<iq type='result' id='${iq.attrs.id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>${jid}</jid></bind></iq>`,
        );
        await client.gone;
      });
      const outcome = await open(server.port).then(
        async ({ stream }) => {
          await stream.close();
          return stream.jid;
        },
        () => 'refused',
      );
      // A server may sign a person in under another of its names.
      expect(outcome).toBe(jid === 'bob@localhost/r' ? jid : 'refused');
    },
  );

  test('L11 what XML cannot carry is refused before it is written, and the stream goes on', async () => {
    const running = await serve();
    const { stream } = await open(running.port);
    expect(() => stream.send(message('a\x1b[31mb'))).toThrow(/U\+001B/);
    await refusal(stream.accepted(message('a\0b')), 'refused');
    await refusal(stream.iq(xml('iq', { type: 'get', to: 'a\ufffe' })), 'refused');
    stream.send(message('fine'));
    await waitFor(() => first(running).received().includes('fine'));
    expect(first(running).received()).not.toMatch(/\x1b|\0/);
    await stream.close();
  });
});

describe('a request', () => {
  const query = (to?: string): Element => xml('iq', { type: 'get', to }, xml('query', { xmlns: 'jabber:iq:roster' }));
  const sent = async (client: FakeClient): Promise<string> =>
    (await client.next((element) => element.name === 'iq', 'a request')).attrs.id ?? '';

  test.each([
    ['nobody', undefined, [undefined, 'alice@localhost', 'localhost', 'alice@localhost/desk']],
    ['our own account', 'alice@localhost', [undefined, 'alice@localhost', 'ALICE@localhost']],
    ['our server', 'localhost', ['localhost', 'localhost.']],
    ['a contact', 'bob@localhost/x', ['bob@localhost/x', 'BOB@localhost/x']],
  ])('L8 X4 to %s is answered by the one who was asked', async (_whom, to, answerers) => {
    const running = await serve();
    const { stream } = await open(running.port, { settings: { resource: 'desk' } });
    for (const from of answerers) {
      const asked = stream.iq(query(to));
      const sender = from === undefined ? '' : `from='${from}'`;
      first(running).write(`<iq type='result' ${sender} id='${await sent(first(running))}'><ok/></iq>`);
      expect((await asked).getChild('ok')).toBeDefined();
    }
    await stream.close();
  });

  test.each([
    ['nobody', undefined, ['mallory@localhost', 'mallory@localhost/x', 'evil.example', 'alice@localhost.evil.example']],
    ['our server', 'localhost', ['mallory@localhost', 'conference.localhost']],
    ['a contact', 'bob@localhost/x', ['bob@localhost', 'bob@localhost/y', 'localhost', undefined, 'not a jid@@']],
  ])('L8 X4 to %s is answered by nobody else', async (_whom, to, impostors) => {
    const running = await serve();
    const { stream, stanzas } = await open(running.port);
    const asked = stream.iq(query(to));
    const id = await sent(first(running));
    for (const from of impostors) {
      first(running).write(
        `<iq type='result' ${from === undefined ? '' : `from='${from}'`} id='${id}'><spoofed/></iq>`,
      );
    }
    first(running).write(`<iq type='result' from='${to ?? 'localhost'}' id='${id}'><ok/></iq>`);
    expect((await asked).getChild('ok')).toBeDefined();
    expect(stanzas).toEqual([]);
    await stream.close();
  });

  test('L8 ids cannot be guessed and never come twice', async () => {
    const running = await serve();
    const { stream } = await open(running.port);
    for (let time = 0; time < 200; time++) void stream.iq(query()).catch(() => {});
    await waitFor(
      () =>
        (first(running)
          .received()
          .match(/<query/g)?.length ?? 0) === 200,
    );
    const ids = [
      ...first(running)
        .received()
        .matchAll(/<iq [^>]*id="([^"]*)"/g),
    ].map((found) => found[1] ?? '');
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id.length).toBeGreaterThanOrEqual(12);
    await stream.close();
  });

  test.each([
    ['item-not-found', 'cancel', 'not-found'],
    ['forbidden', 'auth', 'refused'],
    ['service-unavailable', 'cancel', 'unsupported'],
    ['feature-not-implemented', 'cancel', 'unsupported'],
    ['resource-constraint', 'wait', 'rate-limited'],
    ['remote-server-timeout', 'wait', 'unreachable'],
    ['constructor', 'cancel', 'protocol'],
  ] as const)('that is answered with %s rejects', async (condition, type, code) => {
    const running = await serve();
    const { stream } = await open(running.port);
    const asked = refusal(stream.iq(query()), code);
    first(running).write(
      `<iq type='error' id='${await sent(first(running))}'><error type='${type}'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
    );
    expect((await asked).cause).toMatchObject({ condition, type });
    await stream.close();
  });

  test('without an answer is given up in time, on abort and at the end of the stream', async () => {
    const clock = manualClock();
    const running = await serve();
    const { stream } = await open(running.port, { clock });
    const late = refusal(stream.iq(query(), { timeoutMs: 5_000 }), 'unreachable');
    await clock.advance(5_000);
    expect((await late).certain).toBe(false);
    const stop = new AbortController();
    const aborted = refusal(stream.iq(query(), { signal: stop.signal }), 'unreachable');
    stop.abort();
    await aborted;
    const cut = refusal(stream.iq(query()), 'unreachable');
    first(running).cut();
    expect((await cut).certain).toBe(false);
  });

  test('of the server’s goes to the caller, its ping is answered here, a stranger’s ping is not', async () => {
    const running = await serve();
    const { stream, stanzas } = await open(running.port);
    first(running).write(
      "<iq type='get' from='localhost' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>" +
        "<iq type='get' from='mallory@evil.example/x' id='p2'><ping xmlns='urn:xmpp:ping'/></iq>" +
        "<iq type='set' id='p3'><query xmlns='jabber:iq:roster'/></iq>",
    );
    await waitFor(() => first(running).received().includes('id="p1"'));
    await waitFor(() => stanzas.length === 2);
    expect(stanzas.map((stanza) => stanza.attrs.id)).toEqual(['p2', 'p3']);
    expect(first(running).received()).not.toContain('id="p2"');
    await stream.close();
  });

  test('may be answered by a stanza of many megabytes, as a large roster is', async () => {
    const running = await serve();
    const { stream } = await open(running.port);
    const asked = stream.iq(query());
    const id = await sent(first(running));
    const items = "<item jid='contact-of-some-length@example.org' name='A contact'/>".repeat(60_000);
    first(running).write(`<iq type='result' id='${id}'><query xmlns='jabber:iq:roster'>${items}</query></iq>`);
    expect((await asked).getChild('query')?.children).toHaveLength(60_000);
    await stream.close();
  });
});

describe('without stream management', () => {
  test('a message is accepted once the server answered the ping behind it', async () => {
    const running = await serve();
    const { stream } = await open(running.port);
    let accepted = false;
    const sending = Promise.all([stream.accepted(message('one')), stream.accepted(message('two'))]).then(() => {
      accepted = true;
    });
    const ping = await first(running).next((element) => element.getChild('ping') !== undefined, 'a ping');
    expect(first(running).received()).toMatch(/one.*two.*<ping/s);
    expect(accepted).toBe(false);
    first(running).write(
      `<iq type='error' from='localhost' id='${ping.attrs.id}'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
    );
    await sending;
    await stream.close();
  });

  test('the end before that leaves it uncertain', async () => {
    const running = await serve();
    const { stream } = await open(running.port);
    const sending = refusal(stream.accepted(message('one')), 'unreachable');
    await first(running).next((element) => element.name === 'message');
    first(running).cut();
    expect((await sending).certain).toBe(false);
  });
});

describe('signs of life', () => {
  test.each([{ session: 'sm-1' }, {}])(
    'a server silent for 20 s is asked, and 10 s later given up (%o)',
    async (options) => {
      const clock = manualClock();
      const running = await serve(options);
      const { stream } = await open(running.port, { clock });
      await clock.advance(19_000);
      expect(first(running).received()).not.toMatch(/<r |<ping/);
      await clock.advance(1_000);
      await waitFor(() => /<r |<ping/.test(first(running).received()));
      await clock.advance(10_000);
      const error = await stream.closed;
      expect(error?.message).toMatch(/does not answer/);
      await clock.advance(10_000);
      expect(clock.sleeping()).toBe(0);
    },
  );

  test('any byte counts as an answer, a blank between stanzas too', async () => {
    const clock = manualClock();
    const running = await serve({ session: 'sm-1' });
    const { stream } = await open(running.port, { clock });
    let over = false;
    void stream.closed.then(() => {
      over = true;
    });
    for (let minute = 0; minute < 5; minute++) {
      const asked = first(running).received().length;
      await clock.advance(20_000);
      await waitFor(() => first(running).received().length > asked, { what: 'a request for a sign of life' });
      first(running).write(' ');
      // The blank has arrived once what follows it has.
      first(running).write("<r xmlns='urn:xmpp:sm:3'/>");
      await first(running).next((element) => element.getName() === 'a', 'an answer');
      expect(over).toBe(false);
    }
    await stream.close();
  });

  test('are asked for at once on demand', async () => {
    const running = await serve({ session: 'sm-1' });
    const { stream } = await open(running.port);
    stream.probe();
    await first(running).next((element) => element.getName() === 'r', 'a request');
    await stream.close();
  });
});

test('a stream that could not be opened leaves no timer behind', async () => {
  const clock = manualClock();
  server = await fakeServer(async (client) => {
    await signIn(client, { password: 'other' });
    await bind(client);
  });
  await refusal(open(server.port, { host: testHost({ clock }) }), 'auth');
  await first(server).gone;
  await waitFor(() => clock.sleeping() === 0);
});
