import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { WANTED } from '../../../adapters/irc/transport/caps.ts';
import { isLoopback } from '../../../adapters/irc/transport/connect.ts';
import { testCa } from '../../servers/ca.ts';
import { waitFor } from '../../servers/process.ts';
import { type Client, plainServer, type ScriptedServer, scriptedServer, startClient, welcome } from './scripted.ts';

let server: ScriptedServer | undefined;
let client: Client | undefined;
afterEach(async () => {
  await client?.stop();
  await server?.stop();
});

const ISUPPORT = 'CHANTYPES=#';
type Say = (line: string) => void;

/** A server with SASL: `onSasl` gets each AUTHENTICATE. CAP END welcomes, whatever happened before. */
async function saslServer(mechanisms: string, onSasl: (payload: string, say: Say) => void): Promise<ScriptedServer> {
  return await scriptedServer((line, say) => {
    if (line.startsWith('CAP LS')) say(`:s CAP * LS :sasl=${mechanisms} server-time`);
    else if (line.startsWith('CAP REQ')) say(`:s CAP * ACK :${line.slice(9)}`);
    else if (line.startsWith('AUTHENTICATE ')) onSasl(line.slice(13), say);
    else if (line === 'CAP END') welcome('me', say, ISUPPORT);
    else if (line.startsWith('PING ')) say(`:s PONG s ${line.slice(5)}`);
  });
}

function plainCheck(expected: string): (payload: string, say: Say) => void {
  return (payload, say) => {
    if (payload === 'PLAIN') return say('AUTHENTICATE +');
    if (payload === '*') return;
    const right = Buffer.from(payload, 'base64').toString('utf8') === expected;
    say(right ? ':s 900 me me!u@h me :in' : ':s 904 me :SASL authentication failed');
    if (right) say(':s 903 me :SASL authentication successful');
  };
}

/** SCRAM-SHA-256 as a server (RFC 5802), for one password. */
function scramCheck(password: string, forge = false): (payload: string, say: Say) => void {
  const salt = Buffer.from('0123456789abcdef');
  const salted = pbkdf2Sync(password, salt, 4096, 32, 'sha256');
  const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  let first = '';
  let serverFirst = '';
  const say64 = (say: Say, text: string): void => say(`AUTHENTICATE ${Buffer.from(text).toString('base64')}`);
  let step = 0;
  return (payload, say) => {
    const text = Buffer.from(payload, 'base64').toString('utf8');
    switch (step++) {
      case 0:
        return say('AUTHENTICATE +');
      case 1:
        first = text.slice(3);
        serverFirst = `r=${/r=([^,]*)/.exec(text)?.[1]}SERVER,s=${salt.toString('base64')},i=4096`;
        return say64(say, serverFirst);
      case 2: {
        const [withoutProof = '', proof = ''] = text.split(',p=');
        const message = `${first},${serverFirst},${withoutProof}`;
        const key = createHash('sha256').update(hmac(salted, 'Client Key')).digest();
        const signature = hmac(key, message);
        const clientKey = Buffer.from(Buffer.from(proof, 'base64').map((byte, at) => byte ^ (signature[at] ?? 0)));
        if (!createHash('sha256').update(clientKey).digest().equals(key)) return say(':s 904 me :failed');
        const mark = forge ? Buffer.alloc(32, 1) : hmac(hmac(salted, 'Server Key'), message);
        return say64(say, `v=${mark.toString('base64')}`);
      }
      case 3:
        return say(':s 903 me :done');
    }
  };
}

const secrets = { password: 'pässword' };

test('SASL PLAIN signs in with the login and the password as UTF-8', async () => {
  server = await saslServer('PLAIN,EXTERNAL', plainCheck('lögin\0lögin\0pässword'));
  client = startClient(server.port, { login: 'lögin' }, { secrets });
  await client.host.next('online');
  expect(server.lines.filter((line) => line.startsWith('AUTHENTICATE'))).toHaveLength(2);
});

test('a password of any length is cut into pieces of 400', async () => {
  const long = 'x'.repeat(294);
  let got = '';
  server = await saslServer('PLAIN', (payload, say) => {
    if (payload === 'PLAIN') return say('AUTHENTICATE +');
    if (payload !== '+') got += payload;
    if (payload.length < 400) say(':s 903 me :done');
  });
  client = startClient(server.port, {}, { secrets: { password: long } });
  await client.host.next('online');
  expect(Buffer.from(got, 'base64').toString()).toBe(`me\0me\0${long}`);
});

