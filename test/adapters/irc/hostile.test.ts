import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../../servers/process.ts';
import { type Client, plainServer, type ScriptedServer, scriptedServer, startClient } from './scripted.ts';

let server: ScriptedServer | undefined;
let client: Client | undefined;
afterEach(async () => {
  await client?.stop();
  await server?.stop();
});

async function online(isupport?: string): Promise<{ readonly server: ScriptedServer; readonly client: Client }> {
  const started = await scriptedServer((line, say) => plainServer(line, say, isupport));
  const running = startClient(started.port, { join: '#c' });
  server = started;
  client = running;
  await running.host.next('online');
  await running.host.next('members');
  return { server: started, client: running };
}

const textsOf = ({ host }: Client): readonly string[] =>
  host.events.flatMap((event) => (event.type === 'message' ? [event.message.text] : []));

test('L15 I2 every numeric and command with nought to three parameters is survived, and the message after it arrives once', async () => {
  const { server, client } = await online();
  const uncaught: unknown[] = [];
  const note = (error: unknown): void => void uncaught.push(error);
  process.on('uncaughtException', note).on('unhandledRejection', note);
  const commands = [
    ...Array.from({ length: 999 }, (_, at) => String(at + 1).padStart(3, '0')),
    ...'PRIVMSG NOTICE TAGMSG JOIN PART KICK QUIT NICK MODE TOPIC INVITE AWAY ACCOUNT CHGHOST SETNAME CAP AUTHENTICATE'.split(
      ' ',
    ),
    ...'BATCH FAIL WARN NOTE ACK REDACT PING PONG WALLOPS MONITOR 0 :'.split(' '),
  ].filter((command) => command !== '465');
  const lines: string[] = [];
  for (const command of commands) {
    for (const params of ['', 'me', 'x #c', 'me #c x']) {
      lines.push(`:s ${command} ${params}`.trimEnd(), `${command} ${params}`, `:n!u@h ${command} ${params}`);
    }
    lines.push(`:n!u@h PRIVMSG #c :after ${command}`);
  }
  // What these do is right, and would end the test.
  const harmful = /^(:\S+ )?(JOIN|PART|KICK|NICK|QUIT)\b/;
  server.write(`${lines.filter((line) => !/ (me|#c)/.test(line) || !harmful.test(line)).join('\r\n')}\r\n`);
  await waitFor(() => textsOf(client).includes(`after ${commands.at(-1)}`));
  process.off('uncaughtException', note).off('unhandledRejection', note);
  expect(uncaught).toEqual([]);
  expect(textsOf(client).filter((text) => text.startsWith('after '))).toEqual(
    commands.map((command) => `after ${command}`),
  );
});

test('L15 a line that makes the library throw is left out once, and not replayed with what came before it', async () => {
  const { server, client } = await online();
  server.write(':n!u@h PRIVMSG #c :before\r\n:s 353\r\n:s 352 a\r\nCAP\r\n:n!u@h PRIVMSG #c :after\r\n');
  await waitFor(() => textsOf(client).includes('after'));
  server.write(':n!u@h PRIVMSG #c :later\r\n');
  await waitFor(() => textsOf(client).includes('later'));
  expect(textsOf(client)).toEqual(['before', 'after', 'later']);
});

test('L16 I4 a line of 60 MiB does not end the session, and the next message arrives', async () => {
  const { server, client } = await online();
  for (let count = 0; count < 60; count++) server.write(Buffer.alloc(1024 * 1024, 0x78));
  server.write('\r\n:n!u@h PRIVMSG #c :after\r\n');
  await waitFor(() => textsOf(client).includes('after'));
});

const BREAKS: readonly string[] = ['\r', '\n', '\r\n', '\0'];

