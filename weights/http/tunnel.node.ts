import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { pipeline, Readable } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { TransientFailure, UnreachableError } from './failures';
import type { TransportRequest } from './transport';

/** Statuses whose answers have no body. */
const WITHOUT_BODY = new Set([204, 205, 304]);

/**
 * Sends one request through an HTTP proxy, and gives the answer as `fetch` does without redirects. An `https:` address is
 * reached through a CONNECT tunnel, in which the proxy sees nothing but the host's name; for an `http:` address the proxy is
 * asked for the whole address (RFC 9112, section 3.2.2).
 */
export function sendThroughProxy(proxy: URL, url: URL, request: TransportRequest): Promise<Response> {
  const { method, headers, signal } = request;
  const options: RequestOptions = { method, headers: { host: url.host, ...headers }, signal };
  if (url.protocol === 'https:') {
    options.createConnection = (_, done) => {
      openTunnel(proxy, url, signal).then(
        (socket) => done(null, socket),
        (error: Error) => done(error, undefined as never),
      );
      return undefined;
    };
    return answerOf(requestHttps(url, options), method);
  }
  const forwarded: RequestOptions = {
    ...options,
    ...addressOf(proxy),
    path: withoutUser(url).href,
    headers: { ...options.headers, ...proxyAuthorization(proxy) },
    agent: false, // a pool of connections, and a proxy that Node itself puts before this one, are of no use here
  };
  return answerOf((proxy.protocol === 'https:' ? requestHttps : requestHttp)(forwarded), method).then((response) => {
    if (response.status === 407) throw refused(proxy, 407);
    return response;
  });
}

/** A TLS connection to the host of `url`, inside a tunnel that the proxy opens. */
async function openTunnel(proxy: URL, url: URL, signal: AbortSignal): Promise<TLSSocket> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const socket = await connectTunnel(proxy, `${url.hostname}:${url.port || 443}`, signal);
  const servername = isIP(host) === 0 ? host : undefined; // TLS names no address as a server's name
  return connectTls({ socket, host, servername, ALPNProtocols: ['http/1.1'] });
}

function connectTunnel(proxy: URL, target: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const connect = (proxy.protocol === 'https:' ? requestHttps : requestHttp)({
      ...addressOf(proxy),
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...proxyAuthorization(proxy) },
      agent: false,
      signal,
    });
    connect.once('error', (error: NodeJS.ErrnoException) =>
      reject(new TransientFailure(`proxy ${proxy.host}: ${error.code ?? error.message}`, null, { cause: error })),
    );
    connect.once('connect', (response: IncomingMessage, socket: Socket, head: Buffer) => {
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) {
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
        return;
      }
      socket.destroy();
      const passing = status === 429 || status >= 500;
      reject(passing ? new TransientFailure(`proxy ${proxy.host}: status ${status}`) : refused(proxy, status));
    });
    connect.end();
  });
}

function answerOf(request: ReturnType<typeof requestHttp>, method: string): Promise<Response> {
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (message) => {
      try {
        resolve(toResponse(message, method));
      } catch (error) {
        message.destroy();
        reject(error); // a status that is none
      }
    });
    request.end();
  });
}

function toResponse(message: IncomingMessage, method: string): Response {
  const status = message.statusCode ?? 0;
  const headers = new Headers();
  for (const [name, values] of Object.entries(message.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  if (method === 'HEAD' || WITHOUT_BODY.has(status)) {
    message.resume();
    return new Response(null, { status, headers });
  }
  const body = Readable.toWeb(decoded(message)) as ReadableStream<Uint8Array>;
  return new Response(body, { status, headers });
}

/** The body without the compression that the server chose, although none was asked for. */
function decoded(message: IncomingMessage): Readable {
  const create = { gzip: createGunzip, deflate: createInflate, br: createBrotliDecompress };
  const encoding = message.headers['content-encoding']?.trim().toLowerCase() as keyof typeof create | undefined;
  if (encoding === undefined || !Object.hasOwn(create, encoding)) return message;
  return pipeline(message, create[encoding](), () => undefined); // an error also ends the stream that is given back
}

function addressOf(proxy: URL): RequestOptions {
  const secure = proxy.protocol === 'https:';
  return { host: proxy.hostname.replace(/^\[|\]$/g, ''), port: proxy.port || (secure ? 443 : 80) };
}

/** User and password of a proxy's address, which go to the proxy alone. */
function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (!username) return {};
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };
}

function withoutUser(url: URL): URL {
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  plain.hash = '';
  return plain;
}

function refused(proxy: URL, status: number): UnreachableError {
  const advice = status === 407 ? ': put user and password into its address, http://user:password@host' : '';
  const message = `proxy ${proxy.host}: expected a connection, found status ${status}${advice}`;
  return new UnreachableError('hub-failed', message);
}
