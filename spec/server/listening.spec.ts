import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { closing, listen } from '../../server/listening';

const HOST = '127.0.0.1';
const connections = (server: ReturnType<typeof createServer>) =>
  new Promise<number>((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });

/** A server that answers nobody, and clients whose requests it has begun to read. */
async function started(clients: number) {
  let begun = 0;
  const server = createServer(() => {
    begun++;
  });
  await listen(server, { host: HOST, port: 0 }, 'here');
  const { port } = server.address() as AddressInfo;
  for (let i = 0; i < clients; i++) {
    const socket = connect(port, HOST);
    socket.on('error', () => undefined); // it is cut off
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n');
  }
  while (begun < clients) await new Promise((resolve) => setImmediate(resolve));
  return { server, port };
}

describe('a server that closes', () => {
  test.each([0, 1, 3])('has no connection left, though %i clients do not end their requests', async (count) => {
    const { server } = await started(count);
    const wait = closing(server);
    expect([server.listening, await connections(server)]).toEqual([false, count]);
    await wait(10);
    expect(await connections(server)).toBe(0);
  });

  test('listens again for nobody, and says who asked for a place that is taken', async () => {
    const { server, port } = await started(0);
    const second = createServer();
    await expect(listen(second, { host: HOST, port }, `serve: port ${port}`)).rejects.toMatchObject({
      code: 'io-failed',
      message: `serve: port ${port}, found EADDRINUSE`,
      cause: expect.objectContaining({ code: 'EADDRINUSE' }),
    });
    await closing(server)(10);
    await listen(second, { host: HOST, port }, 'here');
    await closing(second)(10);
  });
});
