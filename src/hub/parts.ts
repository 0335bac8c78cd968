import type { Pace, Wake } from '../../accounts/pace.ts';
import type { Vault } from '../../accounts/secrets/ladder.ts';
import type { Adapter, Clock } from '../../adapters/contract.ts';
import type { Archive } from '../archive/types.ts';
import type { Outbox } from '../core/outbox.ts';
import type { Core } from '../core/state.ts';
import type { Change } from '../link/messages.ts';
import type { Log } from './log.ts';
import type { Prompts } from './prompts.ts';
import type { TypingClock } from './typing.ts';

/** What the rooms of the hub share. */
export interface HubParts {
  readonly core: Core;
  readonly archive: Archive;
  readonly outbox: Outbox;
  readonly prompts: Prompts;
  readonly typing: TypingClock;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly wake: Wake;
  readonly log: Log;
  /** To the fronts, and to whoever waits for a message's state. */
  publish(changes: readonly Change[]): void;
  /** Something is to be indexed or tidied when nothing else is to be done. */
  idleWork(): void;
  /** @throws Error that names the known networks. */
  loadAdapter(network: string): Promise<Adapter>;
}
