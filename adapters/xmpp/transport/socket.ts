import { readFile } from 'node:fs/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';
import { AdapterError } from '../../errors.ts';
import { connectThrough } from './proxy.ts';
import { quiet, socketEvent } from './socket-event.ts';
import type { NameService, Target } from './srv.ts';

/** One address out of several may be a black hole: the next is tried after this (RFC 8305). */
const NEXT_ADDRESS_MS = 250;
export const CONNECT_MS = 10_000;

export interface Reach {
  readonly names: NameService;
  readonly proxy?: string | undefined;
  readonly signal: AbortSignal;
}

/** A connected TCP socket, directly or through the proxy. @throws AdapterError `unreachable`, `host-unknown` */
export async function connectSocket({ host, port }: Target, { names, proxy, signal }: Reach): Promise<Socket> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]);
  let socket: Socket | undefined;
  try {
    limited.throwIfAborted();
    if (proxy !== undefined) return await connectThrough(proxy, host, port, limited);
    socket = connectTcp({
      host,
      port,
      lookup: names.lookup,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
      noDelay: true,
      keepAlive: true,
    });
    await socketEvent(quiet(socket), 'connect', limited);
    return socket;
  } catch (error) {
    socket?.destroy();
    if (error instanceof AdapterError) throw error;
    if (codeOf(error) === 'ENOTFOUND')
      throw new AdapterError('host-unknown', `there is no host ${host}`, { cause: error });
    const why = limited.aborted ? 'no answer' : reason(error);
    throw new AdapterError('unreachable', `cannot connect to ${host}:${port}: ${why}`, { cause: error });
  }
}

export interface TlsOptions {
  /** A-labels or an IP address: whose certificate it must be, whatever host was connected to (RFC 6120, 13.7.2). */
  readonly domain: string;
  readonly authorities: Buffer | undefined;
  readonly signal: AbortSignal;
}

/** TLS over a connected socket. @throws AdapterError `protocol` where the certificate is not good for the domain. */
export async function secureSocket(socket: Socket, { domain, authorities, signal }: TlsOptions): Promise<TLSSocket> {
  const secured = connectTls({
    socket,
    // A name is told to the server (SNI), an IP address may not be.
    ...(isIP(domain) === 0 ? { servername: domain } : {}),
    // Without authorities of its own Node takes the system's or its list.
    ...(authorities === undefined ? {} : { ca: authorities }),
    ALPNProtocols: ['xmpp-client'],
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    checkServerIdentity: (_host, certificate) => identityFault(domain, certificate),
  });
  try {
    await socketEvent(quiet(secured), 'secureConnect', signal);
    return secured;
  } catch (error) {
    secured.destroy();
    socket.destroy();
    if (signal.aborted) throw new AdapterError('unreachable', 'no answer while starting TLS', { cause: error });
    throw tlsFault(error, domain);
  }
}

export async function readAuthorities(file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file);
  } catch (error) {
    throw new AdapterError('refused', `cannot read the certificate authorities in ${file}: ${reason(error)}`, {
      cause: error,
    });
  }
}

export function isLoopback(socket: Socket): boolean {
  const address = socket.remoteAddress?.replace(/^::ffff:/, '') ?? '';
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

/** RFC 9525 section 6: only the names of the certificate's subjectAltName count, never its common name. */
function identityFault(domain: string, certificate: PeerCertificate): Error | undefined {
  const kind = isIP(domain) === 0 ? 'DNS:' : 'IP Address:';
  if (!(certificate.subjectaltname ?? '').includes(kind)) {
    return Object.assign(new Error('the certificate names no host'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  }
  return checkServerIdentity(domain, certificate);
}

const CERTIFICATE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for another name',
  SELF_SIGNED_CERT_IN_CHAIN: 'its authority is not known here',
  UNABLE_TO_GET_ISSUER_CERT: 'its authority is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its authority is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its authority is not known here',
};

function tlsFault(error: unknown, domain: string): AdapterError {
  const code = codeOf(error);
  const known = Object.hasOwn(CERTIFICATE, code) ? CERTIFICATE[code] : undefined;
  if (known)
    return new AdapterError('protocol', `the certificate is not good for ${domain}: ${known}`, { cause: error });
  const lost = code === 'ECONNRESET' || code === 'EPIPE' || code === 'ETIMEDOUT';
  return new AdapterError(lost ? 'unreachable' : 'protocol', `TLS failed: ${reason(error)}`, { cause: error });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** One cause in words; happy eyeballs collects one error for each address. */
export function reason(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reason(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
