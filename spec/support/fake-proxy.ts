import { createServer, type IncomingMessage, type Server, request as send } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface FakeProxy {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** Every request that reached the proxy: the CONNECT's target or the whole address, and who asked. */
  readonly asked: { method: string; target: string; authorization: string | null; user: string | null }[];
  /** Refuses every request with this status. */
  refuse: number | null;
  dispose(): Promise<void>;
}

/** An HTTP proxy on 127.0.0.1 that leads every host name to one of the ports of this machine. */
export async function fakeProxy(ports: Readonly<Record<string, number>>): Promise<FakeProxy> {
  const asked: FakeProxy['asked'] = [];
  const sockets = new Set<Socket>();
  const proxy: { refuse: number | null } = { refuse: null };
  const note = ({ method = '', url = '', headers }: IncomingMessage) => {
    const { authorization = null, 'proxy-authorization': user = null } = headers;
    asked.push({ method, target: url, authorization, user });
  };
  const server: Server = createServer((request, response) => {
    note(request);
    if (proxy.refuse !== null) return response.writeHead(proxy.refuse).end();
    const url = new URL(request.url ?? '');
    const options = { host: '127.0.0.1', port: ports[url.host], path: `${url.pathname}${url.search}` };
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const onward = send({ ...options, method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    return onward.end();
  });
  server.on('connection', (socket) => sockets.add(socket));
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    note(request);
    socket.on('error', () => undefined);
    if (proxy.refuse !== null) return socket.end(`HTTP/1.1 ${proxy.refuse} No\r\n\r\n`);
    const onward = connect(ports[request.url ?? ''], '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    sockets.add(onward);
    onward.on('error', () => socket.destroy());
    return socket;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(proxy, {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    dispose: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
