import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy before a server, with the illnesses of networks at a word. */
export interface SickProxy {
  readonly port: number;
  /** Connections that came, in milliseconds of `performance.now()`. */
  readonly attempts: readonly number[];
  /** Nothing passes any more, in either direction, and nobody is told. */
  stalled: boolean;
  /** New connections are cut at once. */
  refusing: boolean;
  /** Bytes a second towards the client. */
  rate: number;
  /** True: these bytes of a client kill the connection, and the server never sees them. */
  deadly: (bytes: string) => boolean;
  cut(): void;
  /** What there is of connections leads nowhere from now on, and nobody is told; new ones pass. */
  forget(): void;
  stop(): Promise<void>;
}

const tickMs = 50;

export async function proxyTo(target: number, host = '127.0.0.1'): Promise<SickProxy> {
  const sockets = new Set<Socket>();
  const attempts: number[] = [];
  let age = 0;
  const server = createServer((near) => {
    const born = age;
    const isLost = (): boolean => proxy.stalled || born < age;
    attempts.push(performance.now());
    near.on('error', () => near.destroy());
    if (proxy.refusing) return void near.resetAndDestroy();
    const far = connect(target, '127.0.0.1');
    near.setNoDelay(true);
    far.setNoDelay(true);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => one.destroy());
      one.on('close', () => {
        sockets.delete(one);
        if (!isLost()) other.destroy();
      });
    }
    near.on('data', (chunk) => {
      if (proxy.deadly(chunk.toString())) return void near.resetAndDestroy();
      if (!isLost() && !far.write(chunk)) {
        near.pause();
        far.once('drain', () => near.resume());
      }
    });
    slowly(far, near, proxy, isLost);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  const proxy: SickProxy = {
    port: typeof address === 'object' && address ? address.port : 0,
    attempts,
    stalled: false,
    refusing: false,
    rate: Number.POSITIVE_INFINITY,
    deadly: () => false,
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    forget() {
      age += 1;
    },
    async stop() {
      proxy.cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

/** Passes on what comes from the server at the rate of the moment. */
function slowly(far: Socket, near: Socket, proxy: SickProxy, isLost: () => boolean): void {
  let held: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;
  const tick = (): void => {
    const whole = Buffer.concat(held);
    const most = Math.max(1, Math.floor((proxy.rate * tickMs) / 1000));
    const part = Number.isFinite(proxy.rate) ? whole.subarray(0, most) : whole;
    if (part.length > 0 && !isLost()) near.write(part);
    held = part.length < whole.length ? [whole.subarray(part.length)] : [];
    const pause = proxy.rate * tickMs < 1000 ? 1000 / proxy.rate : tickMs;
    timer = held.length > 0 ? setTimeout(tick, pause) : undefined;
    if (held.length === 0) far.resume();
  };
  far.on('data', (chunk) => {
    if (isLost()) return;
    if (!Number.isFinite(proxy.rate) && held.length === 0) {
      if (!near.write(chunk)) {
        far.pause();
        near.once('drain', () => far.resume());
      }
      return;
    }
    held.push(chunk);
    far.pause();
    timer ??= setTimeout(tick, 0);
  });
  near.on('close', () => clearTimeout(timer));
}
