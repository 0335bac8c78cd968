import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ExportedMessage } from '../../src/link/messages.ts';
import { startHub, type TestHub } from '../hub/start.ts';
import { tempDir } from '../servers/process.ts';
import { imux, type Outcome } from './run.ts';

interface Stage {
  readonly hub: TestHub;
  run(args: readonly string[], stdin?: string): Promise<Outcome>;
  /** Writes a log under a path of its own, and returns that path. */
  file(path: string, text: string | Buffer): string;
  /** Account, address, sender, style and text of all messages, in the order of time. */
  stored(): Promise<readonly string[]>;
  exported(): Promise<readonly ExportedMessage[]>;
}

async function stage(): Promise<Stage> {
  const hub = await startHub();
  const dir = await tempDir('logs');
  onTestFinished(async () => {
    await hub.end();
    await dir.remove();
  });
  const home = dirname(hub.paths.data);
  const run: Stage['run'] = (args, stdin = '') => imux(args, { home, stdin, env: { TZ: 'Europe/Berlin' } });
  const exported = async (): Promise<readonly ExportedMessage[]> => {
    const { stdout } = await run(['export']);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ExportedMessage & { type: string });
    return lines.filter(({ type }) => type === 'message');
  };
  return {
    hub,
    run,
    exported,
    file: (path, text) => {
      const whole = join(dir.path, path);
      mkdirSync(dirname(whole), { recursive: true });
      writeFileSync(whole, text);
      return whole;
    },
    stored: async () => {
      const messages = [...(await exported())].sort((a, b) => a.at.localeCompare(b.at));
      return messages.map(({ at, target, from, style, text, kind }) => {
        const who = from.self ? 'me' : from.name;
        return `${at.slice(0, 19)} ${target} ${kind} ${style === 'action' ? `* ${who}` : `${who}:`} ${text}`;
      });
    },
  };
}

const WEECHAT = [
  '2026-01-30 23:59:58\t-->\tkim (~kim@host) has joined #imux',
  '2026-01-30 23:59:59\t@alice\thello\tthere',
  '2026-01-31 00:00:00\tkim\tmoin',
  '2026-01-31 00:00:00\tkim\tmoin',
  '2026-01-31 00:00:01\t *\talice waves',
  '2026-01-31 00:00:01\t--\tNotice(bob): as 3.8 writes it',
  '2026-01-31 00:00:02\tgarbage',
  '',
].join('\n');

const IRSSI = [
  '--- Log opened Fri Jan 30 23:58:00 2026',
  '23:58 -!- kim [~kim@host] has joined #imux',
  '23:59 <@alice> hello <b>',
  '23:59 < kim> moin',
  '--- Day changed Sat Jan 31 2026',
  '00:01  * alice waves',
  '00:02 -bob(~bob@host)- notice me',
  'what is this',
  '--- Log closed Sat Jan 31 00:03:00 2026',
  '',
].join('\n');

const PROFANITY = [
  '2026-01-31T12:30:45+01 - bob@example.org: two',
  'lines: here',
  '2026-01-31T12:30:46+01 - me: yes',
  '2026-01-31T12:30:47+01 - *bob@example.org waves',
  '',
].join('\n');

const PIDGIN_HTML = [
  '<html><head><meta http-equiv="content-type" content="text/html; charset=UTF-8"><title>Conversation with bob@example.org at Sat 31 Jan 2026 12:30:00 PM CET on me@example.org/home (jabber)</title></head><body><h3>Conversation with bob@example.org at Sat 31 Jan 2026 12:30:00 PM CET on me@example.org/home (jabber)</h3>',
  '<font color="#A82F2F"><font size="2">(23:59:58)</font> <b>Bob &amp; Co:</b></font> one &lt; two<br/>',
  '<font color="#16569E"><font size="2">(23:59:59)</font> <b>Kim:</b></font> <span style=\'color: #000\'>a<br/>b</span><br/>',
  '<font size="2">(00:00:00)</font><b> Bob has signed off.</b><br/>',
  '<font color="#062585"><font size="2">(00:00:01)</font> <b>***Bob</b></font> waves<br/>',
  '</body></html>',
  '',
].join('\n');

