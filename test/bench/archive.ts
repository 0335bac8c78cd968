import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LinkClient } from '../../src/link/client.ts';
import { findPaths, type Paths } from '../../src/paths.ts';
import { tempDir } from '../servers/process.ts';
import { type Corpus, dice, seedArchive, talk } from './corpus.ts';
import { benchHub, program } from './hub.ts';
import { type Figure, median, memoryOf, percentile, settled, sleep } from './measure.ts';

const MILLION = 1_000_000;
const SEARCHES = 60;
const STARTS = 7;

/** Searching, paging, starting and holding an archive of a million messages, as a front meets them. */
export async function archiveOfMillion(): Promise<readonly Figure[]> {
  const small = await withArchive(MILLION / 10, async (link, corpus, pid) => {
    await searches(link, corpus);
    return await restingMemory(pid);
  });
  return await withArchive(MILLION, async (link, corpus, pid, home) => {
    const figures = await searches(link, corpus);
    const pages = await lastPages(link);
    const memory = await restingMemory(pid);
    return [
      ...figures,
      pages,
      {
        name: 'hub memory, archive of 1,000,000 against 100,000',
        value: memory / small,
        unit: 'x',
        bound: 1.25,
        note: `${mega(memory)} against ${mega(small)} MB`,
      },
      await starts(home),
    ];
  });
}

const mega = (bytes: number): string => (bytes / 1e6).toFixed(0);

async function withArchive<T>(
  count: number,
  measure: (link: LinkClient, corpus: Corpus, pid: number, home: string) => Promise<T>,
): Promise<T> {
  let corpus: Corpus | undefined;
  const hub = await benchHub({}, async (paths) => {
    await accountsFile(paths);
    corpus = await seedArchive(join(paths.data, 'archive.db'), count);
  });
  try {
    if (!corpus) throw new Error('nothing was prepared');
    return await measure(hub.link, corpus, hub.pid, hub.home);
  } finally {
    await hub.stop();
  }
}

/** Of the archive's accounts, switched off: their conversations are in the list all the same. */
async function accountsFile({ config }: Paths): Promise<void> {
  const names = Array.from({ length: 5 }, (_, n) => `account${n}`);
  const accounts = Object.fromEntries(names.map((name) => [name, { network: 'loopback', enabled: false }]));
  await mkdir(config, { recursive: true, mode: 0o700 });
  await writeFile(join(config, 'accounts.json'), JSON.stringify({ accounts }), { mode: 0o600 });
}

/** What is left once it has nothing to do. */
async function restingMemory(pid: number): Promise<number> {
  await settled(pid);
  return memoryOf(pid);
}

async function searches(link: LinkClient, { texts, talk: words }: Corpus): Promise<readonly Figure[]> {
  const text = (n: number): string => texts[(n * 31) % texts.length] ?? '';
  const phrase = (): string => {
    let said = words.common();
    while (said.length < 20) said += ` ${words.common()}`;
    return said.slice(0, 20).trim();
  };
  const kinds: Readonly<Record<string, (n: number) => string>> = {
    'a common word': () => words.common(),
    'a rare word': () => words.rare(),
    '20 characters of a message': (n) => `"${text(n).slice(2, 22).trim()}"`,
    '20 characters of very common words': () => `"${phrase()}"`,
    'two words of one chat': (n) => `in:"Chat ${n}" ${words.common()} ${words.rare()}`,
    'a word of one person': (n) => `from:user${n} ${words.common()}`,
    'two characters': () => words.rare().slice(0, 2),
  };
  const figures: Figure[] = [];
  for (const [kind, query] of Object.entries(kinds)) {
    const times: number[] = [];
    for (let n = 0; n < SEARCHES; n++) {
      const asked = query(n);
      const from = performance.now();
      await link.call('search', { query: asked, limit: 50 });
      times.push(performance.now() - from);
    }
    figures.push({ name: `search for ${kind}, p95`, value: percentile(times, 95), unit: 'ms', bound: 20 });
  }
  return figures;
}

async function lastPages(link: LinkClient): Promise<Figure> {
  const { conversations } = await link.call('archive.conversations', {});
  const { messages } = await link.call('messages.since', { after: '0', limit: 1000 });
  const keys = [...new Set(messages.map(({ conversation }) => conversation))];
  const times: number[] = [];
  for (const conversation of keys) {
    const from = performance.now();
    await link.call('messages.page', { conversation, limit: 100 });
    times.push(performance.now() - from);
  }
  const note = `${times.length} of ${conversations.length} conversations`;
  return { name: 'last 100 messages of a conversation, p95', value: percentile(times, 95), unit: 'ms', bound: 5, note };
}

/** From the start of the process to a socket that accepts. */
async function starts(home: string): Promise<Figure> {
  const env = { ...process.env, IMUX_HOME: `${home}-start` };
  const data = findPaths(env).data;
  await mkdir(join(data, '..'), { recursive: true, mode: 0o700 });
  await accountsFile(findPaths(env));
  await cp(findPaths({ IMUX_HOME: home }).data, data, {
    recursive: true,
    filter: (path) => !path.endsWith('hub.lock'),
  });
  const times: number[] = [];
  const socket = join(findPaths(env).run, 'hub.sock');
  for (let run = 0; run < STARTS; run++) {
    const from = performance.now();
    const child = spawn(process.execPath, [program, 'hub', 'run'], { env, stdio: 'ignore' });
    while (!(await accepts(socket))) await sleep(2);
    times.push(performance.now() - from);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }
  await rm(`${home}-start`, { recursive: true, force: true });
  const note = `slowest of ${STARTS}: ${Math.max(...times).toFixed(0)} ms`;
  return { name: 'hub start with 1,000,000 messages, median', value: median(times), unit: 'ms', bound: 400, note };
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** `imux import` of twenty WeeChat logs through a running hub. */
export async function importing(count: number): Promise<readonly Figure[]> {
  const logs = await tempDir('bench-logs');
  const next = dice(7);
  const words = talk(next);
  const files = 20;
  for (let file = 0; file < files; file++) {
    const lines: string[] = [];
    for (let n = 0; n < count / files; n++) {
      const at = new Date(Date.UTC(2020, 0, 1) + n * 60_000).toISOString().slice(0, 19).replace('T', ' ');
      lines.push(`${at}\tuser${Math.floor(next() * 50)}\t${words.text()}`);
    }
    await writeFile(join(logs.path, `irc.libera.#room${file}.weechatlog`), `${lines.join('\n')}\n`);
  }
  const hub = await benchHub();
  const from = performance.now();
  await promisify(execFile)(process.execPath, [program, 'import', logs.path], { env: hub.env });
  const seconds = (performance.now() - from) / 1000;
  const { messages } = await hub.link.call('archive.export', { after: String(count - 1), limit: 10 });
  await hub.stop();
  await logs.remove();
  if (messages.length !== 1) throw new Error('not all of it was imported');
  const note = `${Math.round(count / seconds).toLocaleString('en')} a second; ${count.toLocaleString('en')} of ${files} WeeChat logs`;
  return [{ name: 'imux import, 10,000 messages', value: seconds / (count / 10_000), unit: 's', bound: 1, note }];
}
