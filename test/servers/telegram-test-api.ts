import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { TelegramServer } from 'telegram-test-api/lib/telegramServer.js';
import { freePort } from './process.ts';

type TestApi = typeof import('telegram-test-api/lib/telegramServer.js');
const { TelegramServer: Server }: TestApi = createRequire(import.meta.url)('telegram-test-api/lib/telegramServer.js');

/** https://github.com/jehy/telegram-test-api, with what it lacks answered in front of it. */
export interface TelegramTestApi {
  readonly root: string;
  /** Its own object: bots' messages are in `storage.botMessages`. */
  readonly server: TelegramServer;
  /** Tokens that are valid; the package takes any. */
  readonly tokens: Set<string>;
  /** People who can be written to; the package has no getChat. */
  readonly people: Map<number, { readonly name: string; readonly username: string }>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

export async function startTelegramTestApi(): Promise<TelegramTestApi> {
  const inner = await freePort();
  const server = new Server({ port: inner, host: '127.0.0.1', storeTimeout: 600 });
  await server.start();
  const port = await freePort();
  const tokens = new Set<string>();
  const people: TelegramTestApi['people'] = new Map();
  const sockets = new Set<Socket>();

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, token = '', method = ''] = /^\/bot([^/]+)\/(\w+)/.exec(incoming.url ?? '') ?? [];
    const body = await read(incoming);
    if (!tokens.has(token)) return fail(response, 401, 'Unauthorized');
    if (method !== 'getChat') return forward(inner, incoming, body, response);
    const id = Number(JSON.parse(body.toString()).chat_id);
    const person = people.get(id);
    if (!person) return fail(response, 400, 'Bad Request: chat not found');
    const result = { id, type: 'private', first_name: person.name, username: person.username };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ok: true, result }));
  };
  const front = createServer((incoming, response) => void answer(incoming, response).catch(() => response.destroy()));
  front.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const resume = (): Promise<void> => new Promise((resolve) => front.listen(port, '127.0.0.1', resolve));
  const pause = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => front.close(resolve));
  };
  await resume();
  return {
    root: `http://127.0.0.1:${port}`,
    server,
    tokens,
    people,
    pause,
    resume,
    stop: async () => {
      await pause();
      await server.stop();
    },
  };
}

function forward(port: number, incoming: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const { method, url: path, headers } = incoming;
  const onward = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  onward.end(body);
}

function fail(response: ServerResponse, code: number, description: string): void {
  const body = JSON.stringify({ ok: false, error_code: code, description });
  response.writeHead(code, { 'content-type': 'application/json' }).end(body);
}

async function read(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks);
}
