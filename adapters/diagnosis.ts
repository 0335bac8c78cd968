/** Steps that the diagnosis of more than one network takes. */
import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { Diagnosis } from './contract.ts';
import { AdapterError, asAdapterError, type ErrorCode } from './errors.ts';

/** For one step, in milliseconds. */
export const STEP_MS = 10_000;
const DAY_MS = 86_400_000;
/** A certificate that ends within that is worth a word. */
const SOON_DAYS = 14;

export function failed(step: string, error: unknown, code?: ErrorCode, remedy?: string): Diagnosis {
  const fault = asAdapterError(error, code ?? 'unreachable');
  return { step, ok: false, text: fault.message, code: code ?? fault.code, ...(remedy && { remedy }) };
}

/** Whom the server's certificate is for, by whom, and for how long yet. */
export function certificateStep(socket: TLSSocket, now: number): Diagnosis {
  const { valid_to: end, issuer, names } = namesOf(socket);
  const days = Math.floor((Date.parse(end) - now) / DAY_MS);
  const text = `${socket.getProtocol() ?? 'TLS'}, certificate for ${names}, by ${issuer}, good for ${days} more days`;
  if (!(days < SOON_DAYS)) return { step: 'tls', ok: true, text };
  return { step: 'tls', ok: true, text, remedy: 'tell the people of that server that its certificate ends soon' };
}

function namesOf(socket: TLSSocket): { valid_to: string; issuer: string; names: string } {
  const { subjectaltname = '', issuer, valid_to } = socket.getPeerCertificate();
  const names = subjectaltname.replace(/(DNS|IP Address):/g, '') || 'no name';
  const by: unknown = issuer?.O ?? issuer?.CN ?? 'nobody';
  return { valid_to, issuer: String(by), names: names.slice(0, 300) };
}

export interface Way {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** PEM texts. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
}

/** Name, TCP and TLS. Returns the socket where all went well; it is the caller's then. */
export async function* connectStepwise(way: Way, signal: AbortSignal): AsyncGenerator<Diagnosis, Socket | undefined> {
  const { host, port } = way;
  const limit = (): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(STEP_MS)]);
  try {
    const found = isIP(host) ? [{ address: host }] : await within(lookup(host, { all: true }), limit());
    yield { step: 'dns', ok: true, text: `${host} is ${found.map(({ address }) => address).join(', ')}` };
  } catch {
    const text = `no address is known for ${host}`;
    yield {
      step: 'dns',
      ok: false,
      text,
      code: 'unreachable',
      remedy: 'look at the name of the server, and whether you are online',
    };
    return undefined;
  }
  const socket = connectTcp({ host, port, autoSelectFamily: true });
  // What comes after the step is of no interest.
  socket.on('error', () => {});
  try {
    await happens(socket, 'connect', limit());
    yield { step: 'tcp', ok: true, text: `connected to ${host}:${port}` };
  } catch (error) {
    socket.destroy();
    yield { step: 'tcp', ok: false, text: `${host}:${port}: ${reason(error)}`, code: 'unreachable', remedy: REACH };
    return undefined;
  }
  if (!way.tls) {
    yield { step: 'tls', ok: true, text: 'off, as the settings say' };
    return socket;
  }
  return yield* secureStepwise(socket, way, limit());
}

export const REACH = 'look at server and port in the settings, at a firewall on the way, and whether the server is up';

async function* secureStepwise(
  socket: Socket,
  way: Way,
  limit: AbortSignal,
): AsyncGenerator<Diagnosis, Socket | undefined> {
  const { host, ca, cert } = way;
  const options: ConnectionOptions = {
    socket,
    ...(isIP(host) ? {} : { servername: host }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert, key: cert }),
    minVersion: 'TLSv1.2',
    // A certificate that is not good is to be shown. Nothing is said to a server that has one.
    rejectUnauthorized: false,
  };
  try {
    const secured = connectTls(isIP(host) ? { ...options, host } : options);
    secured.on('error', () => {});
    await happens(secured, 'secureConnect', limit);
    if (secured.authorized) {
      yield certificateStep(secured, Date.now());
      return secured;
    }
    const { names, issuer, valid_to } = namesOf(secured);
    const why = String(secured.authorizationError);
    const text = `the certificate is not good for ${host} (${why}): for ${names}, by ${issuer}, until ${valid_to}`;
    yield { step: 'tls', ok: false, text, code: 'protocol', remedy: CERTIFICATE };
  } catch (error) {
    const text = `TLS failed: ${reason(error)}`;
    yield { step: 'tls', ok: false, text, code: 'protocol', remedy: 'look whether that port speaks TLS' };
  }
  socket.destroy();
  return undefined;
}

export const CERTIFICATE =
  "if the server has an authority of its own, give its file with --set ca=FILE; else tell the server's people, and do not go on";

function reason(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reason(error.errors[0]);
  if (error instanceof AdapterError) return error.message;
  if (error instanceof Error && error.name === 'TimeoutError') return 'no answer';
  return error instanceof Error ? error.message : String(error);
}

/** Resolves at the event; rejects at an error, the end, or with the signal's reason. */
function happens(socket: Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once(event, () => resolve()).once('error', reject);
  socket.once('close', () => reject(new Error('the server closed the connection')));
  return within(promise, signal);
}

export function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