test('L18 SCRAM-SHA-256 is taken before PLAIN, and the password stays at home', async () => {
  server = await saslServer('PLAIN,SCRAM-SHA-256', scramCheck('pässword'));
  client = startClient(server.port, {}, { secrets });
  await client.host.next('online');
  expect(server.lines).toContain('AUTHENTICATE SCRAM-SHA-256');
  expect(server.lines).not.toContain('AUTHENTICATE PLAIN');
});

test('I6 a server that cannot prove that it knows the password is left, with AUTHENTICATE * and QUIT', async () => {
  server = await saslServer('PLAIN,SCRAM-SHA-256', scramCheck('pässword', true));
  client = startClient(server.port, {}, { secrets });
  expect(await client.ended).toMatchObject({ code: 'auth' });
  await waitFor(() => server?.lines.includes('QUIT'));
  expect(server.lines.slice(-2)).toEqual(['AUTHENTICATE *', 'QUIT']);
  expect(server.lines).not.toContain('CAP END');
});

test('I6 a success claimed in the middle of SCRAM is not believed', async () => {
  server = await saslServer('SCRAM-SHA-256', (payload, say) => {
    if (payload === 'SCRAM-SHA-256') say('AUTHENTICATE +');
    else say(':s 903 me :done');
  });
  client = startClient(server.port, {}, { secrets });
  expect(await client.ended).toMatchObject({ code: 'auth' });
});

test('where an account has no SCRAM verifier, PLAIN follows on a safe connection', async () => {
  const scram = scramCheck('another');
  const plain = plainCheck('me\0me\0pässword');
  let now = scram;
  server = await saslServer('PLAIN,SCRAM-SHA-256', (payload, say) => {
    if (payload === 'PLAIN') now = plain;
    now(payload, say);
  });
  client = startClient(server.port, {}, { secrets });
  await client.host.next('online');
});

test.each(['902', '904', '905', '906', '907'])('L17 I6 %s is `auth`, and never a guest login', async (numeric) => {
  server = await saslServer('PLAIN', (payload, say) => {
    if (payload === 'PLAIN') say('AUTHENTICATE +');
    else if (payload !== '*') say(`:s ${numeric} me :no`);
  });
  client = startClient(server.port, {}, { secrets });
  expect(await client.ended).toMatchObject({ code: 'auth' });
  await waitFor(() => server?.lines.includes('QUIT'));
  expect(server.lines.slice(-2)).toEqual(['AUTHENTICATE *', 'QUIT']);
  expect(server.lines).not.toContain('CAP END');
  expect(client.host.events.map(({ type }) => type)).not.toContain('online');
});

test.each(['!!!!', '=', 'x'.repeat(401), '+ +'])(
  'I6 AUTHENTICATE with nonsense (%s) ends in `auth`',
  async (nonsense) => {
    server = await saslServer('SCRAM-SHA-256', (payload, say) => {
      if (payload === 'SCRAM-SHA-256') say('AUTHENTICATE +');
      else if (payload !== '*') say(`AUTHENTICATE ${nonsense}`);
    });
    client = startClient(server.port, {}, { secrets });
    expect(await client.ended).toMatchObject({ code: 'auth' });
  },
);

test('L17 I6 a server without SASL is left when a sign-in was asked for', async () => {
  server = await scriptedServer((line, say) => plainServer(line, say));
  client = startClient(server.port, {}, { secrets });
  expect(await client.ended).toMatchObject({ code: 'refused', message: expect.stringContaining('SASL') });
  expect(server.lines).not.toContain('CAP END');
  await waitFor(() => server?.lines.includes('QUIT'));
});

test('L17 I6 a server that lets us in before the sign-in is over is left', async () => {
  server = await saslServer('PLAIN', (payload, say) => {
    if (payload === 'PLAIN') welcome('me', say, ISUPPORT);
  });
  client = startClient(server.port, {}, { secrets });
  expect(await client.ended).toMatchObject({ code: 'auth' });
});

test('I6 I7 a server that never finishes is left after 30 seconds', async () => {
  let wake = (): void => {};
  const slept: number[] = [];
  const clock = {
    now: () => Date.now(),
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        slept.push(ms);
        signal?.addEventListener('abort', () => reject(signal.reason));
        if (ms === 30_000) wake = resolve;
      }),
  };
  server = await saslServer('PLAIN', () => {});
  client = startClient(server.port, {}, { secrets, clock });
  await waitFor(() => server?.lines.includes('AUTHENTICATE PLAIN'));
  wake();
  expect(await client.ended).toMatchObject({ code: 'unreachable' });
  await waitFor(() => server?.lines.includes('QUIT'));
  expect(server.lines.slice(-2)).toEqual(['AUTHENTICATE *', 'QUIT']);
});

