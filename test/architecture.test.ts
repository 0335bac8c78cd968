import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { heavy } from '../bin/heavy.ts';

const root = new URL('..', import.meta.url).pathname;
const files = globSync('{adapters,accounts,src,bin}/**/*.{ts,tsx}', { cwd: root }).sort();
const source = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));

interface Import {
  readonly from: string;
  readonly to: string;
  /** `import type`: erased, so it ties no code. */
  readonly typeOnly: boolean;
  readonly lazy: boolean;
}

const imports: readonly Import[] = files.flatMap((from) => {
  const text = source.get(from) ?? '';
  const found: Import[] = [];
  for (const [, typed, path] of text.matchAll(/^(?:import|export)\s+(type\s)?[^;'"]*?from\s+'(\.[^']+)'/gm)) {
    found.push({ from, to: normalize(join(dirname(from), path ?? '')), typeOnly: typed !== undefined, lazy: false });
  }
  for (const [, path] of text.matchAll(/import\('(\.[^']+)'\)/g)) {
    found.push({ from, to: normalize(join(dirname(from), path ?? '')), typeOnly: false, lazy: true });
  }
  return found;
});

/** The room that a file stands in: an adapter's own folder, or the folder of src. */
function roomOf(file: string): string {
  // The library stands before the rooms, as bin does.
  if (file === 'src/index.ts') return file;
  const [top = '', second = ''] = file.split('/');
  if (top === 'adapters') return second.includes('.') ? 'adapters' : `adapters/${second}`;
  if (top === 'src') return second.includes('.') ? 'src' : `src/${second}`;
  return top;
}

/** For each room, the rooms that its code may import; a file in `types` may be imported for its types by anybody. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  accounts: ['adapters'],
  'src/core': ['adapters', 'src'],
  'src/archive': ['adapters', 'src/core'],
  'src/link': ['adapters', 'src'],
  'src/hub': ['adapters', 'accounts', 'src', 'src/core', 'src/archive', 'src/link'],
  'src/cli': ['src', 'src/link', 'src/tui', 'src/hub', 'src/demo'],
  'src/tui': ['src', 'src/link', 'src/core'],
  'src/demo': ['src'],
  bin: ['src/cli'],
  'src/index.ts': ['src', 'src/link'],
  src: [],
  adapters: [],
};
const types = [
  'adapters/contract.ts',
  'adapters/errors.ts',
  'src/link/messages.ts',
  'src/archive/types.ts',
  'accounts/account.ts',
];

describe('architecture', () => {
  it('no arrow leads where the picture has none', () => {
    const wrong = imports.filter(({ from, to, typeOnly, lazy }) => {
      const [here, there] = [roomOf(from), roomOf(to)];
      if (here === there || (typeOnly && types.includes(to))) return false;
      // The list of networks is the one place that knows the adapters, and loads them only when needed.
      if (from === 'adapters/index.ts') return !(lazy && there.startsWith('adapters/'));
      if (here.startsWith('adapters/')) return there !== 'adapters' || to === 'adapters/index.ts';
      return !(allowed[here] ?? []).includes(there);
    });
    expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  it('no verb draws a network, the core or the screen into the one small file of all verbs', () => {
    const beside: readonly string[] = Object.values(heavy).map((source) => `src/${source}`);
    const inside = new Set(['bin/imux.ts']);
    for (const file of inside) {
      for (const { from, to, typeOnly } of imports)
        if (from === file && !typeOnly && !beside.includes(to.replace(/\.tsx?$/, ''))) inside.add(to);
    }
    expect(inside).toContain('src/cli/send.ts');
    const large =
      /^(adapters\/[^/]+\/|src\/(core|tui)\/|src\/demo\/(stages|[a-z-]+server|bot-api)|src\/archive\/archive\.ts)/;
    expect([...inside].filter((file) => large.test(file))).toEqual([]);
  });

  it('core builds on the contract, not on a network, an account or the wire', () => {
    const own = imports.filter(({ from, to }) => from.startsWith('src/core/') && to.startsWith('adapters/'));
    expect([...new Set(own.map(({ to }) => to))].sort()).toEqual(['adapters/contract.ts', 'adapters/errors.ts']);
  });

  it('no file imports itself in a circle, not for types either', () => {
    const graph = new Map<string, string[]>();
    for (const { from, to, lazy } of imports) {
      if (!lazy) graph.set(from, [...(graph.get(from) ?? []), to]);
    }
    expect(circles(graph)).toEqual([]);
  });

  it('no network is named outside its adapter, the list of networks, the demo and the presets', () => {
    const names = /['"`](xmpp|irc|telegram|loopback)['"`]/;
    const named = [...source]
      .filter(([file]) => !file.startsWith('adapters/') && !file.startsWith('src/demo/') && file !== 'src/cli/demo.ts')
      .filter(([, text]) => names.test(text.replace(/^\s*(\*|\/\/).*$/gm, '')))
      .map(([file]) => file);
    expect(named).toEqual([]);
  });

  it('a Session is held by accounts/account.ts alone', () => {
    const holders = [...source]
      .filter(
        ([file, text]) =>
          !file.startsWith('adapters/') && /\.open\(|: Session\b(?!\[)/.test(text) && /contract\.ts/.test(text),
      )
      .map(([file]) => file)
      .filter((file) => !file.startsWith('accounts/'));
    expect(holders).toEqual([]);
  });

  it('every adapter has the same file names', () => {
    for (const network of ['xmpp', 'irc', 'telegram', 'loopback']) {
      for (const name of ['index.ts', 'settings.ts', 'session.ts', 'inbound.ts', 'outbound.ts']) {
        expect(files).toContain(`adapters/${network}/${name}`);
      }
    }
  });

  it('there is no `any`, no non-null assertion and no file that silences the compiler', () => {
    const code = [...source].map(([file, text]) => [file, text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '')] as const);
    const bad = code.filter(
      ([file, text]) =>
        /\bas any\b|: any\b|<any>/.test(text) || /@ts-(ignore|nocheck|expect-error)/.test(source.get(file) ?? ''),
    );
    expect(bad.map(([file]) => file)).toEqual([]);
  });
});

function circles(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      found.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      return;
    }
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}
