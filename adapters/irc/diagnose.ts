import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import type { Diagnosis, Host } from '../contract.ts';
import { connectStepwise, failed, STEP_MS, within } from '../diagnosis.ts';
import { AdapterError } from '../errors.ts';
import type { IrcSettings } from './settings.ts';
import { lineSplitter } from './transport/lines.ts';
import { parseLine } from './transport/message.ts';

/** Name, TCP, TLS, and the capabilities with the ways to sign in; nothing of the account is told to the server. */
export async function* diagnose(
  settings: IrcSettings,
  host: Pick<Host, 'secret'>,
  signal: AbortSignal,
): AsyncIterable<Diagnosis> {
  let pem: readonly (string | undefined)[];
  try {
    pem = await Promise.all([settings.ca, settings.cert].map((path) => path && readFile(path, 'utf8')));
  } catch (error) {
    return yield failed('tls', error, 'auth', 'look at ca and cert in the settings');
  }
  const [ca, cert] = pem;
  const socket = yield* connectStepwise({ ...settings, ca, cert }, signal);
  if (!socket) return;
  try {
    const offered = await within(capabilities(socket), AbortSignal.any([signal, AbortSignal.timeout(STEP_MS)]));
    yield* saslStep(settings, offered, host);
  } catch (error) {
    const silent = signal.aborted || !(error instanceof AdapterError);
    yield failed(
      'caps',
      silent ? new AdapterError('unreachable', 'the server says nothing of its capabilities') : error,
    );
  } finally {
    socket.end('QUIT\r\n');
    socket.destroySoon();
  }
}

/** https://ircv3.net/specs/extensions/capability-negotiation; undefined: a server from before that. */
function capabilities(socket: Socket): Promise<ReadonlyMap<string, string> | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<string, string> | undefined>();
  const found = new Map<string, string>();
  const take = lineSplitter((text) => {
    const line = parseLine(text);
    if (line?.command === 'PING') socket.write(`PONG :${line.params.at(-1) ?? ''}\r\n`);
    if (line?.command === 'ERROR')
      reject(new AdapterError('refused', `the server refuses us: ${line.params.at(-1) ?? ''}`));
    if (line?.command === '421' || line?.command === '451') resolve(undefined);
    if (line?.command !== 'CAP' || line.params[1]?.toUpperCase() !== 'LS') return;
    for (const cap of (line.params.at(-1) ?? '').split(' ')) {
      const [name = '', value = ''] = cap.split(/=(.*)/s);
      if (name !== '' && found.size < 500) found.set(name, value);
    }
    if (line.params[2] !== '*') resolve(found);
  });
  socket.on('data', (chunk: Buffer) => take(chunk));
  socket.once('close', () => reject(new AdapterError('unreachable', 'the server closed the connection')));
  socket.write('CAP LS 302\r\n');
  return promise;
}

async function* saslStep(
  { sasl, nick }: IrcSettings,
  offered: ReadonlyMap<string, string> | undefined,
  host: Pick<Host, 'secret'>,
): AsyncIterable<Diagnosis> {
  if (!offered) yield { step: 'caps', ok: true, text: 'none: a server from before IRCv3' };
  else yield { step: 'caps', ok: true, text: [...offered.keys()].join(' ') || 'none' };
  const value = offered?.get('sasl');
  const ways = value === undefined ? 'no SASL' : value === '' ? 'SASL, without saying how' : `SASL ${value}`;
  const wants =
    sasl === 'none' ? false : sasl !== 'auto' || (await host.secret('password').catch(() => undefined)) !== undefined;
  const listed =
    value === undefined || value === '' || sasl === 'auto' || value.toUpperCase().split(',').includes(sasl);
  if (!wants)
    yield { step: 'sasl', ok: true, text: `the server offers ${ways}; the account comes as a guest, as ${nick}` };
  else if (value !== undefined && listed) yield { step: 'sasl', ok: true, text: `the server offers ${ways}` };
  else {
    const remedy = 'services may be away just now; else change sasl in the settings (none: sign in as a guest)';
    yield {
      step: 'sasl',
      ok: false,
      text: `the server offers ${ways}; the account asks for ${sasl}`,
      code: 'refused',
      remedy,
    };
  }
}