const PIDGIN_TEXT = [
  'Conversation with #imux at Sat 31 Jan 2026 12:30:00 PM CET on kim@libera (irc)',
  '(12:30:01 PM) alice: hello',
  'again',
  '(12:30:02 PM) kim: moin',
  '(12:30:03 PM) ***alice waves',
  '(12:30:04 PM) bob entered the room.',
  '',
].join('\n');

const TELEGRAM = JSON.stringify({
  personal_information: { user_id: 7, first_name: 'Kim' },
  chats: {
    list: [
      {
        name: 'Alice',
        type: 'personal_chat',
        id: 42,
        messages: [
          { id: 1, type: 'service', date: '2026-01-31T12:00:00', action: 'create_chat' },
          { id: 2, type: 'message', date_unixtime: '1769860801', from: 'Alice', from_id: 'user42', text: 'hi' },
          {
            id: 3,
            type: 'message',
            date_unixtime: '1769860803',
            from: 'Kim',
            from_id: 'user7',
            text: ['see ', { type: 'link', text: 'example.org' }],
            reply_to_message_id: 2,
            reactions: [{ type: 'emoji', count: 1, emoji: '👍', recent: [{ from: 'Alice', from_id: 'user42' }] }],
          },
        ],
      },
      {
        name: 'Ops',
        type: 'private_supergroup',
        id: 99,
        messages: [
          {
            id: 5,
            type: 'message',
            date_unixtime: '1769860802',
            from: 'Alice',
            from_id: 'user42',
            text: '',
            file: 'files/report.pdf',
            file_name: 'report.pdf',
            mime_type: 'application/pdf',
          },
        ],
      },
    ],
  },
});

