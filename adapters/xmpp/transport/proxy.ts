import { connect as connectTcp, type Socket } from 'node:net';
import { AdapterError } from '../../errors.ts';
import { quiet, socketEvent } from './socket-event.ts';

interface Credentials {
  readonly username: string;
  readonly password: string;
}

const HEAD_LIMIT = 16 * 1024;

/**
 * A socket to host and port through a proxy, which also looks the name up: nothing of where we go shows here.
 * @throws AdapterError `unsupported` for a kind of proxy that is not known
 */
export async function connectThrough(proxy: string, host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const url = parseUrl(proxy);
  const server = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || 1080 };
  const credentials =
    url.username === ''
      ? undefined
      : { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  switch (url.protocol) {
    case 'socks5:':
    case 'socks5h:':
    case 'socks:':
      return await throughSocks(server, credentials, host, port, signal);
    case 'http:':
      return await throughConnect({ ...server, port: Number(url.port) || 80 }, credentials, host, port, signal);
    default:
      throw new AdapterError('unsupported', `imux knows no ${url.protocol.slice(0, -1)} proxies, only socks5 and http`);
  }
}

function parseUrl(proxy: string): URL {
  try {
    return new URL(proxy);
  } catch {
    // The text may hold the proxy's password.
    throw new AdapterError('refused', 'the proxy is no address such as socks5://127.0.0.1:9050');
  }
}

interface Server {
  readonly host: string;
  readonly port: number;
}

async function throughSocks(
  server: Server,
  credentials: Credentials | undefined,
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<Socket> {
  // Loaded here: hardly anybody has one.
  const { SocksClient } = await import('socks').catch((error: unknown) => {
    throw new AdapterError('unsupported', 'SOCKS proxies need the package "socks"', { cause: error });
  });
  const socket = quiet(connectTcp(server));
  const stop = (): void => void socket.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await socketEvent(socket, 'connect', signal);
    await SocksClient.createConnection({
      existing_socket: socket,
      command: 'connect',
      destination: { host, port },
      proxy: {
        ...server,
        type: 5,
        ...(credentials && { userId: credentials.username, password: credentials.password }),
      },
    });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** RFC 9110 section 9.3.6. */
async function throughConnect(
  server: Server,
  credentials: Credentials | undefined,
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = quiet(connectTcp(server));
  try {
    await socketEvent(socket, 'connect', signal);
    const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    const pair = credentials && Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
    const authorization = pair === undefined ? '' : `Proxy-Authorization: Basic ${pair}\r\n`;
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`);
    let head = '';
    while (!head.includes('\r\n\r\n')) {
      if (head.length > HEAD_LIMIT) throw new AdapterError('protocol', 'the proxy answers with no end');
      await socketEvent(socket, 'readable', signal);
      const chunk: Buffer | null = socket.read();
      head += chunk?.toString('latin1') ?? '';
    }
    const end = head.indexOf('\r\n\r\n') + 4;
    const status = /^HTTP\/1\.\d (\d{3})/.exec(head)?.[1];
    if (status === undefined || !status.startsWith('2')) {
      throw new AdapterError(status === '407' ? 'auth' : 'unreachable', `the proxy answered ${status ?? 'nonsense'}`);
    }
    if (end < head.length) socket.unshift(Buffer.from(head.slice(end), 'latin1'));
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
