import { type Element, xml } from '@xmpp/xml';
import { afterEach, describe, expect, test } from 'vitest';
import { counters } from '../../../../adapters/xmpp/transport/management.ts';
import { testHost } from '../../../contract/host.ts';
import { waitFor } from '../../../servers/process.ts';
import { BIND, bindResource, type FakeClient, type FakeServer, fakeServer, SM, signIn } from '../fake-server.ts';
import { manualClock } from './clock.ts';
import { type OpenOptions, open, refusal } from './open.ts';

const NS = 'urn:xmpp:sm:3';
let server: FakeServer | undefined;
afterEach(async () => {
  const running = server;
  server = undefined;
  await running?.stop();
});

/** Each client in turn: signed in, then this. */
async function serve(...turns: readonly ((client: FakeClient) => Promise<void>)[]): Promise<FakeServer> {
  server = await fakeServer(async (client, number) => {
    await signIn(client);
    await client.open(BIND + SM);
    await turns[Math.min(number, turns.length) - 1]?.(client);
  });
  return server;
}

const begin = async (client: FakeClient): Promise<void> => await bindResource(client, 'sm-1');
const resume =
  (h: number, then = '') =>
  async (client: FakeClient): Promise<void> => {
    await client.next((element) => element.is('resume', NS), 'resume');
    client.write(`<resumed xmlns='${NS}' previd='sm-1' h='${h}'/>${then}`);
  };
const refuse =
  (h?: number) =>
  async (client: FakeClient): Promise<void> => {
    await client.next((element) => element.is('resume', NS), 'resume');
    const counted = h === undefined ? '' : ` h='${h}'`;
    client.write(
      `<failed xmlns='${NS}'${counted}><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>`,
    );
    await bindResource(client, 'sm-2');
  };

const message = (id: string): Element => xml('message', { to: 'bob@localhost', id }, xml('body', {}, `text ${id}`));
const incoming = (id: number): string => `<message from='bob@localhost/x' id='in${id}'><body>${id}</body></message>`;
const isAck = (element: Element): boolean => element.is('a', NS);
const isRequest = (element: Element): boolean => element.is('r', NS);
const nth = (running: FakeServer, at: number): FakeClient => {
  const client = running.clients[at];
  if (!client) throw new Error(`no client ${at}`);
  return client;
};
const sentIds = (client: FakeClient): string[] =>
  [...client.received().matchAll(/<message [^>]*id="([^"]*)"/g)].map((found) => found[1] ?? '');

