import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import { createServer as createPlainTls, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../../src/demo/bot-api.ts';
import { testCa } from '../../servers/ca.ts';
import { waitFor } from '../../servers/process.ts';
import { type BotApiServer, fakeClock, nonce, type Opened, online, open, startBotApi } from './fixture.ts';

const alice = { id: 41, name: 'Alice Liddell', username: 'alice' };
const hatter = { id: 42, name: 'Hatter' };
let server: BotApiServer;
const opened: Opened[] = [];
const keep = (one: Opened): Opened => {
  opened.push(one);
  return one;
};

beforeEach(async () => {
  server = await startBotApi({ people: [alice, hatter] });
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.stop()));
  await server.stop();
});

const texts = ({ host }: Opened): readonly string[] =>
  host.events.flatMap((event) => (event.type === 'message' ? [event.message.text] : []));
const polls = (): readonly (number | undefined)[] =>
  server.calls
    .filter(({ method }) => method === 'getUpdates')
    .map(({ payload }) => (payload.offset === undefined ? undefined : Number(payload.offset)));

describe('T2 the token is told to nobody', () => {
  const portal: Fault = { kind: 'page', body: '<html>go to http://portal/?back=PATH to sign in</html>' };
  const faults: Readonly<Record<string, Fault>> = {
    'a connection that breaks': { kind: 'refuse' },
    'a sign-in page that repeats the address (L22)': portal,
    'half a JSON text that repeats the address (L22)': { kind: 'page', body: '{"ok":true,"result":"PATH' },
    'JSON of another shape that repeats the address': { kind: 'page', body: '["PATH"]' },
    'an error that repeats the address': {
      kind: 'page',
      status: 400,
      body: '{"ok":false,"error_code":400,"description":"no route PATH"}',
    },
    '401': { kind: 'status', status: 401, description: 'Unauthorized' },
    '404 of the API': { kind: 'status', status: 404, description: 'Not Found' },
    '502 of a proxy': { kind: 'status', status: 502 },
  };

  const secretParts = (): readonly string[] => [
    server.token,
    server.token.split(':')[1] ?? '',
    encodeURIComponent(server.token),
  ];
  const expectClean = (one: Opened, error: unknown): void => {
    const told = [
      ...one.host.logs,
      inspect(error, { depth: 9, showHidden: true }),
      inspect(one.host.events, { depth: 9 }),
    ];
    for (const part of secretParts()) expect(told.join('\n')).not.toContain(part);
  };

  for (const [what, fault] of Object.entries(faults)) {
    it(`not at sign-in, by ${what}`, async () => {
      server.fail('getMe', fault);
      const one = keep(open(server));
      const error = await one.ended;
      expect(error?.message).not.toBe('');
      expectClean(one, error);
    });

    it(`not while polling, nor by a send, by ${what}`, async () => {
      const one = keep(await online(server));
      const chat = await one.chat('41');
      server.fail('sendMessage', fault);
      expectClean(one, await one.session.send(chat, 'x', nonce).catch((error: unknown) => error));
      server.fail('getUpdates', fault);
      server.say(alice, 'wakes the poll');
      expectClean(one, await one.ended);
    });
  }

  it('a redirect is refused, and the server it leads to hears nothing', async () => {
    let asked = 0;
    const elsewhere = createServer((_request, response) => {
      asked++;
      response.end('{"ok":true,"result":{"id":1}}');
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const address = elsewhere.address();
    const port = typeof address === 'object' ? address?.port : 0;
    for (const status of [301, 302, 307, 308]) {
      server.fail('getMe', { kind: 'page', status, body: '', headers: { location: `http://127.0.0.1:${port}PATH` } });
      const one = keep(open(server));
      const error = await one.ended;
      expect(error?.code).toBe('unreachable');
      expect(error?.message).toContain('refused');
      expectClean(one, error);
    }
    expect(asked).toBe(0);
    await new Promise((resolve) => elsewhere.close(resolve));
  });

  it('a server that cannot prove its name gets no token at all', async () => {
    const ca = await testCa();
    let asked = 0;
    const impostor = createTlsServer({ cert: readFileSync(ca.certFile), key: readFileSync(ca.keyFile) }, () => asked++);
    await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve));
    const address = impostor.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const one = keep(open(server, { api: `https://localhost:${port}` }));
    const error = await one.ended;
    expect(error?.code).toBe('protocol');
    expect(error?.message).toContain('does not prove');
    expectClean(one, error);
    expect(asked).toBe(0);
    await new Promise((resolve) => impostor.close(resolve));
  });

  it('a server that proves its name is spoken to, and a break is as uncertain there as in the clear', async () => {
    const ca = await testCa();
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, readFileSync(ca.caFile, 'utf8')]);
    const tls = { cert: readFileSync(ca.certFile), key: readFileSync(ca.keyFile) };
    const outside = createPlainTls(tls, (socket) => {
      const inside = connect(Number(new URL(server.root).port), '127.0.0.1');
      socket.pipe(inside).pipe(socket);
      for (const end of [socket, inside])
        end.on('error', () => {}).on('close', () => [socket, inside].map((one) => one.destroy()));
    });
    await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
    const address = outside.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const one = keep(await online(server, { api: `https://localhost:${port}` }));
    const chat = await one.chat('41');
    await one.session.send(chat, 'in secret', nonce);
    server.fail('sendMessage', { kind: 'drop' });
    await expect(one.session.send(chat, 'who knows', nonce)).rejects.toMatchObject({
      code: 'unreachable',
      certain: false,
    });
    expect(server.sent.map(({ text }) => text)).toEqual(['in secret', 'who knows']);
    await one.stop();
    setDefaultCACertificates(before);
    await new Promise((resolve) => outside.close(resolve));
  });

  it('not even where somebody writes it into a chat', async () => {
    const one = keep(await online(server));
    const id = server.say(alice, `is ${server.token} yours?`);
    const { message } = await one.host.next('message');
    expect(message.text).toBe('is [token] yours?');
    server.edit(id, `or ${encodeURIComponent(server.token)}?`);
    expect((await one.host.next('edited')).text).toBe('or [token]?');
    expectClean(one, undefined);
  });

  it('a token of the wrong shape ends with `auth`, unseen and unsent', async () => {
    for (const token of ['', 'hello', '12:short', `${server.token}/../x`, `${server.token}\n/x`]) {
      const one = keep(open(server, { token }));
      const error = await one.ended;
      expect(error?.code).toBe('auth');
      if (token.length > 5) expect(inspect(error, { depth: 9 })).not.toContain(token);
    }
    expect(server.calls).toEqual([]);
  });

  it('a sign-in page is called that', async () => {
    server.fail('getMe', portal);
    const error = await keep(open(server)).ended;
    expect(error?.code).toBe('unreachable');
    expect(error?.message).toContain('sign-in page');
  });

  it('401 and 404 end with `auth` after one call', async () => {
    for (const [status, description] of [
      [401, 'Unauthorized'],
      [404, 'Not Found'],
    ] as const) {
      server.fail('getMe', { kind: 'status', status, description });
      expect((await keep(open(server)).ended)?.code).toBe('auth');
    }
    expect(server.calls.length).toBe(2);
  });
});

