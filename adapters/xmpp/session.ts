import type { Element } from '@xmpp/xml';
import type { Host, Session } from '../contract.ts';
import { AdapterError, asAdapterError } from '../errors.ts';
import { facets } from './facets.ts';
import { goOnline, type Online } from './online.ts';
import type { XmppSettings } from './settings.ts';
import { limitsOf, sendText } from './texts.ts';
import type { Stream, StreamHost } from './transport/stream.ts';

/** `openStream` of transport/stream.ts, or what stands for it in a test. */
export type OpenStream = (
  settings: XmppSettings,
  host: StreamHost,
  onStanza: (stanza: Element) => void,
  signal: AbortSignal,
) => Promise<Stream>;

export function openSession(settings: XmppSettings, host: Host, openStream: OpenStream): Session {
  let current: Online | undefined;
  const live = (): Online => {
    if (!current) throw new AdapterError('unreachable', `${settings.jid} is not connected`);
    return current;
  };
  const acting = (): Online => {
    const online = live();
    online.acted();
    return online;
  };
  return {
    run: (signal) =>
      run(settings, host, openStream, signal, (online) => {
        current = online;
      }),
    send: async (chat, text, nonce, options) => await sendText(acting(), chat, text, nonce, options),
    resolve: async (address, signal) => await live().resolve(address, signal),
    limits: (chat) => limitsOf(current, chat),
    woke: () => current?.wire.stream.probe(),
    ...facets(acting),
  };
}

async function run(
  settings: XmppSettings,
  host: Host,
  openStream: OpenStream,
  signal: AbortSignal,
  now: (online: Online | undefined) => void,
): Promise<void> {
  if (signal.aborted) return;
  const over = new AbortController();
  const quiet = mutedAfter(host, over.signal);
  let online: Online | undefined;
  let early: Element[] = [];
  let stream: Stream | undefined;
  try {
    const password = async (): Promise<string> =>
      (await host.secret('password')) ?? (await host.ask({ kind: 'password', text: `Password of ${settings.jid}` }));
    const { memory, clock } = host;
    const streamHost = { memory, clock, password, log: host.log.bind(host), saved: host.saved.bind(host) };
    const take = (stanza: Element): void => (online ? online.take(stanza) : void early.push(stanza));
    const opened = await openStream(settings, streamHost, take, signal);
    stream = opened;
    online = goOnline(quiet, settings, opened, over.signal);
    now(online);
    const begun = online.begin();
    begun.catch(() => undefined);
    for (const stanza of early) online.take(stanza);
    early = [];
    // Without its contact list an account is of no use; the supervisor tries again.
    const failed = begun.then(
      () => new Promise<never>(() => {}),
      (error: unknown) => asAdapterError(error),
    );
    const reason = await Promise.race([opened.closed, failed]);
    if (reason && !signal.aborted) throw reason;
  } catch (error) {
    if (!signal.aborted) throw asAdapterError(error);
  } finally {
    now(undefined);
    online?.end();
    over.abort(new AdapterError('unreachable', 'the connection ended'));
    await stream?.close();
  }
}

/** What is still under way when the session ends must not speak for it afterwards. */
function mutedAfter(host: Host, ended: AbortSignal): Host {
  return {
    emit: (event) => {
      if (!ended.aborted) host.emit(event);
    },
    saved: () => host.saved(),
    ask: (prompt) => host.ask(prompt),
    secret: (key) => host.secret(key),
    memory: host.memory,
    clock: host.clock,
    log: (level, text) => host.log(level, text),
  };
}
