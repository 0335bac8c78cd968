import type { Element } from '@xmpp/xml';
import type { Host } from '../../contract.ts';
import { AdapterError, asAdapterError } from '../../errors.ts';
import { ClientConnection, SIGN_IN_MS } from './connection.ts';
import { parseJid } from './jid.ts';
import { liveSession } from './live.ts';
import { negotiate } from './negotiate.ts';
import { type NameService, nameService } from './srv.ts';

/**
 * `auto` takes what DNS offers, always with TLS; `direct` is TLS from the first byte (XEP-0368); `none` goes in clear
 * text and only to a loopback address.
 */
export type TlsPolicy = 'auto' | 'starttls' | 'direct' | 'none';

export interface StreamSettings {
  /** Bare JID. */
  readonly jid: string;
  /** In place of the SRV records; the certificate must be the account domain's all the same. */
  readonly server?: { readonly host: string; readonly port: number };
  readonly tls: TlsPolicy;
  /** PEM file of the authorities to trust, in place of the system's. */
  readonly ca?: string;
  /** Without it, one that is made up once for the account. */
  readonly resource?: string;
  /** `socks5://[user:password@]host:port` or `http://[user:password@]host:port` (CONNECT). */
  readonly proxy?: string;
}

/** What a stream needs of its account's Host. */
export interface StreamHost extends Pick<Host, 'memory' | 'clock' | 'log' | 'saved'> {
  password(): Promise<string>;
}

export interface IqOptions {
  /** Who may answer; else the stanza's `to`, or our own account and server where it has none. */
  readonly from?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** An authenticated stream with its resource bound (RFC 6120), with stream management on where the server has it. */
export interface Stream {
  /** Full JID, as the server bound it. */
  readonly jid: string;
  /** The server carries on the former session: presence and roster stand, nothing was missed. */
  readonly resumed: boolean;
  /** `<stream:features>` after sign-in. */
  readonly features: Element;
  /** XEP-0198 is on; else `accepted` asks by a ping. */
  readonly managed: boolean;
  /**
   * Ids (`id` attribute) of what was `accepted` for nobody when the former connection ended and of which the server is
   * sure now. False: it did not get it, and it was not sent again.
   */
  readonly recovered: ReadonlyMap<string, boolean>;
  /** @throws AdapterError `unreachable` after the end; `refused` where a text holds what XML cannot carry. */
  send(stanza: Element): void;
  /** Sends, and resolves once the server acknowledged it. @throws AdapterError `certain: false` if the stream ended before. */
  accepted(stanza: Element, signal?: AbortSignal): Promise<void>;
  /** Resolves with the reply of type `result`. @throws AdapterError for an error reply, a time-out (`unreachable`), the end. */
  iq(stanza: Element, options?: IqOptions): Promise<Element>;
  /** Asks for a sign of life now rather than after the idle time, and ends where none comes: for a wake from suspend. */
  probe(): void;
  /** Never rejects: undefined after `close`, else why the stream ended. */
  readonly closed: Promise<AdapterError | undefined>;
  /** Ends the stream and the session in order. */
  close(): Promise<void>;
}

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