describe('what waited at the server', () => {
  it('F20 is told once and in order; what is older than some minutes is no news', async () => {
    const clock = fakeClock();
    await server.stop();
    server = await startBotApi({ people: [alice, hatter], now: clock.now });
    const before = keep(await online(server, { clock }));
    await before.stop();
    server.say(alice, 'hours ago');
    clock.advance(3 * 3_600_000);
    server.say(alice, 'just now');
    const memory = before.host.memory.entries;
    const after = keep(await online(server, { clock, memory }));
    await after.host.next('message', ({ message }) => message.text === 'just now');
    const told = after.host.events.flatMap((event) => (event.type === 'message' ? [event] : []));
    expect(told.map(({ message, live, seen }) => [message.text, live, seen])).toEqual([
      ['hours ago', false, undefined],
      ['just now', true, undefined],
    ]);
    await after.stop();
    const again = keep(await online(server, { clock, memory }));
    server.say(alice, 'and later');
    await again.host.next('message', ({ message }) => message.text === 'and later');
    expect(again.host.events.filter((event) => event.type === 'message')).toHaveLength(1);
  });
});

describe('T3 a server that asks to wait', () => {
  it('T3 L22 429 three times: waits each time as long as asked, keeps the order, sends one copy', async () => {
    const clock = fakeClock();
    await server.stop();
    server = await startBotApi({ people: [alice, hatter], now: clock.now });
    const one = keep(await online(server, { clock }));
    const chat = await one.chat('41');
    server.fail(
      'sendMessage',
      { kind: 'status', status: 429, description: 'Too Many Requests', parameters: { retry_after: 7 } },
      3,
    );

    const sends = ['first', 'second', 'third'].map((text) => one.session.send(chat, text, nonce));
    for (let refused = 1; refused <= 3; refused++) {
      await waitFor(() => clock.asleep.includes(7000), { what: `the wait after refusal ${refused}` });
      expect(server.sent).toEqual([]);
      clock.advance(6_999);
      clock.advance(1);
    }
    await Promise.all(sends);

    expect(server.sent.map(({ text }) => text)).toEqual(['first', 'second', 'third']);
    const tries = server.calls.filter(({ method }) => method === 'sendMessage');
    expect(tries.map(({ payload }) => payload.text)).toEqual(['first', 'first', 'first', 'first', 'second', 'third']);
    const gaps = tries.slice(1, 4).map(({ at }, index) => at - (tries[index]?.at ?? 0));
    expect(gaps).toEqual([7000, 7000, 7000]);
  });

  it('T3 a wait in one chat does not hold up another', async () => {
    const clock = fakeClock();
    const one = keep(await online(server, { clock }));
    const [slow, quick] = [await one.chat('41'), await one.chat('42')];
    server.fail('sendMessage', {
      kind: 'status',
      status: 429,
      description: 'Too Many Requests',
      parameters: { retry_after: 7 },
    });
    const waiting = one.session.send(slow, 'later', nonce);
    await waitFor(() => clock.asleep.includes(7000));
    await one.session.send(quick, 'now', nonce);
    expect(server.sent.map(({ text }) => text)).toEqual(['now']);
    clock.advance(7000);
    await waiting;
  });

  it('T3 a wait of more than a minute is told at once, and nothing overtakes what was refused', async () => {
    const clock = fakeClock();
    const one = keep(await online(server, { clock }));
    const chat = await one.chat('41');
    server.fail('sendMessage', {
      kind: 'status',
      status: 429,
      description: 'Too Many Requests',
      parameters: { retry_after: 61 },
    });
    const [first, second] = await Promise.allSettled(
      ['first', 'second'].map((text) => one.session.send(chat, text, nonce)),
    );
    expect(first).toMatchObject({ reason: { code: 'rate-limited', retryAfter: 61, certain: true } });
    expect(second).toMatchObject({ reason: { code: 'rate-limited', retryAfter: 61 } });
    // No single poll may seem to last longer than it may.
    for (let passed = 0; passed < 61_000; passed += 20_500) {
      const before = polls().length;
      server.say(alice, 'tick');
      await waitFor(() => polls().length > before);
      clock.advance(20_500);
    }
    await one.session.send(chat, 'first', nonce);
    expect(server.sent.map(({ text }) => text)).toEqual(['first']);
  });

  it('T3 429 while polling waits and goes on', async () => {
    const clock = fakeClock();
    server.fail('getUpdates', {
      kind: 'status',
      status: 429,
      description: 'Too Many Requests',
      parameters: { retry_after: 9 },
    });
    const one = keep(await online(server, { clock }));
    await waitFor(() => clock.asleep.includes(9000));
    clock.advance(9000);
    server.say(alice, 'through');
    await one.host.next('message');
  });

  it('a send whose signal aborts while it waits is not sent', async () => {
    const clock = fakeClock();
    const one = keep(await online(server, { clock }));
    const chat = await one.chat('41');
    server.fail('sendMessage', {
      kind: 'status',
      status: 429,
      description: 'Too Many Requests',
      parameters: { retry_after: 7 },
    });
    const stopper = new AbortController();
    const waiting = one.session.send(chat, 'never', nonce, { signal: stopper.signal });
    await waitFor(() => clock.asleep.includes(7000));
    stopper.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'unreachable', certain: true });
    await one.session.send(chat, 'next', nonce);
    expect(server.sent.map(({ text }) => text)).toEqual(['next']);
  });
});

