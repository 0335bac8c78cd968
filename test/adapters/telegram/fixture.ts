import type { ChatId, Nonce, Session } from '../../../adapters/contract.ts';
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

export { fakeClock } from './clock.ts';
export { type BotApiServer, startBotApi };
