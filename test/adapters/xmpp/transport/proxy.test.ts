import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type TestCa, testCa } from '../../../servers/ca.ts';
import { freePort } from '../../../servers/process.ts';
import { type FakeServer, fakeServer, welcome } from '../fake-server.ts';
import { open, refusal } from './open.ts';
import { httpProxy, type ProxyServer, socksProxy } from './proxies.ts';

let ca: TestCa;
let server: FakeServer;
let proxy: ProxyServer | undefined;

beforeAll(async () => {
  ca = await testCa();
  server = await fakeServer(async (client) => {
    await client.secure(ca);
    await welcome(client);
  });
});
afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
});
afterAll(async () => {
  await server.stop();
  await ca.remove();
});

const through = (url: string) => ({
  settings: { tls: 'direct', ca: ca.caFile, proxy: url, server: { host: 'xmpp.example.org', port: 5223 } } as const,
});

describe('a proxy', () => {
  test('HTTP CONNECT gets the name to look up, and TLS goes through it', async () => {
    proxy = await httpProxy(server.port);
    const { stream } = await open(0, through(`http://me:p%40ss@127.0.0.1:${proxy.port}`));
    expect(proxy.asked).toEqual(['xmpp.example.org:5223 me:p@ss']);
    await stream.close();
  });

  test('SOCKS5 gets the name to look up, and TLS goes through it', async () => {
    proxy = await socksProxy(server.port);
    const { stream } = await open(0, through(`socks5://127.0.0.1:${proxy.port}`));
    expect(proxy.asked).toEqual(['xmpp.example.org:5223']);
    await stream.close();
  });

  test('SOCKS5 gets the name and the password', async () => {
    proxy = await socksProxy(server.port, 'p@ss');
    const { stream } = await open(0, through(`socks5://me:p%40ss@127.0.0.1:${proxy.port}`));
    expect(proxy.asked).toEqual(['me p@ss', 'xmpp.example.org:5223']);
    await stream.close();
  });

  test('that refuses is an error which holds no password', async () => {
    proxy = await httpProxy(server.port, 407);
    const error = await refusal(open(0, through(`http://me:hunter2@127.0.0.1:${proxy.port}`)), 'auth');
    expect(error.message).not.toContain('hunter2');
  });

  test('that is not there is unreachable', async () => {
    await refusal(open(0, through(`socks5://127.0.0.1:${await freePort()}`)), 'unreachable');
    await refusal(open(0, through(`http://127.0.0.1:${await freePort()}`)), 'unreachable');
  });

  test('of another kind is unsupported', async () => {
    await refusal(open(0, through('ftp://127.0.0.1:21')), 'unsupported');
  });
});
