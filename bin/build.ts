import { chmod, rm } from 'node:fs/promises';
import { build } from 'esbuild';
import { yogaAtOnce } from './yoga.ts';

const out = new URL('../dist/', import.meta.url).pathname;
await rm(out, { recursive: true, force: true });
await build({
  entryPoints: { imux: 'bin/imux.ts' },
  outdir: out,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minify: true,
  sourcemap: false,
  plugins: [yogaAtOnce],
  alias: {
    // telegraf's own HTTP is replaced by ours; node-fetch would only bring a deprecation warning along.
    'node-fetch': './adapters/telegram/transport/no-fetch.ts',
    // The typed client alone: telegraf's index brings its bot framework, 370 kB.
    telegraf: './node_modules/telegraf/lib/telegram.js',
  },
  // Native addon: its loader picks a prebuilt binary beside itself.
  external: ['@napi-rs/keyring', 'react-devtools-core'],
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
  },
  define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' },
  logLevel: 'warning',
});
await chmod(`${out}imux.js`, 0o755);
