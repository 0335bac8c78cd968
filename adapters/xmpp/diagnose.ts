import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Diagnosis, Host } from '../contract.ts';
import { CERTIFICATE, certificateStep, failed, REACH, STEP_MS, within } from '../diagnosis.ts';
import { AdapterError } from '../errors.ts';
import type { XmppSettings } from './settings.ts';
import { ClientConnection } from './transport/connection.ts';
import { asciiDomain, parseJid } from './transport/jid.ts';
import { candidatesFor, startTls } from './transport/negotiate.ts';
import { offeredMechanisms } from './transport/sasl.ts';
import { connectSocket, readAuthorities, reason, secureSocket } from './transport/socket.ts';
import { type NameService, nameService, type Target } from './transport/srv.ts';

const show = ({ host, port, direct }: Target): string => `${host}:${port}${direct ? ' (TLS at once)' : ''}`;
const SERVER = 'look at the domain in jid; where DNS says nothing of its server, give --set server=HOST:PORT';

/** SRV records, TCP, TLS with the certificate for the account's domain, and the ways to sign in. */
export async function* diagnose(
  settings: XmppSettings,
  { clock }: Pick<Host, 'clock'>,
  signal: AbortSignal,
  names: NameService = nameService(),
): AsyncIterable<Diagnosis> {
  const account = parseJid(settings.jid);
  let candidates: readonly Target[];
  try {
    candidates = await within(candidatesFor(settings, asciiDomain(account.domain), names), limited(signal));
  } catch (error) {
    return yield failed('dns', error, 'unreachable', SERVER);
  }
  const where = candidates.map(show).join(', ');
  const told = settings.server
    ? `the settings name the server: ${where}`
    : `${account.domain} takes clients at ${where}`;
  yield { step: 'dns', ok: true, text: told };
  const { target, socket, faults } = await reach(candidates, settings, names, signal);
  if (!socket || !target) {
    return yield { step: 'tcp', ok: false, text: faults.join('; '), code: 'unreachable', remedy: REACH };
  }
  const missed = faults.length > 0 ? `, after ${faults.join('; ')}` : '';
  yield { step: 'tcp', ok: true, text: `connected to ${show(target)}${missed}` };
  const connection = new ClientConnection(account.domain, clock);
  connection._jid(account.bare);
  try {
    yield* talk(connection, socket, target.direct, { settings, account, signal: limited(signal) }, clock.now());
  } finally {
    connection.fail(new AdapterError('unreachable', 'the diagnosis is over'));
    socket.destroy();
  }
}

const limited = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(STEP_MS)]);

interface Reached {
  readonly target?: Target;
  readonly socket?: Socket;
  readonly faults: readonly string[];
}

async function reach(
  candidates: readonly Target[],
  { proxy }: XmppSettings,
  names: NameService,
  signal: AbortSignal,
): Promise<Reached> {
  const faults: string[] = [];
  for (const target of candidates) {
    try {
      return { target, socket: await connectSocket(target, { names, proxy, signal }), faults };
    } catch (error) {
      faults.push(reason(error));
    }
  }
  return { faults };
}

interface Talk {
  readonly settings: XmppSettings;
  readonly account: ReturnType<typeof parseJid>;
  readonly signal: AbortSignal;
}

async function* talk(
  connection: ClientConnection,
  socket: Socket,
  direct: boolean,
  { settings, account, signal }: Talk,
  now: number,
): AsyncIterable<Diagnosis> {
  let features: Awaited<ReturnType<ClientConnection['features']>>;
  try {
    const authorities = await readAuthorities(settings.ca);
    const domain = asciiDomain(account.domain);
    connection._attachSocket(direct ? await secureSocket(socket, { domain, authorities, signal }) : socket);
    features = await within(connection.features(), signal);
    if (!connection.isSecure() && settings.tls !== 'none') {
      await startTls({ connection, settings, account, signal }, features);
      features = await within(connection.features(), signal);
    }
  } catch (error) {
    return yield tlsFault(error, signal);
  }
  if (connection.socket instanceof TLSSocket) yield certificateStep(connection.socket, now);
  else yield { step: 'tls', ok: true, text: 'off, as the settings say; only to this machine' };
  const { all, ours } = offeredMechanisms(features);
  const text = `the server offers ${all.join(', ') || 'none'}; imux takes ${ours[0] ?? 'none of them'}`;
  if (ours.length > 0) yield { step: 'sasl', ok: true, text };
  else
    yield { step: 'sasl', ok: false, text, code: 'unsupported', remedy: "ask the server's people for SCRAM or PLAIN" };
}

function tlsFault(error: unknown, signal: AbortSignal): Diagnosis {
  if (signal.aborted) return failed('tls', new AdapterError('unreachable', 'the server does not go on talking'));
  const { cause } = error instanceof AdapterError ? error : {};
  const detail = cause instanceof Error ? ` (${cause.message})` : '';
  const step = failed('tls', error, undefined, CERTIFICATE);
  return { ...step, text: step.text + detail };
}
