import { describe, expect, it } from 'vitest';
import { draw } from '../../src/tui/draw.ts';
import { handle } from '../../src/tui/handle.ts';
import { drawnWidth } from '../../src/tui/message-rows.ts';
import { account, contact, fakeHub, smallTalk, wonderland } from './fake-hub.ts';
import { openApp } from './harness.ts';
import { WIDTH_TABLE } from './widths.ts';

const ALICE = 'work:alice@example.org';

describe('one look at the screen', () => {
  it('shows who wrote, through which account, and every account in the status line', async () => {
    const { rows } = await openApp();
    const text = rows();
    expect(text[2]).toMatch(/^ Unread/);
    expect(text[3]).toMatch(/^ ● Alice Liddell +work +2 /);
    expect(text.join('\n')).toMatch(/# imux +libera +1@/);
    expect(text.join('\n')).toMatch(/○ Carol +gg@work/);
    expect(text.at(-1)).toMatch(/● work {2}● libera {2}● tg +3 unread {2}1 mention {2}\d\d:\d\d$/);
  });

  it('shows the conversation with its day, the line above what is new, delivery, quotes and files', async () => {
    const { press, text } = await openApp();
    await press('alt-1');
    expect(text()).toContain(' Alice Liddell   ● available · in the garden');
    expect(text()).toMatch(/──── Friday 20 November ───/);
    expect(text()).toMatch(/13:59 {2}you +twice today +✓✓/);
    expect(text()).toContain('▏ you: twice today');
    expect(text()).toContain('▤ watch.png  212 kB');
    expect(text()).toMatch(/─ new ─[\s\S]*watch\.png[\s\S]*and you\?/);
  });

  it('reads the same without colour', async () => {
    const coloured = await openApp();
    const plain = await openApp({ env: { NO_COLOR: '1' } });
    for (const one of [coloured, plain]) await one.press('alt-1');
    expect(plain.text()).toBe(coloured.text());
    expect(draw(plain.app).rows.join('')).not.toMatch(/\x1b\[(3|9)\d/);
  });

  it('marks the open row with one bar, whatever colours are in it', async () => {
    const { press, app } = await openApp();
    await press('alt-1');
    const [bar = ''] = /\x1b\[7m.*?\x1b\[27m/.exec(draw(app).rows.join('\n')) ?? [];
    expect(bar).toMatch(/^\x1b\[7m[^\x1b]*● Alice Liddell[^\x1b]*work[^\x1b]*\x1b\[27m$/);
  });

  it('says why an account is not well, and for how long it waits', async () => {
    const { hub, rows, settle } = await openApp();
    hub.tell({
      type: 'account',
      account: account('tg', 'telegram', {
        state: 'waiting',
        retryAt: new Date(Date.now() + 12_000).toISOString(),
        error: { code: 'unreachable', message: 'no route' },
      }),
    });
    hub.tell({
      type: 'account',
      account: account('work', 'xmpp', { state: 'failed', error: { code: 'auth', message: 'wrong password' } }),
    });
    await settle();
    expect(rows().at(-1)).toContain('✗ work wrong password');
    expect(rows().at(-1)).toMatch(/◌ tg waiting 1[12] s: no route/);
  });

  it.each([
    [200, 60],
    [120, 32],
    [80, 24],
    [79, 24],
    [60, 20],
    [59, 10],
    [24, 6],
  ])('fills %i columns and %i rows, and is nowhere wider', async (columns, height) => {
    const { press, app, type } = await openApp({ columns, rows: height });
    await press('alt-1');
    await type(`${'a long text '.repeat(8)}你好`);
    const { rows, cursor } = draw(app);
    expect(rows).toHaveLength(height);
    for (const row of rows) expect(drawnWidth(row), JSON.stringify(row)).toBeLessThanOrEqual(columns);
    expect(cursor.x).toBeLessThan(columns);
    expect(cursor.y).toBeLessThan(height);
  });

  it('has room for a usual name beside its account in 80 columns', async () => {
    const { rows } = await openApp({ columns: 80, rows: 24 });
    expect(rows()[3]).toMatch(/^ ● Alice Liddell work +2 /);
  });

  it('folds the list away below 80 columns, and brings it by one key', async () => {
    const { press, text } = await openApp({ columns: 79, rows: 24 });
    expect(text()).not.toContain('Friends');
    await press('alt-l');
    expect(text()).toContain('Friends');
    await press('down', 'enter');
    expect(text()).toContain('Alice Liddell   ●');
  });

  it('keeps only conversation and prompt below 60 columns', async () => {
    const { press, rows } = await openApp({ columns: 58, rows: 12 });
    await press('alt-1');
    expect(rows().at(-1)).toMatch(/^ work ▸/);
    expect(rows()).toHaveLength(12);
  });

  it('V8 keeps every row of the list to its columns whatever the names', async () => {
    const work = account('work', 'xmpp');
    const contacts = WIDTH_TABLE.map((name, i) => contact(work, `c${i}@x`, name));
    const hub = fakeHub({ accounts: [work], contacts, requests: [], prompts: [] });
    const { app } = await openApp({ hub, rows: 260 });
    for (const row of draw(app).rows.slice(2, -1)) expect(drawnWidth(row)).toBeLessThanOrEqual(120);
  });

  it('V7 draws a message of a million characters, and one of a hundred thousand lines, within 50 ms', async () => {
    const { hub, press, app, settle, text } = await openApp();
    await press('alt-1');
    for (const flood of [
      'x'.repeat(1_000_000),
      'line\n'.repeat(100_000),
      `Z${'\u0301'.repeat(500)}`,
      'نص'.repeat(200_000),
    ]) {
      hub.say(hub.keyOf(ALICE), flood);
      await settle();
      const start = performance.now();
      draw(app);
      expect(performance.now() - start).toBeLessThan(50);
    }
    expect(text()).toContain('characters in all');
    await press('pageup', 'pageup');
    expect(text()).toContain('below');
  });

  it('V9 shows no style that came with a text', async () => {
    const { hub, press, app, settle } = await openApp();
    await press('alt-1');
    hub.say(hub.keyOf(ALICE), '\x1b[8mhidden\x1b[5mblink\x1b[38;5;1mred');
    await settle();
    expect(draw(app).rows.join('')).not.toMatch(/\x1b\[(8|5|38;5;1)m/);
  });
});

describe('L23 what ink would let through', () => {
  const passed: readonly (readonly [what: string, text: string, through: RegExp])[] = [
    ['hidden text', 'a\x1b[8mb', /\x1b\[8m/],
    ['a link with another text', 'a\x1b]8;;http://evil.example\x1b\\b\x1b]8;;\x1b\\', /\x1b\]/],
    ['tag characters', 'a\u{e0061}\u{e0062}b', /[\u{e0020}-\u{e007f}]/u],
    ['a line separator', 'a\u2028b', /\u2028/],
    ['500 combining marks', `a${'\u0301'.repeat(500)}b`, /\u0301{20}/],
  ];

  it.each(passed)(
    'L23 %s in a text, a name, a topic, a status and an error stays off the picture',
    async (_, text, through) => {
      const { hub, press, app, settle } = await openApp();
      const [person, room] = [hub.keyOf(ALICE), hub.keyOf('libera:#imux')];
      const known = (key: string) => [...app.store.rows.values()].find((row) => row.key === key)?.contact;
      const [alice, imux] = [known(person), known(room)];
      if (!alice || !imux) throw new Error('nobody there');
      hub.tell({ type: 'contact', contact: { ...alice, name: text, status: text } });
      hub.tell({ type: 'contact', contact: { ...imux, topic: text, groups: [text] } });
      hub.tell({ type: 'notice', account: 'work', text });
      hub.tell({
        type: 'account',
        account: account('work', 'xmpp', { state: 'failed', error: { code: 'auth', message: text } }),
      });
      await press('alt-1');
      hub.say(person, text);
      await settle();
      expect(draw(app).rows.join('\n')).not.toMatch(through);
      await press('alt-2');
      expect(draw(app).rows.join('\n')).not.toMatch(through);
    },
  );
});

describe('writing', () => {
  it('leaves by the account of the contact, which the prompt names before a key is pressed', async () => {
    const { press, prompt, type, sent, hub } = await openApp();
    await press('alt-2');
    expect(prompt()).toMatch(/^ libera ▸/);
    await type('hello');
    await press('enter');
    expect(sent()).toMatchObject([{ conversation: hub.keyOf('libera:#imux'), text: 'hello' }]);
    expect(prompt()).toMatch(/^ libera ▸ to imux/);
  });

  it('keeps a draft for each conversation', async () => {
    const { press, type, prompt, wait } = await openApp();
    await press('alt-1');
    await type('for Alice');
    await wait(5_000);
    await press('alt-2');
    expect(prompt()).not.toContain('for Alice');
    await press('ctrl-k');
    await type('alice');
    await press('enter');
    expect(prompt()).toContain('for Alice');
  });

  it('asks before sending when the focus changed in the middle of typing', async () => {
    const { press, type, prompt, sent, text } = await openApp();
    await press('alt-1');
    await type('dear Al');
    await press('alt-2');
    await type('ice');
    await press('enter');
    expect(sent()).toEqual([]);
    expect(text()).toMatch(/this was begun for Alice Liddell\. Send it to imux by libera\?/);
    await press('esc');
    expect(prompt()).toContain('ice');
    await press('enter');
    await type('y');
    expect(sent()).toMatchObject([{ text: 'ice' }]);
  });

  it('asks when the text was cut in another chat', async () => {
    const { press, type, text } = await openApp();
    await press('alt-1');
    await type('secret');
    await press('ctrl-u', 'alt-2', 'ctrl-y', 'enter');
    expect(text()).toContain('begun for Alice');
  });

  it('asks when the same person was last written to by another account, and can go by that one', async () => {
    const { press, type, text, sent, hub } = await openApp();
    await press('ctrl-k');
    await type('bob@example');
    await press('enter');
    await type('one');
    await press('enter', 'ctrl-k');
    await type('@bob');
    await press('enter');
    await type('two');
    await press('enter');
    expect(text()).toContain('last time you wrote Bob by work. Send by tg?');
    await type('w');
    expect(sent().map((one) => one.conversation)).toEqual([
      hub.keyOf('work:bob@example.org'),
      hub.keyOf('work:bob@example.org'),
    ]);
  });

  it('gives the text back when the hub does not take it', async () => {
    const { press, type, prompt, hub, text, settle } = await openApp();
    hub.answers.send = () => {
      throw new Error('the disk is full');
    };
    await press('alt-1');
    await type('precious');
    await press('enter');
    await settle();
    expect(prompt()).toContain('precious');
    expect(text()).toContain('work: not sent to Alice Liddell: the disk is full');
  });

  it('V4 a pasted block is text: nothing is sent, no command runs, no key acts', async () => {
    const { app, press, sent, text, hub, exits } = await openApp();
    await press('alt-1');
    handle(app, { type: 'paste', text: '/quit\r\x04\x1b[201~hello\r' });
    expect(text()).toMatch(/work ▸ \/quit\n/);
    expect(sent()).toEqual([]);
    expect(exits).toEqual([]);
    expect(hub.calls.some((call) => call.method === 'hub.stop')).toBe(false);
  });

  it('sends a text that begins with a slash after //, and refuses what is no command', async () => {
    const { press, type, sent, text, prompt } = await openApp();
    await press('alt-1');
    await type('/etc/passwd');
    await press('enter');
    expect(text()).toContain('no such command: /etc/passwd');
    expect(prompt()).toContain('/etc/passwd');
    await press('ctrl-u');
    await type('//etc');
    await press('enter');
    expect(sent()).toMatchObject([{ text: '/etc' }]);
  });

  it('writes to somebody new although the answer is here before the list knows of them', async () => {
    const { press, type, hub, sent, text } = await openApp();
    const work = account('work', 'xmpp');
    hub.answers.resolve = () => ({
      contact: contact(work, 'new@example.org', 'Newcomer'),
      limits: { textBytes: 1000 },
    });
    hub.answers.send = () => new Promise(() => {});
    await type('/msg work:new@example.org hello');
    await press('enter');
    expect(text()).toContain('Newcomer');
    expect(sent().map((one) => one.text)).toEqual(['hello']);
  });

  it('keeps what is being written to somebody when /msg writes to them, and gives the words back if they are refused', async () => {
    const { press, type, hub, prompt, settle, wait } = await openApp();
    await press('alt-1');
    await type('half a thought');
    await press('alt-2');
    await wait(2_000);
    await type('/msg work:alice@example.org hello');
    await press('enter');
    expect(prompt()).toContain('half a thought');
    await press('ctrl-u');
    hub.answers.send = () => Promise.reject(new Error('no'));
    await type('/msg work:alice@example.org again');
    await press('enter');
    await settle();
    expect(prompt()).toContain('again');
  });

  it('tells that we type, again while it lasts, and that we stopped', async () => {
    const { press, type, hub, wait } = await openApp();
    const typing = () => hub.calls.filter((call) => call.method === 'typing').map((call) => call.params);
    await press('alt-1');
    await type('hello');
    expect(typing()).toEqual([{ conversation: hub.keyOf(ALICE), active: true }]);
    await wait(5_000);
    await type(' again');
    expect(typing()).toHaveLength(2);
    await press('enter');
    expect(typing().at(-1)).toEqual({ conversation: hub.keyOf(ALICE), active: false });
  });

  it('corrects the last message, and says so in the prompt', async () => {
    const { press, type, prompt, hub } = await openApp();
    await press('alt-1');
    await type('/edit');
    await press('enter');
    expect(prompt()).toMatch(/^ work ✎ twice today/);
    await type('!');
    await press('enter');
    expect(hub.calls.at(-1)).toMatchObject({ method: 'edit', params: { text: 'twice today!' } });
  });

  it.each(['queued', 'failed'] as const)('corrects a %s message where it waits, not on the network', async (state) => {
    const { press, type, hub, settle, app } = await openApp();
    await press('alt-1');
    await type('to morrow');
    await press('enter');
    const message = app.store.open.get(hub.keyOf(ALICE))?.messages.at(-1);
    if (!message) throw new Error('nothing was written');
    hub.tell({ type: 'message-changed', message: { ...message, state }, what: 'state' });
    await settle();
    await type('/edit tomorrow');
    await press('enter');
    expect(hub.calls.at(-1)).toEqual({ method: 'outbox.edit', params: { message: message.id, text: 'tomorrow' } });
  });

  it('refuses with a reason what the network cannot do, and greys it in the help', async () => {
    const { press, type, text } = await openApp();
    await press('alt-2');
    await type('/react');
    expect(text()).toContain('/react: not possible on irc');
    await press('enter', 'ctrl-u');
    await press('f1');
    expect(text()).toContain('Keys');
    await press('pagedown', 'pagedown');
    expect(text()).toMatch(/not on irc/);
  });

  it('completes commands, accounts and names', async () => {
    const { press, type, prompt } = await openApp();
    await press('alt-2');
    await type('/jo');
    await press('tab');
    expect(prompt()).toContain('/join');
    await type('li');
    await press('tab');
    expect(prompt()).toContain('/join libera:');
    await press('ctrl-u');
    await type('ra');
    await press('tab');
    expect(prompt()).toContain('rabbit:');
  });
});

describe('reading', () => {
  it('tells the hub that it is read only when it is seen: at the end, in front of the person', async () => {
    const { press, hub, wait, app, settle } = await openApp();
    const reads = () => hub.calls.filter((call) => call.method === 'read').length;
    handle(app, { type: 'focus', focused: false });
    await press('alt-1');
    await wait(500);
    expect(reads()).toBe(0);
    handle(app, { type: 'focus', focused: true });
    await wait(500);
    expect(reads()).toBe(1);
    await press('ctrl-r');
    hub.say(hub.keyOf(ALICE), 'unseen');
    await settle();
    await wait(500);
    expect(reads()).toBe(1);
  });

  it('never counts as unread what comes in under the eyes of the person, and tells the hub of it', async () => {
    const { press, hub, wait, rows, settle } = await openApp();
    const reads = () => hub.calls.filter((call) => call.method === 'read').map((call) => call.params);
    await press('alt-1');
    await wait(500);
    const first = hub.say(hub.keyOf(ALICE), 'one');
    await settle();
    expect(rows().at(-1)).toMatch(/ 1 unread/);
    await press('alt-down');
    expect(reads().at(-1)).toEqual({ conversation: hub.keyOf(ALICE), upTo: first.id });
    hub.say(hub.keyOf(ALICE), 'two');
    await wait(500);
    expect(reads()).toHaveLength(3);
    expect(rows().at(-1)).toMatch(/ 1 unread/);
  });

  it('does not move what is read when more arrives, and tells how much is below', async () => {
    const hub = fakeHub(undefined, smallTalk());
    const key = hub.keyOf(ALICE);
    for (let i = 0; i < 40; i++) hub.say(key, `line ${i}`);
    const { press, rows, settle } = await openApp({ hub });
    await press('alt-1', 'pageup');
    const body = rows()
      .slice(2, -4)
      .map((row) => row.slice(37));
    for (let i = 0; i < 3; i++) hub.say(key, `later ${i}`);
    await settle();
    expect(
      rows()
        .slice(2, -4)
        .map((row) => row.slice(37)),
    ).toEqual(body);
    expect(rows().at(-3)).toMatch(/↓ \d+ below/);
    await press('esc');
    expect(rows().join('\n')).toContain('later 2');
  });

  it('loads older pages as one scrolls up, to the first message', async () => {
    const hub = fakeHub(undefined, smallTalk());
    for (let i = 0; i < 200; i++) hub.say(hub.keyOf('tg:@bob'), `line ${i}`);
    const { press, type, text } = await openApp({ hub });
    await press('ctrl-k');
    await type('@bob');
    await press('enter');
    expect(text()).toContain('line 199');
    for (let i = 0; i < 14; i++) await press('pageup');
    expect(text()).toContain('see you at six then');
    for (let i = 0; i < 14; i++) await press('pagedown');
    expect(text()).toContain('line 199');
    expect(text()).not.toContain('below');
  });

  it('finds over all conversations and opens at what was found', async () => {
    const { press, type, text, wait } = await openApp();
    await press('ctrl-r');
    await type('gate');
    await wait(200);
    expect(text()).toMatch(/imux +rabbit: you: can you look at the gate/);
    await press('enter');
    await wait(50);
    expect(text()).toContain('#imux   one list, one screen');
  });

  it('shows what was found in a long text, in 80 columns too', async () => {
    const hub = fakeHub(undefined, smallTalk());
    hub.say(hub.keyOf(ALICE), `${'much ado about nothing '.repeat(10)}and then the mock turtle sighed`);
    const { press, type, text, wait } = await openApp({ hub, columns: 80, rows: 24 });
    await press('ctrl-r');
    await type('mock turtle');
    await wait(200);
    expect(text()).toMatch(/Alice Lidde… ….*mock turtle/);
  });

  it('rings for a mention when nobody looks, and not twice for two', async () => {
    const { app, hub, bells, settle } = await openApp();
    hub.say(hub.keyOf('libera:#imux'), 'you there?', { mention: true });
    handle(app, { type: 'focus', focused: false });
    hub.say(hub.keyOf('libera:#imux'), 'hello');
    hub.say(hub.keyOf('libera:#imux'), 'you there?', { mention: true });
    hub.say(hub.keyOf('libera:#imux'), 'you there?', { mention: true });
    await settle();
    expect(bells).toHaveLength(1);
  });

  it('shows who is typing in the line above the prompt, where nothing moves for it', async () => {
    const { press, hub, rows, settle } = await openApp();
    await press('alt-1');
    const before = rows();
    hub.tell({ type: 'typing', conversation: hub.keyOf(ALICE), name: 'Alice', active: true });
    await settle();
    expect(rows().at(-3)).toContain('Alice is typing …');
    expect(rows().toSpliced(-3, 1)).toEqual(before.toSpliced(-3, 1));
  });
});

describe('accounts, requests and the hub', () => {
  it('begins with a welcome where there is no account, and adds one without a restart', async () => {
    const hub = fakeHub({ accounts: [], contacts: [], requests: [], prompts: [] });
    const { text, type, press, prompt, app, settle } = await openApp({ hub });
    expect(text()).toContain('Welcome to imux.');
    await type('1');
    await type('1');
    await press('enter');
    await type('work');
    await press('enter');
    await type('alice@example.org');
    await press('enter', 'enter');
    handle(app, { type: 'paste', text: 'hunter2\n' });
    expect(prompt()).toContain('not shown');
    expect(text()).not.toContain('hunter2');
    await press('enter');
    await press('enter');
    await settle();
    expect(hub.calls.find((call) => call.method === 'accounts.add')?.params).toMatchObject({
      network: 'xmpp',
      name: 'work',
      secrets: { password: { secret: 'hunter2', into: 'keychain' } },
    });
    expect(text()).toContain('work works');
    expect(text()).toContain('password is kept in: keychain');
  });

  it('asks for the passphrase of the encrypted file while an account is added, unseen, as often as it is needed', async () => {
    const hub = fakeHub({ accounts: [], contacts: [], requests: [], prompts: [] });
    const { text, type, press, prompt, settle } = await openApp({ hub });
    const asked = (id: string): void =>
      hub.tell({
        type: 'prompt',
        prompt: { id, account: 'work', prompt: { kind: 'password', text: 'Choose a passphrase' } },
      });
    hub.answers['accounts.add'] = () => new Promise(() => {});
    hub.answers['prompts.answer'] = () => ({});
    await type('1');
    for (const answer of ['xmpp', 'work', 'alice@example.org', '2', 'hunter2', '']) {
      await type(answer);
      await press('enter');
    }
    expect(text()).toContain('signing in …');
    for (const id of ['p1', 'p2']) {
      asked(id);
      await settle();
      expect(prompt()).toContain('work asks ▸');
      expect(text()).toContain('work asks: Choose a passphrase');
      await type('open sesame');
      expect(text()).not.toContain('open sesame');
      await press('enter');
      expect(hub.calls.at(-1)).toEqual({ method: 'prompts.answer', params: { id, text: 'open sesame' } });
      expect(text()).toContain('signing in …');
    }
  });

  it('removes and switches off accounts, after a yes', async () => {
    const { type, press, hub, text } = await openApp();
    await type('/account remove tg');
    await press('enter');
    expect(hub.calls.some((call) => call.method === 'accounts.remove')).toBe(false);
    await type('y');
    expect(text()).not.toContain('Tea party');
    await type('/account disable libera');
    await press('enter');
    expect(text()).toContain('– libera off');
  });

  it('/nick changes the nick of the account of the open conversation, and of no other', async () => {
    const { type, press, hub } = await openApp();
    hub.answers['accounts.set'] = () => ({ account: account('libera', 'irc') });
    await press('ctrl-k');
    await type('#imux');
    await press('enter');
    await type('/nick hatter');
    await press('enter');
    expect(hub.calls.find((call) => call.method === 'accounts.set')?.params).toEqual({
      account: 'libera',
      settings: { nick: 'hatter' },
      secrets: {},
    });
  });

  it('closes the open conversation of an account that is removed', async () => {
    const { type, press, hub, text, prompt } = await openApp();
    await press('alt-1');
    await type('/account remove work');
    await press('enter');
    await type('y');
    expect(text()).toContain('Nobody is chosen yet.');
    expect(prompt()).not.toContain('work');
    await type('to nobody');
    await press('enter');
    expect(hub.calls.some((call) => call.method === 'send')).toBe(false);
  });

  it('shows a request above the prompt, answered by one key', async () => {
    const { hub, text, press, settle } = await openApp();
    hub.tell({ type: 'request', request: { id: 'r1', account: 'work', kind: 'subscription', from: 'hatter@x' } });
    await settle();
    expect(text()).toMatch(/work: hatter@x wants to see when you are there +\[Alt-Y\] accept/);
    await press('alt-y');
    expect(hub.calls.at(-1)).toEqual({ method: 'requests.answer', params: { id: 'r1', accept: true } });
    expect(text()).not.toContain('hatter');
  });

  it('asks for a login code without taking what is being typed', async () => {
    const { hub, type, press, prompt, settle } = await openApp();
    await press('alt-1');
    await type('half a text');
    hub.tell({
      type: 'prompt',
      prompt: { id: 'p1', account: 'tg', prompt: { kind: 'code', text: 'the code that was sent to you' } },
    });
    await settle();
    expect(prompt()).toContain('half a text');
    await press('alt-y');
    await type('12345');
    await press('enter');
    expect(hub.calls.at(-1)).toEqual({ method: 'prompts.answer', params: { id: 'p1', text: '12345' } });
    expect(prompt()).toContain('half a text');
  });

  it('says that the hub is lost, connects again by itself, and keeps what was written', async () => {
    const { hub, press, type, text, wait, prompt } = await openApp();
    await press('alt-1');
    await type('still here');
    hub.drop(2);
    expect(text()).toContain('hub lost, connecting again');
    await wait(3_000);
    expect(text()).toContain('the hub is back');
    expect(prompt()).toContain('still here');
    hub.say(hub.keyOf(ALICE), 'after the break');
    await wait(10);
    expect(text()).toContain('after the break');
  });

  it('takes a new snapshot when the hub tells it to', async () => {
    const { hub, settle, text } = await openApp();
    const [first] = hub.snapshot.contacts;
    if (!first) throw new Error('no contact');
    hub.answers.subscribe = () => ({ ...wonderland(), contacts: [{ ...first, name: 'Renamed' }] });
    hub.resync();
    await settle();
    expect(text()).toContain('Renamed');
    expect(text()).not.toContain('Carol');
  });

  it('leaves on Ctrl-D only from an empty prompt; /quit ends the hub, and asks where others are attached', async () => {
    const { press, type, exits, hub, text, settle } = await openApp();
    await press('alt-1');
    await type('x');
    await press('ctrl-d');
    expect(exits).toEqual([]);
    await press('ctrl-c', 'ctrl-d');
    expect(exits).toEqual([0]);
    await hub.connect();
    await type('/quit');
    await press('enter');
    await settle();
    expect(text()).toContain('another front is attached');
    await type('y');
    await settle();
    expect(hub.calls.at(-1)?.method).toBe('hub.stop');
  });

  it('a click on a row opens it, and the wheel scrolls', async () => {
    const { app, text, settle } = await openApp();
    handle(app, { type: 'mouse', what: 'press', column: 4, row: 4 });
    await settle();
    draw(app);
    handle(app, { type: 'mouse', what: 'press', column: 4, row: 4 });
    await settle();
    expect(text()).toContain('#imux   one list');
  });

  it('filters the list by what is typed', async () => {
    const { press, type, rows } = await openApp();
    await press('alt-l');
    await type('/dor');
    expect(
      rows()
        .slice(2, 5)
        .map((row) => row.slice(0, 36).trim())
        .filter(Boolean),
    ).toEqual(['○ dormouse              libera']);
    await press('enter');
    expect(rows()[0]).toContain('dormouse');
  });
});
