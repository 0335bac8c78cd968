import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { nameService } from '../../../../adapters/xmpp/transport/srv.ts';
import type { StreamSettings } from '../../../../adapters/xmpp/transport/stream.ts';
import { type Certificate, type TestCa, testCa } from '../../../servers/ca.ts';
import { freePort, waitFor } from '../../../servers/process.ts';
import { bind, type FakeServer, fakeServer, mechanisms, STARTTLS, signIn, startTls, welcome } from '../fake-server.ts';
import { type DnsStub, dnsStub, type Zone } from './dns-stub.ts';
import { open, refusal } from './open.ts';
import { httpProxy } from './proxies.ts';

let ca: TestCa;
let server: FakeServer | undefined;
let dns: DnsStub | undefined;

beforeAll(async () => {
  ca = await testCa();
});
afterAll(async () => await ca.remove());
afterEach(async () => {
  dns?.stop();
  dns = undefined;
  const running = server;
  server = undefined;
  await running?.stop();
});

/** A whole server: TLS by this certificate, sign-in, bind. */
async function serve(certificate: Certificate, direct: boolean, after = ''): Promise<FakeServer> {
  server = await fakeServer(async (client) => {
    if (direct) await client.secure(certificate);
    else await startTls(client, certificate, after);
    await welcome(client);
  });
  return server;
}

const settings = (tls: 'starttls' | 'direct' | 'auto', jid = 'alice@localhost'): Partial<StreamSettings> => ({
  jid,
  tls,
  ca: ca.caFile,
});

describe.each([
  { tls: 'starttls', direct: false },
  { tls: 'direct', direct: true },
] as const)('with $tls', ({ tls, direct }) => {
  test('L6 X10 a certificate for the account domain is taken, whatever host was connected to', async () => {
    const { port, clients } = await serve(await ca.issue({ names: ['localhost'] }), direct);
    const { stream } = await open(port, { settings: settings(tls) });
    expect(stream.jid).toMatch(/^alice@localhost\/./);
    expect(clients[0]?.tls()).toEqual({ servername: 'localhost', alpn: 'xmpp-client' });
    await stream.close();
  });

  test.each([
    ['only the SRV target', { names: ['xmpp.hosting.example'] }],
    ['only the address', { ips: ['127.0.0.1'] }],
    ['another name', { names: ['evil.example'] }],
    ['a part of the name', { names: ['host'] }],
    ['no name but a common name', { names: [], ips: ['10.0.0.1'] }],
    ['a signature of its own', { names: ['localhost'], signedBySelf: true }],
    ['a time that is over', { names: ['localhost'], days: -1 }],
    ['a wildcard for every name', { names: ['*'] }],
  ])('X10 a certificate with %s is refused before anything is said', async (_what, options) => {
    const { port, clients } = await serve(await ca.issue(options), direct);
    const error = await refusal(open(port, { settings: settings(tls) }), 'protocol');
    expect(error.message).toMatch(/certificate/);
    expect(clients[0]?.received()).not.toMatch(/<auth|<iq/);
    if (direct) expect(clients[0]?.received()).toBe('');
  });

  test('X10 a certificate of an authority that is not trusted is refused', async () => {
    const { port } = await serve(await ca.issue({ names: ['localhost'] }), direct);
    const trusted = { jid: 'alice@localhost', tls };
    const error = await refusal(open(port, { settings: trusted }), 'protocol');
    expect(error.message).toMatch(/authority is not known/);
  });

  test('X10 a wildcard is good for one label, an internationalised domain in A-labels', async () => {
    const { port, clients } = await serve(await ca.issue({ names: ['*.im.example', 'xn--bcher-kva.example'] }), direct);
    // The fake server binds alice@localhost: that the sign-in got so far shows that TLS was taken.
    const names = ['alice@a.im.example', 'alice@bücher.example'];
    for (const jid of names) await refusal(open(port, { settings: settings(tls, jid) }), 'protocol');
    expect(clients.map((client) => client.tls().servername)).toEqual(['a.im.example', 'xn--bcher-kva.example']);
    for (const client of clients) expect(client.received()).toMatch(/<bind/);
    const error = await refusal(open(port, { settings: settings(tls, 'alice@a.b.im.example') }), 'protocol');
    expect(error.message).toMatch(/certificate/);
  });
});

