import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ChatId, Nonce } from '../../../adapters/contract.ts';
import type { EventOf } from '../../contract/host.ts';
import { type IrcPeer, ircPeer } from '../../contract/irc.peer.ts';
import { type TestCa, testCa } from '../../servers/ca.ts';
import { type Ngircd, startNgircd } from '../../servers/ngircd.ts';
import { need } from '../../servers/process.ts';
import { startZnc, type Znc } from '../../servers/znc.ts';
import { type Client, startClient } from './scripted.ts';

const room = '#bouncer' as ChatId;

describe.skipIf(!need('IRC by the bouncer ZNC', 'znc', 'ngircd', 'openssl'))('by ZNC, on ngIRCd', () => {
  let ca: TestCa;
  let server: Ngircd;
  let znc: Znc;
  let peer: IrcPeer;
  const clients: Client[] = [];
  beforeAll(async () => {
    ca = await testCa();
    server = await startNgircd(ca);
    peer = await ircPeer(server.ports.plain);
    peer.write(`JOIN ${room}`);
    znc = await startZnc(server.ports.plain, 'bounced', [room]);
    await peer.line((line) => /^:bounced!\S+ JOIN/.test(line));
  });
  afterEach(async () => void (await Promise.all(clients.splice(0).map((client) => client.stop()))));
  afterAll(async () => {
    await peer.close();
    await znc.stop();
    await server.stop();
    await ca.remove();
  });

  const connect = async (memory: Map<string, string>): Promise<Client> => {
    const client = startClient(znc.port, { nick: 'bounced' }, { memory, secrets: { 'server-password': znc.password } });
    clients.push(client);
    await client.host.next('roster');
    return client;
  };
  const told = (client: Client): readonly EventOf<'message'>[] =>
    client.host.events.filter((event) => event.type === 'message');
  const texts = (client: Client): readonly string[] => told(client).map(({ message }) => message.text);
  const heard = async (client: Client, text: string) =>
    await client.host.next('message', ({ message }) => message.text === text);

  test('F20 what it kept while we were away is told once, in order, and not as new', async () => {
    const memory = new Map<string, string>();
    const before = await connect(memory);
    await peer.sayInRoom(room, 'heard by both');
    peer.write('PRIVMSG bounced :heard in private');
    await heard(before, 'heard by both');
    await heard(before, 'heard in private');
    await before.session.send(room, 'said by imux', 'n1' as Nonce);
    await before.stop();

    for (const text of ['one', 'two', 'three']) await peer.sayInRoom(room, text);
    peer.write('PRIVMSG bounced :missed in private');
    await peer.heard((text) => text === 'said by imux', room);

    const back = await connect(memory);
    await heard(back, 'three');
    await heard(back, 'missed in private');
    await peer.sayInRoom(room, 'and now');
    expect((await heard(back, 'and now')).live).toBe(true);
    const inRoom = told(back).filter(({ message }) => message.chat === room);
    expect(inRoom.map(({ message, live, seen }) => [message.text, live, seen])).toEqual([
      ['one', false, undefined],
      ['two', false, undefined],
      ['three', false, undefined],
      ['and now', true, undefined],
    ]);
    expect(texts(back)).not.toContain('heard in private');
    await back.stop();

    const again = await connect(memory);
    await peer.sayInRoom(room, 'nothing else');
    await heard(again, 'nothing else');
    expect(texts(again)).toEqual(['nothing else']);
  });
});