describe('imux import', () => {
  it('WeeChat: server and channel from the name, actions, own nick; what is odd is told with its line', async () => {
    const { run, file, stored } = await stage();
    const path = file('irc.libera.#imux.weechatlog', WEECHAT);
    const { code, stderr } = await run(['import', '--me', 'kim', path]);
    expect(await stored()).toEqual([
      '2026-01-30T22:59:59 libera:#imux room alice: hello\tthere',
      '2026-01-30T23:00:00 libera:#imux room me: moin',
      '2026-01-30T23:00:00 libera:#imux room me: moin',
      '2026-01-30T23:00:01 libera:#imux room * alice waves',
      '2026-01-30T23:00:01 libera:#imux room bob: as 3.8 writes it',
    ]);
    expect(stderr).toContain(`${path}:7: not understood: "2026-01-31 00:00:02\\tgarbage"`);
    expect(stderr).toContain(
      '5 messages stored, 1 line of other kinds left out (joins, days, …), 1 line not understood',
    );
    expect(code).toBe(65);
  });

  it('irssi: days change in lines of their own', async () => {
    const { run, file, stored } = await stage();
    const path = file('irclogs/libera/#imux.log', IRSSI);
    const { code, stderr } = await run(['import', '--me', 'kim', path]);
    expect(await stored()).toEqual([
      '2026-01-30T22:59:00 libera:#imux room alice: hello <b>',
      '2026-01-30T22:59:00 libera:#imux room me: moin',
      '2026-01-30T23:01:00 libera:#imux room * alice waves',
      '2026-01-30T23:02:00 libera:#imux room bob: notice me',
    ]);
    expect(stderr).toContain(`${path}:8: not understood: "what is this"`);
    expect(code).toBe(65);
  });

  it('Profanity: text logs, one a day, with texts of several lines', async () => {
    const { hub, run, file, stored } = await stage();
    await (await hub.front()).add('work', 'me@example.org');
    const path = file('chatlogs/me_at_example.org/bob_at_example.org/2026_01_31.log', PROFANITY);
    expect(await run(['import', path])).toMatchObject({ code: 0, stderr: 'imux: 3 messages stored\n' });
    expect(await stored()).toEqual([
      '2026-01-31T11:30:45 work:bob@example.org person bob@example.org: two\nlines: here',
      '2026-01-31T11:30:46 work:bob@example.org person me: yes',
      '2026-01-31T11:30:47 work:bob@example.org person * bob@example.org waves',
    ]);
  });

  it('Profanity: the database, with corrections and the ids that the network gave', async () => {
    const { hub, run, file, stored, exported } = await stage();
    await (await hub.front()).add('work', 'me@example.org');
    const path = file('database/me_at_example.org/chatlog.db', '');
    const db = new DatabaseSync(path);
    db.exec(`CREATE TABLE ChatLogs (id INTEGER PRIMARY KEY AUTOINCREMENT, from_jid TEXT NOT NULL, to_jid TEXT NOT NULL,
      from_resource TEXT, to_resource TEXT, message TEXT, timestamp TEXT, type TEXT, stanza_id TEXT, archive_id TEXT,
      encryption TEXT, marked_read INTEGER, replace_id TEXT, replaces_db_id INTEGER, replaced_by_db_id INTEGER)`);
    const add = db.prepare(`INSERT INTO ChatLogs (from_jid, to_jid, from_resource, message, timestamp, type, stanza_id,
      archive_id, replace_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    const me = 'me@example.org';
    add.run('bob@example.org', me, 'phone', 'helo', '2026-01-31T12:00:00.123456+01', 'chat', 's1', 'a1', null);
    add.run('bob@example.org', me, 'phone', 'hello', '2026-01-31T12:00:09+01:00', 'chat', 's2', 'a2', 's1');
    add.run('eve@example.org', me, 'x', 'not yours', '2026-01-31T12:00:10+01:00', 'chat', 's3', 'a3', 's1');
    add.run(me, 'bob@example.org', null, '/me nods', '2026/01/31 12:00:20', 'chat', 's4', null, null);
    add.run('room@conf.example.org', me, 'alice', 'hi all', '2026-01-31T11:00:30Z', 'muc', 's5', 'a5', null);
    db.close();
    const { code } = await run(['import', path]);
    expect(code).toBe(0);
    expect(await stored()).toEqual([
      '2026-01-31T11:00:00 work:bob@example.org person bob@example.org: hello',
      '2026-01-31T11:00:10 work:eve@example.org person eve@example.org: not yours',
      '2026-01-31T11:00:20 work:bob@example.org person * me nods',
      '2026-01-31T11:00:30 work:room@conf.example.org room alice: hi all',
    ]);
    const byTime = [...(await exported())].sort((a, b) => a.at.localeCompare(b.at));
    const ids = byTime.map(({ native, edited }) => [native.id, edited ?? false]);
    expect(ids).toEqual([
      ['s1', true],
      ['s3', false],
      ['s4', false],
      ['a5', false],
    ]);
  });

  it('Pidgin and Finch: HTML by its colours, over midnight; text by its names', async () => {
    const { hub, run, file, stored } = await stage();
    await (await hub.front()).add('work', 'me@example.org');
    const html = file('logs/jabber/me@example.org/bob@example.org/2026-01-31.123000+0100CET.html', PIDGIN_HTML);
    const text = file('logs/irc/kim@libera/%23imux.chat/2026-01-31.123000+0100CET.txt', PIDGIN_TEXT);
    expect((await run(['import', html])).code).toBe(0);
    expect((await run(['import', '--account', 'libera', '--me', 'kim', text])).code).toBe(0);
    expect(await stored()).toEqual([
      '2026-01-31T11:30:01 libera:#imux room alice: hello\nagain',
      '2026-01-31T11:30:02 libera:#imux room me: moin',
      '2026-01-31T11:30:03 libera:#imux room * alice waves',
      '2026-01-31T22:59:58 work:bob@example.org person Bob & Co: one < two',
      '2026-01-31T22:59:59 work:bob@example.org person me: a\nb',
      '2026-01-31T23:00:01 work:bob@example.org person * Bob waves',
    ]);
  });

  it('Telegram: chats as the Bot API numbers them, files, answers and reactions', async () => {
    const { run, file, stored, exported } = await stage();
    const path = file('result.json', TELEGRAM);
    expect((await run(['import', '--account', 'tg', path])).code).toBe(0);
    expect(await stored()).toEqual([
      '2026-01-31T12:00:01 tg:42 person Alice: hi',
      '2026-01-31T12:00:02 tg:-10099 room Alice: ',
      '2026-01-31T12:00:03 tg:42 person me: see example.org',
    ]);
    const [first, shared, own] = await exported();
    expect(shared).toMatchObject({ native: { id: '5' }, files: [{ name: 'report.pdf', mime: 'application/pdf' }] });
    expect(own).toMatchObject({ replyTo: first?.id, reactions: { '👍': ['Alice'] }, state: 'accepted' });
  });

  it.each([
    ['weechat', 'irc.libera.#imux.weechatlog', WEECHAT],
    ['irssi', 'irclogs/libera/#imux.log', IRSSI],
    ['pidgin', 'logs/irc/libera/%23imux.chat/2026-01-31.123000+0100CET.txt', PIDGIN_TEXT],
    ['telegram', 'tg/result.json', TELEGRAM],
  ])('%s: reading the same again, and more of it, adds what is new and nothing else', async (_, path, text) => {
    const { run, file, stored } = await stage();
    const log = file(path, text);
    const args = ['import', '--account', 'some', log];
    await run(args);
    const before = await stored();
    expect((await run(args)).stderr).toContain(`0 messages stored, ${before.length} known already`);
    expect(await stored()).toEqual(before);
    expect(before.length).toBeGreaterThan(2);
  });

  it('what comes in is read, told to no front as a message, and stands where its time belongs', async () => {
    const { hub, run, file } = await stage();
    const front = await hub.front();
    await front.add('libera');
    await front.subscribe();
    await run(['import', file('irc.libera.#imux.weechatlog', WEECHAT)]);
    await run(['import', file('irclogs/libera/#imux.log', IRSSI)]);
    const { contacts } = await front.call('contacts', {});
    const room = contacts.find(({ target }) => target === 'libera:#imux');
    expect(room).toMatchObject({ unread: 0, last: '2026-01-30T23:02:00.000Z' });
    expect(front.changes.filter(({ type }) => type === 'message')).toEqual([]);
    const { messages } = await front.call('messages.page', { conversation: room?.conversation as never, limit: 100 });
    const times = messages.map(({ at }) => at);
    expect(times).toEqual([...times].sort());
    expect(times).toHaveLength(9);
  });

  it('reads a folder, standard input, old encodings and a format that is named', async () => {
    const { run, file, stored } = await stage();
    const path = file(
      'irclogs/libera/#old.log',
      Buffer.from('--- Log opened Fri Jan 30 10:00:00 2026\n10:01 <bob> gr\xfc\xdfe\n', 'latin1'),
    );
    file('irclogs/libera/#new.log', IRSSI.replace('what is this\n', ''));
    expect((await run(['import', dirname(path)])).code).toBe(0);
    const piped = ['import', '--format', 'weechat', '--account', 'libera', '--chat', '#new', '-'];
    expect((await run(piped, '2026-02-01 10:00:00\tbob\tpiped\n')).code).toBe(0);
    expect(await stored()).toEqual([
      '2026-01-30T09:01:00 libera:#old room bob: grüße',
      '2026-01-30T22:59:00 libera:#new room alice: hello <b>',
      '2026-01-30T22:59:00 libera:#new room kim: moin',
      '2026-01-30T23:01:00 libera:#new room * alice waves',
      '2026-01-30T23:02:00 libera:#new room bob: notice me',
      '2026-02-01T09:00:00 libera:#new room bob: piped',
    ]);
  });

  it('64 where it cannot be told whose messages they are, 65 where a file is no log, 74 where there is none', async () => {
    const { run, file } = await stage();
    expect(await run(['import', '-'], WEECHAT)).toMatchObject({ code: 64 });
    expect(await run(['import', '--account', 'a', '-'], WEECHAT)).toMatchObject({ code: 64 });
    expect(await run(['import', file('notes.txt', 'hello\n')])).toMatchObject({ code: 65 });
    expect(await run(['import', '/nowhere.log'])).toMatchObject({ code: 74 });
    expect(await run(['import', '--format', 'word', '-'])).toMatchObject({ code: 64 });
  });
});
