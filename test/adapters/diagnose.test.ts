import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Adapter, Diagnosis } from '../../adapters/contract.ts';
import { irc } from '../../adapters/irc/index.ts';
import { telegram } from '../../adapters/telegram/index.ts';
import { diagnose as diagnoseXmpp } from '../../adapters/xmpp/diagnose.ts';
import { xmpp } from '../../adapters/xmpp/index.ts';
import { nameService } from '../../adapters/xmpp/transport/srv.ts';
import { startBotApi } from '../../src/demo/bot-api.ts';
import { startIrcServer } from '../../src/demo/irc-server.ts';
import { startXmppServer } from '../../src/demo/xmpp-server.ts';
import { systemClock } from '../../src/hub/clock.ts';
import { type TestCa, testCa } from '../servers/ca.ts';
import { freePort, waitFor } from '../servers/process.ts';
import { dnsStub } from './xmpp/transport/dns-stub.ts';

let ca: TestCa;
const ends: (() => unknown)[] = [];
beforeAll(async () => {
  ca = await testCa();
});
afterAll(() => ca.remove());
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const pem = (path: string): string => readFileSync(path, 'utf8');

async function steps(
  adapter: Adapter,
  settings: Readonly<Record<string, string>>,
  secret?: string,
  signal = new AbortController().signal,
): Promise<readonly Diagnosis[]> {
  const host = { secret: async () => secret, clock: systemClock };
  return await collect(adapter.diagnose?.(adapter.parse(settings), host, signal) ?? []);
}

async function collect<T>(all: AsyncIterable<T> | Iterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const each of all) found.push(each);
  return found;
}

const names = (found: readonly Diagnosis[]): readonly string[] =>
  found.map(({ step, ok }) => `${step} ${ok ? 'ok' : 'no'}`);
const last = (found: readonly Diagnosis[]): Diagnosis | undefined => found.at(-1);

