import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { loopback, sendJson } from './loopback';

export interface FakeHub {
  readonly endpoint: string;
  /** Requests for the content of files: path and Range header. */
  readonly requests: { path: string; range: string | null }[];
  /** Requests of every kind: method, address and Authorization header. */
  readonly log: readonly { method: string; path: string; authorization: string | null }[];
  /** Bytes of content sent so far. */
  sent(): number;
  /** What goes wrong next. */
  fault: Fault | null;
  /** Answers in place of the hub where it returns true. `path` is decoded and has no query. */
  intercept: Intercept | null;
  /** Sends the rest of every answer that stalled. */
  resume(): void;
  dispose(): Promise<void>;
}

export type Intercept = (path: string, request: IncomingMessage, response: ServerResponse) => boolean;

export type Fault =
  /** The connection breaks after some bytes, some times. */
  | { readonly kind: 'cut'; readonly file: string; readonly after: number; times: number }
  | { readonly kind: 'corrupt'; readonly file: string }
  /** The answer stops after some bytes until `resume`. */
  | { readonly kind: 'stall'; readonly file: string; readonly after: number }
  | { readonly kind: 'lie'; readonly about: 'commit' | 'oid' | 'size'; readonly value: unknown }
  /** The list names the size of a large file's pointer in git in place of the file's; `lfs.size` is right. */
  | { readonly kind: 'pointers' }
  /** A range request is answered from one byte further on. */
  | { readonly kind: 'shifted'; readonly file: string }
  | { readonly kind: 'slow'; readonly file: string };

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';
/** Files of this size and more are kept as large files: their hash is a sha256, and their content is behind a redirect. */
const LARGE = 1000;

/**
 * A Hugging Face hub with one repository, `org/tiny`, on 127.0.0.1: model info, list of files, redirects, byte ranges.
 *
 * @param options a token that it asks for, and a path in front of its addresses, as a company's mirror may have
 */
export async function fakeHub(
  files: Readonly<Record<string, Uint8Array>>,
  options: { token?: string; prefix?: string } = {},
): Promise<FakeHub> {
  const requests: FakeHub['requests'] = [];
  const stalled: (() => void)[] = [];
  let sent = 0;
  const hub: { fault: Fault | null; intercept: Intercept | null } = { fault: null, intercept: null };
  const told = (about: string, truth: unknown) =>
    hub.fault?.kind === 'lie' && hub.fault.about === about ? hub.fault.value : truth;

  const server = await loopback((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://hub').pathname).replace(
      options.prefix ?? '',
      '',
    );
    if (hub.intercept?.(path, request, response)) return;
    if (options.token && !path.startsWith('/storage') && request.headers.authorization !== `Bearer ${options.token}`) {
      return sendJson(response, 401, { error: 'Invalid credentials' });
    }
    const siblings = Object.keys(files).map((rfilename) => ({ rfilename }));
    const info = /^\/api\/models\/org\/tiny\/revision\/(main|v1|refs\/pr\/1|[0-9a-f]{40})$/.test(path);
    if (info) return sendJson(response, 200, { id: 'org/tiny', sha: told('commit', COMMIT), siblings });
    if (path === `/api/models/org/tiny/tree/${COMMIT}`) {
      const all = Object.entries(files).map(([name, bytes]) => listed(name, bytes, told));
      const list = hub.fault?.kind === 'pointers' ? all.map((file) => (file.lfs ? { ...file, size: 134 } : file)) : all;
      return sendJson(response, 200, [{ type: 'directory', path: 'onnx', size: 0, oid: COMMIT }, ...list]);
    }
    const resolved = path.match(new RegExp(`^/org/tiny/resolve/${COMMIT}/(.+)$`))?.[1];
    if (resolved && files[resolved]) {
      const location = `/storage/${encodeURIComponent(resolved)}`;
      return void response.writeHead(302, { location, ...described(listed(resolved, files[resolved], told)) }).end();
    }
    const stored = path.match(/^\/storage\/(.+)$/)?.[1];
    if (stored && files[stored]) {
      const range = request.headers.range ?? null;
      requests.push({ path: stored, range });
      const fault = hub.fault && 'file' in hub.fault && hub.fault.file === stored ? hub.fault : null;
      const { bytes, rest } = sendContent(response, { whole: files[stored], range, fault });
      sent += bytes;
      if (rest) stalled.push(rest);
      return;
    }
    sendJson(response, 404, { error: 'Repository not found' });
  });

  return Object.assign(hub, {
    endpoint: server.origin,
    requests,
    log: server.requests,
    sent: () => sent,
    resume: () => {
      for (const rest of stalled.splice(0)) rest();
    },
    dispose: server.dispose,
  });
}

/** Headers with which the hub describes a file where it redirects to its content. */
function described({ size, oid, lfs }: ReturnType<typeof listed>): Record<string, string> {
  return { 'x-repo-commit': COMMIT, 'x-linked-etag': `"${lfs?.oid ?? oid}"`, 'x-linked-size': String(size) };
}

interface Content {
  readonly whole: Uint8Array;
  readonly range: string | null;
  readonly fault: Fault | null;
}

/** Sends a file or a range of it, as its fault has it. Says how many bytes go out, and how a stalled answer goes on. */
function sendContent(
  response: ServerResponse,
  { whole: stored, range, fault }: Content,
): { bytes: number; rest?: () => void } {
  const whole = fault?.kind === 'corrupt' ? stored.map((byte) => byte ^ 1) : stored;
  const bounds = range?.match(/^bytes=(\d+)-(\d*)$/);
  const from = bounds ? Number(bounds[1]) + (fault?.kind === 'shifted' ? 1 : 0) : 0;
  const body = whole.subarray(from, bounds?.[2] ? Number(bounds[2]) + 1 : undefined);
  const headers: Record<string, string | number> = { 'content-length': body.length };
  if (bounds) headers['content-range'] = `bytes ${from}-${from + body.length - 1}/${whole.length}`;
  response.writeHead(bounds ? 206 : 200, headers);
  if (fault?.kind === 'cut' && fault.times > 0) {
    fault.times--;
    const part = body.subarray(0, fault.after);
    response.write(part, () => setTimeout(() => response.destroy(), 20));
    return { bytes: part.length };
  }
  if (fault?.kind === 'stall') {
    response.write(body.subarray(0, fault.after));
    return { bytes: body.length, rest: () => response.end(body.subarray(fault.after)) };
  }
  if (fault?.kind === 'slow') {
    response.write(body.subarray(0, 500));
    setTimeout(() => response.end(body.subarray(500)), 300);
  } else response.end(body);
  return { bytes: body.length };
}

interface Listed {
  readonly type: string;
  readonly path: string;
  readonly size: unknown;
  readonly oid: unknown;
  readonly lfs?: { readonly oid: unknown; readonly size: unknown };
}

function listed(path: string, bytes: Uint8Array, told: (about: string, truth: unknown) => unknown): Listed {
  const git = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  const size = told('size', bytes.length);
  if (bytes.length < LARGE) return { type: 'file', path, size, oid: told('oid', git) };
  const oid = told('oid', createHash('sha256').update(bytes).digest('hex'));
  return { type: 'file', path, size, oid: git, lfs: { oid, size } };
}