describe('what was received', () => {
  test('L9 is acknowledged only once it is on disk', async () => {
    const running = await serve(begin);
    const host = testHost();
    const { stream, stanzas } = await open(running.port, { host });
    const release = host.holdSaves();
    const client = nth(running, 0);
    client.write(`${incoming(1)}${incoming(2)}<r xmlns='${NS}'/>`);
    await waitFor(() => stanzas.length === 2);
    // A request and its reply go past: the server would have seen an acknowledgement before it.
    const asked = stream.iq(xml('iq', { type: 'get' }));
    const iq = await client.next((element) => element.name === 'iq');
    client.write(`<iq type='result' id='${iq.attrs.id}'/>`);
    await asked;
    expect(client.received()).not.toMatch(/<a /);
    release();
    expect((await client.next(isAck, 'an acknowledgement')).attrs.h).toBe('2');
    await stream.close();
  });

  test('L9 counts what was handled when the save began, not what came since', async () => {
    const running = await serve(begin);
    const host = testHost();
    const { stream, stanzas } = await open(running.port, { host });
    const release = host.holdSaves();
    const client = nth(running, 0);
    client.write(`${incoming(1)}<r xmlns='${NS}'/>`);
    await waitFor(() => stanzas.length === 1);
    client.write(incoming(2));
    await waitFor(() => stanzas.length === 2);
    release();
    expect((await client.next(isAck)).attrs.h).toBe('1');
    client.write(`<r xmlns='${NS}'/>`);
    expect((await client.next(isAck)).attrs.h).toBe('2');
    await stream.close();
  });

  test('L9 a disk that fails keeps it unacknowledged until it works again', async () => {
    const running = await serve(begin);
    let broken = true;
    const host = testHost();
    const failing = {
      ...host,
      saved: async () => {
        if (broken) throw new Error('disk full');
      },
    };
    const { stream } = await open(running.port, { host: failing });
    const client = nth(running, 0);
    client.write(`${incoming(1)}<r xmlns='${NS}'/>`);
    await waitFor(() => host.logs.some((line) => line.includes('disk full')));
    expect(client.received()).not.toMatch(/<a /);
    broken = false;
    expect((await client.next(isAck)).attrs.h).toBe('1');
    await stream.close();
  });

  test('one save serves a flood, and the socket rests while too much is unsaved', async () => {
    const running = await serve(begin);
    const host = testHost();
    const { stream, stanzas } = await open(running.port, { host });
    const release = host.holdSaves();
    const client = nth(running, 0);
    const count = 20_000;
    for (let at = 0; at < count; at++) client.write(incoming(at));
    client.write(`<r xmlns='${NS}'/>`);
    await waitFor(() => stanzas.length > 4_096);
    // What a socket hands over at once may still come, the rest waits.
    expect(stanzas.length).toBeLessThan(10_000);
    release();
    expect((await client.next(isAck)).attrs.h).toBe(String(count));
    expect(stanzas).toHaveLength(count);
    await stream.close();
  });

  test('a disk that is behind for minutes does not make the server look dead', async () => {
    const running = await serve(begin);
    const clock = manualClock();
    const host = testHost({ clock });
    const { stream, stanzas } = await open(running.port, { host });
    const release = host.holdSaves();
    const client = nth(running, 0);
    for (let at = 0; at < 6_000; at++) client.write(incoming(at));
    client.write(`<r xmlns='${NS}'/>`);
    await waitFor(() => stanzas.length > 4_096);
    for (let minute = 0; minute < 5; minute++) await clock.advance(60_000);
    release();
    expect((await client.next(isAck)).attrs.h).toBe('6000');
    await stream.close();
  });

  test('L9 a stanza that comes before <enabled/> does not count', async () => {
    server = await fakeServer(async (client) => {
      await signIn(client);
      await client.open(BIND + SM);
      await bindResource(client);
      client.write(incoming(1));
      await client.next((element) => element.getName() === 'enable');
      client.write(`<enabled xmlns='${NS}' id='sm-1' resume='true'/>${incoming(2)}<r xmlns='${NS}'/>`);
    });
    const { stream, stanzas } = await open(server.port);
    await waitFor(() => stanzas.length === 2);
    expect((await nth(server, 0).next(isAck)).attrs.h).toBe('1');
    await stream.close();
  });

  test('the last of it is told before the stream is closed', async () => {
    const running = await serve(begin);
    const { stream, stanzas } = await open(running.port);
    nth(running, 0).write(incoming(1));
    await waitFor(() => stanzas.length === 1);
    await stream.close();
    expect(nth(running, 0).received()).toMatch(/<a [^>]*h="1"[^>]*\/><\/stream:stream>$/);
  });
});

