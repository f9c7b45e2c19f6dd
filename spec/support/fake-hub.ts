import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeHub {
  readonly endpoint: string;
  /** Requests for file content: path and Range header. */
  readonly requests: { path: string; range: string | null }[];
  /** Bytes of content sent so far. */
  sent(): number;
  /** What goes wrong next; reset by assigning. */
  fault: Fault | null;
  /** Sends the rest of every stalled answer. */
  resume(): void;
  close(): Promise<void>;
}

export type Fault =
  | { readonly kind: 'cut'; readonly file: string; readonly after: number; times: number }
  | { readonly kind: 'corrupt'; readonly file: string }
  | { readonly kind: 'stall'; readonly file: string; readonly after: number }
  | { readonly kind: 'lie'; readonly about: 'commit' | 'oid' | 'size'; readonly value: unknown }
  | { readonly kind: 'shifted'; readonly file: string }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'slow'; readonly file: string };

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const LFS_FROM = 1000;

/** A Hugging Face hub with one repository, `org/tiny`, on 127.0.0.1: model info, tree listing, redirects, byte ranges. */
export async function fakeHub(
  files: Readonly<Record<string, Uint8Array>>,
  options: { token?: string } = {},
): Promise<FakeHub> {
  const requests: FakeHub['requests'] = [];
  const stalled: (() => void)[] = [];
  let sent = 0;
  const hub: { fault: Fault | null } = { fault: null };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://hub');
    const path = decodeURIComponent(url.pathname);
    if (hub.fault?.kind === 'status') return json(response, hub.fault.status, { error: 'refused' });
    if (options.token && !path.startsWith('/storage') && request.headers.authorization !== `Bearer ${options.token}`) {
      return json(response, 401, { error: 'Invalid credentials' });
    }
    const info = /^\/api\/models\/org\/tiny\/revision\/(main|HEAD|v1|[0-9a-f]{40})$/.test(path);
    if (info)
      return json(response, 200, {
        _id: '1',
        id: 'org/tiny',
        sha: told('commit', COMMIT),
        private: false,
        gated: false,
        downloads: 0,
        likes: 0,
        lastModified: '2024-01-01',
      });
    if (path === `/api/models/org/tiny/tree/${COMMIT}`)
      return json(
        response,
        200,
        Object.entries(files).map((file) => listed(file, told)),
      );
    const resolved = path.match(new RegExp(`^/org/tiny/resolve/${COMMIT}/(.+)$`));
    if (resolved && files[resolved[1]]) {
      response.writeHead(302, { location: `/storage/${encodeURIComponent(resolved[1])}` }).end();
      return;
    }
    const stored = path.match(/^\/storage\/(.+)$/);
    if (stored && files[stored[1]]) return content(request, response, stored[1]);
    json(response, 404, { error: 'Repository not found' });
  });

  function told(about: string, truth: unknown): unknown {
    return hub.fault?.kind === 'lie' && hub.fault.about === about ? hub.fault.value : truth;
  }

  function content(request: IncomingMessage, response: ServerResponse, file: string): void {
    const range = request.headers.range ?? null;
    requests.push({ path: file, range });
    const { fault } = hub;
    const whole = fault?.kind === 'corrupt' && fault.file === file ? files[file].map((byte) => byte ^ 1) : files[file];
    const bounds = range?.match(/^bytes=(\d+)-(\d*)$/);
    const shift = fault?.kind === 'shifted' && fault.file === file ? 1 : 0;
    const from = bounds ? Number(bounds[1]) + shift : 0;
    const body = whole.subarray(from, bounds?.[2] ? Number(bounds[2]) + 1 : undefined);
    const headers: Record<string, string | number> = { 'content-length': body.length };
    if (bounds) headers['content-range'] = `bytes ${from}-${from + body.length - 1}/${whole.length}`;
    response.writeHead(bounds ? 206 : 200, headers);
    if (fault?.kind === 'cut' && fault.file === file && fault.times > 0) {
      fault.times--;
      const part = body.subarray(0, fault.after);
      sent += part.length;
      response.write(part, () => setTimeout(() => response.destroy(), 20));
      return;
    }
    sent += body.length;
    if (fault?.kind === 'stall' && fault.file === file) {
      response.write(body.subarray(0, fault.after));
      stalled.push(() => response.end(body.subarray(fault.after)));
      return;
    }
    if (fault?.kind === 'slow' && fault.file === file) {
      response.write(body.subarray(0, 500));
      setTimeout(() => response.end(body.subarray(500)), 300);
      return;
    }
    response.end(body);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(hub, {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    sent: () => sent,
    resume: () => {
      for (const rest of stalled.splice(0)) rest();
    },
    close: () => closed(server),
  });
}

function listed([path, bytes]: [string, Uint8Array], told: (about: string, truth: unknown) => unknown): object {
  const git = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  const size = told('size', bytes.length);
  if (bytes.length < LFS_FROM) return { type: 'file', path, size, oid: told('oid', git) };
  const oid = told('oid', createHash('sha256').update(bytes).digest('hex'));
  return { type: 'file', path, size: bytes.length, oid: git, lfs: { oid, size, pointerSize: 130 } };
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