describe('T4 a second poller', () => {
  const conflict: Fault = {
    kind: 'status',
    status: 409,
    description: 'Conflict: terminated by other getUpdates request',
  };

  it('T4 L22 409 once: backs off and resumes', async () => {
    const clock = fakeClock();
    server.fail('getUpdates', conflict);
    const one = keep(await online(server, { clock }));
    await waitFor(() => clock.asleep.includes(2000));
    clock.advance(2000);
    server.say(alice, 'still there?');
    expect((await one.host.next('message')).message.text).toBe('still there?');
  });

  it('T4 L22 409 for ever: says who is to blame, after few tries', async () => {
    const clock = fakeClock();
    server.fail('getUpdates', conflict, Number.POSITIVE_INFINITY);
    const one = keep(await online(server, { clock }));
    for (const seconds of [2, 4, 8, 16, 30]) {
      await waitFor(() => clock.asleep.includes(seconds * 1000), { what: `a pause of ${seconds} s` });
      clock.advance(seconds * 1000);
    }
    const error = await one.ended;
    expect(error?.code).toBe('refused');
    expect(error?.message).toContain('another program polls this bot');
    expect(polls().length).toBe(6);
  });

  it('T4 a webhook is named as the cause at once', async () => {
    server.fail('getUpdates', {
      kind: 'status',
      status: 409,
      description: "Conflict: can't use getUpdates method while webhook is active",
    });
    const error = await keep(open(server)).ended;
    expect(error?.code).toBe('refused');
    expect(error?.message).toContain('webhook');
  });

  it('T4 two sessions on one bot end in a conflict, not in a tight loop', async () => {
    const first = keep(await online(server));
    const second = keep(await online(server));
    await waitFor(() => [...first.host.logs, ...second.host.logs].some((line) => line.includes('another program')));
    expect(polls().length).toBeLessThan(10);
  });
});

