#!/usr/bin/env node
import { runVerb } from '../src/cli/verb.ts';

await runVerb({
  screen: () => import('../src/cli/screen.ts'),
  account: () => import('../src/cli/account.ts'),
  chats: () => import('../src/cli/chats.ts'),
  contacts: () => import('../src/cli/contacts.ts'),
  demo: () => import('../src/cli/demo.ts'),
  hub: () => import('../src/cli/hub.ts'),
  networks: () => import('../src/cli/networks.ts'),
  send: () => import('../src/cli/send.ts'),
  watch: () => import('../src/cli/watch.ts'),
});
