import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Call, type Ledger, methods, type Part, Refused } from './methods.ts';
import { type Bot, type Json, takeUpdates, type World } from './world.ts';

/** What goes wrong with a call instead of, or after, the work. */
export type Fault =
  /** An answer with `ok: false`; from 500 on, the page of a proxy. */
  | { readonly kind: 'status'; readonly status: number; readonly description?: string; readonly parameters?: Json }
  /** The work is done and the connection breaks before the answer. */
  | { readonly kind: 'drop' }
  /** The connection breaks before anything is done. */
  | { readonly kind: 'refuse' }
  /** Something else answers: a sign-in page, half a JSON text, a redirect. `PATH` stands for the address asked for. */
  | {
      readonly kind: 'page';
      readonly status?: number;
      readonly body: string;
      readonly headers?: Record<string, string>;
    }
  /** No answer ever comes. */
  | { readonly kind: 'hang' };

export interface Front {
  readonly port: number;
  listen(): Promise<void>;
  /** Closes the port and breaks all connections. */
  shut(): Promise<void>;
  /** With a token: the calls of that bot alone. */
  fail(method: string, fault: Fault, times: number, token?: string): void;
  /** Every call as it came, in order; a download is the method `file`. */
  readonly calls: { readonly method: string; readonly payload: Json; readonly at: number }[];
}

const MOST_BODY = 64 * 1024 * 1024;

export function front(world: World, ledger: Ledger, wantedPort: number): Front {
  const faults = new Map<string, { fault: Fault; times: number }>();
  const sockets = new Set<Socket>();
  const calls: Front['calls'] = [];
  let port = wantedPort;
  let server: Server | undefined;

  const fault = (method: string, token: string): Fault | undefined => {
    const planned = faults.get(`${token} ${method}`) ?? faults.get(method) ?? faults.get('*');
    if (!planned || planned.times <= 0) return undefined;
    planned.times--;
    return planned.fault;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await read(request);
    const path = (request.url ?? '').split('?')[0] ?? '';
    const file = /^\/file\/bot([^/]+)\/(.+)$/.exec(path);
    if (file) {
      calls.push({ method: 'file', payload: { path: file[2] ?? '' }, at: world.now() });
      return serveFile(world, file, response, fault('file', file[1] ?? ''));
    }
    const [, token = '', name = ''] = /^\/bot([^/]+)\/(\w+)$/.exec(path) ?? [];
    const call = { ...parse(request, body), bot: world.bots.get(token) };
    calls.push({ method: name, payload: call.payload, at: world.now() });
    const wrong = fault(name, token);
    if (wrong && wrong.kind !== 'drop') return misbehave(wrong, request, response);
    if (!call.bot) return refuse(response, new Refused(401, 'Unauthorized'));
    const result = await work(name.toLowerCase(), { ...call, bot: call.bot }, world, ledger, response);
    if (wrong) request.socket.destroy();
    else if (result instanceof Refused) refuse(response, result);
    else json(response, 200, { ok: true, result });
  };

  return {
    calls,
    get port() {
      return port;
    },
    async listen() {
      const opened = createServer((request, response) => {
        answer(request, response).catch(() => request.socket.destroy());
      });
      opened.on('connection', (socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      });
      await new Promise<void>((resolve, reject) => {
        opened.once('error', reject);
        opened.listen(port, '127.0.0.1', resolve);
      });
      const address = opened.address();
      if (address !== null && typeof address === 'object') port = address.port;
      server = opened;
    },
    async shut() {
      const closing = server;
      server = undefined;
      for (const socket of sockets) socket.destroy();
      if (closing) await new Promise((resolve) => closing.close(resolve));
    },
    fail(method, what, times, token) {
      faults.set(token === undefined ? method : `${token} ${method}`, { fault: what, times });
    },
  };
}

