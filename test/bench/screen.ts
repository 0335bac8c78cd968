import type { Chat, ChatId, MessageId, UserId } from '../../adapters/contract.ts';
import { openArchive } from '../../src/archive/archive.ts';
import type { Paths } from '../../src/paths.ts';
import { openTerminal, type Terminal } from '../e2e/terminal.ts';
import { type Prosody, startProsody } from '../servers/prosody.ts';
import { contactList, liveContacts } from './contacts.ts';
import { type BenchHub, benchHub, program } from './hub.ts';
import { cpuOf, type Figure, median, percentile, settled, sleep } from './measure.ts';
import { type XmppBot, xmppBot } from './xmpp-bot.ts';

interface Stage {
  readonly hub: BenchHub;
  readonly prosody: Prosody;
  readonly bot: XmppBot;
  close(): Promise<void>;
}

/** A hub online with so many contacts, a tenth of them there, and so many messages of theirs in its archive. */
async function stage(contacts: number, messages: number): Promise<Stage> {
  const users = ['me', 'bot'].map((name) => ({ name, password: `${name}pw` }));
  const prosody = await startProsody({ users });
  const items = contactList(contacts);
  const jids = items.map(({ jid }) => jid);
  await prosody.roster('me', [...items, { jid: 'bot@localhost', name: 'The Bot', subscription: 'both' }]);
  const live = await liveContacts(prosody);
  const hub = await benchHub({ BENCH_SECRET: 'mepw' }, (paths) => seed(paths, jids, messages));
  await hub.add({
    network: 'xmpp',
    name: 'bench',
    settings: { jid: 'me@localhost', server: `127.0.0.1:${prosody.ports.c2s}`, tls: 'none', resource: 'bench' },
    secrets: { password: { kind: 'env', variable: 'BENCH_SECRET' } },
  });
  await hub.online('bench');
  await hub.seen.until('present', Math.floor(contacts / 10), 60_000);
  const bot = await xmppBot(prosody.ports.c2s, 'localhost', 'bot', 'botpw');
  await settled(hub.pid);
  return {
    hub,
    prosody,
    bot,
    close: async () => {
      bot.close();
      await hub.stop();
      live.close();
      await prosody.stop();
    },
  };
}

async function seed(paths: Paths, jids: readonly string[], count: number): Promise<void> {
  const archive = openArchive(`${paths.data}/archive.db`);
  const keys = jids.map((jid) => {
    const chat: Chat = { id: jid as ChatId, kind: 'direct', address: jid, title: jid };
    return archive.conversation('bench', chat).key;
  });
  const start = Date.now() - count * 1000;
  for (let at = 0; at < count; at++) {
    const which = at % jids.length;
    const key = keys[which];
    if (!key) continue;
    archive.receive({
      key,
      id: `seed${at}` as MessageId,
      from: jids[which] as UserId,
      fromName: `Contact ${which}`,
      at: start + at * 1000,
      text: `message ${at} of the years before, about as long as people write`,
      mention: false,
      unread: false,
    });
  }
  archive.flush();
  archive.close();
}

const open = (hub: BenchHub): Terminal =>
  openTerminal(process.execPath, [program], { columns: 120, rows: 40, env: hub.env });

async function quit(terminal: Terminal): Promise<void> {
  terminal.kill('SIGTERM');
  await terminal.exited;
}

export async function firstFrame(): Promise<readonly Figure[]> {
  const on = await stage(100, 1_000);
  const times: number[] = [];
  for (let run = 0; run < 9; run++) {
    const from = performance.now();
    const terminal = open(on.hub);
    times.push((await terminal.seen((rows) => rows.some((row) => row.includes('Contact ')))) - from);
    await quit(terminal);
  }
  await on.close();
  const note = `median of ${times.length}, the hub running`;
  return [{ name: 'screen: first frame with the list', value: median(times), unit: 'ms', bound: 300, note }];
}

export async function messageCost(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const [contacts, messages] of [
    [10, 100],
    [10_000, 100_000],
  ] as const) {
    const on = await stage(contacts, messages);
    const terminal = open(on.hub);
    on.bot.say('me@localhost/bench', 'the first');
    await terminal.shows('The Bot', 20_000);
    terminal.type('\u001ba');
    await terminal.shows('the first', 20_000);
    await settled(terminal.pid);
    const from = cpuOf(terminal.pid);
    const count = 100;
    for (let at = 0; at < count; at++) {
      on.bot.say('me@localhost/bench', `message number ${at}`);
      await sleep(60);
    }
    await terminal.shows(`message number ${count - 1}`);
    await settled(terminal.pid);
    const each = ((cpuOf(terminal.pid) - from) / count) * 1000;
    const name = `screen: CPU of a received message, ${contacts.toLocaleString('en')} contacts, ${messages.toLocaleString('en')} messages`;
    figures.push({ name, value: each, unit: 'ms', bound: 15 });
    await quit(terminal);
    await on.close();
  }
  return figures;
}

/** Messages a second. */
const RATE = 500;

/** Keys typed while 500 messages a second arrive in the conversation that is open. */
export async function typing(): Promise<readonly Figure[]> {
  const on = await stage(1_000, 10_000);
  const terminal = open(on.hub);
  on.bot.say('me@localhost/bench', 'the first');
  await terminal.shows('The Bot', 20_000);
  terminal.type('\u001ba');
  await terminal.shows('the first', 20_000);

  let going = true;
  let sent = 0;
  const flood = (async () => {
    const start = performance.now();
    while (going) {
      const due = ((performance.now() - start) * RATE) / 1000;
      while (sent < due) on.bot.say('me@localhost/bench', `flood ${sent++}`);
      await sleep(20);
    }
  })();
  await sleep(1_000);
  const rawFrom = terminal.raw().length;
  const from = performance.now();
  const sentFrom = sent;
  const echoes: number[] = [];
  let typed = '';
  for (let at = 0; at < 100; at++) {
    const key = String.fromCharCode(97 + (at % 26));
    // A word that nothing else on the screen ends with.
    typed = at % 40 === 0 ? `echo ${key}` : typed + key;
    if (at % 40 === 0) terminal.type('\u0015echo ');
    const pressed = performance.now();
    terminal.type(key);
    const whole = typed;
    echoes.push((await terminal.seen((rows) => rows.some((row) => row.trimEnd().endsWith(whole)))) - pressed);
    await sleep(70);
  }
  const seconds = (performance.now() - from) / 1000;
  const rate = (sent - sentFrom) / seconds;
  const frames = terminal.raw().slice(rawFrom).split('\u001b[?2026h').length - 1;
  going = false;
  await flood;
  // They came into the conversation that is open, and all of them.
  await terminal.shows(`flood ${sent - 1}`, 20_000);
  await quit(terminal);
  await on.close();
  return [
    {
      name: 'screen: key to its echo, 500 messages a second, p95',
      value: percentile(echoes, 95),
      unit: 'ms',
      bound: 50,
      note: `median ${median(echoes).toFixed(0)} ms of ${echoes.length} keys; ${rate.toFixed(0)} messages a second came into the open conversation`,
    },
    { name: 'screen: frames a second meanwhile', value: frames / seconds, unit: '/s', bound: 30 },
  ];
}
