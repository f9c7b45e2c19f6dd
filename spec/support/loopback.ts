import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Loopback {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  /** Method, path and Authorization header of every request so far. */
  readonly requests: { method: string; path: string; authorization: string | null; range: string | null }[];
  dispose(): Promise<void>;
}

/** A server on 127.0.0.1 that notes every request before `answer` answers it. */
export async function loopback(answer: RequestListener): Promise<Loopback> {
  const requests: Loopback['requests'] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    const { authorization = null, range = null } = headers;
    requests.push({ method, path: url, authorization, range });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    dispose: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

export function sendJson(response: ServerResponse, status: number, value: unknown, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

/** Writes without end until the reader hangs up, and only as fast as it reads. Gives the bytes written through `sent`. */
export function sendForever(
  request: IncomingMessage,
  response: ServerResponse,
  chunk: Buffer,
  sent: (bytes: number) => void,
): void {
  let open = true;
  request.socket.once('close', () => {
    open = false;
  });
  const write = (): void => {
    while (open) {
      sent(chunk.length);
      if (!response.write(chunk)) {
        response.once('drain', write);
        return;
      }
    }
  };
  write();
}
