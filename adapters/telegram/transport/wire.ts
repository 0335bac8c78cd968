import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  Agent as PlainAgent,
  request as plainRequest,
} from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { Clock } from '../../contract.ts';
import { AdapterError, type ErrorCode } from '../../errors.ts';

/** A request body; `bytes` is its exact length. */
export interface Body {
  readonly type: string;
  readonly bytes: number;
  readonly data: Uint8Array | AsyncIterable<Uint8Array>;
}

export interface ExchangeOptions {
  /** Milliseconds until the whole answer has to be here. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * HTTP to one Bot API server. Unlike the fetch in telegraf it follows no redirect, bounds what it reads, and knows
 * whether a request can have reached the server (`certain` of the errors). Its errors never quote an address.
 */
export interface Wire {
  post(url: URL, body: Body, options: ExchangeOptions): Promise<Reply>;
  /** The bytes are read as they come; each has to follow the one before within the deadline. */
  get(
    url: URL,
    options: ExchangeOptions,
  ): Promise<{ readonly status: number; readonly bytes: AsyncIterable<Uint8Array> }>;
  /** Ends every request and connection; later calls fail. */
  close(): void;
}

/** Far above the 100 updates of one answer (about 1 MB at most); below what would hurt the event loop. */
const MOST_BYTES = 16 * 1024 * 1024;
/** An idle connection is dropped before the server would, as a request that meets that moment is of unknown outcome. */
const IDLE_MS = 4_000;

export function wire(root: URL, clock: Clock): Wire {
  const secure = root.protocol === 'https:';
  const options = { keepAlive: true, maxSockets: 16, timeout: IDLE_MS };
  const agent = secure ? new TlsAgent(options) : new PlainAgent(options);
  const open = new Set<Attempt>();

  const begin = (url: URL, body: Body | undefined, { deadline, signal }: ExchangeOptions): Attempt => {
    const request = (secure ? tlsRequest : plainRequest)(url, {
      agent,
      method: body ? 'POST' : 'GET',
      headers: body ? { 'content-type': body.type, 'content-length': body.bytes } : {},
    });
    const attempt = attemptOf(request, secure, root.host, clock);
    open.add(attempt);
    attempt.extend(deadline);
    const stop = (): void => attempt.stop('cancelled');
    signal?.addEventListener('abort', stop, { once: true });
    request.once('close', () => {
      open.delete(attempt);
      attempt.done();
      signal?.removeEventListener('abort', stop);
    });
    if (signal?.aborted) stop();
    return attempt;
  };

  return {
    async post(url, body, exchange) {
      const attempt = begin(url, body, exchange);
      await attempt.write(body);
      const response = await attempt.response;
      const answer = await attempt.guard(() => collect(response, MOST_BYTES));
      return { status: response.statusCode ?? 0, headers: response.headers, body: answer };
    },
    async get(url, exchange) {
      const attempt = begin(url, undefined, exchange);
      attempt.end();
      const response = await attempt.response;
      return { status: response.statusCode ?? 0, bytes: paced(response, attempt, exchange.deadline) };
    },
    close() {
      for (const attempt of open) attempt.stop('the account went offline');
      agent.destroy();
    },
  };
}

interface Attempt {
  readonly response: Promise<IncomingMessage>;
  write(body: Body): Promise<void>;
  end(): void;
  /** Runs a step of reading the answer; its failure becomes an AdapterError. */
  guard<T>(step: () => Promise<T>): Promise<T>;
  /** Moves the deadline to so many milliseconds from now. */
  extend(ms: number): void;
  stop(why: string): void;
  done(): void;
}

function attemptOf(request: ClientRequest, secure: boolean, host: string, clock: Clock): Attempt {
  let reached = false;
  let whole = false;
  let stopped: string | undefined;
  let timer = new AbortController();
  request.once('socket', (socket) => {
    if (request.reusedSocket) reached = true;
    else socket.once(secure ? 'secureConnect' : 'connect', () => (reached = true));
  });
  const fault = (error: unknown): AdapterError => {
    if (error instanceof AdapterError) return error;
    return new AdapterError(stopped === undefined ? kindOf(error) : 'unreachable', stopped ?? reason(error, host), {
      cause: causeOf(error),
      // A body that is shorter than its content-length is no request: only a whole one can have had an effect.
      certain: !(reached && whole),
    });
  };
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', (error) => reject(fault(error)));
    request.once('close', () => reject(fault(new Error('closed'))));
  });
  response.catch(() => {});
  const stop = (why: string): void => {
    stopped ??= why;
    request.destroy(new Error(why));
  };
  const end = (): void => {
    whole = true;
    request.end();
  };
  return {
    response,
    end,
    stop,
    async write(body) {
      try {
        if (body.data instanceof Uint8Array) request.write(body.data);
        else await pour(body, request, response);
        end();
      } catch (error) {
        request.destroy();
        throw fault(error);
      }
    },
    async guard(step) {
      try {
        return await step();
      } catch (error) {
        request.destroy();
        throw fault(error);
      }
    },
    extend(ms) {
      timer.abort();
      timer = new AbortController();
      clock.sleep(ms, timer.signal).then(
        () => stop(`${host} did not answer in ${Math.round(ms / 1000)} s`),
        () => {},
      );
    },
    done: () => timer.abort(),
  };
}

/** Streams an upload at the pace of the connection; an early answer (too large, forbidden) ends it. */
async function pour(body: Body, request: ClientRequest, response: Promise<IncomingMessage>): Promise<void> {
  let left = body.bytes;
  let answered = false;
  const early = response.then(
    () => (answered = true),
    () => (answered = true),
  );
  for await (const chunk of body.data instanceof Uint8Array ? [body.data] : body.data) {
    if (answered) return;
    left -= chunk.byteLength;
    if (left < 0) throw new AdapterError('refused', 'the file grew while it was sent');
    if (!request.write(chunk)) await Promise.race([new Promise((resolve) => request.once('drain', resolve)), early]);
  }
  if (left > 0 && !answered) throw new AdapterError('refused', 'the file shrank while it was sent');
}

async function collect(response: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.length;
    if (bytes > most)
      throw new AdapterError('protocol', 'the server sends more than any Bot API answer can be', { certain: false });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

async function* paced(response: IncomingMessage, attempt: Attempt, deadline: number): AsyncIterable<Uint8Array> {
  const chunks = response[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await attempt.guard(() => chunks.next());
      if (next.done) return;
      attempt.extend(deadline);
      yield next.value;
    }
  } finally {
    response.destroy();
  }
}

const TLS_FAULT = /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO|SSL|TLS/;

function kindOf(error: unknown): ErrorCode {
  const code = codeOf(error);
  if (code === 'ENOTFOUND') return 'host-unknown';
  return TLS_FAULT.test(code) ? 'protocol' : 'unreachable';
}

function reason(error: unknown, host: string): string {
  const code = codeOf(error);
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing listens at ${host}`;
    case 'ENOTFOUND':
      return `there is no host ${host}`;
    case 'EAI_AGAIN':
      return `${host} cannot be looked up: no network, or a wrong name`;
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'ETIMEDOUT':
      return `there is no way to ${host} just now`;
    default:
      if (TLS_FAULT.test(code))
        return `${host} does not prove that it is that server (${code}); a sign-in page of the network you are on?`;
      return `the connection to ${host} broke off`;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Node's own error without what it may quote. */
function causeOf(error: unknown): Error {
  const { name } = error instanceof Error ? error : new Error();
  return new Error(codeOf(error) || name);
}