describe('what was sent', () => {
  test('L9 is accepted once the server acknowledged it', async () => {
    const running = await serve(begin);
    const { stream } = await open(running.port);
    const done: string[] = [];
    const sending = ['m1', 'm2'].map(async (id) => await stream.accepted(message(id)).then(() => void done.push(id)));
    const client = nth(running, 0);
    await client.next(isRequest, 'a request');
    expect(done).toEqual([]);
    client.write(`<a xmlns='${NS}' h='1'/>`);
    await sending[0];
    expect(done).toEqual(['m1']);
    await client.next(isRequest, 'another request');
    client.write(`<a xmlns='${NS}' h='2'/>`);
    await Promise.all(sending);
    await stream.close();
  });

  test('one request stands for a burst', async () => {
    const running = await serve(begin);
    const { stream } = await open(running.port);
    const sending = Promise.all(Array.from({ length: 500 }, (_, at) => stream.accepted(message(`m${at}`))));
    const client = nth(running, 0);
    await client.next(isRequest);
    client.write(`<a xmlns='${NS}' h='500'/>`);
    await sending;
    expect(client.received().match(/<r /g)).toHaveLength(1);
    expect(sentIds(client)).toHaveLength(500);
    await stream.close();
  });

  test.each(['3', '4294967295', '-1', '1.5', 'x', ''])(
    'L9 an acknowledgement of %j where 2 were sent ends the stream',
    async (h) => {
      const running = await serve(begin);
      const { stream } = await open(running.port);
      const sending = [refusal(stream.accepted(message('m1')), 'unreachable')];
      stream.send(message('m2'));
      const client = nth(running, 0);
      await client.next(isRequest);
      client.write(`<a xmlns='${NS}' h='${h}'/>`);
      expect((await stream.closed)?.code).toBe('protocol');
      expect((await sending[0])?.certain).toBe(false);
      await waitFor(() => client.received().includes('</stream:stream>'));
      expect(client.received()).toMatch(
        /<stream:error><undefined-condition[^>]*\/><handled-count-too-high[^>]*send-count="2"/,
      );
    },
  );

  test('L9 counters wrap at 2^32', () => {
    const memory = testHost().memory;
    memory.set('xmpp.sm', '{"id":"sm-1","jid":"alice@localhost/x"}');
    memory.set('xmpp.sm.in', '4294967295');
    memory.set('xmpp.sm.acked', '4294967294');
    const counted = counters(memory);
    counted.handled();
    expect(counted.inbound).toBe(0);
    for (const id of ['a', 'b', 'c']) counted.add(`<message id='${id}'/>`, id);
    expect(counted.sent).toBe(1);
    expect(counted.acknowledge(2)).toBe(false);
    expect(counted.acknowledge(0)).toBe(true);
    expect(counted.unacknowledged.map(({ id }) => id)).toEqual(['c']);
    const again = counters(memory);
    expect(again.inbound).toBe(0);
    expect(again.unacknowledged.map(({ id }) => id)).toEqual(['c']);
    expect(again.acknowledge(1)).toBe(true);
    expect(again.sent).toBe(1);
  });

  test('giving up waiting for one leaves it uncertain, and the stream going', async () => {
    const running = await serve(begin);
    const { stream } = await open(running.port);
    const stop = new AbortController();
    const sending = refusal(stream.accepted(message('m1'), stop.signal), 'unreachable');
    stop.abort();
    expect((await sending).certain).toBe(false);
    const next = stream.accepted(message('m2'));
    await nth(running, 0).next((element) => element.attrs.id === 'm2');
    nth(running, 0).write(`<a xmlns='${NS}' h='2'/>`);
    await next;
    await stream.close();
  });

  test('a server that does not grant it is used without', async () => {
    server = await fakeServer(async (client) => {
      await signIn(client);
      await client.open(BIND + SM);
      await bindResource(client);
      await client.next((element) => element.getName() === 'enable');
      client.write(`<failed xmlns='${NS}'><unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>`);
    });
    const { stream, host } = await open(server.port);
    expect(stream.managed).toBe(false);
    expect(host.memory.entries.has('xmpp.sm')).toBe(false);
    await stream.close();
  });
});

