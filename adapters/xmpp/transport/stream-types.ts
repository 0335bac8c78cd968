import type { Element } from '@xmpp/xml';
import type { Host } from '../../contract.ts';
import type { AdapterError } from '../../errors.ts';

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
