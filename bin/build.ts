import { execFile } from 'node:child_process';
import { chmod, rm, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { builtinsAtHand } from './builtins.ts';
import { heavy } from './heavy.ts';
import { yogaAtOnce } from './yoga.ts';

const out = new URL('../dist/', import.meta.url).pathname;

/** Of imux.js: it is read at each start. */
const MOST_BYTES = 200_000;

/** Leaves the heavy bundles to be loaded from beside. What they throw is told by its name: classes are not shared. */
const heavyBeside: Plugin = {
  name: 'heavy-beside',
  setup({ onResolve }) {
    onResolve({ filter: /\.tsx?$/ }, ({ path, kind }) => {
      if (kind !== 'dynamic-import') return undefined;
      const found = Object.entries(heavy).find(([, source]) => path.replace(/\.tsx?$/, '') === `../${source}`);
      return found && { path: `./${found[0]}.js`, external: true };
    });
  },
};

const common: BuildOptions = {
  outdir: out,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minify: true,
  sourcemap: false,
  // A native addon, whose loader picks a prebuilt binary beside itself; and a tool of ink's developers, never loaded.
  external: ['@napi-rs/keyring', './devtools.js'],
  define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' },
  logLevel: 'warning',
};

await rm(out, { recursive: true, force: true });
await Promise.all([
  // All verbs are one small file: Node takes longer to load ten modules than to read what only some verbs need.
  build({
    ...common,
    entryPoints: { imux: 'bin/imux.ts', index: 'src/index.ts' },
    plugins: [builtinsAtHand, heavyBeside],
  }),
  build({
    ...common,
    entryPoints: { tui: `./src/${heavy.tui}`, demo: `./src/${heavy.demo}` },
    plugins: [builtinsAtHand, yogaAtOnce],
  }),
  // Each network is loaded with its first account.
  build({
    ...common,
    entryPoints: {
      hub: `./src/${heavy.hub}`,
      offline: `./src/${heavy.offline}`,
      doctor: `./src/${heavy.doctor}`,
    },
    splitting: true,
    alias: {
      // telegraf's own HTTP is replaced by ours; node-fetch would only bring a deprecation warning along.
      'node-fetch': './adapters/telegram/transport/no-fetch.ts',
      // The typed client alone: telegraf's index brings its bot framework, 370 kB.
      telegraf: './node_modules/telegraf/lib/telegram.js',
    },
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
    },
  }),
]);
await chmod(`${out}imux.js`, 0o755);
const { size } = await stat(`${out}imux.js`);
if (size > MOST_BYTES)
  throw new Error(`imux.js has ${size} bytes, and each verb reads all of it: name in \`heavy\` what a verb imports`);

// The types of the library; the bundler makes none.
const compiler = new URL('../node_modules/typescript/bin/tsc', import.meta.url).pathname;
await promisify(execFile)(process.execPath, [
  compiler,
  '--project',
  new URL('tsconfig.types.json', import.meta.url).pathname,
]);
