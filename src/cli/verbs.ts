import type { Verb } from './verb.ts';

/** Every verb by its name, loaded once it is asked for; `screen` stands for no verb at all. */
export const verbs = {
  screen: () => import('./screen.ts'),
  __complete: () => import('./complete.ts'),
  account: () => import('./account.ts'),
  ask: () => import('./ask.ts'),
  chats: () => import('./chats.ts'),
  completion: () => import('./completion.ts'),
  contacts: () => import('./contacts.ts'),
  demo: () => import('./demo.ts'),
  doctor: () => import('./doctor.ts'),
  export: () => import('./export.ts'),
  history: () => import('./history.ts'),
  hub: () => import('./hub.ts'),
  import: () => import('./import.ts'),
  networks: () => import('./networks.ts'),
  outbox: () => import('./outbox.ts'),
  search: () => import('./search.ts'),
  send: () => import('./send.ts'),
  unread: () => import('./unread.ts'),
  watch: () => import('./watch.ts'),
} satisfies Readonly<Record<string, () => Promise<Verb>>>;
