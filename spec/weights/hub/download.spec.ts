import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { WeightsError } from '../../../weights';
import { createClient } from '../../../weights/http/client';
import { createTransport } from '../../../weights/http/transport.node';
import { download } from '../../../weights/hub/download.node';
import { sha256 } from '../../support/hub-room';
import { type Loopback, loopback } from '../../support/loopback';

/** How a server answers one connection. */
type Behaviour =
  | { readonly kind: 'good' }
  /** So many bytes from the place that was asked for, or from the start; then the end, or a reset. */
  | { readonly kind: 'some'; readonly bytes: number; readonly fromStart: boolean; readonly reset: boolean }
  | { readonly kind: 'shifted'; readonly by: number; readonly honest: boolean }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'more'; readonly bytes: number }
  | { readonly kind: 'status'; readonly status: number };

const CONTENT = Uint8Array.from({ length: 150_000 }, (_, i) => (i * 31) ^ (i >> 7));

const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  fc.constant({ kind: 'good' as const }),
  fc.record({
    kind: fc.constant('some' as const),
    bytes: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: CONTENT.length })),
    fromStart: fc.boolean(),
    reset: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('shifted' as const), by: fc.integer({ min: 1, max: 9 }), honest: fc.boolean() }),
  fc.constant({ kind: 'wrong' as const }),
  fc.record({ kind: fc.constant('more' as const), bytes: fc.integer({ min: 1, max: 100_000 }) }),
  fc.record({ kind: fc.constant('status' as const), status: fc.constantFrom(204, 206, 404, 416, 429, 500, 503) }),
);

function respond(request: IncomingMessage, response: ServerResponse, behaviour: Behaviour): void {
  const asked = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (behaviour.kind === 'status') return void response.writeHead(behaviour.status).end();
  const shift = behaviour.kind === 'shifted' ? behaviour.by : 0;
  const from = behaviour.kind === 'some' && behaviour.fromStart ? 0 : Math.min(CONTENT.length, asked + shift);
  let body = CONTENT.subarray(from);
  if (behaviour.kind === 'wrong') body = body.map((byte) => byte ^ 1);
  if (behaviour.kind === 'more') body = new Uint8Array([...body, ...new Uint8Array(behaviour.bytes)]);
  const claimed = behaviour.kind === 'shifted' && !behaviour.honest ? asked : from;
  const headers = { 'content-range': `bytes ${claimed}-${CONTENT.length - 1}/${CONTENT.length}` };
  response.writeHead(from > 0 || asked > 0 ? (from === 0 ? 200 : 206) : 200, from > 0 ? headers : {});
  if (behaviour.kind !== 'some') return void response.end(body);
  const part = body.subarray(0, behaviour.bytes);
  if (!behaviour.reset) return void response.end(part);
  response.write(part, () => setTimeout(() => response.destroy(), 2));
}

describe('a download, whatever the server does', () => {
  let server: Loopback;
  let folder: string;
  let script: Behaviour[] = [];

  beforeAll(async () => {
    server = await loopback((request, response) => {
      const next = script.length > 1 ? (script.shift() as Behaviour) : script[0];
      respond(request, response, next);
    });
    folder = mkdtempSync(path.join(tmpdir(), 'tandem-download-'));
  });

  afterAll(async () => {
    await server.dispose();
    rmSync(folder, { recursive: true });
  });

  const fetchFile = async (blob: string, onBytes?: (loaded: number) => void): Promise<void> => {
    const client = createClient({ transport: createTransport({}), timeoutMs: 30_000, pause: async () => undefined });
    const file = {
      path: 'f',
      size: CONTENT.length,
      hash: { kind: 'sha256' as const, hex: sha256(CONTENT) },
      url: server.origin,
    };
    await download(file, blob, { client, onBytes });
  };

  it('ends with the right bytes or a coded error, in a number of requests that the size bounds, and a later one is right', async () => {
    let run = 0;
    const ends = { right: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(behaviour, { minLength: 1, maxLength: 8 }), async (behaviours) => {
        const directory = path.join(folder, String(run++));
        const blob = path.join(directory, 'blob');
        const whole = () => readFileSync(blob).equals(CONTENT);
        script = [...behaviours];
        const before = server.requests.length;
        const failure = await fetchFile(blob).catch((error) => error);
        // Two downloads at most, each with five tries for every 64 KiB and five to begin with.
        expect(server.requests.length - before).toBeLessThanOrEqual(2 * 5 * (1 + Math.ceil(CONTENT.length / 65_536)));
        if (failure === undefined) {
          ends.right++;
          expect(whole()).toBe(true);
        } else {
          ends.refused++;
          expect(failure).toBeInstanceOf(WeightsError);
          expect(['hub-failed', 'checksum-mismatch', 'not-found']).toContain(failure.code);
        }
        const left = readdirSync(directory);
        expect(left.filter((name) => name !== 'blob' && name !== 'blob.tandem.incomplete')).toEqual([]);
        script = [{ kind: 'good' }];
        const seen: number[] = [];
        await fetchFile(blob, (loaded) => seen.push(loaded));
        expect(whole()).toBe(true);
        expect(readdirSync(directory)).toEqual(['blob']);
        expect(seen.at(-1)).toBe(CONTENT.length);
      }),
      { numRuns: 60 },
    );
    expect(Math.min(ends.right, ends.refused)).toBeGreaterThan(5);
  });

  it('from a server that takes no ranges starts anew: after a cut the whole file comes, and it is right', async () => {
    let run = 0;
    const cut = fc.record({ bytes: fc.integer({ min: 1, max: CONTENT.length - 1 }), reset: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(cut, async ({ bytes, reset }) => {
        const directory = path.join(folder, `anew-${run++}`);
        const some = { kind: 'some', fromStart: true } as const;
        script = [
          { ...some, bytes, reset },
          { ...some, bytes: CONTENT.length, reset: false },
        ];
        const before = server.requests.length;
        await fetchFile(path.join(directory, 'blob'));
        expect(server.requests.length - before).toBe(2);
        expect(readFileSync(path.join(directory, 'blob')).equals(CONTENT)).toBe(true);
      }),
      { numRuns: 12 },
    );
  });

  it('of an empty file asks for nothing', async () => {
    const client = createClient({ transport: createTransport({}), timeoutMs: 30_000 });
    const blob = path.join(folder, 'empty');
    const hash = { kind: 'git-sha1' as const, hex: 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391' };
    const before = server.requests.length;
    await download({ path: 'f', size: 0, hash, url: server.origin }, blob, { client });
    expect(server.requests).toHaveLength(before);
    expect(readFileSync(blob)).toHaveLength(0);
  });
});
