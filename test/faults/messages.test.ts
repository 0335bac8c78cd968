import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LinkClient } from '../../src/link/client.ts';
import type { MessageView } from '../../src/link/messages.ts';
import { waitFor } from '../servers/process.ts';
import { record } from './figures.ts';
import { archived, type HubProcess, hubProcess, untilState } from './hub.ts';
import { proxyTo, type SickProxy } from './proxy.ts';
import { type FaultWorld, faultWorld, networks } from './world.ts';

let world: FaultWorld;
let hub: HubProcess;
let proxy: SickProxy;
let link: LinkClient;
beforeAll(async () => {
  world = await faultWorld();
  proxy = await proxyTo(world.xmpp.port);
  const { xmpp, irc, telegram } = world.accounts;
  const proxied = { ...xmpp, settings: { ...xmpp.settings, server: `127.0.0.1:${proxy.port}` } };
  hub = await hubProcess({ env: world.env, accounts: [proxied, irc, telegram] });
  link = hub.link;
  for (const network of networks) await untilState(link, network, 'online');
});
afterAll(async () => {
  await hub.end();
  await proxy.stop();
  await world.stop();
});

const textsOf = async (prefix: string): Promise<string[]> =>
  (await archived(link)).map(({ text }) => text).filter((text) => text.startsWith(prefix));
const outbox = async (): Promise<readonly MessageView[]> => (await link.call('outbox.list', {})).messages;
const queue = (text: string) =>
  link.call('send', { target: world.target.xmpp, text, wait: 'queued' as const, timeout: 30 });
const send = (text: string, target = world.target.xmpp) =>
  link.call('send', { target, text, wait: 'accepted' as const, timeout: 60 });

describe('F20 what comes more than once stands once', () => {
  const told = (what: string, texts: readonly string[], wanted: number): void =>
    record({
      row: 'F20',
      what,
      measured: `${texts.length} rows for ${wanted} messages`,
      bound: 'one row each',
      pass: texts.length === wanted && new Set(texts).size === wanted,
    });

  it('F20 xmpp: the server sends all again that was not acknowledged when the connection broke', async () => {
    const wanted = 600;
    for (let n = 0; n < wanted; n++) {
      world.say('xmpp', `resent ${n}`);
      if (n % 200 === 100) await new Promise(setImmediate);
      if (n % 200 === 150) proxy.cut();
    }
    await waitFor(async () => (await textsOf('resent ')).length >= wanted, { timeoutMs: 30_000 });
    await untilState(link, 'xmpp', 'online');
    told('xmpp, unacknowledged stanzas after a resumption', await textsOf('resent '), wanted);
  });

  it('F20 xmpp: the same stanza live, as a carbon and delayed', async () => {
    const body = '<body>twin</body>';
    const stanza = (more = ''): string =>
      `<message xmlns='jabber:client' from='bob@localhost/demo' to='me@localhost' type='chat' id='twin-1'>${body}<stanza-id xmlns='urn:xmpp:sid:0' by='me@localhost' id='sid-1'/>${more}</message>`;
    world.xmpp.inject('me', stanza());
    world.xmpp.inject('me', stanza());
    world.xmpp.inject('me', stanza("<delay xmlns='urn:xmpp:delay' stamp='2024-01-01T00:00:00Z'/>"));
    const carbon = `<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>${stanza()}</forwarded></received>`;
    world.xmpp.inject('me', `<message from='me@localhost' to='me@localhost/x' type='chat'>${carbon}</message>`);
    world.say('xmpp', 'behind the twins');
    await waitFor(async () => (await textsOf('behind the twins')).length === 1);
    told('xmpp, live, carbon and delayed copy', await textsOf('twin'), 1);
  });

  it('F20 irc: echo of our own message, and a playback of what was live', async () => {
    for (let n = 0; n < 50; n++) await send(`echo ${n}`, world.target.irc);
    world.irc.raw('@msgid=played-1;time=2026-01-01T00:00:00.000Z :ida!u@h PRIVMSG #flood :played\r\n');
    world.irc.raw(':demo BATCH +b1 chathistory #flood\r\n');
    world.irc.raw('@batch=b1;msgid=played-1;time=2026-01-01T00:00:00.000Z :ida!u@h PRIVMSG #flood :played\r\n');
    world.irc.raw(':demo BATCH -b1\r\n');
    world.say('irc', 'behind the playback');
    await waitFor(async () => (await textsOf('behind the playback')).length === 1);
    told('irc, echo-message', await textsOf('echo '), 50);
    told('irc, playback', await textsOf('played'), 1);
  });

  it('F20 telegram: updates whose answer was lost come again', async () => {
    world.telegram.fail('getUpdates', { kind: 'drop' }, 3);
    for (let n = 0; n < 30; n++) world.say('telegram', `update ${n}`);
    await waitFor(async () => (await textsOf('update ')).length >= 30, { timeoutMs: 60_000 });
    told('telegram, lost answers', await textsOf('update '), 30);
  });
});

