import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openArchive } from '../../src/archive/archive.ts';
import { backUp } from '../../src/archive/files.ts';
import { migrate, STEPS } from '../../src/archive/schema.ts';
import { archive, archivePath, chat, id, incoming, nonce, there } from './fixture.ts';

describe('group commit', () => {
  test('saved resolves when another process can read what was received', async () => {
    const path = archivePath();
    const a = archive(path);
    const { key } = a.conversation('work', chat('alice'));
    await a.saved();
    a.receive(incoming(key));
    a.memory('work').set('offset', '1');
    const other = new DatabaseSync(path, { readOnly: true });
    const count = other.prepare('SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM memory) AS n');
    expect(count.get()?.n).toBe(0);
    await a.saved('work');
    expect(count.get()?.n).toBe(2);
    a.receive(incoming(key));
    a.flush();
    expect(count.get()?.n).toBe(3);
    other.close();
  });

  test('many waiters share one commit, and none waits where nothing is open', async () => {
    const a = archive();
    const { key } = a.conversation('work', chat('alice'));
    a.receive(incoming(key));
    await Promise.all(Array.from({ length: 1000 }, () => a.saved('work')));
    await a.saved();
  });
});

describe('F1 killed in the middle of it', () => {
  test('F1 what was promised is there after kill -9, in order and once', { timeout: 60_000 }, async () => {
    const path = archivePath();
    const promised = { in: [] as string[], out: [] as number[] };
    for (let round = 0; round < 3; round += 1) {
      const said = await runAndKill(path, 40 + round * 15);
      for (const line of said) {
        const [kind, what = ''] = line.split(' ');
        if (kind === 'in') promised.in.push(what);
        else promised.out.push(Number(what));
      }
    }
    const a = archive(path);
    const key = there(a.find('work', chat('alice').id)).key;
    expect(promised.in.length).toBeGreaterThan(5);
    for (const name of promised.in) expect(a.byId(key, id(name))?.text).toBe(name);
    for (const row of promised.out) expect(a.row(row)?.state).toBe('queued');
    expect(Number(a.memory('work').get('offset'))).toBeGreaterThanOrEqual(
      Number(there(promised.in.at(-1)).split('-')[1]),
    );
    const rows = a.since(0, 1_000_000);
    expect(new Set(rows.map((row) => row.id ?? row.nonce)).size).toBe(rows.length);
    expect(a.get(key)?.unread).toBe(rows.filter((row) => row.from !== 'self').length);
    a.close();
    const db = new DatabaseSync(path);
    expect(db.prepare('PRAGMA integrity_check').get()?.integrity_check).toBe('ok');
    db.exec("INSERT INTO search(search) VALUES('integrity-check')");
    db.close();
  });
});

/** The whole lines that a writer said until it was killed after so many. */
function runAndKill(path: string, lines: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'writer.ts'), path], {
    stdio: ['ignore', 'pipe', 2],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.split('\n').length > lines) child.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', () => resolve(said.split('\n').slice(0, -1)));
  });
}

test('U6 files are 0600 and the folder 0700, also under umask 000', () => {
  const before = process.umask(0);
  try {
    const path = archivePath();
    const a = archive(path);
    a.receive(incoming(a.conversation('work', chat('alice')).key));
    a.flush();
    const folder = dirname(path);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder).sort()).toEqual(['archive.db', 'archive.db-shm', 'archive.db-wal']);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  } finally {
    process.umask(before);
  }
});

describe('versions of the layout', () => {
  test('F12 an archive of a newer imux is refused and left as it is', () => {
    const path = archivePath();
    archive(path).close();
    const db = new DatabaseSync(path);
    db.exec(`PRAGMA user_version = ${STEPS.length + 1}`);
    db.close();
    const before = readFileSync(path);
    expect(() => openArchive(path)).toThrow(expect.objectContaining({ name: 'ArchiveError', code: 'newer' }));
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(dirname(path)).filter((name) => name.includes('damaged'))).toEqual([]);
  });

  test('F12 before each step a copy of the database as it was is kept', () => {
    const path = archivePath();
    const a = archive(path);
    a.receive(incoming(a.conversation('work', chat('alice')).key, { text: 'kept' }));
    a.close();
    const db = new DatabaseSync(path);
    const copies: string[] = [];
    const steps = [...STEPS, "ALTER TABLE message ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'"];
    migrate(db, (version) => copies.push(backUp(db, path, version)), steps);
    expect(db.prepare('SELECT text, colour FROM message').get()).toMatchObject({ text: 'kept', colour: 'red' });
    migrate(db, () => expect.unreachable(), steps);
    db.close();
    const [copy = ''] = copies;
    expect(basename(copy)).toMatch(new RegExp(`^archive\\.db\\.v${STEPS.length}-\\d{8}T\\d{6}$`));
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    const old = archive(copy);
    expect(old.search('kept', 1)).toHaveLength(1);
  });

  test('F12 a step that fails changes nothing', () => {
    const path = archivePath();
    archive(path).close();
    const db = new DatabaseSync(path);
    const steps = [...STEPS, 'ALTER TABLE message ADD COLUMN colour TEXT; SELECT nonsense'];
    expect(() => migrate(db, () => {}, steps)).toThrow(/nonsense/);
    expect(db.prepare('PRAGMA user_version').get()?.user_version).toBe(STEPS.length);
    expect(() => db.prepare('SELECT colour FROM message')).toThrow(/colour/);
    db.close();
  });
});

