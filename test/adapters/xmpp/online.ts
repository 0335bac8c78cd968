import { readFile } from 'node:fs/promises';
import type { Session } from '../../../adapters/contract.ts';
import { xmpp } from '../../../adapters/xmpp/index.ts';
import { startXmppServer, type XmppServer, type XmppServerOptions } from '../../../src/demo/xmpp-server.ts';
import { type TestHost, testHost } from '../../contract/host.ts';
import type { TestCa } from '../../servers/ca.ts';

export interface SignedIn {
  readonly server: XmppServer;
  readonly host: TestHost;
  readonly session: Session;
  stop(): Promise<void>;
}

/** `me@localhost` on a demo server of its own, signed in and with its contact list; with `ca` by STARTTLS. */
export async function signedIn(roster: XmppServerOptions['roster'] = {}, ca?: TestCa): Promise<SignedIn> {
  const tls = ca && { cert: await readFile(ca.certFile, 'utf8'), key: await readFile(ca.keyFile, 'utf8') };
  const server = await startXmppServer({
    users: [{ name: 'me', password: 'secret' }],
    roster,
    ...(tls ? { tls } : {}),
  });
  const host = testHost({ secrets: { password: 'secret' } });
  const security = ca ? { tls: 'starttls', ca: ca.caFile } : { tls: 'none' };
  const settings = xmpp.parse({ jid: 'me@localhost', server: `127.0.0.1:${server.port}`, ...security });
  const session = xmpp.open(settings, host);
  const stopper = new AbortController();
  const run = session.run(stopper.signal);
  run.catch(() => undefined);
  const stop = async (): Promise<void> => {
    stopper.abort();
    await run.catch(() => undefined);
    await server.stop();
  };
  try {
    await Promise.race([host.next('roster'), run.then(() => Promise.reject(new Error('the session ended')))]);
    return { server, host, session, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