/** A server that greets like this and says nothing more. */
async function listening(
  greet: (socket: Socket) => void,
  tls?: { certFile: string; keyFile: string },
): Promise<number> {
  const take = (socket: Socket): void => {
    socket.on('error', () => {});
    greet(socket);
    ends.push(() => socket.destroy());
  };
  const server: Server = tls
    ? createTlsServer({ cert: pem(tls.certFile), key: pem(tls.keyFile) }, take)
    : createServer(take);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

describe('the diagnosis of XMPP', () => {
  it('tells the server, the certificate with its names and its end, and the ways to sign in', async () => {
    const server = await startXmppServer({ users: [], tls: { cert: pem(ca.certFile), key: pem(ca.keyFile) } });
    ends.push(server.stop);
    const found = await steps(xmpp, { jid: 'a@localhost', server: `127.0.0.1:${server.port}`, ca: ca.caFile });
    expect(names(found)).toEqual(['dns ok', 'tcp ok', 'tls ok', 'sasl ok']);
    expect(found[2]?.text).toMatch(
      /^TLSv1\.3, certificate for localhost, .* by imux test CA, good for (29|30) more days$/,
    );
    expect(found[3]?.text).toMatch(/^the server offers .*SCRAM-SHA-.*; imux takes SCRAM-SHA-\d+$/);
  });

  it('warns of a certificate that soon ends', async () => {
    const short = await ca.issue({ names: ['localhost'], days: 3 });
    const server = await startXmppServer({ users: [], tls: { cert: pem(short.certFile), key: pem(short.keyFile) } });
    ends.push(server.stop);
    const found = await steps(xmpp, { jid: 'a@localhost', server: `127.0.0.1:${server.port}`, ca: ca.caFile });
    expect(found[2]).toMatchObject({ ok: true, remedy: expect.stringContaining('ends soon') });
  });

  it('names a certificate for somebody else, with what to do', async () => {
    const other = await ca.issue({ names: ['other.example'] });
    const server = await startXmppServer({ users: [], tls: { cert: pem(other.certFile), key: pem(other.keyFile) } });
    ends.push(server.stop);
    const found = await steps(xmpp, { jid: 'a@localhost', server: `127.0.0.1:${server.port}`, ca: ca.caFile });
    expect(last(found)).toMatchObject({ step: 'tls', code: 'protocol', remedy: expect.stringContaining('--set ca=') });
    expect(last(found)?.text).toMatch(/other\.example/);
  });

  it('asks DNS as the account does, and says where it leads', async () => {
    const port = await freePort();
    const record = { name: 'x.example', port, priority: 1, weight: 1 };
    const dns = await dnsStub({
      srv: { '_xmpp-client._tcp.a.example': [record] },
      addresses: { 'x.example': '127.0.0.1' },
    });
    ends.push(dns.stop);
    const signal = new AbortController().signal;
    const settings = xmpp.parse({ jid: 'me@a.example' });
    const found = await collect(diagnoseXmpp(settings, { clock: systemClock }, signal, nameService([dns.server])));
    expect(names(found)).toEqual(['dns ok', 'tcp no']);
    expect(found[0]?.text).toBe(`a.example takes clients at x.example:${port}`);
    expect(found[1]).toMatchObject({ code: 'unreachable', remedy: expect.stringContaining('firewall') });
  });

  it('ends when it is given up, on a server that says nothing', async () => {
    const port = await listening(() => {});
    const signal = AbortSignal.timeout(300);
    const found = await steps(xmpp, { jid: 'a@localhost', server: `127.0.0.1:${port}` }, undefined, signal);
    expect(last(found)).toMatchObject({ step: 'tls', ok: false, code: 'unreachable' });
  });

  it('goes no further with a server that speaks something else', async () => {
    const port = await listening((socket) => socket.write('SSH-2.0-OpenSSH\r\n'));
    const found = await steps(xmpp, { jid: 'a@localhost', server: `127.0.0.1:${port}` });
    expect(last(found)).toMatchObject({ step: 'tls', ok: false, code: 'protocol' });
  });
});

describe('the diagnosis of IRC', () => {
  const account = (port: number, more: object = {}): Record<string, string> => ({
    server: `localhost:${port}`,
    nick: 'me',
    ca: ca.caFile,
    ...more,
  });

  it('tells name, TLS, capabilities and the ways to sign in, and of the account nothing', async () => {
    const tls = { cert: pem(ca.certFile), key: pem(ca.keyFile) };
    const server = await startIrcServer({ accounts: { me: 'pw' }, tls });
    ends.push(server.stop);
    const found = await steps(irc, account(server.port), 'pw');
    expect(names(found)).toEqual(['dns ok', 'tcp ok', 'tls ok', 'caps ok', 'sasl ok']);
    expect(found[4]?.text).toContain('PLAIN');
    await waitFor(() => server.received.length > 1);
    expect(server.received).toEqual(['CAP LS 302', 'QUIT']);
  });

  it('says where a server has no SASL and the account asks for it', async () => {
    const server = await startIrcServer({ caps: ['multi-prefix'] });
    ends.push(server.stop);
    const settings = account(server.port, { tls: 'off' });
    expect(last(await steps(irc, settings, 'pw'))).toMatchObject({ step: 'sasl', ok: false, code: 'refused' });
    expect(last(await steps(irc, settings))).toMatchObject({ step: 'sasl', ok: true });
  });

  it.each([
    ['expired', { names: ['localhost'], days: -1 }, /CERT_HAS_EXPIRED.*for localhost/],
    ['for another name', { names: ['other.example'] }, /ALTNAME.*for other\.example/],
    ['signed by itself', { names: ['localhost'], signedBySelf: true }, /SELF_SIGNED/],
  ])('shows a certificate that is %s, and says nothing to that server', async (_, options, text) => {
    let heard = '';
    const port = await listening((socket) => socket.on('data', (chunk) => (heard += chunk)), await ca.issue(options));
    const found = await steps(irc, account(port));
    expect(last(found)).toMatchObject({ step: 'tls', ok: false, code: 'protocol', text: expect.stringMatching(text) });
    expect(heard).toBe('');
  });

  it('tells a port that nobody listens on from one without TLS', async () => {
    const closed = await steps(irc, account(await freePort()));
    expect(last(closed)).toMatchObject({ step: 'tcp', ok: false, code: 'unreachable' });
    const plain = await listening((socket) => socket.write('NOTICE * :hello\r\n'));
    expect(last(await steps(irc, account(plain)))).toMatchObject({ step: 'tls', ok: false, code: 'protocol' });
  });

  it('tells a name that is not there', async () => {
    const found = await steps(irc, { server: 'nowhere.invalid:6697', nick: 'me' });
    expect(found).toMatchObject([{ step: 'dns', ok: false, code: 'unreachable', remedy: expect.any(String) }]);
  });

  it('hands on why a server refuses, and copes with one from before capabilities', async () => {
    const refusing = await listening((socket) => socket.write('ERROR :Closing link: banned\r\n'));
    const found = await steps(irc, account(refusing, { tls: 'off' }));
    expect(last(found)).toMatchObject({ step: 'caps', ok: false, text: expect.stringContaining('banned') });
    const old = await listening((socket) => socket.write(':s 451 * CAP :You have not registered\r\n'));
    expect(names(await steps(irc, account(old, { tls: 'off' })))).toContain('caps ok');
  });
});

describe('the diagnosis of Telegram', () => {
  it('tells whether the root can be reached and whose token it is', async () => {
    const server = await startBotApi({});
    ends.push(server.stop);
    const found = await steps(telegram, { api: server.root }, server.token);
    expect(names(found)).toEqual(['dns ok', 'tcp ok', 'tls ok', 'token ok']);
    expect(last(found)?.text).toMatch(/^the token is that of @\w+$/);
  });

  it('says that a token is wrong without repeating it', async () => {
    const server = await startBotApi({});
    ends.push(server.stop);
    const wrong = `1:${'x'.repeat(35)}`;
    const found = last(await steps(telegram, { api: server.root }, wrong));
    expect(found).toMatchObject({
      step: 'token',
      ok: false,
      code: 'auth',
      remedy: expect.stringContaining('@BotFather'),
    });
    expect(JSON.stringify(found)).not.toContain('xxx');
    expect(last(await steps(telegram, { api: server.root }))).toMatchObject({ step: 'token', code: 'auth' });
  });
});
