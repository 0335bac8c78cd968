import { join } from 'node:path';
import { build } from 'esbuild';
import { yogaAtOnce } from '../../bin/yoga.ts';

/** One entry of test/tui as `npm run build` would build it; returns the file to run. */
export async function bundle(entry: string, into: string, plugins = [yogaAtOnce]): Promise<string> {
  await build({
    entryPoints: [new URL(entry, import.meta.url).pathname],
    outdir: into,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minify: true,
    plugins,
    external: ['react-devtools-core'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
    },
    define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' },
    logLevel: 'warning',
  });
  return join(into, entry.replace(/^.*\//, '').replace(/\.ts$/, '.mjs'));
}
