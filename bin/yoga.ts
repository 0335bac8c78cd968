import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/**
 * yoga-layout (under ink) brings its WebAssembly as a data: address and gives it to fetch(), which loads Node's whole
 * HTTP client and compiles in the background: 40–60 ms before the first frame. Here the same bytes are built in and
 * made an instance of at once.
 */
export const yogaAtOnce: Plugin = {
  name: 'yoga-at-once',
  setup(build) {
    const address = /"data:application\/octet-stream;base64,([^"]+)"/;
    build.onLoad({ filter: /yoga-layout[\\/]dist[\\/]src[\\/]index\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const contents = source
        .replace('import wrapAssembly', `import bytes from 'yoga-wasm:bytes';\nimport wrapAssembly`)
        .replace('await loadYoga()', `await loadYoga({ instantiateWasm })`);
      if (!contents.includes('yoga-wasm:bytes') || !contents.includes('{ instantiateWasm }'))
        throw new Error(`${path} is not the yoga-layout that bin/yoga.ts knows`);
      const at = `function instantiateWasm(imports, done) {
        const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
        done(instance);
        return instance.exports;
      }`;
      return { contents: `${contents}\n${at}`, loader: 'js' };
    });
    build.onResolve({ filter: /^yoga-wasm:bytes$/ }, ({ resolveDir }) => ({
      path: `${resolveDir}/../binaries/yoga-wasm-base64-esm.js`,
      namespace: 'yoga-wasm',
    }));
    build.onLoad({ filter: /.*/, namespace: 'yoga-wasm' }, async ({ path }) => {
      const found = address.exec(await readFile(path, 'utf8'))?.[1];
      if (!found) throw new Error(`no WebAssembly in ${path}`);
      return { contents: Buffer.from(found, 'base64'), loader: 'binary' };
    });
    // The loader's own copy is never asked for.
    build.onLoad({ filter: /yoga-wasm-base64-esm\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(address, '"data:application/octet-stream;base64,"'),
      loader: 'js',
    }));
  },
};