describe('a resumption', () => {
  /** A first connection that is cut after m1 and m2 went out and two stanzas came in; the memory outlives it. */
  async function cutOff(running: FakeServer, options: OpenOptions = {}): Promise<Map<string, string>> {
    const memory = new Map<string, string>();
    const { stream, stanzas } = await open(running.port, { ...options, memory });
    const client = nth(running, 0);
    client.write(incoming(1) + incoming(2));
    await waitFor(() => stanzas.length === 2);
    const sending = ['m1', 'm2'].map(async (id) => await refusal(stream.accepted(message(id)), 'unreachable'));
    await client.next((element) => element.attrs.id === 'm2');
    client.cut();
    for (const error of await Promise.all(sending)) expect(error.certain).toBe(false);
    return memory;
  }

  test('L9 after the process was killed carries on with both counters, and knows what was handled', async () => {
    const running = await serve(begin, resume(1));
    const memory = await cutOff(running);
    const { stream } = await open(running.port, { memory: new Map(memory) });
    expect(stream.resumed).toBe(true);
    expect(stream.jid).toMatch(/^alice@localhost\/imux\./);
    expect([...stream.recovered]).toEqual([
      ['m1', true],
      ['m2', false],
    ]);
    const client = nth(running, 1);
    const again = stream.accepted(message('m2'));
    await client.next(isRequest, 'a request');
    expect(client.received()).toMatch(/<resume [^>]*h="2"/);
    expect(sentIds(client)).toEqual(['m2']);
    client.write(`<a xmlns='${NS}' h='2'/>`);
    await again;
    await stream.close();
  });

  test('F17 sends again what nobody waits for; a message, on which the connection may have died, is left to its sender', async () => {
    const running = await serve(begin, resume(0));
    const memory = new Map<string, string>();
    const { stream: first } = await open(running.port, { memory });
    const sending = refusal(first.accepted(message('poison')), 'unreachable');
    first.send(message('mark'));
    await nth(running, 0).next((element) => element.attrs.id === 'mark');
    nth(running, 0).cut();
    await sending;
    const { stream } = await open(running.port, { memory });
    await nth(running, 1).next(isRequest);
    expect(sentIds(nth(running, 1))).toEqual(['mark']);
    expect([...stream.recovered]).toEqual([['poison', false]]);
    await stream.close();
  });

  test('hands on in order what the server kept, also where it comes in one segment with <resumed/>', async () => {
    const running = await serve(begin, resume(2, `${incoming(3) + incoming(4)}<r xmlns='${NS}'/>`));
    const memory = await cutOff(running);
    const { stream, stanzas } = await open(running.port, { memory });
    await waitFor(() => stanzas.length === 2);
    expect(stanzas.map((stanza) => stanza.getChildText('body'))).toEqual(['3', '4']);
    const ack = await nth(running, 1).next((element) => isAck(element) && element.attrs.h === '4');
    expect(ack.attrs.h).toBe('4');
    await stream.close();
  });

  test('L9 that the server refuses becomes a new session; what it handled is known, the rest is not sent again', async () => {
    const running = await serve(begin, refuse(1));
    const memory = await cutOff(running);
    const { stream } = await open(running.port, { memory });
    expect(stream.resumed).toBe(false);
    expect(stream.managed).toBe(true);
    expect([...stream.recovered.keys()]).toEqual(['m1']);
    stream.send(message('m3'));
    const client = nth(running, 1);
    await client.next(isRequest);
    expect(sentIds(client)).toEqual(['m3']);
    client.write(`<r xmlns='${NS}'/>`);
    expect((await client.next(isAck)).attrs.h).toBe('0');
    await stream.close();
  });

  test('that the server refuses without a count recovers nothing', async () => {
    const running = await serve(begin, refuse());
    const { stream } = await open(running.port, { memory: await cutOff(running) });
    expect(stream.recovered.size).toBe(0);
    await stream.close();
  });

  test('L9 with a count above what is remembered takes the server’s word: a crash came before the last record', async () => {
    const running = await serve(begin, resume(5));
    const { stream } = await open(running.port, { memory: await cutOff(running) });
    const client = nth(running, 1);
    const next = stream.accepted(message('m6'));
    await client.next(isRequest);
    expect(sentIds(client)).toEqual(['m6']);
    client.write(`<a xmlns='${NS}' h='6'/>`);
    await next;
    await stream.close();
  });

  test('is not tried after the stream was closed in order', async () => {
    const running = await serve(begin);
    const memory = new Map<string, string>();
    for (let time = 0; time < 2; time++) {
      const { stream } = await open(running.port, { memory });
      expect(stream.resumed).toBe(false);
      await stream.close();
    }
    expect([...memory.keys()].filter((key) => key.startsWith('xmpp.sm'))).toEqual([]);
    expect(nth(running, 1).received()).not.toMatch(/<resume/);
  });

  test('is not tried with a record that makes no sense', async () => {
    for (const record of ['{', '"x"', '{"id":1}', 'null']) {
      const running = await serve(begin);
      const { stream } = await open(running.port, { memory: new Map([['xmpp.sm', record]]) });
      expect(stream.resumed).toBe(false);
      await stream.close();
      await running.stop();
    }
    server = undefined;
  });

  test('fails again where the second connection is cut amid it, with nothing lost', async () => {
    const running = await serve(begin, async (client) => client.cut(), resume(0));
    const memory = await cutOff(running);
    await refusal(open(running.port, { memory }), 'unreachable');
    const { stream } = await open(running.port, { memory });
    expect([...stream.recovered.values()]).toEqual([false, false]);
    await stream.close();
  });
});
