import { readFile } from 'node:fs/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Clock } from '../../contract.ts';
import { AdapterError, type ErrorCode } from '../../errors.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** PEM files: who may sign the server's certificate, and our own certificate with its key. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
}

/** Milliseconds for looking up, connecting and TLS together; a server that speaks no TLS may just say nothing. */
const CONNECT_MS = 20_000;

/** A connected socket, with TLS done and the certificate checked against the host's name. @throws AdapterError */
export async function connect(endpoint: Endpoint, signal: AbortSignal, clock: Clock): Promise<Socket | TLSSocket> {
  signal.throwIfAborted();
  const ca = endpoint.ca === undefined ? undefined : await readPem(endpoint.ca, 'ca');
  const cert = endpoint.cert === undefined ? undefined : await readPem(endpoint.cert, 'cert');
  signal.throwIfAborted();
  const { host, port } = endpoint;
  const socket = endpoint.tls
    ? connectTls({
        host,
        port,
        ...(isIP(host) ? {} : { servername: host }),
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert, key: cert }),
        minVersion: 'TLSv1.2',
      })
    : connectTcp({ host, port });
  socket.setNoDelay(true);
  const done = new AbortController();
  clock.sleep(CONNECT_MS, done.signal).then(
    () => socket.destroy(new Error(`no answer within ${CONNECT_MS / 1000} s`)),
    () => {},
  );
  try {
    await ready(socket, endpoint.tls ? 'secureConnect' : 'connect', signal);
    signal.throwIfAborted();
    return socket;
  } catch (error) {
    socket.on('error', () => {});
    socket.destroy();
    if (signal.aborted) throw signal.reason;
    throw socketError(error, endpoint);
  } finally {
    done.abort();
  }
}

function ready(socket: Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      socket.off(event, settle).off('error', settle).off('close', closed);
      signal.removeEventListener('abort', aborted);
      if (error === undefined) resolve();
      else reject(error);
    };
    const aborted = (): void => settle(signal.reason);
    const closed = (): void => settle(new Error('the server closed the connection'));
    socket
      .once(event, () => settle())
      .once('error', settle)
      .once('close', closed);
    signal.addEventListener('abort', aborted, { once: true });
  });
}

async function readPem(path: string, setting: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new AdapterError('auth', `the file of the setting "${setting}" cannot be read: ${path}`, { cause });
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name could not be looked up',
  ETIMEDOUT: 'no answer',
  ECONNRESET: 'the server cut the connection',
  EHOSTUNREACH: 'no way to that host',
  ENETUNREACH: 'no network',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by nobody but itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by somebody unknown',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by somebody unknown',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by somebody unknown',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

/** A socket's error in plain words: `protocol` where TLS or a certificate is at fault, `host-unknown`, else `unreachable`. */
export function socketError(cause: unknown, endpoint: Endpoint): AdapterError {
  if (cause instanceof AdapterError) return cause;
  const code = errorCode(cause);
  const tlsFault = /CERT|SSL|TLS|SIGNATURE|ISSUER/.test(code) || code === 'EPROTO';
  const kind: ErrorCode = tlsFault ? 'protocol' : code === 'ENOTFOUND' ? 'host-unknown' : 'unreachable';
  const why = WORDS[code] ?? (cause instanceof Error ? cause.message : String(cause));
  return new AdapterError(kind, `${endpoint.host}:${endpoint.port}: ${why}`, { cause });
}

function errorCode(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return errorCode(error.errors[0]);
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Whether the other end is this machine: there a secret may travel in clear. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}
