import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formsOf, optionsOf, readHelp } from '../../src/cli/help-page.ts';
import { manPages } from '../../src/cli/man.ts';
import { verbs } from '../../src/cli/verbs.ts';
import { need } from '../servers/process.ts';

const folder = new URL('../../docs/man/', import.meta.url);
const pages = await manPages();

describe('the man pages', () => {
  it('are what the help of the verbs says (npm run docs)', () => {
    const there = readdirSync(folder).sort();
    expect(there).toEqual(pages.map(({ name }) => name).sort());
    for (const { name, roff } of pages)
      expect([name, readFileSync(new URL(name, folder), 'utf8')]).toEqual([name, roff]);
  });

  it('are where npm looks for them', () => {
    const { directories, files } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect([directories.man, files]).toEqual(['docs/man', expect.arrayContaining(['docs'])]);
  });

  it.skipIf(!need('man pages', 'groff'))('are clean roff that shows options as they are typed', () => {
    for (const { name, roff } of pages) {
      const { stderr } = spawnSync('groff', ['-man', '-ww', '-Tutf8', '-z'], { input: roff });
      expect([name, stderr.toString()]).toEqual([name, '']);
    }
    const send = pages.find(({ name }) => name === 'imux-send.1');
    const shown = spawnSync('groff', ['-man', '-Tascii', '-P-c'], { input: send?.roff ?? '' }).stdout.toString();
    const plain = shown.replace(/.\x08/g, '');
    expect(plain).toContain('--wait STATE');
    expect(plain).toContain('tail -f app.log | imux send --lines libera:#ops');
  });
});

describe.each(Object.entries(verbs))('the help of %s', (name, load) => {
  it('can be read: usage, and for each option what it does', async () => {
    const { help } = await load();
    const page = readHelp(help);
    expect(help).toMatch(/^Usage: imux/);
    expect(page.usage.length).toBeGreaterThan(0);
    for (const option of optionsOf(page)) {
      expect(option.names.length).toBeGreaterThan(0);
      expect([name, option.names, option.text]).not.toEqual([name, option.names, '']);
    }
  });

  it('fits a terminal of 100 columns', async () => {
    const long = (await load()).help.split('\n').filter((line) => line.length > 100);
    expect(long).toEqual([]);
  });
});

describe('a help text', () => {
  const page = readHelp(`Usage: imux x [OPTIONS] TARGET [TARGET…] [-- TEXT…]
       imux x list|show NAME [--json]

Says what it does.

  -m, --message TEXT   the text
      --flag           does
                       a thing

Example:
  imux x | less
`);

  it('gives its options with their names, values and words', () => {
    expect(optionsOf(page)).toEqual([
      { names: ['-m', '--message'], value: 'TEXT', text: 'the text' },
      { names: ['--flag'], value: undefined, text: 'does a thing' },
    ]);
  });

  it('gives the ways to call the verb', () => {
    expect(formsOf(page)).toEqual([
      { word: undefined, takes: ['TARGET', 'TARGET…'] },
      { word: 'list', takes: [] },
      { word: 'show', takes: ['NAME'] },
    ]);
  });

  it('gives its paragraphs and examples', () => {
    expect(page.blocks).toContainEqual({ kind: 'text', text: 'Says what it does.' });
    expect(page.blocks).toContainEqual({ kind: 'examples', lines: ['imux x | less'] });
  });
});
