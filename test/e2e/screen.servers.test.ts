import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { need, waitFor } from '../servers/process.ts';
import { type Prosody, startProsody } from '../servers/prosody.ts';
import { type Home, isAlive, openHome } from './home.ts';
import { type Listener, listenXmpp, sayXmpp } from './servers.ts';
import type { Terminal } from './terminal.ts';

const ENTER = '\r';
const ESCAPE = '\x1b';
const CTRL_D = '\x04';
const CTRL_K = '\x0b';
const bobs = { name: 'bob', password: 'bob-pw' };

describe.skipIf(!need('the screen on a real server', 'prosody', 'go-sendxmpp'))('the screen on Prosody', () => {
  let prosody: Prosody;
  let bob: Listener;
  let home: Home;
  let hub = 0;
  beforeAll(async () => {
    prosody = await startProsody({ users: [{ name: 'alice', password: 'alice-pw' }, bobs] });
    await prosody.roster('alice', [{ jid: 'bob@localhost', name: 'Bob', groups: ['Friends'] }]);
    bob = await listenXmpp(prosody, 'bob', 'bob-pw');
    home = await openHome({ IMUX_PASSPHRASE_COMMAND: 'printf passphrase' });
  });
  afterAll(async () => {
    await home?.end();
    await bob?.stop();
    await prosody?.stop();
  });

  /** Answers one question: waits until it is asked. */
  async function answer(screen: Terminal, question: string | RegExp, text: string): Promise<void> {
    await screen.shows(question);
    screen.type(text + ENTER);
  }

  /** From a page. What is typed right behind an Escape would be a key with Alt. */
  async function goBack(screen: Terminal): Promise<void> {
    screen.type(ESCAPE);
    await screen.shows('Nobody is chosen yet.');
  }

  async function open(columns: number, rows: number, env: NodeJS.ProcessEnv = {}): Promise<Terminal> {
    const screen = home.screen({ columns, rows, env });
    await screen.shows(columns < 60 ? '▸' : '● work');
    return screen;
  }

  async function goTo(screen: Terminal, name: string): Promise<void> {
    screen.type(CTRL_K);
    await screen.shows('▸');
    screen.type(name + ENTER);
    await screen.shows(/work ▸/);
  }

  it('without an account it welcomes, asks one thing at a time, and ends signed in', async () => {
    const screen = home.screen({ columns: 80, rows: 24 });
    await answer(screen, 'Welcome to imux.', '1');
    await answer(screen, 'Which network', 'xmpp');
    await answer(screen, 'How do you want to call this account?', 'work');
    await answer(screen, /Address ▸/, 'alice@localhost');
    // The secret, given too early, does not stay on the screen.
    await answer(screen, /Keep it in ▸/, 'alice-pw');
    await screen.shows('1, 2, 3 or 4');
    expect(screen.rows().join('\n')).not.toContain('alice-pw');
    await answer(screen, /Keep it in ▸/, 'file');
    await screen.shows(/Password ▸/);
    screen.type('alice-pw');
    await screen.shows(/Password ▸ \S+/);
    expect(screen.rows().join('\n')).not.toContain('alice-pw');
    screen.type(ENTER);
    await answer(screen, /Sign in ▸/, `server=127.0.0.1:${prosody.ports.c2s}`);
    await answer(screen, `server=127.0.0.1:${prosody.ports.c2s}`, `ca=${prosody.ca}`);
    await answer(screen, `ca=${prosody.ca}`, '');
    await screen.shows('work works');
    await screen.shows(/✓ sign-in +connected and signed in as/);
    screen.type(ESCAPE);
    await screen.shows('● work');
    await screen.shows(/Friends\s*\n.*Bob +work/);
    screen.type(CTRL_D);
    expect(await screen.exited).toBe(0);
    hub = await home.hubPid();
  });

  it('the prompt names the account that a message leaves by, and the message says that the server has it', async () => {
    const screen = await open(120, 40);
    await goTo(screen, 'Bob');
    screen.type('from the screen');
    await screen.shows(/work ▸ from the screen/);
    screen.type(ENTER);
    await bob.hears('from the screen');
    await screen.shows(/you +from the screen +✓/);
    screen.type(CTRL_D);
    expect(await screen.exited).toBe(0);
  });

  it('F11 Ctrl-D leaves the hub behind, and the next screen shows what came meanwhile', async () => {
    expect(isAlive(hub)).toBe(true);
    await sayXmpp(prosody, bobs, 'alice@localhost', 'while you were away');
    const screen = await open(100, 30);
    await screen.shows(/Bob +work +1/);
    await screen.shows('1 unread');
    await goTo(screen, 'Bob');
    await screen.shows(/Bob +while you were away/);
    await waitFor(async () => (await home.json(['contacts', '--json'])).every(({ unread }) => unread === 0));
    screen.type(CTRL_D);
    expect(await screen.exited).toBe(0);
    expect(await home.hubPid()).toBe(hub);
  });

  it('F11 a terminal that is closed, or a screen that is killed, takes nothing with it', async () => {
    for (const signal of ['SIGHUP', 'SIGKILL'] as const) {
      const screen = await open(80, 24);
      await goTo(screen, 'Bob');
      screen.kill(signal);
      await screen.exited;
      expect(isAlive(screen.pid)).toBe(false);
      await sayXmpp(prosody, bobs, 'alice@localhost', `after ${signal}`);
      const again = await open(80, 24);
      await goTo(again, 'Bob');
      await again.shows(`after ${signal}`);
      again.type(CTRL_D);
      expect(await again.exited).toBe(0);
      expect(await home.hubPid()).toBe(hub);
    }
  });

  it('two screens show the same, and a draft of one is not sent by the other', async () => {
    const [one, two] = [await open(100, 30), await open(80, 24)];
    await goTo(one, 'Bob');
    await goTo(two, 'Bob');
    two.type('a draft');
    one.type(`seen in both${ENTER}`);
    for (const screen of [one, two]) await screen.shows(/you +seen in both +✓/);
    await two.shows('▸ a draft');
    expect(bob.heard()).not.toContain('a draft');
    for (const screen of [one, two]) screen.kill('SIGHUP');
    await Promise.all([one.exited, two.exited]);
  });

  it('it fits the terminal: wide, 80 columns, under 60, and back', async () => {
    const screen = await open(120, 40);
    await goTo(screen, 'Bob');
    screen.type('a draft that stays');
    for (const [columns, rows, list, status] of [
      [80, 24, true, true],
      [79, 24, false, true],
      [60, 20, false, true],
      [50, 12, false, false],
      [120, 40, true, true],
    ] as const) {
      screen.resize(columns, rows);
      await waitFor(
        () => {
          const shown = screen.rows();
          const [last = '', above = ''] = [shown.at(-1), shown.at(-2)];
          return (
            shown.some((row) => row.startsWith(' Contacts')) === list &&
            /● work/.test(last) === status &&
            (status ? above : last).includes('work ▸ a draft that stays')
          );
        },
        { what: `the picture in ${columns}x${rows}:\n${screen.rows().join('\n')}` },
      );
      expect(screen.rows()).toHaveLength(rows);
    }
    screen.kill('SIGHUP');
    await screen.exited;
  });

  it('NO_COLOR: no colour is written, and the same is said without it', async () => {
    const screen = await open(80, 24, { NO_COLOR: '1' });
    await goTo(screen, 'Bob');
    await screen.shows('while you were away');
    expect(screen.raw()).not.toMatch(/\x1b\[[\d;]*(?:3[0-8]|4[0-8]|9[0-7])(?:;[\d;]*)?m/);
    expect(
      screen
        .cells()
        .flat()
        .filter(({ colour }) => colour !== undefined),
    ).toEqual([]);
    screen.kill('SIGHUP');
    await screen.exited;
  });

  it('an account is added, checked and removed while it runs', async () => {
    const screen = await open(100, 30);
    await answer(screen, '▸', '/account add loopback');
    await answer(screen, 'How do you want to call this account?', 'toy');
    await answer(screen, /Sign in ▸/, '');
    await screen.shows('toy works');
    await screen.shows(/● work +● toy/);
    await goBack(screen);
    await answer(screen, '▸', '/account check work');
    await screen.shows('work works');
    await goBack(screen);
    await answer(screen, '▸', '/account remove toy');
    await screen.shows(/\[y\]/);
    screen.type('y');
    await screen.seen((rows) => !rows.at(-1)?.includes('toy'));
    expect((await home.json(['account', 'list', '--json'])).map(({ account }) => account)).toEqual(['work']);
    screen.type(CTRL_D);
    expect(await screen.exited).toBe(0);
  });

  it('says what is wrong with an account, and what to do, before all that is well', async () => {
    const screen = await open(80, 24);
    const server = ['--set', `server=127.0.0.1:${prosody.ports.c2s}`, '--set', `ca=${prosody.ca}`];
    const wrong = ['account', 'add', 'xmpp', 'wrong', '--set', 'jid=bob@localhost', ...server];
    expect((await home.imux([...wrong, '--secret-command', 'echo not-it'])).code).toBe(0);
    await screen.shows(/✗ wrong the server refused/);
    await answer(screen, '▸', '/account check wrong');
    await screen.shows(/wrong does not work\s*\n.*\n.*✗ sign-in +not let in/);
    await screen.shows('/account secret wrong gives the secret again');
    await home.imux(['account', 'remove', 'wrong']);
    await screen.seen((rows) => !rows.at(-1)?.includes('wrong'));
    screen.kill('SIGHUP');
    await screen.exited;
  });

  it('a hub that somebody stops stays stopped, whoever else has a screen open, until that person wants it', async () => {
    const [mine, other] = [await open(100, 30), await open(100, 30)];
    await answer(mine, '▸', '/quit');
    await answer(mine, 'another front is attached', 'y');
    expect(await mine.exited).toBe(0);
    await other.shows('the hub was stopped');
    await waitFor(() => !isAlive(hub), { what: 'the hub to be gone' });
    expect((await home.imux(['hub', 'status'])).code).toBe(69);
    await answer(other, '▸', '/connect');
    await other.shows('the hub is back');
    await other.shows('● work');
    hub = await home.hubPid();

    // Stopped and started from outside, as by an upgrade: the screen finds the new one by itself.
    await home.imux(['hub', 'stop']);
    await other.shows('the hub was stopped');
    await home.imux(['hub', 'start']);
    await other.shows('the hub is back');
    hub = await home.hubPid();
    other.type(CTRL_D);
    expect(await other.exited).toBe(0);
  });

  it('/quit ends the hub as well, and gives the terminal back', async () => {
    const screen = await open(80, 24);
    await answer(screen, '▸', '/quit');
    await waitFor(() => !isAlive(hub), { what: 'the hub to be gone' });
    expect(await screen.exited).toBe(0);
    expect(screen.raw()).toContain('\x1b[?1049l');
    expect(screen.replies()).toBe('');
  });
});