test('L17 the password of the server and that of the login are two things', async () => {
  server = await saslServer('PLAIN', plainCheck('me\0me\0login secret'));
  client = startClient(server.port, {}, { secrets: { password: 'login secret', 'server-password': 'door secret' } });
  await client.host.next('online');
  expect(server.lines).toContain('PASS :door secret');
  await client.stop();
  await server.stop();

  server = await saslServer('PLAIN', () => {});
  client = startClient(server.port, {}, { secrets: { 'server-password': 'door' } });
  await client.host.next('online');
  expect(server.lines.some((line) => line.startsWith('AUTHENTICATE'))).toBe(false);
});

test('L18 capabilities that were acknowledged without being asked for stay off, and nothing is asked for with an empty list', async () => {
  server = await scriptedServer((line, say) => {
    if (line.startsWith('CAP LS')) say(':s CAP * LS :server-time inspircd.org/poison tls sts=duration=1');
    else if (line.startsWith('CAP REQ')) {
      say(':s CAP * ACK :echo-message labeled-response batch');
      say(`:s CAP * ACK :${line.slice(9)}`);
    } else if (line === 'CAP END') welcome('me', say, ISUPPORT);
    else if (line.startsWith('PING ')) {
      say(':s CAP me NEW :inspircd.org/poison');
      say(`:s PONG s ${line.slice(5)}`);
    }
  });
  client = startClient(server.port);
  await client.host.next('online');
  // With labels switched on by the stray ACK the send would carry one, and wait for ever.
  const sent = await client.session.send(
    (await client.session.resolve('bob', AbortSignal.timeout(1_000))).id,
    'hi',
    'n1' as never,
  );
  expect(sent).toBe('n1');
  expect(server.lines.filter((line) => line.startsWith('CAP REQ'))).toEqual(['CAP REQ :server-time']);
});

test('every capability that imux knows what to do with is asked for, in lines of less than 512 bytes', async () => {
  const asked: string[] = [];
  server = await scriptedServer((line, say) => {
    if (line.startsWith('CAP LS')) say(`:s CAP * LS :${[...WANTED, 'sasl=PLAIN', 'example.org/unknown'].join(' ')}`);
    else if (line.startsWith('CAP REQ :')) {
      expect(Buffer.byteLength(line)).toBeLessThan(500);
      asked.push(...line.slice(9).split(' '));
      say(`:s CAP * ACK :${line.slice(9)}`);
    } else if (line.startsWith('AUTHENTICATE ')) plainCheck('me\0me\0pässword')(line.slice(13), say);
    else if (line === 'CAP END') welcome('me', say, ISUPPORT);
    else if (line.startsWith('PING ')) say(`:s PONG s ${line.slice(5)}`);
  });
  client = startClient(server.port, {}, { secrets });
  await client.host.next('online');
  expect(asked.sort()).toEqual([...WANTED, 'sasl'].sort());
});

test('one refused capability does not cost the others', async () => {
  const got: string[] = [];
  server = await scriptedServer((line, say) => {
    if (line.startsWith('CAP LS')) say(':s CAP * LS * :server-time away-notify');
    if (line.startsWith('CAP LS')) say(':s CAP * LS :batch');
    else if (line.startsWith('CAP REQ :')) {
      const names = line.slice(9).split(' ');
      const refused = names.includes('away-notify');
      say(`:s CAP * ${refused ? 'NAK' : 'ACK'} :${names.join(' ')}`);
      if (!refused) got.push(...names);
    } else if (line === 'CAP END') welcome('me', say, ISUPPORT);
    else if (line.startsWith('PING ')) say(`:s PONG s ${line.slice(5)}`);
  });
  client = startClient(server.port);
  await client.host.next('online');
  expect(got.sort()).toEqual(['batch', 'server-time']);
});

test('a nick in use gets an underscore', async () => {
  server = await scriptedServer((line, say) => {
    if (line.startsWith('CAP LS')) say(':s 421 * CAP :Unknown command');
    if (line === 'NICK me') say(':s 433 * me :Nickname is already in use');
    if (line.startsWith('NICK me_')) welcome('me_', say, ISUPPORT);
    if (line.startsWith('PING ')) say(`:s PONG s ${line.slice(5)}`);
  });
  client = startClient(server.port);
  expect(await client.host.next('online')).toMatchObject({ self: 'me_', name: 'me_' });
});

test.each([
  ['ERROR :Closing Link: (K-Lined: spam)', 'refused'],
  ['ERROR :Closing link: You are banned from this server', 'refused'],
  ['ERROR :Trying to reconnect too fast.', 'rate-limited'],
  ['ERROR :Server shutting down', 'unreachable'],
  [':s 464 * :Password incorrect', 'auth'],
])('%s ends the session with `%s`', async (line, code) => {
  const running = await scriptedServer((sent, say) => {
    if (!sent.startsWith('USER')) return;
    say(line);
    void running.stop();
  });
  server = running;
  client = startClient(server.port);
  expect(await client.ended).toMatchObject({ code });
});

