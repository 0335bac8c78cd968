import { connect, createServer, type Server, type Socket } from 'node:net';

export interface ProxyServer {
  readonly port: number;
  /** `host:port` of each request, and the credentials that came with it. */
  readonly asked: readonly string[];
  stop(): Promise<void>;
}

/** All connections lead to `target` on loopback, whatever host was asked for. */
export async function httpProxy(target: number, status = 200): Promise<ProxyServer> {
  const asked: string[] = [];
  return await listening(asked, (socket) => {
    let head = '';
    const read = (data: Buffer): void => {
      head += data.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      socket.off('data', read);
      const credentials = /Proxy-Authorization: Basic (.*)\r\n/.exec(head)?.[1];
      asked.push(`${head.split(' ')[1]} ${Buffer.from(credentials ?? '', 'base64').toString()}`.trim());
      socket.write(`HTTP/1.1 ${status} Whatever\r\nVia: test\r\n\r\n`);
      if (status === 200) join(socket, target);
    };
    socket.on('data', read);
  });
}

/** RFC 1928, with names for destinations; RFC 1929 where `password` is given. */
export async function socksProxy(target: number, password?: string): Promise<ProxyServer> {
  const asked: string[] = [];
  return await listening(asked, (socket) => {
    let step: 'greeting' | 'password' | 'request' = 'greeting';
    const read = (data: Buffer): void => {
      if (step === 'greeting') {
        step = password === undefined ? 'request' : 'password';
        socket.write(Buffer.from([5, password === undefined ? 0 : 2]));
      } else if (step === 'password') {
        const name = data.subarray(2, 2 + (data[1] ?? 0));
        const given = data.subarray(3 + name.length);
        asked.push(`${name.toString()} ${given.toString()}`);
        step = 'request';
        socket.write(Buffer.from([1, given.toString() === password ? 0 : 1]));
      } else {
        socket.off('data', read);
        const length = data[4] ?? 0;
        asked.push(`${data.subarray(5, 5 + length).toString()}:${data.readUInt16BE(5 + length)}`);
        socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
        join(socket, target);
      }
    };
    socket.on('data', read);
  });
}

function join(socket: Socket, target: number): void {
  const onward = connect(target, '127.0.0.1');
  onward.on('error', () => socket.destroy());
  socket.pipe(onward).pipe(socket);
}

async function listening(asked: readonly string[], serve: (socket: Socket) => void): Promise<ProxyServer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    asked,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