describe('STARTTLS', () => {
  const never = ['auth', 'iq', 'message', 'presence', 'response'];
  const expectNothingSaid = (text: string): void => {
    for (const name of never) expect(text).not.toContain(`<${name}`);
  };

  test.each(['starttls', 'auto'] as const)(
    'L3 X9 not offered: nothing is said and nothing is sent (%s)',
    async (tls) => {
      server = await fakeServer(async (client) => {
        await client.open(mechanisms('PLAIN', 'SCRAM-SHA-1'));
        await client.gone;
      });
      const error = await refusal(open(server.port, { settings: settings(tls) }), 'protocol');
      expect(error.message).toMatch(/offers no TLS/);
      expectNothingSaid(server.clients[0]?.received() ?? '');
    },
  );

  test('X9 refused: nothing is sent', async () => {
    server = await fakeServer(async (client) => {
      await client.open(STARTTLS + mechanisms('PLAIN'));
      await client.next((element) => element.getName() === 'starttls');
      client.write("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      await client.gone;
    });
    await refusal(open(server.port, { settings: settings('starttls') }), 'protocol');
    expectNothingSaid(server.clients[0]?.received() ?? '');
  });

  test('X9 garbage in place of TLS is an error in plain words', async () => {
    server = await fakeServer(async (client) => {
      await client.open(STARTTLS);
      await client.next((element) => element.getName() === 'starttls');
      client.write("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      // In a segment of its own, in place of the server's part of the handshake.
      await waitFor(() => client.received().includes('\x16\x03') || client.received().includes('\x16'));
      client.write('<message><body>hello</body></message>'.repeat(10));
      await client.gone;
    });
    const error = await refusal(open(server.port, { settings: settings('starttls') }), 'protocol');
    expect(error.message).toMatch(/TLS failed/);
    expectNothingSaid(server.clients[0]?.received() ?? '');
  });

  test('L4 X9 a stanza in one segment with proceed is dropped, and so is half a stanza', async () => {
    for (const smuggled of [
      "<message from='bank@example.org'><body>injected</body></message>",
      "<message from='bank@example.org'><body>inj",
      "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>",
      '<<<not xml>',
    ]) {
      const { port, clients } = await serve(ca, false, smuggled);
      const { stream, stanzas } = await open(port, { settings: settings('starttls') });
      clients[0]?.write("<message from='bob@localhost'><body>first</body></message>");
      await waitFor(() => stanzas.length > 0);
      expect(stanzas.map((stanza) => stanza.getChildText('body'))).toEqual(['first']);
      await stream.close();
      await server?.stop();
    }
  });

  test('L4 stanzas before the sign-in is over are dropped', async () => {
    server = await fakeServer(async (client) => {
      const early = "<message from='bob@localhost'><body>too early</body></message>";
      await client.open(STARTTLS);
      client.write(early);
      await client.next((element) => element.getName() === 'starttls');
      client.write("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      await client.secure(ca);
      await signIn(client, { besides: `</stream:features>${early}<stream:features>` });
      await bind(client, { besides: `</stream:features>${early}<stream:features>` });
      client.write("<message from='bob@localhost'><body>in time</body></message>");
    });
    const { stream, stanzas } = await open(server.port, { settings: settings('starttls') });
    await waitFor(() => stanzas.length > 0);
    expect(stanzas.map((stanza) => stanza.getChildText('body'))).toEqual(['in time']);
    await stream.close();
  });

  test('a server that says nothing after proceed is given up when the caller gives up', async () => {
    const stop = new AbortController();
    server = await fakeServer(async (client) => {
      await client.open(STARTTLS);
      await client.next((element) => element.getName() === 'starttls');
      client.write("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      await waitFor(() => client.received().includes('\x16'));
      stop.abort();
      await client.gone;
    });
    await refusal(open(server.port, { settings: settings('starttls'), signal: stop.signal }), 'unreachable');
    await server.clients[0]?.gone;
  });
});

describe('without TLS', () => {
  test('a loopback address is taken', async () => {
    server = await fakeServer(async (client) => await welcome(client));
    const { stream } = await open(server.port);
    expect(stream.managed).toBe(false);
    await stream.close();
  });

  test('L3 a proxy, which may be anywhere, is not, and nothing is said', async () => {
    server = await fakeServer(async (client) => await client.gone);
    const proxy = await httpProxy(server.port);
    const error = await refusal(
      open(server.port, { settings: { proxy: `http://127.0.0.1:${proxy.port}` } }),
      'refused',
    );
    expect(error.message).toMatch(/this computer only/);
    expect(server.clients.map((client) => client.received()).join('')).toBe('');
    await proxy.stop();
  });

  const address = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

  test.skipIf(address === undefined)(
    'L3 another address is not, and nothing is said (needs an address beside loopback)',
    async () => {
      let said = '';
      const elsewhere = createServer((socket) => {
        socket.on('data', (data) => {
          said += data.toString();
        });
        socket.on('error', () => {});
      });
      await new Promise<void>((resolve) => elsewhere.listen(0, address, resolve));
      const listening = elsewhere.address();
      const port = listening !== null && typeof listening !== 'string' ? listening.port : 0;
      await refusal(open(0, { settings: { server: { host: address ?? '', port } } }), 'refused');
      await new Promise((resolve) => elsewhere.close(resolve));
      expect(said).toBe('');
    },
  );
});

describe('DNS', () => {
  async function ask(zone: Zone): Promise<ReturnType<typeof nameService>> {
    dns = await dnsStub(zone);
    return nameService([dns.server]);
  }
  const record = (name: string, port: number, priority = 1) => ({ name, port, priority, weight: 1 });

  test('X11 L6 an SRV record leads to another host, whose certificate must be the domain’s', async () => {
    const good = await serve(await ca.issue({ names: ['im.example'] }), false);
    const names = await ask({
      srv: { '_xmpp-client._tcp.im.example': [record('host.hosting.example', good.port)] },
      addresses: { 'host.hosting.example': '127.0.0.1' },
    });
    const account = settings('auto', 'alice@im.example');
    // The fake server binds alice@localhost, which is the first thing that is wrong.
    const bound = await refusal(open(0, { settings: account, names }), 'protocol');
    expect(bound.message).toMatch(/not ours/);
    expect(good.clients[0]?.tls().servername).toBe('im.example');
    await good.stop();

    const evil = await serve(await ca.issue({ names: ['host.hosting.example'] }), false);
    dns?.stop();
    const lying = await ask({
      srv: { '_xmpp-client._tcp.im.example': [record('host.hosting.example', evil.port)] },
      addresses: { 'host.hosting.example': '127.0.0.1' },
    });
    const error = await refusal(open(0, { settings: account, names: lying }), 'protocol');
    expect(error.message).toMatch(/not good for im\.example/);
  });

  test('L7 X11 only the two services for clients are asked for, and no TXT record', async () => {
    const names = await ask({ addresses: {} });
    await refusal(open(0, { settings: settings('auto', 'alice@im.example'), names }), 'host-unknown');
    const kinds = new Set(dns?.questions);
    expect([...kinds].sort()).toEqual([
      'A im.example',
      'AAAA im.example',
      'SRV _xmpp-client._tcp.im.example',
      'SRV _xmpps-client._tcp.im.example',
    ]);
  });

  test('the next record is tried where one does not answer', async () => {
    const { port } = await serve(ca, true);
    const names = await ask({
      srv: {
        '_xmpps-client._tcp.localhost': [record('dead.example', await freePort(), 1), record('live.example', port, 2)],
      },
      addresses: { 'dead.example': '127.0.0.1', 'live.example': '127.0.0.1' },
    });
    const { stream } = await open(0, { settings: settings('direct'), names });
    await stream.close();
  });

  test('L10 a look-up that fails is one error, and no try of its own follows', async () => {
    const names = await ask({ broken: true });
    await refusal(open(0, { settings: settings('auto', 'alice@im.example'), names }), 'unreachable');
    const asked = dns?.questions.length;
    await new Promise((resolve) => setImmediate(resolve));
    expect(dns?.questions.length).toBe(asked);
  });
});

test('L6 a direct TLS server that chose its certificate by SNI gets the account domain', async () => {
  const seen: string[] = [];
  const tls = createTlsServer({
    cert: readFileSync(ca.certFile),
    key: readFileSync(ca.keyFile),
    SNICallback: (name, done) => {
      seen.push(name);
      done(null);
    },
  });
  tls.on('secureConnection', (socket) => socket.destroy());
  tls.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
  const address = tls.address();
  const port = address !== null && typeof address !== 'string' ? address.port : 0;
  await refusal(open(port, { settings: settings('direct') }), 'unreachable');
  expect(seen).toEqual(['localhost']);
  await new Promise((resolve) => tls.close(resolve));
});
