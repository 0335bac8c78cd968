import type { ChatId, Nonce, Session } from '../../../adapters/contract.ts';
import { type AdapterError, asAdapterError } from '../../../adapters/errors.ts';
import { xmpp } from '../../../adapters/xmpp/index.ts';
import { type TestHost, testHost } from '../../contract/host.ts';
import { type Prosody, type ProsodyOptions, startProsody } from '../../servers/prosody.ts';
import { mutual, type PlainClient, type PlainOptions, plainClient } from './client.ts';

export interface Actor {
  readonly jid: string;
  readonly host: TestHost;
  readonly session: Session;
  /** Why it ended; undefined after `stop`. */
  readonly ended: Promise<AdapterError | undefined>;
  stop(): Promise<void>;
}

/** A Prosody with users who are signed in by imux, and others on a plain client. */
export interface Stage {
  readonly prosody: Prosody;
  newUser(kind: string): Promise<PlainOptions>;
  /** `through`: another port that leads to the server. */
  imux(user: PlainOptions, memory?: Map<string, string>, through?: number): Promise<Actor>;
  plain(user: PlainOptions, resource?: string): Promise<PlainClient>;
  /** Two who see each other: one on imux, one on a plain client. */
  pair(): Promise<{ readonly me: Actor; readonly user: PlainOptions; readonly bob: PlainClient }>;
  clear(): Promise<void>;
  stop(): Promise<void>;
}

let count = 0;

export async function stage(options?: ProsodyOptions): Promise<Stage> {
  const prosody = await startProsody({ ...options, config: 'http_host = "localhost"' });
  const port = prosody.ports.c2s;
  const open: { stop(): Promise<void> }[] = [];
  const newUser = async (kind: string): Promise<PlainOptions> => {
    const user = { user: `${kind}${++count}`, password: `pw-${count}`, port };
    await (await plainClient({ ...user, register: true })).close();
    return user;
  };
  const plain = async (user: PlainOptions, resource = 'plain'): Promise<PlainClient> => {
    const client = await plainClient({ ...user, resource });
    open.push({ stop: client.close });
    return client;
  };
  const imux: Stage['imux'] = async ({ user, password }, memory, through = port) => {
    const host = testHost({ secrets: { password }, ...(memory ? { memory } : undefined) });
    const jid = `${user}@localhost`;
    const settings = xmpp.parse({ jid, server: `127.0.0.1:${through}`, tls: 'starttls', ca: prosody.ca });
    const session = xmpp.open(settings, host);
    const stopper = new AbortController();
    const run = session.run(stopper.signal);
    run.catch(() => undefined);
    const stop = async (): Promise<void> => {
      stopper.abort();
      await run.catch(() => undefined);
    };
    open.push({ stop });
    await Promise.race([host.next('roster'), run.then(() => Promise.reject(new Error('ended')))]);
    const ended = run.then(
      () => undefined,
      (error: unknown) => asAdapterError(error),
    );
    return { jid, host, session, ended, stop };
  };
  return {
    prosody,
    newUser,
    imux,
    plain,
    async pair() {
      const [user, friend] = [await newUser('me'), await newUser('bob')];
      const [before, bob] = [await plain(user), await plain(friend)];
      await mutual(before, bob);
      await before.close();
      return { me: await imux(user), user, bob };
    },
    clear: async () => void (await Promise.all(open.splice(0).map((one) => one.stop()))),
    stop: prosody.stop,
  };
}

export const chat = (jid: string): ChatId => jid as ChatId;
let nonces = 0;
export const nonce = (): Nonce => `nonce-${process.pid}-${++nonces}` as Nonce;
