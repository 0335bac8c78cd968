import { defineConfig } from 'vitest/config';

const tests = 'test/**/*.test.{ts,tsx}';
const servers = 'test/**/*.servers.test.{ts,tsx}';
const faults = 'test/faults/*.test.ts';
/** Whole programs and whole networks, if only in this process: seconds each, where a unit test takes milliseconds. */
const whole = [
  'test/{contract,cli,hub,e2e,library}/**/*.test.{ts,tsx}',
  'test/accounts/{secrets,settings}.test.ts',
  'test/archive/{durability,search}.test.ts',
  'test/link/server.test.ts',
  'test/tui/terminal.test.ts',
  'test/adapters/irc/{history,session,sign-in,hostile,message}.test.ts',
  'test/adapters/telegram/faults.test.ts',
  'test/adapters/xmpp/transport/{management,proxy,sasl,stream,tls,xml}.test.ts',
];

/** `unit` is what one runs while working; `whole` needs nothing but Node either; `servers` needs those of test/servers, and `faults` break things. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    passWithNoTests: false,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    globalSetup: ['test/e2e/build.ts'],
    projects: [
      { extends: true, test: { name: 'unit', include: [tests], exclude: [servers, faults, ...whole] } },
      { extends: true, test: { name: 'whole', include: whole, exclude: [servers], testTimeout: 30_000 } },
      {
        extends: true,
        test: { name: 'servers', include: [servers], testTimeout: 60_000, fileParallelism: false },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: [faults],
          globalSetup: ['test/faults/report.ts'],
          testTimeout: 900_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
