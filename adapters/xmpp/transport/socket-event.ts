import type { Socket } from 'node:net';

/** Resolves at the next such event; rejects at an error, the end of the socket, or with the signal's reason. */
export function socketEvent(
  socket: Socket,
  event: 'connect' | 'secureConnect' | 'readable',
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (outcome: () => void): void => {
      socket.off(event, done).off('error', failed).off('close', closed);
      signal.removeEventListener('abort', aborted);
      outcome();
    };
    const done = (): void => settle(resolve);
    const failed = (error: unknown): void => settle(() => reject(error));
    const closed = (): void => failed(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }));
    const aborted = (): void => failed(signal.reason);
    socket.on(event, done).on('error', failed).on('close', closed);
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) aborted();
  });
}

/** An error nobody waits for any more must not end the process. */
export function quiet<S extends Socket>(socket: S): S {
  return socket.on('error', () => {});
}
