import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { builtinsAtHand } from '../../bin/builtins.ts';

async function bundled(source: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    minifySyntax: true,
    treeShaking: true,
    plugins: [builtinsAtHand],
  });
  return outputFiles[0]?.text ?? '';
}

const run = async (source: string): Promise<Record<string, unknown>> =>
  await import(`data:text/javascript,${encodeURIComponent(await bundled(source))}`);

describe("Node's modules in the bundle", () => {
  it('are taken without an import, and of each only what is used', async () => {
    const text = await bundled(`import { join } from 'node:path'; export const path = join('a', 'b');`);
    expect(text).not.toMatch(/\bimport\b/);
    expect(text).toContain('getBuiltinModule("node:path")');
    expect(text).not.toContain('whole.resolve');
  });

  it('are the same by name, as a whole, by default and by require', async () => {
    const { all } = await run(`
      import { join } from 'node:path';
      import * as whole from 'path';
      import byDefault from 'node:path';
      export const all = [join, whole.join, byDefault.join, require('path').join];
    `);
    const { join } = await import('node:path');
    expect(all).toEqual([join, join, join, join]);
  });

  it('known only by their prefix are found too', async () => {
    const { open } = await run(`import { DatabaseSync } from 'node:sqlite'; export const open = DatabaseSync;`);
    expect(open).toBeTypeOf('function');
  });
});
