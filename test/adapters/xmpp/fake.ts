import { type Element, Parser, xml } from '@xmpp/xml';
import type { Session } from '../../../adapters/contract.ts';
import { AdapterError } from '../../../adapters/errors.ts';
import { openSession } from '../../../adapters/xmpp/session.ts';
import { parseSettings } from '../../../adapters/xmpp/settings.ts';
import type { Stream } from '../../../adapters/xmpp/transport/stream.ts';
import { type TestHost, testHost } from '../../contract/host.ts';
import { waitFor } from '../../servers/process.ts';

/** Parsed as a stanza within a client's stream. */
export function stanzas(text: string): Element[] {
  const found: Element[] = [];
  const parser = new Parser();
  parser.on('element', (element) => void found.push(element));
  parser.write(`<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>${text}`);
  return found;
}

export interface FakeOptions {
  readonly memory?: Map<string, string>;
  readonly resumed?: boolean;
  readonly features?: string;
  /** Items of the roster. */
  readonly roster?: string;
  /** Features of our own account and server. */
  readonly disco?: readonly string[];
  /** The reply's payload; an AdapterError rejects. Undefined: the preset. */
  answer?(iq: Element): Element | AdapterError | undefined;
}

/** A session of me@example.org/here on a stream that is none: the test is the server. */
export interface Fake {
  readonly host: TestHost;
  readonly session: Session;
  readonly sent: readonly Element[];
  /** What the server sends. */
  feed(text: string): void;
  feedAll(elements: readonly Element[]): void;
  /** Holds acknowledgements back until the returned function is called. */
  holdAcks(): () => void;
  stop(): Promise<void>;
}

export async function fake(options: FakeOptions = {}): Promise<Fake> {
  const host = testHost(options.memory ? { memory: options.memory } : {});
  const sent: Element[] = [];
  let receive = (_: Element): void => {};
  let acked = Promise.resolve();
  let close = (): void => {};
  const closed = new Promise<undefined>((resolve) => {
    close = () => resolve(undefined);
  });
  const query = (ns: string, ...children: Element[]): Element => xml('query', { xmlns: ns }, ...children);
  const preset = (iq: Element): Element | AdapterError => {
    const ns = iq.getChildElements()[0]?.getNS();
    if (ns === 'jabber:iq:roster') return query(ns, ...stanzas(options.roster ?? ''));
    if (ns === 'http://jabber.org/protocol/disco#info') {
      const features = options.disco ?? ['urn:xmpp:sid:0', 'urn:xmpp:mam:2', 'urn:xmpp:blocking'];
      return query(ns, ...features.map((feature) => xml('feature', { var: feature })));
    }
    return new AdapterError('unsupported', 'service unavailable');
  };
  const stream: Stream = {
    jid: 'me@example.org/here',
    resumed: options.resumed ?? false,
    features: stanzas(`<stream:features>${options.features ?? ''}</stream:features>`)[0] ?? xml('features'),
    managed: true,
    recovered: new Map(),
    send: (stanza) => void sent.push(stanza),
    async accepted(stanza) {
      sent.push(stanza);
      await acked;
    },
    async iq(stanza) {
      sent.push(stanza);
      const reply = options.answer?.(stanza) ?? preset(stanza);
      if (reply instanceof AdapterError) throw reply;
      return xml('iq', { type: 'result' }, reply);
    },
    probe: () => {},
    closed,
    close: async () => close(),
  };
  const settings = parseSettings({ jid: 'me@example.org' });
  const session = openSession(settings, host, async (_settings, _host, onStanza, signal) => {
    signal.addEventListener('abort', close);
    receive = onStanza;
    return stream;
  });
  const stopper = new AbortController();
  const run = session.run(stopper.signal);
  await Promise.race([host.next('roster'), run.then(() => Promise.reject(new Error('the session ended')))]);
  // The rooms of last time are entered after that; nothing of it is left open.
  await waitFor(() => sent.some((stanza) => stanza.name === 'presence' || options.resumed));
  const feedAll = (elements: readonly Element[]): void => {
    for (const element of elements) receive(element);
  };
  return {
    host,
    session,
    sent,
    feed: (text) => feedAll(stanzas(text)),
    feedAll,
    holdAcks: () => {
      let release = (): void => {};
      acked = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    stop: async () => {
      stopper.abort();
      await run;
    },
  };
}
