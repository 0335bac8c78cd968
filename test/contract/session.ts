import type { ChatId, Nonce, Session } from '../../adapters/contract.ts';
import { AdapterError } from '../../adapters/errors.ts';
import type { Driver, TestAccount } from './driver.ts';
import { type TestHost, type TestHostOptions, testHost } from './host.ts';

export interface Online {
  readonly session: Session;
  readonly host: TestHost;
  /** Settles when the run ends: undefined after an abort, else the error. */
  readonly ended: Promise<AdapterError | undefined>;
  stop(): Promise<void>;
  chatWith(address: string): Promise<ChatId>;
  send(address: string, text: string): Promise<string>;
}

let nonces = 0;
export const nextNonce = (): Nonce => `nonce-${process.pid}-${nonces++}` as Nonce;

/** Opens a session and runs it; does not wait for `online`. */
export function begin(driver: Driver, account: TestAccount, options: TestHostOptions = {}): Online {
  const host = testHost({ secrets: account.secrets, ...options });
  const session = driver.adapter.open(driver.adapter.parse(account.settings), host);
  const stopper = new AbortController();
  const ended = session.run(stopper.signal).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof AdapterError) return error;
      throw new Error('a session may reject with AdapterError only', { cause: error });
    },
  );
  // Looked at by the test that waits for it.
  ended.catch(() => {});
  const chatWith = async (address: string): Promise<ChatId> =>
    (await session.resolve(address, AbortSignal.timeout(10_000))).id;
  return {
    session,
    host,
    ended,
    chatWith,
    stop: async () => {
      stopper.abort();
      await ended;
    },
    send: async (address, text) => await session.send(await chatWith(address), text, nextNonce()),
  };
}

/** Opens, runs and waits until it is online and has its roster. */
export async function signIn(driver: Driver, account: TestAccount, options: TestHostOptions = {}): Promise<Online> {
  const online = begin(driver, account, options);
  const failed = online.ended.then((error) => {
    throw new Error(`the session ended before it was online: ${error?.code} ${error?.message}`, { cause: error });
  });
  await Promise.race([Promise.all([online.host.next('online'), online.host.next('roster')]), failed]);
  return online;
}
