import { lstatSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { JSONRPCResponse } from 'json-rpc-2.0';
// The client's half alone: a verb is over before the other half would pay.
import { JSONRPCClient } from 'json-rpc-2.0/dist/client.js';
import { JSONRPCErrorException } from 'json-rpc-2.0/dist/models.js';
import type { Paths } from '../paths.ts';
import { encodeLine, hubLineLimit, splitLines } from './frames.ts';
import { LINK_VERSION, type LinkError, type Method, type Notifications, type Params, type Result } from './messages.ts';

/** A call that the hub refused, or that could not reach it. Its text is for a person. */
export class LinkFailure extends Error {
  override readonly name = 'LinkFailure';
  readonly detail: LinkError;

  constructor(detail: LinkError, options?: ErrorOptions) {
    super(detail.message, options);
    this.detail = detail;
  }
}

export type LinkEvents = {
  changes: [changes: Notifications['changes']['changes']];
  resync: [];
  /** The hub was told to end; `closed` follows. */
  ending: [];
  closed: [error?: Error];
};

export interface LinkClient {
  readonly hub: Result<'hello'>;
  /** @throws LinkFailure; after the signal aborts, with the code `cancelled` (the hub may still carry the call out). */
  call<M extends Method>(method: M, params: Params<M>, signal?: AbortSignal): Promise<Result<M>>;
  /** `closed`: once, with the reason where the connection broke. */
  on<N extends keyof LinkEvents>(event: N, listener: (...args: LinkEvents[N]) => void): void;
  /** Reads nothing from the hub until `resume`, answers included; what a front can then not take, the hub drops. */
  pause(): void;
  resume(): void;
  close(): void;
}

const HELLO_TIMEOUT_MS = 5_000;

/**
 * Connects to the running hub of these paths and says hello.
 * @throws LinkFailure `hub` where none runs (`cause.code` ENOENT or ECONNREFUSED), or the socket is not ours alone.
 */
export async function attach(paths: Paths, front: string): Promise<LinkClient> {
  const path = join(paths.run, 'hub.sock');
  refuseForeign(paths.run, 0o077);
  refuseForeign(path, 0o077);
  const cookie = read(join(paths.run, 'cookie'));
  const socket = await open(path);
  const client = speak(socket);
  try {
    const hub = await client.call(
      'hello',
      { version: LINK_VERSION, front, cookie },
      AbortSignal.timeout(HELLO_TIMEOUT_MS),
    );
    return { ...client, hub };
  } catch (error) {
    client.close();
    throw error;
  }
}

/** Another user's folder or socket under our name could read what we send (CWE-377). */
function refuseForeign(path: string, forbidden: number): void {
  let found: ReturnType<typeof lstatSync>;
  try {
    found = lstatSync(path);
  } catch (cause) {
    throw new LinkFailure({ code: 'hub', message: 'no hub is running' }, { cause });
  }
  const uid = process.getuid?.();
  if (found.isSymbolicLink() || (uid !== undefined && found.uid !== uid) || (found.mode & forbidden) !== 0) {
    throw new LinkFailure({
      code: 'hub',
      message: `${path} is not yours alone (owner or mode); remove it and start again`,
    });
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new LinkFailure({ code: 'hub', message: 'no hub is running' }, { cause });
  }
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', (cause) => reject(new LinkFailure({ code: 'hub', message: 'no hub is running' }, { cause })));
  });
}

function speak(socket: Socket): Omit<LinkClient, 'hub'> {
  const listeners: Listeners = { changes: [], resync: [], ending: [], closed: [] };
  let lastError: Error | undefined;
  const rpc = new JSONRPCClient((request) => void socket.write(encodeLine(request)));

  const receive = (line: string): void => {
    const message = JSON.parse(line) as JSONRPCResponse | Notification;
    if ('method' in message) notify(message);
    else rpc.receive(message);
  };
  const notify = (message: Notification): void => {
    switch (message.method) {
      case 'changes':
        for (const listener of listeners.changes) listener(message.params.changes);
        break;
      case 'resync':
        for (const listener of listeners.resync) listener();
        break;
      case 'ending':
        for (const listener of listeners.ending) listener();
        break;
    }
  };

  socket.on('data', splitLines(receive, hubLineLimit));
  socket.on('error', (error) => {
    lastError = error;
  });
  socket.on('close', () => {
    rpc.rejectAllPendingRequests('the hub closed the connection');
    for (const listener of listeners.closed) listener(lastError);
  });

  return {
    async call(method, params, signal) {
      if (socket.destroyed) throw new LinkFailure({ code: 'hub', message: 'the hub has gone' });
      try {
        return await abortable(Promise.resolve(rpc.request(method, params)), signal);
      } catch (error) {
        throw asFailure(error);
      }
    },
    on: (event, listener) => void listeners[event].push(listener),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => void socket.end(),
  };
}

type Listeners = { [N in keyof LinkEvents]: ((...args: LinkEvents[N]) => void)[] };

type Notification = {
  [N in keyof Notifications]: { readonly method: N; readonly params: Notifications[N] };
}[keyof Notifications];

function abortable<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return answer;
  return new Promise((resolve, reject) => {
    const stop = (): void =>
      reject(new LinkFailure({ code: 'cancelled', message: 'stopped waiting for the hub' }, { cause: signal.reason }));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

function asFailure(error: unknown): LinkFailure {
  if (error instanceof LinkFailure) return error;
  if (error instanceof JSONRPCErrorException && isLinkError(error.data))
    return new LinkFailure(error.data, { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new LinkFailure({ code: 'hub', message }, { cause: error });
}

function isLinkError(value: unknown): value is LinkError {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value;
}
