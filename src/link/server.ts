import { createHash, timingSafeEqual } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import {
  createJSONRPCErrorResponse,
  type JSONRPCErrorResponse,
  type JSONRPCID,
  type JSONRPCRequest,
  JSONRPCServer,
} from 'json-rpc-2.0';
import { encodeLine, frontLineLimit, LineTooLong, splitLines } from './frames.ts';
import { batchOf, type Feed, feedOf } from './front.ts';
import {
  type Change,
  type ChangeType,
  type Handlers,
  LINK_VERSION,
  type LinkError,
  type Method,
  type Params,
  type Result,
} from './messages.ts';
import { methods, wrongParams } from './params.ts';

export interface LinkServerOptions {
  /** Path of the socket, at which nothing stands. */
  readonly path: string;
  /** What a front must show that it can read. */
  readonly cookie: string;
  readonly handlers: Handlers;
  errorOf(error: unknown): LinkError;
  /** Called before each method; where it gives a promise, that is awaited, and its error is the answer. */
  before?(method: Method): Promise<void> | undefined;
  /** Sends out what has not gone out yet: the snapshot that follows already has it in. */
  flush(): void;
  /** A front came, left, or changed what it listens to. */
  frontsChanged(): void;
  /** Bytes that one front may leave unread before its changes are dropped. */
  readonly feedLimit?: number;
  readonly helloTimeoutMs?: number;
}

export interface LinkServer {
  /** To every front that subscribed, encoded once. */
  broadcast(changes: readonly Change[]): void;
  /** Fronts that said hello. */
  fronts(): number;
  /** Fronts that are told of that kind of change. */
  listeners(type: ChangeType): number;
  /** Answers under way get out; then every connection is closed and the socket is gone. */
  close(): Promise<void>;
}

interface Connection {
  readonly socket: Socket;
  readonly feed: Feed;
  greeted: boolean;
  calls: number;
}

const defaultFeedLimit = 8 * 1024 * 1024;
/** Before its hello a front has shown nothing, and needs no more than this in a line. */
const helloLineLimit = 64 * 1024;
const connectionLimit = 4096;
/** A front that asks more than this at once is read on when some are answered. */
const callLimit = 1024;
const closeGraceMs = 500;

/** The code of our own errors in JSON-RPC; what is wrong stands in `data`, a LinkError. */
const ownError = -32000;

/** @throws the system's error where the socket cannot be made. */
export async function openLinkServer(options: LinkServerOptions): Promise<LinkServer> {
  const connections = new Set<Connection>();
  const rpc = dispatcher(options);
  const server = createServer((socket) => accept(socket, options, rpc, connections));
  server.maxConnections = connectionLimit;
  await listen(server, options.path);
  const greeted = (): Connection[] => [...connections].filter((connection) => connection.greeted);
  return {
    broadcast(changes) {
      const batch = batchOf(changes);
      for (const { feed } of connections) feed.send(batch);
    },
    fronts: () => greeted().length,
    listeners: (type) =>
      greeted().filter(({ feed }) => {
        const wish = feed.wish();
        return wish !== false && (wish?.kinds.has(type) ?? true);
      }).length,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const connection of connections) {
          const { socket } = connection;
          if (connection.greeted) reply(connection, ENDING);
          socket.end();
          setTimeout(() => socket.destroy(), closeGraceMs).unref();
        }
      }),
  };
}

