import type { Vault } from '../../accounts/secrets/ladder.ts';
import type { Adapter, Clock } from '../../adapters/contract.ts';
import type { Paths } from '../paths.ts';
import type { EventLine } from './hooks.ts';

export interface HubOptions {
  readonly paths: Paths;
  /** Started by a front: ends a while after the last one left. */
  readonly onDemand?: boolean;
  /** That while, in place of what the settings say. */
  readonly idleSeconds?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly clock?: Clock;
  readonly vault?: Vault;
  /** Bytes that one front may leave unread before its changes are dropped. */
  readonly feedLimit?: number;
  /** How an event stands before programs; without it no hooks run. */
  readonly eventLine?: EventLine;
  readonly networks?: {
    readonly names: readonly string[];
    /** @throws Error that names the known networks. */
    load(network: string): Promise<Adapter>;
  };
}