async function work(
  method: string,
  call: Call,
  world: World,
  ledger: Ledger,
  response: ServerResponse,
): Promise<unknown> {
  try {
    if (method === 'getupdates') return await updates(call, world, response);
    const known = methods[method];
    if (!known) throw new Refused(404, 'Not Found: method not found');
    return known(call, world, ledger);
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
}

/** Holds an empty answer back for `timeout` seconds. A second poller ends the first with a conflict. */
async function updates({ bot, payload }: Call, world: World, response: ServerResponse): Promise<readonly Json[]> {
  const offset = Number(payload.offset ?? 0);
  const limit = Math.min(100, Number(payload.limit ?? 100));
  if (Array.isArray(payload.allowed_updates)) bot.allowed = payload.allowed_updates.map(String);
  const ready = takeUpdates(world, bot, offset, limit);
  const seconds = Number(payload.timeout ?? 0);
  bot.wake?.();
  if (ready.length > 0 || seconds <= 0) return ready;
  await waitForUpdate(bot, seconds, response);
  const found = takeUpdates(world, bot, offset, limit);
  if (bot.wake === undefined || found.length > 0) return found;
  throw new Refused(
    409,
    'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
  );
}

function waitForUpdate(bot: Bot, seconds: number, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      if (bot.wake === done) bot.wake = undefined;
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    response.once('close', done);
    bot.wake = done;
  });
}

function misbehave(fault: Exclude<Fault, { kind: 'drop' }>, request: IncomingMessage, response: ServerResponse): void {
  switch (fault.kind) {
    case 'hang':
      return;
    case 'refuse':
      request.socket.destroy();
      return;
    case 'page': {
      const path = request.url ?? '';
      const fill = (text: string): string => text.replaceAll('PATH', path);
      const headers = Object.entries(fault.headers ?? { 'content-type': 'text/html' });
      response.writeHead(fault.status ?? 200, Object.fromEntries(headers.map(([key, value]) => [key, fill(value)])));
      response.end(fill(fault.body));
      return;
    }
    case 'status': {
      if (fault.status < 500) refuse(response, new Refused(fault.status, fault.description ?? '', fault.parameters));
      else response.writeHead(fault.status, { 'content-type': 'text/html' }).end('<html><h1>Bad Gateway</h1></html>');
      return;
    }
    default:
      fault satisfies never;
  }
}

function refuse(response: ServerResponse, { code, message, parameters }: Refused): void {
  json(response, code, { ok: false, error_code: code, description: message, ...(parameters ? { parameters } : {}) });
}

function json(response: ServerResponse, status: number, body: Json): void {
  if (!response.headersSent && !response.destroyed)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function serveFile(world: World, [, token = '', path]: RegExpExecArray, response: ServerResponse, fault?: Fault): void {
  const file = [...world.files.values()].find((one) => one.path === path);
  if (!world.bots.has(token) || !file) {
    json(response, 404, { ok: false, error_code: 404, description: 'Not Found' });
    return;
  }
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': file.bytes.length });
  if (fault) response.write(file.bytes.subarray(0, file.bytes.length / 2), () => response.destroy());
  else response.end(file.bytes);
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MOST_BODY) throw new Error('body too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(request: IncomingMessage, body: Buffer): { readonly payload: Json; readonly file: Part | undefined } {
  const boundary = /^multipart\/form-data; ?boundary=(.+)$/.exec(request.headers['content-type'] ?? '')?.[1];
  if (boundary !== undefined) return parseParts(body, boundary);
  return { payload: body.length > 0 ? JSON.parse(body.toString()) : {}, file: undefined };
}

function parseParts(body: Buffer, boundary: string): { payload: Json; file: Part | undefined } {
  const payload: Record<string, string> = {};
  let file: Part | undefined;
  const mark = `--${boundary}`;
  for (let at = body.indexOf(mark); at >= 0; ) {
    const next = body.indexOf(mark, at + mark.length);
    const head = body.indexOf('\r\n\r\n', at);
    if (next < 0 || head < 0) break;
    const headers = body.toString('utf8', at + mark.length, head);
    const content = body.subarray(head + 4, next - 2);
    const name = /[; ]name="([^"]*)"/.exec(headers)?.[1] ?? '';
    const filename = /filename="([^"]*)"/.exec(headers)?.[1];
    if (filename === undefined) payload[name] = content.toString();
    else file = { name: filename, mime: /content-type: (\S+)/i.exec(headers)?.[1] ?? '', bytes: content };
    at = next;
  }
  return { payload, file };
}
