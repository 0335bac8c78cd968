import { defineConfig } from 'vitest/config';

/** Unit tests need nothing but Node; `servers` need the real servers that test/servers installs and starts. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    passWithNoTests: false,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.{ts,tsx}'], exclude: ['test/**/*.servers.test.{ts,tsx}'] },
      },
      {
        extends: true,
        test: {
          name: 'servers',
          include: ['test/**/*.servers.test.{ts,tsx}'],
          testTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