describe('T5 L21 offsets', () => {
  it('T5 an update is confirmed only when what it brought is on disk', async () => {
    const one = keep(await online(server));
    const release = one.host.holdSaves();
    server.say(alice, 'keep me');
    await one.host.next('message');
    await waitFor(() => one.host.memory.get('offset') !== undefined);
    const confirmed = polls().filter((offset) => offset !== undefined);
    expect(confirmed).toEqual([]);
    release();
    await waitFor(() => polls().at(-1) === Number(one.host.memory.get('offset')));
  });

  it('T5 killed between receiving and storing: it comes again, and each update is taken once after that', async () => {
    const disk = new Map<string, string>();
    const first = keep(await online(server, { memory: new Map(disk) }));
    first.host.holdSaves();
    server.say(alice, 'one');
    server.say(alice, 'two');
    await waitFor(() => texts(first).length === 2);
    // What was not saved is lost with the process.
    void first.stop();

    const second = keep(await online(server, { memory: disk }));
    await waitFor(() => texts(second).length === 2);
    server.say(alice, 'three');
    await waitFor(() => texts(second).length === 3);
    await waitFor(() => polls().at(-1) === Number(disk.get('offset')));
    await second.stop();

    const third = keep(await online(server, { memory: disk }));
    server.say(alice, 'four');
    await waitFor(() => texts(third).length > 0);
    expect(texts(second)).toEqual(['one', 'two', 'three']);
    expect(texts(third)).toEqual(['four']);
  });

  it('L21 where it cannot be stored nothing is confirmed, and it comes again when it can', async () => {
    const full = keep(await online(server, { saved: () => Promise.reject(new Error('disk full')) }));
    server.say(alice, 'do not lose me');
    expect((await full.ended)?.code).toBe('unreachable');
    expect(polls().filter((offset) => offset !== undefined)).toEqual([]);
    const roomy = keep(await online(server));
    expect((await roomy.host.next('message')).message.text).toBe('do not lose me');
  });

  it('L21 an update that cannot be read does not stop those after it', async () => {
    const one = keep(await online(server));
    server.push('message', { message_id: 1, chat: { id: 41, type: 'private' }, entities: 'x', text: { toString: 1 } });
    server.push('business_message', {
      business_connection_id: 'none',
      message_id: 1,
      chat: { id: 1, type: 'private' },
    });
    server.say(alice, 'after it');
    await one.host.next('message', ({ message }) => message.text === 'after it');
    await waitFor(() => polls().at(-1) === 1003);
  });

  it('T5 update ids that jump, repeat and begin anew are each taken once', async () => {
    const update = (id: number, text: string) => ({
      update_id: id,
      message: { message_id: id, date: 1, chat: { id: 41, type: 'private' }, from: { id: 41 }, text },
    });
    const answers = [
      [update(2010, 'ten'), update(5_000_000, 'a jump')],
      [update(2010, 'ten again'), update(5_000_000, 'the jump again'), update(5_000_001, 'next')],
      [update(77, 'anew after a week')],
    ];
    const one = keep(await online(server));
    for (const result of answers) {
      const before = polls().length;
      server.fail('getUpdates', {
        kind: 'page',
        body: JSON.stringify({ ok: true, result }),
        headers: { 'content-type': 'application/json' },
      });
      server.push('message', {});
      await waitFor(() => polls().length >= before + 2);
    }
    await one.host.next('message', ({ message }) => message.text === 'anew after a week');
    expect(texts(one)).toEqual(['ten', 'a jump', 'next', 'anew after a week']);
  });

  it('a server that answers at once is not asked without rest', async () => {
    const clock = fakeClock();
    server.fail(
      'getUpdates',
      { kind: 'page', body: '{"ok":true,"result":[]}', headers: { 'content-type': 'application/json' } },
      Number.POSITIVE_INFINITY,
    );
    keep(await online(server, { clock }));
    for (let round = 1; round < 20; round++) {
      await waitFor(() => clock.asleep.some((ms) => ms >= 50 && ms <= 2000), { what: 'a pause' });
      expect(polls().length).toBe(round);
      clock.advance(2000);
      await waitFor(() => polls().length === round + 1);
    }
  });
});

