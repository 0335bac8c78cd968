import type { Clock, Host, Memory } from '../adapters/contract.ts';
import { AdapterError, asAdapterError } from '../adapters/errors.ts';
import type { AccountConfig, AccountSink } from './config.ts';
import type { Vault } from './secrets/ladder.ts';
import type { Scrubber } from './secrets/scrub.ts';

export interface HostParts {
  readonly sink: AccountSink;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly scrub: Scrubber;
  online(self: string): void;
  /** An event could not be taken: the session must end, so that the network delivers it again. */
  lost(error: AdapterError): void;
}

/** What one session of one account is lent; after `close` nothing that it says is heard. */
export function bindHost(config: AccountConfig, parts: HostParts): { readonly host: Host; close(): void } {
  const { sink, vault, clock, scrub } = parts;
  let over: AdapterError | undefined;

  const log: Host['log'] = (level, text) => {
    try {
      sink.log(level, scrub.text(text));
    } catch {
      // A log that fails ends nothing.
    }
  };

  /** Something that arrived is not on disk: the network must bring it again, to another session. */
  const lose = (error: unknown): AdapterError => {
    if (over) return over;
    const cause = asAdapterError(error);
    over = new AdapterError('unreachable', `what arrived could not be stored: ${cause.message}`, { cause: error });
    log('warn', over.message);
    // What was lost is told once, and this session has heard it now.
    void sink.saved().catch(() => {});
    parts.lost(over);
    return over;
  };

  const emit: Host['emit'] = (event) => {
    if (over) return;
    try {
      sink.event(event);
    } catch (error) {
      lose(error);
      return;
    }
    if (event.type === 'online') parts.online(event.self);
  };

  const stillHere = (): void => {
    if (over) throw over;
  };

  const host: Host = {
    emit,
    async saved() {
      stillHere();
      try {
        await sink.saved();
      } catch (error) {
        throw lose(error);
      }
      // An event lost meanwhile must not be acknowledged.
      stillHere();
    },
    async ask(prompt) {
      stillHere();
      return await sink.ask(prompt);
    },
    async secret(key) {
      stillHere();
      const ref = Object.hasOwn(config.secrets, key) ? config.secrets[key] : undefined;
      if (!ref) return undefined;
      const secret = await vault.read(config.name, key, ref, (prompt) => sink.ask(prompt));
      scrub.learn(secret);
      return secret;
    },
    memory: {
      get: (key) => sink.memory.get(key),
      set(key, value) {
        if (over) return;
        try {
          sink.memory.set(key, value);
        } catch (error) {
          lose(error);
        }
      },
    },
    clock,
    log,
  };
  return {
    host,
    close() {
      over ??= new AdapterError('unreachable', 'the session is over');
    },
  };
}

/** For a session that is opened and never run. */
export function idleHost(memory: Memory, clock: Clock): Host {
  const never = (): Promise<never> => Promise.reject(new AdapterError('unreachable', 'the session was never run'));
  return {
    emit() {},
    saved: never,
    ask: never,
    secret: never,
    memory: { get: (key) => memory.get(key), set() {} },
    clock,
    log() {},
  };
}