test.each(BREAKS)('L14 I1 %j in any field never becomes a second command', async (bad) => {
  const { server, client } = await online();
  const { session } = client;
  const evil = `x${bad}QUIT :gone`;
  const signal = AbortSignal.timeout(5_000);
  const attempts = [
    () => session.resolve(evil, signal),
    () => session.resolve(`#${evil}`, signal),
    () => session.send(evil as never, 'hi', 'n' as never),
    () => session.send(`#${evil}` as never, 'hi', 'n' as never),
    () => session.contacts?.add(evil),
    () => session.rooms?.join(`#${evil}`),
    () => session.rooms?.join('#d', { password: evil }),
    () => session.rooms?.topic('#c' as never, evil),
    () => session.rooms?.invite('#c' as never, evil as never),
    () => session.presence?.set('away', evil),
  ];
  for (const attempt of attempts)
    await expect((async () => await attempt())()).rejects.toMatchObject({ name: 'AdapterError' });
  // A text may hold line feeds: they begin another message. NUL has no place in one.
  const sent = session.send('#c' as never, evil, 'n' as never);
  if (bad === '\0') await expect(sent).rejects.toMatchObject({ code: 'refused' });
  else await sent;
  expect(server.lines.filter((line) => /^QUIT/.test(line))).toEqual([]);
});

test('I1 U+2028 and its like are text', async () => {
  const { server, client } = await online();
  await client.session.send('#c' as never, 'a\u2028QUIT\u0085x', 'n' as never);
  expect(server.lines).toContain('PRIVMSG #c :a\u2028QUIT\u0085x');
});

test('L20 of 50 CTCP requests one is answered, by imux and with no more than its name', async () => {
  const { server, client } = await online();
  for (let count = 0; count < 50; count++) server.write(`:n${count}!u@h PRIVMSG me :\x01VERSION\x01\r\n`);
  server.write(':n!u@h PRIVMSG me :\x01DCC SEND "../../x" 1 0 1\x01\r\n:n!u@h PRIVMSG me :done\r\n');
  await waitFor(() => textsOf(client).includes('done'));
  await client.session.send('#c' as never, 'barrier', 'n' as never);
  expect(server.lines.filter((line) => line.startsWith('NOTICE'))).toEqual(['NOTICE n0 :\x01VERSION imux\x01']);
  expect(textsOf(client)).toEqual(['done']);
});

test('a text that would be CTCP is refused', async () => {
  const { client } = await online();
  await expect(client.session.send('#c' as never, '\x01DCC SEND x 1 1 1\x01', 'n' as never)).rejects.toMatchObject({
    code: 'refused',
  });
});

test('I4 a long text goes out in lines that fit in 512 bytes with our mask before them', async () => {
  const { server, client } = await online();
  const text = 'Съешь же ещё этих мягких французских булок 👩‍👩‍👧‍👦 '.repeat(20);
  await client.session.send('#c' as never, text, 'n' as never);
  const sent = server.lines.filter((line) => line.startsWith('PRIVMSG'));
  expect(sent.length).toBeGreaterThan(3);
  for (const line of sent) expect(Buffer.byteLength(`:me!u@h ${line}\r\n`)).toBeLessThanOrEqual(512);
  expect(sent.map((line) => line.slice('PRIVMSG #c :'.length)).join('')).toBe(text);
});

test('times that cannot be are replaced by our own', async () => {
  const { server, client } = await online();
  for (const time of ['9999-01-01T00:00:00.000Z', '+292278994-08-17', 'NaN', '-1', '']) {
    server.write(`@time=${time} :n!u@h PRIVMSG #c :at ${time}\r\n`);
  }
  server.write('@time=2020-01-02T03:04:05.678Z :n!u@h PRIVMSG #c :good\r\n');
  const { message } = await client.host.next('message', (event) => event.message.text === 'good');
  expect(message.at.toISOString()).toBe('2020-01-02T03:04:05.678Z');
  for (const event of client.host.events) {
    if (event.type !== 'message' || event.message.text === 'good') continue;
    expect(Math.abs(event.message.at.getTime() - Date.now())).toBeLessThan(60_000);
  }
});