describe('T6 a send of unknown outcome', () => {
  it('T6 the connection breaks after the request was read: uncertain, and not sent again', async () => {
    const one = keep(await online(server));
    const chat = await one.chat('41');
    for (const kind of ['drop', 'refuse'] as const) {
      server.fail('sendMessage', { kind });
      await expect(one.session.send(chat, kind, nonce)).rejects.toMatchObject({ code: 'unreachable', certain: false });
    }
    await one.session.send(chat, 'after it', nonce);
    expect(server.sent.map(({ text }) => text)).toEqual(['drop', 'after it']);
  });

  it('T6 502 and an answer without an id are uncertain; a refusal is certain', async () => {
    const one = keep(await online(server));
    const chat = await one.chat('41');
    server.fail('sendMessage', { kind: 'status', status: 502 });
    await expect(one.session.send(chat, 'x', nonce)).rejects.toMatchObject({ code: 'unreachable', certain: false });
    server.fail('sendMessage', { kind: 'page', body: '{"ok":true,"result":{}}' });
    await expect(one.session.send(chat, 'x', nonce)).rejects.toMatchObject({ code: 'protocol', certain: false });
    server.fail('sendMessage', { kind: 'status', status: 400, description: 'Bad Request: something else' });
    await expect(one.session.send(chat, 'x', nonce)).rejects.toMatchObject({ code: 'refused', certain: true });
  });

  it('T6 no answer in 30 s is uncertain', async () => {
    const clock = fakeClock();
    const one = keep(await online(server, { clock }));
    const chat = await one.chat('41');
    server.fail('sendMessage', { kind: 'hang' });
    const sending = one.session.send(chat, 'hello?', nonce);
    await waitFor(() => server.calls.some(({ method }) => method === 'sendMessage'));
    await waitFor(() => clock.asleep.filter((ms) => ms === 30_000).length === 2);
    clock.advance(30_000);
    await expect(sending).rejects.toMatchObject({ code: 'unreachable', certain: false });
  });

  it('T6 signing out in the middle of a send is uncertain for that one and certain for those behind it', async () => {
    const one = keep(await online(server));
    const chat = await one.chat('41');
    server.fail('sendMessage', { kind: 'hang' });
    const sends = Promise.allSettled([
      one.session.send(chat, 'under way', nonce),
      one.session.send(chat, 'behind', nonce),
    ]);
    await waitFor(() => server.calls.some(({ method }) => method === 'sendMessage'));
    await one.stop();
    expect(await sends).toMatchObject([{ reason: { certain: false } }, { reason: { certain: true } }]);
  });

  it('a dead connection shows within 30 s of silence', async () => {
    const clock = fakeClock();
    server.fail('getUpdates', { kind: 'hang' });
    const one = keep(await online(server, { clock }));
    await waitFor(() => clock.asleep.includes(30_000));
    clock.advance(30_000);
    expect((await one.ended)?.code).toBe('unreachable');
  });
});
