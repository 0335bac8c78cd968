import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Client } from '@xmpp/client-core';
import ConnectionTCP from '@xmpp/tcp/lib/Connection.js';
import { type Element, xml } from '@xmpp/xml';
import type { Clock } from '../../contract.ts';
import { AdapterError, asAdapterError } from '../../errors.ts';
import { streamError } from './errors.ts';
import { quiet } from './socket-event.ts';
import { WireError } from './tokens.ts';
import { StreamParser, serialize } from './xml.ts';

const NS_STREAM = 'http://etherx.jabber.org/streams';
const NS_STREAM_ERRORS = 'urn:ietf:params:xml:ns:xmpp-streams';
/** Connecting, TLS and sign-in together. */
export const SIGN_IN_MS = 30_000;
/** What a server gets to answer our `</stream:stream>`. */
const CLOSE_MS = 2_000;
/** A server that takes no more than this has stopped reading. */
const UNSENT_LIMIT = 16 * 1024 * 1024;

interface Expectation {
  take(element: Element): boolean;
  reject(error: unknown): void;
}

/**
 * The stream of @xmpp/client-core over a socket that is handed to it, with a strict parser in place of the library's
 * and with its dispatch, its error handling and its redirects replaced. It ends once, and says so once, by `ended`.
 */
export class ClientConnection extends Client {
  override Parser = StreamParser;
  override Transport: unknown = ConnectionTCP;
  /** Takes what is neither a stream error nor expected; without it that is dropped. Set once the stream is bound. */
  live: ((element: Element) => void) | undefined;
  /** Called after each chunk of bytes. */
  heard: (() => void) | undefined;
  readonly ended: Promise<AdapterError | undefined>;
  readonly #domain: string;
  readonly #clock: Clock;
  readonly #end: (error: AdapterError | undefined) => void;
  readonly #gone = new AbortController();
  #state: 'open' | 'closing' | 'ended' = 'open';
  #expected: Expectation | undefined;
  #unsent = '';

