import { isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

/**
 * Node's own modules by `process.getBuiltinModule`, and of each only what is used. An `import` of one reads all of its
 * exports, and with that loads what few of them need (fs/promises for node:fs, streams for node:util): 3 to 8 ms of
 * CPU for a verb.
 */
export const builtinsAtHand: Plugin = {
  name: 'builtins-at-hand',
  setup(build) {
    build.onResolve({ filter: /^[a-z]/ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return undefined;
      return { path, namespace: kind === 'require-call' ? 'builtin-required' : 'builtin' };
    });
    build.onLoad({ filter: /.*/, namespace: 'builtin-required' }, ({ path }) => ({
      contents: `module.exports = ${take(path)};`,
    }));
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter((name) => name !== 'default' && name !== 'module.exports');
      // Marked as pure, so that esbuild drops those that nothing imports.
      const exports = names.map((name) => `export const ${name} = /* @__PURE__ */ (() => whole.${name})();`);
      return { contents: `const whole = ${take(path)};\nexport default whole;\n${exports.join('\n')}` };
    });
  },
};

const take = (path: string): string => `process.getBuiltinModule(${JSON.stringify(path)})`;
