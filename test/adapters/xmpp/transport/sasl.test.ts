import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type TestCa, testCa } from '../../../servers/ca.ts';
import { waitFor } from '../../../servers/process.ts';
import { bind, type FakeServer, fakeServer, type SignInOptions, signIn, startTls } from '../fake-server.ts';
import { open, refusal } from './open.ts';

let ca: TestCa;
let server: FakeServer | undefined;

beforeAll(async () => {
  ca = await testCa();
});
afterAll(async () => await ca.remove());
afterEach(async () => {
  const running = server;
  server = undefined;
  await running?.stop();
});

/** A TLS server that plays this sign-in for each client in turn; the last for all that follow. */
async function serve(...turns: readonly SignInOptions[]) {
  server = await fakeServer(async (client, number) => {
    await client.secure(ca);
    await signIn(client, turns[Math.min(number, turns.length) - 1]);
    await bind(client);
  });
  return server;
}

const direct = () => ({ settings: { tls: 'direct', ca: ca.caFile } }) as const;
const mechanismOf = (text: string): string | undefined => /mechanism=['"]([^'"]*)/.exec(text)?.[1];

describe('SCRAM', () => {
  test.each([
    [['PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512'], 'SCRAM-SHA-256'],
    [['PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-512'], 'SCRAM-SHA-512'],
    [['PLAIN', 'SCRAM-SHA-1'], 'SCRAM-SHA-1'],
    [['SCRAM-SHA-1-PLUS', 'DIGEST-MD5', 'PLAIN'], 'PLAIN'],
  ])('L5 of %j it takes %s', async (offer, taken) => {
    const { port, clients } = await serve({ offer });
    const { stream } = await open(port, direct());
    expect(mechanismOf(clients[0]?.received() ?? '')).toBe(taken);
    await stream.close();
  });

  test('L5 the signature may come within the success or before it', async () => {
    const { port } = await serve({ late: false }, { late: true });
    for (let time = 0; time < 2; time++) {
      const { stream } = await open(port, direct());
      await stream.close();
    }
  });

  test.each([
    ['a wrong signature', { signature: `v=${createHash('sha256').update('other').digest('base64')}` }],
    ['a wrong signature before the success', { signature: 'v=AAAA', late: true }],
    ['no signature', { signature: '' }],
    ['an empty signature', { signature: 'v=' }],
  ] satisfies [string, SignInOptions][])(
    'L5 X13 %s ends the sign-in: nothing of ours follows',
    async (_what, options) => {
      const { port, clients } = await serve(options);
      const error = await refusal(open(port, direct()), 'auth');
      expect(error.message).toMatch(/could not prove/);
      expect(clients[0]?.received()).not.toMatch(/<iq/);
    },
  );

  test.each([
    ['one iteration', { iterations: '1' }],
    ['4095 iterations', { iterations: '4095' }],
    ['2^31 iterations', { iterations: '2147483648' }],
    ['no number of iterations', { iterations: 'many' }],
    ['a nonce that is not ours', { nonce: 'something-else' }],
  ] satisfies [string, SignInOptions][])('X13 %s ends the sign-in with no proof given', async (_what, options) => {
    const { port, clients } = await serve(options);
    const started = process.cpuUsage();
    await refusal(open(port, direct()), 'protocol');
    expect(process.cpuUsage(started).user).toBeLessThan(500_000);
    await waitFor(() => clients[0]?.received().includes('<abort'));
    expect(clients[0]?.received()).not.toMatch(/<response/);
  });

  test('a sign-in costs at most 60 ms of CPU', async () => {
    const { port } = await serve({});
    const warm = await open(port, direct());
    await warm.stream.close();
    const started = process.cpuUsage();
    const { stream } = await open(port, direct());
    const { user, system } = process.cpuUsage(started);
    // The fake server of this process does its half of the same sums, and its half of TLS.
    expect((user + system) / 1000 / 2).toBeLessThan(60);
    await stream.close();
  });
});

describe('PLAIN', () => {
  test('L12 a password that is not ASCII goes out in UTF-8', async () => {
    const { port, clients } = await serve({ offer: ['PLAIN'], password: 'pâsswörd 密码 😀' });
    const { stream } = await open(port, { ...direct(), password: 'pâsswörd 密码 😀' });
    const sent = /<auth[^>]*>([^<]*)</.exec(clients[0]?.received() ?? '')?.[1] ?? '';
    expect(Buffer.from(sent, 'base64').toString()).toBe('\0alice\0pâsswörd 密码 😀');
    await stream.close();
  });

  test('X13 is refused once SCRAM was offered for the account, also after a restart', async () => {
    const { port, clients } = await serve({}, { offer: ['PLAIN'] });
    const memory = new Map<string, string>();
    const { stream } = await open(port, { ...direct(), memory });
    await stream.close();
    const error = await refusal(open(port, { ...direct(), memory }), 'auth');
    expect(error.message).toMatch(/plain password/);
    expect(clients[1]?.received()).not.toMatch(/<auth/);
  });

  test('X13 is taken on an account that has seen nothing better', async () => {
    const { port } = await serve({ offer: ['PLAIN'] });
    const memory = new Map<string, string>();
    for (let time = 0; time < 2; time++) {
      const { stream } = await open(port, { ...direct(), memory });
      await stream.close();
    }
  });

  test('X13 a list that shrinks from SHA-256 to SHA-1 is still SCRAM', async () => {
    const { port } = await serve({}, { offer: ['SCRAM-SHA-1', 'PLAIN'] });
    const memory = new Map<string, string>();
    for (let time = 0; time < 2; time++) {
      const { stream } = await open(port, { ...direct(), memory });
      await stream.close();
    }
  });
});

describe('a sign-in that fails', () => {
  test.each([['SCRAM-SHA-256'], ['SCRAM-SHA-1'], ['PLAIN']])(
    'a wrong password by %s is auth, in plain words',
    async (name) => {
      const { port } = await serve({ offer: [name] });
      const error = await refusal(open(port, { ...direct(), password: 'wrong' }), 'auth');
      expect(error.message).toMatch(/refused the name or the password/);
      expect(error.message).not.toContain('wrong');
    },
  );

  test.each([
    ['temporary-auth-failure', 'unreachable'],
    ['aborted', 'unreachable'],
    ['account-disabled', 'auth'],
    ['something-new', 'auth'],
  ] as const)('%s is %s', async (condition, code) => {
    server = await fakeServer(async (client) => {
      await client.secure(ca);
      await client.open(
        "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism></mechanisms>",
      );
      await client.next((element) => element.getName() === 'auth');
      client.write(
        `<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><${condition}/><text>told by the server</text></failure>`,
      );
      await client.gone;
    });
    const error = await refusal(open(server.port, direct()), code);
    expect(error.message).toMatch(/told by the server/);
  });

  test('no mechanism in common is unsupported', async () => {
    const { port } = await serve({ offer: ['GSSAPI'] });
    await refusal(open(port, direct()), 'unsupported');
    server = undefined;
  });

  test('the password is not asked for before TLS is up', async () => {
    let asked = 0;
    server = await fakeServer(async (client) => {
      await startTls(client, await ca.issue({ names: ['evil.example'] }));
    });
    const { testHost } = await import('../../../contract/host.ts');
    const { openStream } = await import('../../../../adapters/xmpp/transport/stream.ts');
    const host = {
      ...testHost(),
      password: async () => {
        asked++;
        return 'secret';
      },
    };
    const settings = {
      jid: 'alice@localhost',
      server: { host: '127.0.0.1', port: server.port },
      tls: 'starttls',
      ca: ca.caFile,
    } as const;
    await refusal(
      openStream(settings, host, () => {}, new AbortController().signal),
      'protocol',
    );
    expect(asked).toBe(0);
  });
});