describe('an archive of the first imux', () => {
  /** Made as the first layout was, by its own SQL: what this imux writes cannot stand for it. */
  const firstLayout = (): string => {
    const path = archivePath();
    mkdirSync(dirname(path), { recursive: true });
    const db = new DatabaseSync(path);
    db.exec(`PRAGMA journal_mode = WAL; ${STEPS[0]}; PRAGMA user_version = 1;
      INSERT INTO conversation VALUES (1, 'work', 'alice', 'direct', 'alice@example.org', 'Alice', 'hi', 2, 1, 3, 400);
      INSERT INTO memory VALUES ('work', 'offset', '42')`);
    const add =
      db.prepare(`INSERT INTO message (row, conversation, id, nonce, sender, sender_name, at, text, state, edited,
      retracted, mention, counted, reactions, script_key, tried) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, 0)`);
    add.run(1, 'i1', null, 'alice', 'Alice', 100, 'first words', null, 0, 1, '{"👍":["Bob"]}', null);
    add.run(2, null, 'n2', null, '', 200, 'to send', 'queued', 0, 0, null, 'k2');
    add.run(3, 'i3', null, 'alice', 'Alice', 300, 'read', null, 0, 1, null, null);
    add.run(4, 'i4', null, 'alice', 'Alice', 150, 'late words', null, 0, 1, null, null);
    add.run(5, 'i5', null, 'alice', 'Alice', 400, 'for you', null, 1, 1, null, null);
    for (let row = 6; row < 3000; row += 1)
      add.run(row, `i${row}`, null, 'alice', 'Alice', 400, 'x'.repeat(200), null, 0, 0, null, null);
    db.close();
    return path;
  };

  test('F12 is kept as it was and brought up to date with nothing lost', () => {
    const path = firstLayout();
    const before = new DatabaseSync(path, { readOnly: true });
    const all =
      'SELECT row, id, nonce, sender, at, text, state, counted, reactions, script_key FROM message ORDER BY row';
    const rows = before.prepare(all).all();
    before.close();
    const notices: string[] = [];
    const a = openArchive(path, { notice: (text) => notices.push(text) });
    const { key } = there(a.find('work', chat('alice').id));
    expect(a.get(key)).toMatchObject({ unread: 2, mentions: 1, readUpTo: 3, last: 400, topic: 'hi', title: 'Alice' });
    const order = ['first words', 'to send', 'read', 'late words', 'for you'];
    expect(a.page(key, 5, 6).map(({ text }) => text)).toEqual(order);
    expect(a.outbox('work').map(({ text, scriptKey }) => [text, scriptKey])).toEqual([['to send', 'k2']]);
    expect(a.byId(key, id('i1'))?.reactions).toEqual({ '👍': ['Bob'] });
    expect(a.memory('work').get('offset')).toBe('42');
    expect(a.search('words', 5).map(({ text }) => text)).toEqual(['late words', 'first words']);
    expect(a.markRead(key, 5)).toMatchObject({ unread: 0, mentions: 0 });
    a.close();
    const after = new DatabaseSync(path);
    expect(after.prepare(all).all()).toEqual(rows);
    expect(after.prepare('PRAGMA integrity_check').get()?.integrity_check).toBe('ok');
    after.close();

    const copies = readdirSync(dirname(path)).filter((name) => name.startsWith('archive.db.v'));
    expect(copies).toEqual([expect.stringMatching(/^archive\.db\.v1-\d{8}T\d{6}$/)]);
    expect(notices).toEqual([`the archive is kept as it was: ${join(dirname(path), copies[0] ?? '')}`]);
    const copy = new DatabaseSync(join(dirname(path), copies[0] ?? ''), { readOnly: true });
    expect(copy.prepare('PRAGMA user_version').get()?.user_version).toBe(1);
    expect(copy.prepare(all).all()).toEqual(rows);
    copy.close();
  });

  test('can give space back from then on', () => {
    const path = firstLayout();
    const a = archive(path);
    const { key } = there(a.find('work', chat('alice').id));
    a.markRead(key, 5);
    const size = statSync(path).size;
    while (a.expire(key, 500, 500) > 0);
    while (a.shrink());
    a.close();
    expect(statSync(path).size).toBeLessThan(size / 4);
    expect(
      archive(path)
        .page(key, 10)
        .map(({ text }) => text),
    ).toEqual(['to send']);
  });
});