  constructor(domain: string, clock: Clock) {
    super({ domain, timeout: SIGN_IN_MS });
    this.#domain = domain;
    this.#clock = clock;
    const { promise, resolve } = Promise.withResolvers<AdapterError | undefined>();
    this.ended = promise;
    this.#end = resolve;
    this.on('error', (error) => this.fail(this.#fault(error)));
    this.on('disconnect', () => this.fail(new AdapterError('unreachable', 'the connection to the server was lost')));
  }

  get over(): boolean {
    return this.#state !== 'open';
  }

  override isSecure(): boolean {
    return this.socket instanceof TLSSocket && this.socket.authorized;
  }

  /** Opens the stream, or opens it anew after TLS and after sign-in; resolves with its features. */
  async features(): Promise<Element> {
    const features = this.expect((element) => (element.is('features', NS_STREAM) ? element : undefined));
    this._detachParser();
    await Promise.all([this.open({ domain: this.#domain }), features]);
    return await features;
  }

  /**
   * The first element that `accepts` makes something of, called as the element is parsed: what it changes holds for
   * the very next element. What it does not accept goes on as usual.
   */
  expect<T>(accepts: (element: Element) => T | undefined): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    // Who expects may still be on the way to waiting for it.
    promise.catch(() => {});
    if (this.over) {
      reject(new AdapterError('unreachable', 'the connection is closed'));
      return promise;
    }
    const take = (element: Element): boolean => {
      const value = accepts(element);
      if (value !== undefined) resolve(value);
      return value !== undefined;
    };
    this.#expected = { take, reject };
    return promise;
  }

  /** Written with all else of this turn of the event loop, in order. @throws AdapterError */
  push(element: Element): void {
    this.pushText(serialize(element));
  }

  pushText(text: string): void {
    if (this.over) throw new AdapterError('unreachable', 'not connected');
    if ((this.socket?.writableLength ?? 0) > UNSENT_LIMIT) {
      throw new AdapterError('rate-limited', 'the server takes no more for now');
    }
    if (this.#unsent === '') queueMicrotask(() => this.#flush());
    this.#unsent += text;
  }

  /** Nothing more of this parser's stream is read: neither the rest of the chunk nor, until TLS takes over, the socket. */
  halt(): void {
    this._detachParser();
    this.socket?.pause();
  }

  /** The raw socket, for TLS to take over. */
  release(): Socket {
    const socket = this.socket;
    if (!socket) throw new AdapterError('unreachable', 'the connection to the server was lost');
    this._detachSocket();
    return quiet(socket);
  }

  /** Ends at once, with a stream error of these elements for the server, if any (RFC 6120 section 4.9). */
  fail(error: AdapterError, ...detail: readonly Element[]): void {
    if (this.#state === 'ended') return;
    this.#flush();
    const { socket } = this;
    const orderly = this.#state === 'closing';
    this.#finish(orderly ? undefined : error);
    if (!socket || socket.destroyed) return;
    // XEP-0198 section 5: after a farewell there is nothing to resume; only what we have to say ends the session too.
    if (orderly || detail.length === 0) {
      socket.destroy();
      return;
    }
    socket.end(`<stream:error>${detail.join('')}</stream:error></stream:stream>`);
    // What still comes is read and dropped, so that the server gets to read why.
    socket.resume();
    socket.once('close', () => this.#gone.abort());
    void this.#clock.sleep(CLOSE_MS, this.#gone.signal).then(
      () => socket.destroy(),
      () => {},
    );
  }

  /** `</stream:stream>`, the server's in return, and only then the end of the socket (RFC 6120 section 4.4). */
  async finish(): Promise<void> {
    if (this.over) return;
    this.#flush();
    this.#state = 'closing';
    const socket = this.socket;
    this.timeout = CLOSE_MS;
    await this.disconnect();
    socket?.destroy();
    this.#finish(undefined);
  }

  override _attachSocket(socket: Socket): void {
    super._attachSocket(quiet(socket));
  }

  override _attachParser(parser: StreamParser): void {
    this.parser = parser;
    parser.on('start', (header: Element) => {
      if (header.is('stream', NS_STREAM)) this._status('open', header);
      else
        this.fail(new AdapterError('protocol', 'the server does not speak XMPP'), streamCondition('invalid-namespace'));
    });
    parser.on('element', (element: Element) => this._onElement(element));
    parser.on('error', (error: unknown) => {
      const condition = error instanceof WireError ? error.condition : 'undefined-condition';
      const fault = new AdapterError('protocol', `the server sent what XMPP forbids: ${text(error)}`, { cause: error });
      this.fail(fault, streamCondition(condition));
    });
    parser.on('end', () => {
      if (this.#state === 'open') this.fail(new AdapterError('unreachable', 'the server closed the stream'));
    });
  }

  override _detachParser(): void {
    if (this.parser instanceof StreamParser) this.parser.stop();
    this.parser = null;
    this.root = null;
  }

  override _onData(data: Buffer): void {
    this.parser?.write(data);
    this.heard?.();
  }

  override _onElement(element: Element): void {
    if (element.is('error', NS_STREAM)) {
      this.fail(streamError(element));
      return;
    }
    const expected = this.#expected;
    try {
      if (expected?.take(element)) this.#expected = undefined;
      else this.live?.(element);
    } catch (error) {
      if (expected) this.#expected = undefined;
      expected?.reject(error);
      if (!expected) this.fail(asAdapterError(error));
    }
  }

  #flush(): void {
    const unsent = this.#unsent;
    this.#unsent = '';
    if (unsent !== '' && !this.over) this.socket?.write(unsent);
  }

  #finish(error: AdapterError | undefined): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    // Whoever waits for the server's `</stream:stream>` listens here, …
    this.parser?.emit('error', error);
    this._detachParser();
    this._detachSocket();
    this.live = undefined;
    this.#expected?.reject(error ?? new AdapterError('unreachable', 'the connection is closed'));
    this.#expected = undefined;
    // … and whoever waits for the stream to open, here.
    this.emit('error', error);
    this.#end(error);
  }

  #fault(error: unknown): AdapterError {
    if (error instanceof AdapterError) return error;
    return new AdapterError('unreachable', `the connection to the server was lost: ${text(error)}`, { cause: error });
  }
}

export function streamCondition(name: string): Element {
  return xml(name, { xmlns: NS_STREAM_ERRORS });
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