test.each([
  ['::1', true],
  ['127.0.0.1', true],
  ['127.8.9.10', true],
  ['::ffff:127.0.0.1', true],
  ['192.0.2.1', false],
  ['::ffff:192.0.2.127', false],
  ['2001:db8::127', false],
  ['', false],
])('L17 %s is this machine: %s, and only there may a secret travel in clear', (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});

/** An address of this machine that is not loopback. */
const outside = Object.values(networkInterfaces())
  .flat()
  .find((entry) => entry && !entry.internal && entry.family === 'IPv4')?.address;

test.skipIf(outside === undefined)(
  'L17 no byte leaves in clear for another address when there is a secret (needs an address beside loopback)',
  async () => {
    const received: string[] = [];
    const open = createServer((socket) => void socket.on('data', (chunk) => received.push(chunk.toString())));
    await new Promise<void>((resolve) => open.listen(0, outside, resolve));
    const address = open.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    client = startClient(port, { server: `${outside}:${port}` }, { secrets });
    expect(await client.ended).toMatchObject({ code: 'auth', message: expect.stringContaining('tls') });
    await new Promise((resolve) => open.close(resolve));
    expect(received).toEqual([]);
  },
);

test('EXTERNAL shows the certificate and sends no password', async () => {
  const ca = await testCa();
  const { certFile, keyFile } = await ca.issue({ names: ['me'] });
  const pem = join(ca.folder, 'client.pem');
  await writeFile(pem, (await readFile(certFile, 'utf8')) + (await readFile(keyFile, 'utf8')));
  const shown: string[] = [];
  const lines: string[] = [];
  const tls = createTlsServer(
    {
      cert: await readFile(ca.certFile),
      key: await readFile(ca.keyFile),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (socket) => {
      shown.push(String(socket.getPeerCertificate().subject?.CN));
      lineServer(socket, lines);
    },
  );
  await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
  const address = tls.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  client = startClient(port, { server: `localhost:${port}`, tls: 'on', sasl: 'external', ca: ca.caFile, cert: pem });
  await client.host.next('online');
  expect([shown, lines.filter((line) => line.startsWith('AUTH'))]).toEqual([
    ['me'],
    ['AUTHENTICATE EXTERNAL', 'AUTHENTICATE +'],
  ]);
  await client.stop();
  await new Promise((resolve) => tls.close(resolve));
  await ca.remove();
});

function lineServer(socket: Socket, lines: string[]): void {
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    for (const line of chunk.toString().split('\r\n')) {
      const say: Say = (text) => void socket.write(`${text}\r\n`);
      lines.push(line);
      if (line.startsWith('CAP LS')) say(':s CAP * LS :sasl=EXTERNAL');
      else if (line.startsWith('CAP REQ')) say(':s CAP * ACK :sasl');
      else if (line === 'AUTHENTICATE EXTERNAL') say('AUTHENTICATE :+');
      else if (line === 'AUTHENTICATE +') say(':s 903 me :done');
      else if (line === 'CAP END') welcome('me', say, ISUPPORT);
      else if (line.startsWith('PING ')) say(`:s PONG s ${line.slice(5)}`);
    }
  });
}

test('L18 a server whose policy asks for TLS is come back to by TLS, at its port, and the next time at once', async () => {
  const ca = await testCa();
  const lines: string[] = [];
  const tls = createTlsServer({ cert: await readFile(ca.certFile), key: await readFile(ca.keyFile) }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const line of chunk.toString().split('\r\n')) {
        const say: Say = (text) => void socket.write(`${text}\r\n`);
        lines.push(line);
        if (line.startsWith('CAP LS')) say(':s CAP * LS :sts=duration=600');
        plainServer(line.startsWith('CAP') ? '' : line, say);
      }
    });
  });
  await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
  const address = tls.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  server = await scriptedServer((line, say) => {
    if (line.startsWith('CAP LS')) say(`:s CAP * LS :sts=port=${port}`);
  });
  const memory = new Map<string, string>();
  const settings = { server: `localhost:${server.port}`, ca: ca.caFile };
  client = startClient(server.port, settings, { memory });
  await client.host.next('online');
  await client.stop();
  const inClear = server.lines.length;
  client = startClient(server.port, settings, { memory });
  await client.host.next('online');
  expect(server.lines.length).toBe(inClear);
  await client.stop();
  await new Promise((resolve) => tls.close(resolve));
  await ca.remove();
});