describe('F12 a damaged database', () => {
  const COUNT = 3000;
  /** An archive with 3000 messages and one to send, closed. */
  const filled = async (): Promise<string> => {
    const path = archivePath();
    const a = archive(path);
    const { key } = a.conversation('work', chat('alice'));
    for (let n = 0; n < COUNT; n += 1) a.receive(incoming(key, { text: `number ${n} ${'x'.repeat(100)}` }));
    a.memory('work').set('offset', '42');
    a.enqueue({ key, nonce: nonce('n'), text: 'to send', at: 1 });
    await a.index(new AbortController().signal);
    a.close();
    return path;
  };
  const aside = (path: string): string[] =>
    readdirSync(dirname(path)).filter((name) => /^archive\.db\.damaged-\d{8}T\d{6}$/.test(name));

  test('F12 that is no database is set aside, and a new one begun', async () => {
    const path = await filled();
    writeFileSync(path, 'this is not a database'.repeat(500));
    const notices: string[] = [];
    const a = openArchive(path, { notice: (text) => notices.push(text) });
    onTestFinished(() => a.close());
    expect(a.conversations()).toEqual([]);
    expect(aside(path)).toHaveLength(1);
    expect(notices).toEqual([expect.stringMatching(/damaged.*kept as .*damaged-.*0 of its messages/)]);
  });

  /** Overwrites some of the pages in which messages stand, in the middle of them. */
  const damage = (path: string, count: number): void => {
    const db = new DatabaseSync(path);
    const leaves = db.prepare("SELECT pageno FROM dbstat WHERE name = 'message' AND pagetype = 'leaf' ORDER BY path");
    const pages = leaves.all().map(({ pageno }) => Number(pageno));
    db.close();
    const bytes = readFileSync(path);
    const middle = Math.floor(pages.length / 2);
    for (const page of pages.slice(middle, middle + count)) bytes.fill(0xff, 4096 * (page - 1), 4096 * page);
    writeFileSync(path, bytes);
  };

  test('F12 met while it runs is an error with its own code; the next start saves every row outside of the hole', async () => {
    const path = await filled();
    damage(path, 5);
    const broken = archive(path);
    expect(() => broken.since(0, COUNT * 2)).toThrow(expect.objectContaining({ code: 'damaged' }));
    broken.close();
    const a = archive(path);
    const saved = a.since(0, COUNT * 2);
    expect(saved.length).toBeGreaterThan(COUNT * 0.9);
    expect(saved.length).toBeLessThan(COUNT);
    expect(a.search('number', 5)).toHaveLength(5);
    expect(a.memory('work').get('offset')).toBe('42');
    expect(a.outbox('work').map((row) => row.text)).toEqual(['to send']);
    expect(aside(path)).toHaveLength(1);
    expect(readdirSync(dirname(path)).filter((name) => /new|padded|-damaged$/.test(name))).toEqual([]);
    const { key } = there(a.conversations('work')[0]);
    expect(a.receive(incoming(key))?.row).toBeGreaterThan(there(saved.at(-1)).row);
  });

  test('F12 what was unread or waits to be sent is so still after a salvage, and nothing is sent twice', async () => {
    const path = await filled();
    const first = archive(path);
    const { key, unread } = there(first.conversations('work')[0]);
    const sent = first.enqueue({ key, nonce: nonce('sent'), text: 'was sent', at: 2, scriptKey: 'once' }).row;
    first.settle(sent.row, 'accepted', { id: id('a1') });
    first.close();
    damage(path, 5);
    expect(() => archive(path).since(0, COUNT * 2)).toThrow(expect.objectContaining({ code: 'damaged' }));
    const a = archive(path);
    expect(a.get(key)?.unread).toBe(unread);
    expect(a.byScriptKey('once')).toMatchObject({ state: 'accepted', text: 'was sent' });
    expect(a.outbox('work').map(({ text }) => text)).toEqual(['to send']);
    expect(a.markRead(key, a.lastRow())).toMatchObject({ unread: 0 });
    a.close();
    expect(archive(path).conversations('work')).toHaveLength(1);
    expect(aside(path)).toHaveLength(1);
  });

  test('F12 that was cut off is salvaged as well', async () => {
    const path = await filled();
    truncateSync(path, Math.floor(statSync(path).size * 0.6));
    expect(archive(path).since(0, COUNT * 2).length).toBeGreaterThan(COUNT * 0.2);
    expect(aside(path)).toHaveLength(1);
  });
});
