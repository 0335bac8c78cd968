import { randomUUID } from 'node:crypto';
import { type Element, xml } from '@xmpp/xml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Change, ContactView, MessageView } from '../../src/link/messages.ts';
import { mutual, type PlainClient, plainClient } from '../adapters/xmpp/client.ts';
import { type HubProcess, hubProcess, untilState } from '../faults/hub.ts';
import { need, waitFor } from '../servers/process.ts';
import { type Prosody, startProsody } from '../servers/prosody.ts';

/** The hub as a process of its own with an account on Prosody, killed and started again. */
describe.skipIf(!need('the hub killed, on Prosody', 'prosody', 'openssl'))('the hub killed, on Prosody', () => {
  let prosody: Prosody;
  let hub: HubProcess;
  let bob: PlainClient;
  let me: string;
  let count = 0;

  const boot = async (resumeSeconds: number): Promise<void> => {
    prosody = await startProsody({ resumeSeconds, config: 'http_host = "localhost"' });
    me = `me${++count}`;
    await prosody.addUser(me, 'secret');
    await prosody.addUser('bob', 'secret');
    const port = prosody.ports.c2s;
    bob = await plainClient({ user: 'bob', password: 'secret', port });
    const before = await plainClient({ user: me, password: 'secret', port });
    await mutual(before, bob);
    await before.close();
    const settings = { jid: `${me}@localhost`, server: `127.0.0.1:${port}`, tls: 'starttls', ca: prosody.ca };
    const secrets = { password: { kind: 'env', variable: 'RESTART_XMPP' } } as const;
    hub = await hubProcess({
      env: { RESTART_XMPP: 'secret' },
      accounts: [{ name: 'work', network: 'xmpp', settings, secrets }],
    });
    await untilState(hub.link, 'work', 'online');
    await waitFor(async () => (await contact())?.presence === 'online', { what: 'bob to be there' });
  };
  const down = async (): Promise<void> => {
    await bob.close();
    await hub.end();
    await prosody.stop();
  };

  const contact = async (): Promise<ContactView | undefined> => {
    const { contacts } = await hub.link.call('contacts', {});
    return contacts.find(({ target }) => target === 'work:bob@localhost');
  };
  const say = (text: string): void =>
    bob.send(xml('message', { to: `${me}@localhost`, type: 'chat', id: randomUUID() }, xml('body', {}, text)));
  const handled = async (): Promise<void> => {
    await bob.iq('get', 'localhost', xml('ping', { xmlns: 'urn:xmpp:ping' }));
  };
  const numbers = (first: number, last: number): readonly string[] =>
    Array.from({ length: last - first + 1 }, (_, at) => `number ${first + at}`);
  const stored = async (): Promise<readonly MessageView[]> => {
    const { conversation = undefined } = (await contact()) ?? {};
    if (conversation === undefined) return [];
    return (await hub.link.call('messages.page', { conversation, limit: 1_000 })).messages;
  };
  const texts = async (): Promise<readonly string[]> => (await stored()).map(({ text }) => text);

  const killedTwice = (how: string): void => {
    it(`each message is told once and in order, is unread and stays so (${how})`, async () => {
      for (const text of numbers(1, 40)) say(text);
      await waitFor(async () => (await texts()).length >= 20, { what: 'some messages' });
      await hub.kill('SIGKILL');
      for (const text of numbers(41, 130)) say(text);
      await handled();
      const link = await hub.start();
      const live = new Map<string, boolean>();
      link.on('changes', (changes: readonly Change[]) => {
        for (const change of changes) if (change.type === 'message') live.set(change.message.text, change.live);
      });
      await link.call('subscribe', { snapshot: false });
      await waitFor(async () => (await texts()).includes('number 130'), { what: 'the last message' });
      say('number 131');
      await waitFor(() => live.has('number 131'), { what: 'a message that is new' });
      expect(await texts()).toEqual(numbers(1, 131));
      expect((await contact())?.unread).toBe(131);
      expect(live.get('number 131')).toBe(true);

      await hub.kill('SIGKILL');
      await hub.start();
      await untilState(hub.link, 'work', 'online');
      expect(await texts()).toEqual(numbers(1, 131));
      expect((await contact())?.unread).toBe(131);
    });
  };

  const killedInARoom = (how: string): void => {
    it(`what is said in a room meanwhile is told once and in order, and is unread (${how})`, async () => {
      const room = `tea-${randomUUID()}@conference.localhost`;
      const { contact: entry } = await hub.link.call('rooms.join', { account: 'work', address: room });
      const from = bob.stanzas.length;
      bob.send(xml('presence', { to: `${room}/Bob` }, xml('x', { xmlns: 'http://jabber.org/protocol/muc' })));
      await bob.next((stanza) => stanza.name === 'message' && stanza.getChild('subject') !== undefined, from);
      const speak = (text: string): void =>
        bob.send(xml('message', { to: room, type: 'groupchat', id: randomUUID() }, xml('body', {}, text)));
      const said = async (): Promise<readonly string[]> => {
        const { conversation } = entry;
        return (await hub.link.call('messages.page', { conversation, limit: 1_000 })).messages.map(({ text }) => text);
      };
      for (const text of numbers(1, 10)) speak(text);
      await waitFor(async () => (await said()).includes('number 5'), { what: 'some messages' });
      await hub.kill('SIGKILL');
      for (const text of numbers(11, 80)) speak(text);
      await handled();
      await hub.start();
      await waitFor(async () => (await said()).includes('number 80'), { what: 'the last message' });
      speak('number 81');
      await waitFor(async () => (await said()).includes('number 81'), { what: 'one more' });
      expect(await said()).toEqual(numbers(1, 81));
      const { contacts } = await hub.link.call('contacts', {});
      expect(contacts.find(({ conversation }) => conversation === entry.conversation)?.unread).toBe(81);
    });
  };

  describe('F2 while its session can be resumed', () => {
    beforeAll(() => boot(600));
    afterAll(down);
    killedTwice('resumed');
    killedInARoom('resumed');
  });

  describe('F2 when its session is gone', () => {
    beforeAll(() => boot(1));
    afterAll(down);
    killedTwice('from the archive');
    killedInARoom('from the archive');

    it('an own message whose fate is not known is found in the archive, and not sent twice', async () => {
      const found = (text: string) => (stanza: Element) => stanza.getChildText('body') === text;
      const { conversation } = (await contact()) ?? {};
      if (conversation === undefined) throw new Error('bob is no contact');
      const orders = Array.from({ length: 30 }, (_, at) => `order ${at}`);
      for (const text of orders)
        hub.link.call('send', { conversation, text, wait: 'queued', timeout: 10 }).catch(() => undefined);
      const before = bob;
      await bob.next(found('order 3'));
      await hub.kill('SIGKILL');
      // For as long as that session could be resumed it would be, and then the archive would not be asked.
      await prosody.restart();
      bob = await plainClient({ user: 'bob', password: 'secret', port: prosody.ports.c2s });
      bob.send(xml('presence'));
      await hub.start();
      await untilState(hub.link, 'work', 'online');
      const sent = async (): Promise<readonly MessageView[]> => (await stored()).filter(({ from }) => from.self);
      await waitFor(async () => (await sent()).every(({ state }) => state !== 'queued' && state !== 'sent'), {
        timeoutMs: 30_000,
        what: 'all orders to be settled',
      });
      for (const { text, state } of await sent()) expect({ text, state }).toMatchObject({ state: 'accepted' });
      await handled();
      const heard = [...before.stanzas, ...bob.stanzas].filter((stanza) => !stanza.getChild('delay', 'urn:xmpp:delay'));
      for (const { text } of await sent()) expect(heard.filter(found(text))).toHaveLength(1);
    });
  });
});
