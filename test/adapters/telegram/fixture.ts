import type { ChatId, Clock, Nonce, Session } from '../../../adapters/contract.ts';
import { AdapterError } from '../../../adapters/errors.ts';
import { telegram } from '../../../adapters/telegram/index.ts';
import { type BotApiServer, startBotApi } from '../../../src/demo/bot-api.ts';
import { type TestHost, type TestHostOptions, testHost } from '../../contract/host.ts';

export const nonce = 'n' as Nonce;

export interface Opened {
  readonly host: TestHost;
  readonly session: Session;
  /** Settles when the run ends: undefined after an abort. */
  readonly ended: Promise<AdapterError | undefined>;
  stop(): Promise<void>;
  chat(address: string): Promise<ChatId>;
}

export interface Connect extends TestHostOptions {
  readonly token?: string;
  readonly api?: string;
  readonly saved?: () => Promise<void>;
}

export function open(server: Pick<BotApiServer, 'root' | 'token'>, options: Connect = {}): Opened {
  const made = testHost({ secrets: { token: options.token ?? server.token }, ...options });
  const host = options.saved ? { ...made, saved: options.saved } : made;
  const session = telegram.open(telegram.parse({ api: options.api ?? server.root }), host);
  const stopper = new AbortController();
  const ended = session.run(stopper.signal).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof AdapterError) return error;
      throw error;
    },
  );
  ended.catch(() => {});
  return {
    host,
    session,
    ended,
    stop: async () => {
      stopper.abort();
      await ended;
    },
    chat: async (address) => (await session.resolve(address, AbortSignal.timeout(5_000))).id,
  };
}

export async function online(server: Pick<BotApiServer, 'root' | 'token'>, options: Connect = {}): Promise<Opened> {
  const opened = open(server, options);
  await Promise.race([
    opened.host.next('roster'),
    opened.ended.then((error) => {
      throw new Error(`ended before it was online: ${error?.message}`);
    }),
  ]);
  return opened;
}

export interface FakeClock extends Clock {
  advance(ms: number): void;
  /** Lengths of the sleeps under way. */
  readonly asleep: readonly number[];
}

/** Time stands still until it is told to go on. */
export function fakeClock(): FakeClock {
  let now = 1_800_000_000_000;
  const sleeps = new Set<{ readonly due: number; readonly ms: number; readonly wake: () => void }>();
  return {
    now: () => now,
    get asleep() {
      return [...sleeps].map(({ ms }) => ms);
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const sleep = { due: now + ms, ms, wake: resolve };
        sleeps.add(sleep);
        signal?.addEventListener('abort', () => {
          sleeps.delete(sleep);
          reject(signal.reason);
        });
      }),
    advance(ms) {
      now += ms;
      for (const sleep of sleeps) {
        if (sleep.due > now) continue;
        sleeps.delete(sleep);
        sleep.wake();
      }
    },
  };
}

export { type BotApiServer, startBotApi };
