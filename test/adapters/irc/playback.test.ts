import { afterEach, expect, it } from 'vitest';
import type { EventOf } from '../../contract/host.ts';
import { type Client, plainServer, type ScriptedServer, scriptedServer, startClient, welcome } from './scripted.ts';

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.stop();
});

const hour = 3_600_000;
const line = (at: number, text: string, tags = ''): string =>
  `@time=${new Date(at).toISOString()}${tags} :alice!a@h PRIVMSG #tea :${text}`;
const told = (client: Client): readonly EventOf<'message'>[] =>
  client.host.events.filter((event) => event.type === 'message');
const shown = (client: Client) => told(client).map(({ message, live, seen }) => [message.text, live, seen ?? false]);

async function bouncer(caps: string, played: (asked: string) => readonly string[]): Promise<ScriptedServer> {
  const server = await scriptedServer((text, say) => {
    if (text.startsWith('CAP LS')) say(`:s CAP * LS :${caps}`);
    else if (text.startsWith('CAP REQ')) say(`:s CAP * ACK ${text.slice(8)}`);
    else if (text.startsWith('USER')) welcome('me', say, 'CHANTYPES=#');
    else if (text.startsWith('PRIVMSG *playback')) for (const one of played(text)) say(one);
    else {
      plainServer(text, say);
      if (text.startsWith('JOIN') && !caps.includes('playback')) for (const one of played(text)) say(one);
    }
  });
  open.push(server);
  return server;
}

async function connect(server: ScriptedServer, memory = new Map<string, string>()): Promise<Client> {
  const client = startClient(server.port, { join: '#tea' }, { memory });
  open.push(client);
  await client.host.next('roster');
  return client;
}

it('F20 a bouncer with znc.in/playback is asked for what came since the last message, and no more is told', async () => {
  const start = Date.now() - hour;
  const log = [line(start, 'one'), line(start + 1_000, 'two'), line(start + 2_000, 'three')];
  const server = await bouncer('batch server-time message-tags znc.in/playback', (asked) => {
    const since = Number(asked.split(' ').at(-1)) * 1_000;
    // ZNC counts in seconds, and plays whatever is not older.
    const due = log.filter((one) => Date.parse(one.slice(6, 30)) >= Math.floor(since / 1_000) * 1_000);
    return [
      ':s BATCH +p znc.in/playback #tea',
      ...due.map((one) => one.replace(' :alice', ';batch=p :alice')),
      ':s BATCH -p',
    ];
  });
  const first = await connect(server);
  await first.host.next('message', ({ message }) => message.text === 'three');
  expect(server.lines).toContain('PRIVMSG *playback :PLAY * 0');
  expect(shown(first)).toEqual([
    ['one', false, true],
    ['two', false, true],
    ['three', false, true],
  ]);
  await first.stop();

  log.push(line(start + 2_500, 'four'), line(start + 9_000, 'five'));
  const again = await connect(server, first.host.memory.entries);
  await again.host.next('message', ({ message }) => message.text === 'five');
  expect(shown(again)).toEqual([
    ['four', false, false],
    ['five', false, false],
  ]);
});

it('F20 without ids, a message is known again by its time, sender and text; two alike in a moment are two', async () => {
  const at = Date.now() - hour;
  const log = [line(at, 'ha'), line(at, 'ha'), line(at, 'ho')];
  const server = await bouncer('server-time message-tags', () => log);
  const first = await connect(server);
  await first.host.next('message', ({ message }) => message.text === 'ho');
  const ids = told(first).map(({ message }) => message.id);
  expect(new Set(ids).size).toBe(3);
  const stranger = await connect(server);
  await stranger.host.next('message', ({ message }) => message.text === 'ho');
  expect(told(stranger).map(({ message }) => message.id)).toEqual(ids);
});

it('what a server sends late, with its time, is missed and not new', async () => {
  const server = await bouncer('server-time message-tags', () => [line(Date.now() - hour, 'an hour ago')]);
  const client = await connect(server);
  await client.host.next('message');
  server.write(`${line(Date.now() - 1_000, 'just now')}\r\n`);
  expect((await client.host.next('message', ({ message }) => message.text === 'just now')).live).toBe(true);
  expect(told(client)[0]?.live).toBe(false);
});
