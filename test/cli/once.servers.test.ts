import { randomUUID } from 'node:crypto';
import { xml } from '@xmpp/xml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mutual, type PlainClient, plainClient } from '../adapters/xmpp/client.ts';
import { type HubProcess, hubProcess, untilState } from '../faults/hub.ts';
import { need, waitFor } from '../servers/process.ts';
import { type Prosody, startProsody } from '../servers/prosody.ts';
import { imux, type Outcome } from './run.ts';

const rounds = 12;

describe.skipIf(!need('--id on Prosody', 'prosody', 'openssl'))('S5 imux send --id on Prosody', () => {
  let prosody: Prosody;
  let bob: PlainClient;
  let hub: HubProcess;

  beforeAll(async () => {
    prosody = await startProsody({
      users: [
        { name: 'me', password: 'mepw' },
        { name: 'bob', password: 'bobpw' },
      ],
    });
    const port = prosody.ports.c2s;
    bob = await plainClient({ port, user: 'bob', password: 'bobpw' });
    const me = await plainClient({ port, user: 'me', password: 'mepw' });
    await mutual(me, bob);
    await me.close();
    bob.send(xml('presence'));
    hub = await hubProcess({
      env: { ONCE: 'mepw' },
      accounts: [
        {
          network: 'xmpp',
          name: 'work',
          settings: { jid: 'me@localhost', server: `127.0.0.1:${port}`, ca: prosody.ca },
          secrets: { password: { kind: 'env', variable: 'ONCE' } },
        },
      ],
    });
    await untilState(hub.link, 'work', 'online');
  });
  afterAll(async () => {
    await hub?.end();
    await bob?.close();
    await prosody?.stop();
  });

  const heard = (text: string): number =>
    bob.stanzas.filter((stanza) => stanza.name === 'message' && stanza.getChildText('body') === text).length;
  /** All that was sent before this has arrived once this has. */
  const settle = async (): Promise<void> => {
    const mark = randomUUID();
    const { code, stderr } = await imux(['send', 'work:bob@localhost', '-m', mark], { home: hub.home });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await waitFor(() => heard(mark) === 1);
  };
  const send = (key: string, text: string): Promise<Outcome> =>
    imux(['send', '--json', '--id', key, 'work:bob@localhost', '-m', text], { home: hub.home, env: hub.env });

  it('two callers at once: one message, the same receipt for both', async () => {
    const [one, two] = await Promise.all([send('race', 'raced'), send('race', 'raced')]);
    expect([one.code, two.code]).toEqual([0, 0]);
    expect(JSON.parse(two.stdout).id).toBe(JSON.parse(one.stdout).id);
    await settle();
    expect(heard('raced')).toBe(1);
  });

  it('the same key for another text is refused with 65', async () => {
    await send('taken', 'first');
    expect(await send('taken', 'second')).toMatchObject({ code: 65 });
    await settle();
    expect([heard('first'), heard('second')]).toEqual([1, 0]);
  });

  it(`two callers, and kill -9 of the hub between, ${rounds} times: exactly one on the server`, async () => {
    for (let round = 0; round < rounds; round += 1) {
      const [key, text] = [`kill-${round}`, `killed ${round}`];
      const callers = [send(key, text), send(key, text)];
      // Before the callers have a word in, while they are at it, and after: what is cut differs from round to round.
      await new Promise((resolve) => setTimeout(resolve, 60 + round * 25));
      await hub.kill('SIGKILL');
      await hub.start();
      await Promise.all(callers);
      await untilState(hub.link, 'work', 'online');
      const again = await Promise.all([send(key, text), send(key, text)]);
      expect(again.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
        { code: 0, stderr: '' },
        { code: 0, stderr: '' },
      ]);
      await settle();
      expect([round, heard(text)]).toEqual([round, 1]);
    }
  });
});
