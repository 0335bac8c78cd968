import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Chat } from '../../adapters/contract.ts';
import { openArchive } from '../../src/archive/archive.ts';
import { openTerminal, type Terminal } from '../e2e/terminal.ts';
import { chatId } from '../hub/network.ts';
import { need } from '../servers/process.ts';
import { imux } from './run.ts';

const source = fileURLToPath(new URL('../../bin/imux.ts', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'imux-completion-'));
const bin = join(home, 'bin');

/** Accounts and conversations as a hub left them; none runs. */
beforeAll(() => {
  for (const folder of ['config', 'data', 'bin']) mkdirSync(join(home, folder), { mode: 0o700 });
  const account = (network: string): object => ({ network, settings: {}, secrets: {} });
  const accounts = { work: account('xmpp'), libera: account('irc') };
  writeFileSync(join(home, 'config', 'accounts.json'), JSON.stringify({ accounts }));
  const archive = openArchive(join(home, 'data', 'archive.db'));
  const chat = (address: string, title = address): Chat => ({ id: chatId(address), kind: 'direct', address, title });
  archive.conversation('work', chat('alice@example.org', 'Alice'));
  archive.conversation('work', chat('alison@example.org'));
  archive.conversation('work', chat("o'brien@example.org", 'Bad\tname'));
  archive.conversation('libera', chat('#ops'));
  archive.flush();
  archive.close();
  writeFileSync(join(bin, 'imux'), `#!/bin/sh\nexec '${process.execPath}' '${source}' "$@"\n`);
  chmodSync(join(bin, 'imux'), 0o755);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** What fish would be offered at the end of these words. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const { stdout, stderr, code } = await imux(['__complete', 'fish', '--', ...words], { home });
  expect([stderr, code]).toEqual(['', 0]);
  return stdout.split('\n').filter((line) => line !== '');
}

const values = (lines: readonly string[]): readonly string[] => lines.map((line) => line.split('\t')[0] ?? '');

describe('what is completed', () => {
  it('verbs with a few words about each', async () => {
    const lines = await offered('se');
    expect(lines).toContainEqual(expect.stringMatching(/^send\t\S/));
    expect(values(await offered(''))).toEqual(expect.arrayContaining(['account', 'send', 'watch', 'hub']));
    expect(values(await offered(''))).not.toContain('__complete');
  });

  it('options, as the help of the verb has them', async () => {
    expect(values(await offered('send', '--'))).toEqual(expect.arrayContaining(['--wait', '--id', '--json', '--help']));
    expect(values(await offered('send', '--wa'))).toEqual(['--wait']);
  });

  it('values of options', async () => {
    expect(values(await offered('send', '--wait', ''))).toEqual(['queued', 'accepted', 'delivered']);
    expect(values(await offered('send', '--wait=d'))).toEqual(['--wait=delivered']);
    expect(values(await offered('watch', '--account', ''))).toEqual(['work', 'libera']);
    expect(await offered('send', '--file', '')).toEqual([':files']);
    expect(await offered('send', '--timeout', '')).toEqual([]);
  });

  it('what an account or a hub can be told, and names of accounts', async () => {
    expect(values(await offered('account', ''))).toEqual(expect.arrayContaining(['add', 'list', 'check']));
    expect(values(await offered('account', 'check', ''))).toEqual(['work', 'libera']);
    expect(await offered('account', 'add', 'xmpp', '')).toEqual([]);
    expect(values(await offered('hub', 'st'))).toEqual(['start', 'stop', 'status']);
    expect(values(await offered('completion', ''))).toEqual(['bash', 'zsh', 'fish']);
  });

  it('targets: the account first, then the addresses known to it', async () => {
    expect(values(await offered('send', ''))).toEqual(['work:', 'libera:']);
    expect(await offered('send', 'work:al')).toEqual(
      expect.arrayContaining(['work:alice@example.org\tAlice', 'work:alison@example.org\t']),
    );
    expect(values(await offered('watch', 'libera:#ops', 'libera:'))).toEqual(['libera:#ops']);
    expect(values(await offered('send', '--json', 'libera:'))).toEqual(['libera:#ops']);
  });

  it('no text, and nothing after --', async () => {
    expect(await offered('send', 'libera:#ops', '--', '')).toEqual([]);
    expect(await offered('ask', 'libera:#ops', '')).toEqual([]);
  });

  it('a name from a network cannot break the list', async () => {
    expect(await offered('send', 'work:o')).toEqual(["work:o'brien@example.org\tBad name"]);
  });

  it('nothing, quietly, where nothing is known or the accounts file is broken', async () => {
    const empty = join(home, 'empty');
    mkdirSync(join(empty, 'config'), { recursive: true });
    expect(await imux(['__complete', 'fish', '--', 'send', ''], { home: empty })).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
    writeFileSync(join(empty, 'config', 'accounts.json'), '{ broken');
    expect(await imux(['__complete', 'fish', '--', 'send', ''], { home: empty })).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  it('of the profile that the line names', async () => {
    expect(await offered('--profile', 'other', 'send', '')).toEqual([]);
  });
});

interface Shell {
  readonly name: string;
  readonly args: readonly string[];
  readonly setUp: string;
}

const shells: readonly Shell[] = [
  { name: 'bash', args: ['--norc', '--noprofile', '-i'], setUp: 'source <(imux completion bash)' },
  { name: 'zsh', args: ['-f', '-i'], setUp: 'autoload -Uz compinit; compinit -u -D; source <(imux completion zsh)' },
  { name: 'fish', args: ['--no-config', '-i'], setUp: 'imux completion fish | source' },
];

describe.each(shells)('in a real $name', ({ name, args, setUp }) => {
  const missing = !need(`completion in ${name}`, name);
  let terminal: Terminal | undefined;

  async function ready(): Promise<Terminal> {
    const env = { HOME: home, IMUX_HOME: home, PATH: `${bin}:${process.env.PATH}`, PS1: '> ', ZDOTDIR: home };
    terminal = openTerminal(name, args, { env, columns: 200 });
    terminal.type(`${setUp}\r`);
    terminal.type('echo re""ady\r');
    await terminal.shows(/^ready/m);
    return terminal;
  }

  it.skipIf(missing)('completes a verb, an option and a target past colon and at', async () => {
    const shell = await ready();
    try {
      shell.type('echo imux=1; imux sen\t');
      await shell.shows('imux send ');
      shell.type('--wai\t');
      await shell.shows('imux send --wait ');
      shell.type('deliv\t');
      await shell.shows('--wait delivered ');
      shell.type('lib\t');
      await shell.shows('delivered libera:');
      shell.type('\t');
      await shell.shows(/libera:\\?#ops/);
      shell.type(' work:alic\t');
      await shell.shows(/work:alice\\?@example\.org/);
      shell.type(' work:alison@ex\t');
      await shell.shows(/work:alison\\?@example\.org/);
    } finally {
      shell.kill('SIGKILL');
    }
  });

  it.skipIf(missing)('what it inserts is one word, whatever a network calls its people', async () => {
    const shell = await ready();
    const imux = join(bin, 'imux');
    const program = readFileSync(imux);
    try {
      shell.type('imux send work:o\t');
      await shell.shows(/send work:o.*brien\\?@example\.org/);
      // The line is written: by the time it is run, imux only shows what it is given.
      writeFileSync(imux, '#!/bin/sh\nprintf "<%s>" "$@"\n', { mode: 0o755 });
      shell.type('\r');
      await shell.shows("<send><work:o'brien@example.org>");
    } finally {
      writeFileSync(imux, program, { mode: 0o755 });
      shell.kill('SIGKILL');
    }
  });
});
