import type { Element } from '@xmpp/xml';
import { AdapterError, asAdapterError } from '../../errors.ts';
import { ClientConnection, SIGN_IN_MS } from './connection.ts';
import { parseJid } from './jid.ts';
import { liveSession } from './live.ts';
import { negotiate } from './negotiate.ts';
import { type NameService, nameService } from './srv.ts';
import type { Stream, StreamHost, StreamSettings } from './stream-types.ts';

export type { IqOptions, Stream, StreamHost, StreamSettings, TlsPolicy } from './stream-types.ts';

/**
 * Resolves when signed in, bound or resumed, and stream management is on. `onStanza` then gets every message, presence
 * and iq request in order; the caller must answer the requests. A throw in it ends that stanza only. Aborting `signal`
 * gives up, and later closes the stream.
 * @throws AdapterError
 */
export async function openStream(
  settings: StreamSettings,
  host: StreamHost,
  onStanza: (stanza: Element) => void,
  signal: AbortSignal,
  names: NameService = nameService(),
): Promise<Stream> {
  const account = parseJid(settings.jid);
  if (account.local === '' || account.resource !== '') {
    throw new AdapterError('refused', `"${settings.jid}" is no account; one looks like alice@example.org`);
  }
  const connection = new ClientConnection(account.domain, host.clock);
  connection._jid(account.bare);
  const session = liveSession(connection, account, host, onStanza);
  const limit = new AbortController();
  const giveUp = (error: AdapterError): void => {
    limit.abort(error);
    connection.fail(error);
  };
  const aborted = (): void => giveUp(new AdapterError('unreachable', 'given up', { cause: signal.reason }));
  signal.addEventListener('abort', aborted, { once: true });
  void host.clock.sleep(SIGN_IN_MS, limit.signal).then(
    () => giveUp(new AdapterError('unreachable', `no sign-in within ${SIGN_IN_MS / 1000} s`)),
    () => {},
  );
  try {
    if (signal.aborted) aborted();
    const { counters, live } = session;
    const negotiated = await negotiate({
      connection,
      settings,
      account,
      host,
      counters,
      names,
      live,
      signal: limit.signal,
    });
    const stream = session.start(negotiated);
    const leave = (): void => {
      if (signal.reason instanceof AdapterError) connection.fail(signal.reason);
      else void stream.close();
    };
    signal.addEventListener('abort', leave, { once: true });
    return stream;
  } catch (error) {
    const fault = limit.signal.aborted ? limit.signal.reason : error;
    connection.fail(asAdapterError(fault));
    throw asAdapterError(fault);
  } finally {
    signal.removeEventListener('abort', aborted);
    limit.abort();
  }
}
