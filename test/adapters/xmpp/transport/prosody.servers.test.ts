import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Element, xml } from '@xmpp/xml';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { need, waitFor } from '../../../servers/process.ts';
import { type Prosody, startProsody } from '../../../servers/prosody.ts';
import { type Opened, type OpenOptions, open, refusal } from './open.ts';

const here = need('XMPP streams on Prosody', 'prosody', 'prosodyctl', 'openssl');
const text = (to: string, body: string): Element =>
  xml('message', { to, type: 'chat', id: `id-${body}` }, xml('body', {}, body));
const bodies = (opened: Opened): (string | null)[] =>
  opened.stanzas
    .filter((stanza) => stanza.name === 'message' && stanza.getChild('body') !== undefined)
    .map((stanza) => stanza.getChildText('body'));

describe.skipIf(!here).each(['SHA-1', 'SHA-256'] as const)('Prosody with SCRAM-%s', (passwordHash) => {
  let prosody: Prosody;
  beforeAll(async () => {
    prosody = await startProsody({
      passwordHash,
      tlsOnly: true,
      users: [{ name: 'alice', password: 'pâsswörd' }],
    });
  });
  afterAll(async () => await prosody?.stop());

  const account = (tls: 'starttls' | 'direct'): OpenOptions => ({
    settings: {
      server: { host: prosody.host, port: tls === 'direct' ? prosody.ports.direct : prosody.ports.c2s },
      tls,
      ca: prosody.ca,
    },
    password: 'pâsswörd',
  });

  test.each(['starttls', 'direct'] as const)('signs in with %s, with stream management on', async (tls) => {
    const { stream } = await open(0, account(tls));
    expect(stream.jid).toMatch(/^alice@localhost\/imux\./);
    expect(stream.managed).toBe(true);
    expect((await stream.iq(xml('iq', { type: 'get' }, xml('query', 'jabber:iq:roster')))).attrs.type).toBe('result');
    await stream.close();
    expect(await stream.closed).toBeUndefined();
  });

  test('refuses a wrong password with auth', async () => {
    await refusal(open(0, { ...account('direct'), password: 'wrong' }), 'auth');
    await refusal(open(0, { settings: { ...account('direct').settings, jid: 'nobody@localhost' } }), 'auth');
  });

  test('is refused where its certificate is of an unknown authority', async () => {
    const { ca: _ca, ...settings } = { ...account('starttls').settings };
    await refusal(open(0, { settings }), 'protocol');
  });
});

describe.skipIf(!here)('Prosody', () => {
  let prosody: Prosody;
  const opened: Opened[] = [];
  beforeAll(async () => {
    prosody = await startProsody({
      users: [
        { name: 'alice', password: 'secret' },
        { name: 'bob', password: 'secret' },
      ],
    });
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map(({ stream }) => stream.close()));
  });
  afterAll(async () => await prosody?.stop());

  async function signIn(name: string, options: OpenOptions & { readonly port?: number } = {}): Promise<Opened> {
    const server = { host: prosody.host, port: options.port ?? prosody.ports.direct };
    const session = await open(0, {
      ...options,
      settings: { jid: `${name}@localhost`, server, tls: 'direct', ca: prosody.ca },
    });
    if (!session.stream.resumed) session.stream.send(xml('presence'));
    opened.push(session);
    return session;
  }

  test('acknowledges what was sent, and delivers it', async () => {
    const [alice, bob] = [await signIn('alice'), await signIn('bob')];
    await waitFor(() => bob.stanzas.length > 0, { what: 'bob’s own presence' });
    await Promise.all(['1', '2', '3'].map((body) => alice.stream.accepted(text('bob@localhost', body))));
    await waitFor(() => bodies(bob).length === 3);
    expect(bodies(bob)).toEqual(['1', '2', '3']);
  });

  test('carries Unicode of many scripts and 20 kB unchanged', async () => {
    const [alice, bob] = [await signIn('alice'), await signIn('bob')];
    await waitFor(() => bob.stanzas.length > 0);
    const body = 'ä€😀👩‍👩‍👧 שלום привет नमस्ते 你好\n<&>"\' ]]>'.repeat(400);
    await alice.stream.accepted(text('bob@localhost', body));
    await waitFor(() => bodies(bob).length === 1);
    expect(bodies(bob)).toEqual([body]);
  });

  test('keeps a session whose socket was cut, and resumes it with nothing lost or doubled', async () => {
    const cuttable = await relay(prosody.ports.direct);
    const memory = new Map<string, string>();
    const bob = await signIn('bob', { memory, port: cuttable.port });
    const alice = await signIn('alice');
    await waitFor(() => bob.stanzas.length > 0);
    await alice.stream.accepted(text('bob@localhost', 'before'));
    await waitFor(() => bodies(bob).length === 1);
    const lost = text('alice@localhost', 'from bob, cut off');
    cuttable.freeze();
    const sending = refusal(bob.stream.accepted(lost), 'unreachable');
    cuttable.cut();
    expect((await sending).certain).toBe(false);
    await alice.stream.accepted(text('bob@localhost', 'meanwhile'));

    const again = await signIn('bob', { memory, port: cuttable.port });
    expect(again.stream.resumed).toBe(true);
    expect(again.stream.jid).toBe(bob.stream.jid);
    await waitFor(() => bodies(again).length > 0);
    expect([...again.stream.recovered]).toEqual([['id-from bob, cut off', false]]);
    await again.stream.accepted(lost);
    await waitFor(() => bodies(alice).length > 0);
    await alice.stream.accepted(text('bob@localhost', 'after'));
    await waitFor(() => bodies(again).length === 2);
    expect(bodies(again)).toEqual(['meanwhile', 'after']);
    expect(bodies(alice)).toEqual(['from bob, cut off']);
    await cuttable.stop();
  });

  test('forgets sessions when it starts anew, and a new one is bound in place of the old', async () => {
    const memory = new Map<string, string>();
    const bob = await signIn('bob', { memory });
    await prosody.kill();
    expect((await bob.stream.closed)?.code).toBe('unreachable');
    await prosody.start();
    const again = await signIn('bob', { memory });
    expect(again.stream.resumed).toBe(false);
    expect(again.stream.managed).toBe(true);
    expect(again.stream.jid).toBe(bob.stream.jid);
  });

  test('that is restarted is unreachable for the while', async () => {
    const bob = await signIn('bob');
    await prosody.restart();
    expect((await bob.stream.closed)?.code).toBe('unreachable');
  });
});

interface Relay {
  readonly port: number;
  /** What the client sends from now on goes nowhere. */
  freeze(): void;
  cut(): void;
  stop(): Promise<void>;
}

/** A TCP relay whose connections can be cut. */
async function relay(target: number): Promise<Relay> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const server: Server = createServer((inner) => {
    const outer = connect(target, '127.0.0.1');
    const pair = [inner, outer] as const;
    pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => {});
      socket.on('close', () => {
        for (const other of pair) other.destroy();
        pairs.delete(pair);
      });
    }
    inner.pipe(outer).pipe(inner);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = (): void => {
    for (const [inner, outer] of pairs) {
      inner.resetAndDestroy();
      outer.resetAndDestroy();
    }
  };
  return {
    port: address.port,
    freeze: () => {
      for (const [inner, outer] of pairs) inner.unpipe(outer);
    },
    cut,
    async stop() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
