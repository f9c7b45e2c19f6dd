import { once } from 'node:events';
import type { Server } from 'node:http';
import { TandemError } from '../common';

/**
 * Listens.
 *
 * @param asked begins the message of an error, as `serve: expected to listen on port 80`
 * @throws TandemError `io-failed`
 */
export async function listen(server: Server, at: { host: string; port: number }, asked: string): Promise<void> {
  try {
    server.listen(at.port, at.host);
    await once(server, 'listening');
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new TandemError('io-failed', `${asked}, found ${code}`, { cause: error });
  }
}

/**
 * Takes no more connections from now on.
 *
 * @returns waits for the connections that are open, so many milliseconds, and cuts off the others
 */
export function closing(server: Server): (milliseconds: number) => Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  return async (milliseconds) => {
    const force = setTimeout(() => server.closeAllConnections(), milliseconds);
    await closed;
    clearTimeout(force);
  };
}