/** The socket is never open to others, not even between its making and the change of its mode. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const umask = process.umask(0o177);
    try {
      server.listen({ path, backlog: connectionLimit }, () => {
        chmodSync(path, 0o600);
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
}

function accept(
  socket: Socket,
  options: LinkServerOptions,
  rpc: JSONRPCServer<Connection>,
  connections: Set<Connection>,
): void {
  const feed = feedOf(socket, options.feedLimit ?? defaultFeedLimit);
  const connection: Connection = { socket, feed, greeted: false, calls: 0 };
  connections.add(connection);
  const hurry = setTimeout(() => connection.greeted || socket.destroy(), options.helloTimeoutMs ?? 10_000);
  hurry.unref();
  const split = splitLines(
    (line) => receive(line, connection, rpc),
    () => (connection.greeted ? frontLineLimit : helloLineLimit),
  );
  socket.on('data', (chunk) => {
    try {
      split(chunk);
    } catch (error) {
      if (!(error instanceof LineTooLong)) throw error;
      socket.removeAllListeners('data');
      socket.resume();
      reply(connection, failure(null, { code: 'usage', message: error.message }));
      socket.end();
    }
  });
  socket.on('drain', () => resume(connection));
  // The close that follows is all that is to be done about it.
  socket.on('error', () => {});
  socket.on('close', () => {
    clearTimeout(hurry);
    connections.delete(connection);
    if (connection.greeted) options.frontsChanged();
  });
}

const ENDING = { jsonrpc: '2.0', method: 'ending', params: {} } as const;
const invalid = createJSONRPCErrorResponse(null, -32600, 'this is no JSON-RPC request');

function receive(line: string, connection: Connection, rpc: JSONRPCServer<Connection>): void {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    reply(connection, createJSONRPCErrorResponse(null, -32700, 'this line is not JSON'));
    return;
  }
  if (typeof message !== 'object' || message === null) {
    reply(connection, invalid);
    return;
  }
  connection.calls += 1;
  if (connection.calls >= callLimit) connection.socket.pause();
  const done = (answer: unknown): void => {
    connection.calls -= 1;
    if (answer) reply(connection, answer);
    resume(connection);
  };
  // The library looks at each field itself and answers what is no request.
  rpc.receive(message as JSONRPCRequest, connection).then(done, () => done(invalid));
}

/** A front that does not read its answers is not read either. */
function resume({ socket, calls }: Connection): void {
  if (socket.isPaused() && calls < callLimit && !socket.writableNeedDrain) socket.resume();
}

function reply({ socket, feed }: Connection, answer: unknown): void {
  if (socket.destroyed || socket.writableEnded) return;
  feed.answer(encodeLine(answer));
  if (socket.writableNeedDrain) socket.pause();
}

function dispatcher(options: LinkServerOptions): JSONRPCServer<Connection> {
  const rpc = new JSONRPCServer<Connection>({ errorListener: () => {} });
  rpc.mapErrorToJSONRPCErrorResponse = (id, error) =>
    failure(id, error instanceof Refusal ? error.detail : options.errorOf(error));
  rpc.handleMethodNotFound = async (request) =>
    failure(request.id ?? null, { code: 'usage', message: `the hub knows no method ${request.method}` });
  const cookie = digest(options.cookie);
  for (const method of methods) {
    rpc.addMethod(method, async (params: unknown, connection) => {
      const given = typeof params === 'object' && params !== null ? params : {};
      if (!connection.greeted && method !== 'hello') throw new Refusal({ code: 'refused', message: 'say hello first' });
      const wrong = wrongParams(method, given);
      if (wrong) throw new Refusal({ code: 'usage', message: wrong });
      if (method === 'hello') greet(valid<'hello'>(given), cookie);
      const before = options.before?.(method);
      if (before) await before;
      if (method === 'subscribe') {
        options.flush();
        connection.feed.subscribe(valid<'subscribe'>(given).only);
      }
      const result = await call(options.handlers, method, given);
      if (method === 'hello') connection.greeted = true;
      if (method === 'hello' || method === 'subscribe') options.frontsChanged();
      return result;
    });
  }
  return rpc;
}

/** The one place where what came by the wire gets its type; `wrongParams` has looked at it. */
const valid = <M extends Method>(params: object): Params<M> => params as Params<M>;

const call = <M extends Method>(handlers: Handlers, method: M, params: object): Promise<Result<M>> =>
  handlers[method](valid<M>(params));

function greet(params: Params<'hello'>, cookie: Buffer): void {
  if (!timingSafeEqual(digest(params.cookie), cookie))
    throw new Refusal({ code: 'auth', message: 'this front cannot read the cookie of the hub' });
  if (params.version !== LINK_VERSION)
    throw new Refusal({
      code: 'hub',
      message: `the hub that runs speaks version ${LINK_VERSION} of the link and this imux version ${params.version}; \`imux hub stop\` ends it, and the next start brings the new one`,
    });
}

/** Of one length, so that the comparison tells nothing by the time it takes. */
const digest = (cookie: string): Buffer => createHash('sha256').update(cookie).digest();

/** What the link itself refuses. */
class Refusal extends Error {
  readonly detail: LinkError;
  constructor(detail: LinkError) {
    super(detail.message);
    this.detail = detail;
  }
}

function failure(id: JSONRPCID, detail: LinkError): JSONRPCErrorResponse {
  return createJSONRPCErrorResponse(id, ownError, detail.message, detail);
}