describe('F17 a message that kills its connection', () => {
  it('F17 xmpp: is tried twice at the most and set apart; those behind it go out', async () => {
    let tries = 0;
    proxy.deadly = (bytes) => {
      const found = bytes.includes('poison');
      if (found) tries++;
      return found;
    };
    const behind = ['behind 1', 'behind 2', 'behind 3'];
    await queue('poison');
    for (const text of behind) await queue(text);
    await waitFor(() => behind.every((text) => world.taken.xmpp.includes(text)), { timeoutMs: 120_000 });
    proxy.deadly = () => false;
    const [poison] = (await archived(link)).filter(({ text }) => text === 'poison');
    const doubles = behind.filter((text) => world.taken.xmpp.filter((one) => one === text).length > 1);
    record({
      row: 'F17',
      what: 'xmpp, the connection dies on the message',
      measured: `tried ${tries} times, then ${poison?.state}; ${behind.length} behind it arrived, ${doubles.length} twice`,
      bound: 'tried at most 2 times, then failed or unknown; the others once',
      pass: tries <= 2 && (poison?.state === 'failed' || poison?.state === 'unknown') && doubles.length === 0,
    });
  });

  it('F17 what no network takes is refused before it is queued', async () => {
    for (const text of ['a\u0000b', 'a\u001bb', 'a\ufffeb', 'a\ud800b'])
      await expect(send(text)).rejects.toMatchObject({ detail: { code: 'bad-data' } });
    await expect(send('x'.repeat(300_000))).rejects.toMatchObject({ detail: { code: 'too-long' } });
    record({
      row: 'F17',
      what: 'characters that XML forbids, text over the limit',
      measured: '5 of 5 refused, 0 queued',
      bound: 'refused',
      pass: (await outbox()).every(({ text }) => text === 'poison'),
    });
  });
});

describe('F19 credentials change, accounts go', () => {
  it('F19 a changed password is tried once; what waits stays and goes out once when it is right again', async () => {
    proxy.refusing = true;
    proxy.cut();
    await untilState(link, 'xmpp', 'waiting');
    for (let n = 0; n < 5; n++) await queue(`kept ${n}`);
    world.xmpp.addUser('me', 'changed');
    proxy.refusing = false;
    const refused = proxy.attempts.length;
    await link.call('accounts.retry', { account: 'xmpp' });
    const { error } = await untilState(link, 'xmpp', 'failed');
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    const tries = proxy.attempts.length - refused;
    const waiting = (await outbox()).filter(({ state }) => state === 'queued').length;
    world.xmpp.addUser('me', 'mepw');
    await link.call('accounts.retry', { account: 'xmpp' });
    await waitFor(() => world.taken.xmpp.filter((text) => text.startsWith('kept ')).length >= 5);
    const arrived = world.taken.xmpp.filter((text) => text.startsWith('kept '));
    record({
      row: 'F19',
      what: 'xmpp, password changed while 5 wait',
      measured: `${tries} sign-in in 5 s, code ${error?.code}, ${waiting} of 5 kept, ${arrived.length} arrived when it was right again`,
      bound: '1 sign-in, auth, all kept, each arrives once',
      pass: tries === 1 && error?.code === 'auth' && waiting === 5 && arrived.length === 5,
    });
  });

  it('F19 the texts of an account that is removed are kept, and none goes out', async () => {
    proxy.refusing = true;
    proxy.cut();
    await untilState(link, 'xmpp', 'waiting');
    for (let n = 0; n < 5; n++) await queue(`removed ${n}`);
    await link.call('accounts.remove', { account: 'xmpp' });
    proxy.refusing = false;
    await link.call('accounts.add', {
      ...world.accounts.xmpp,
      settings: { ...world.accounts.xmpp.settings, server: `127.0.0.1:${proxy.port}` },
    });
    await untilState(link, 'xmpp', 'online');
    expect(['accepted', 'delivered']).toContain((await send('after')).state);
    const rows = (await archived(link)).filter(({ text }) => text.startsWith('removed '));
    const sent = world.taken.xmpp.filter((text) => text.startsWith('removed ')).length;
    const failed = rows.filter(({ state }) => state === 'failed').length;
    record({
      row: 'F19',
      what: 'xmpp, account removed while 5 wait',
      measured: `${sent} went out, ${failed} of 5 kept and shown as failed`,
      bound: '0 go out, 5 kept as failed',
      pass: sent === 0 && failed === 5,
    });
  });
});
