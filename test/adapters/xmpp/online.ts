import type { Session } from '../../../adapters/contract.ts';
import { openSession } from '../../../adapters/xmpp/session.ts';
import { parseSettings } from '../../../adapters/xmpp/settings.ts';
import { openStream } from '../../../adapters/xmpp/transport/stream.ts';
import { startXmppServer, type XmppServer, type XmppServerOptions } from '../../../src/demo/xmpp-server.ts';
import { type TestHost, testHost } from '../../contract/host.ts';

export interface SignedIn {
  readonly server: XmppServer;
  readonly host: TestHost;
  readonly session: Session;
  stop(): Promise<void>;
}

export interface SignInOptions extends Partial<XmppServerOptions> {
  readonly memory?: Map<string, string>;
  /** In place of a fresh one. */
  readonly server?: XmppServer;
}

/** `me@localhost` on a small server of its own, signed in and with its contact list. */
export async function signedIn(options: SignInOptions = {}): Promise<SignedIn> {
  const server =
    options.server ??
    (await startXmppServer({
      users: [{ name: 'me', password: 'secret' }, ...(options.users ?? [])],
      ...roster(options),
    }));
  const host = testHost({
    secrets: { password: 'secret' },
    ...(options.memory ? { memory: options.memory } : undefined),
  });
  const settings = parseSettings({
    jid: 'me@localhost',
    server: `127.0.0.1:${server.port}`,
    tls: 'none',
    resource: 'imux',
  });
  const session = openSession(settings, host, (...args) => openStream(...args));
  const stopper = new AbortController();
  const run = session.run(stopper.signal);
  run.catch(() => undefined);
  const stop = async (): Promise<void> => {
    stopper.abort();
    await run.catch(() => undefined);
    if (!options.server) await server.stop();
  };
  try {
    await Promise.race([host.next('roster'), run.then(() => Promise.reject(new Error('ended')))]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { server, host, session, stop };
}

const roster = ({ roster: given }: SignInOptions): Pick<XmppServerOptions, 'roster'> =>
  given ? { roster: given } : {};
