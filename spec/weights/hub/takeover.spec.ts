import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient } from '../../../weights/http/client';
import { pauseByClock } from '../../../weights/http/retry';
import { createTransport } from '../../../weights/http/transport.node';
import { download } from '../../../weights/hub/download.node';
import { sha256 } from '../../support/hub-room';
import { type Loopback, loopback } from '../../support/loopback';

const CONTENT = Uint8Array.from({ length: 20_000 }, (_, i) => i * 7);
const WRONG = CONTENT.map((byte) => byte ^ 1);
/** Bytes that come before an answer waits. */
const BEGIN = 5000;

describe('an owner whose lock was taken while it slept', () => {
  let folder: string;
  let blob: string;
  let partial: string;
  let server: Loopback;
  let answer: (response: ServerResponse, from: number) => void;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'tandem-takeover-'));
    blob = path.join(folder, 'blob');
    partial = `${blob}.tandem.incomplete`;
    server = await loopback((request, response) => {
      answer(response, Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0));
    });
  });

  afterEach(async () => {
    await server.dispose();
    rmSync(folder, { recursive: true });
  });

  const fetchFile = (waiting?: Parameters<typeof download>[2]['waiting']) => {
    const client = createClient({ transport: createTransport({}), timeoutMs: 30_000, pause: async () => undefined });
    const hash = { kind: 'sha256' as const, hex: sha256(CONTENT) };
    return download({ path: 'f', size: CONTENT.length, hash, url: server.origin }, blob, { client, waiting });
  };
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it('cannot write into the file of the new one', async () => {
    const waiting: { response: ServerResponse; from: number }[] = [];
    answer = (response, from) => {
      response.writeHead(from > 0 ? 206 : 200);
      if (from === 0) response.write(CONTENT.subarray(0, BEGIN));
      else response.flushHeaders();
      waiting.push({ response, from });
    };
    const old = fetchFile();
    await until(() => existsSync(partial) && readFileSync(partial).length === BEGIN);
    const long = new Date(Date.now() - 60_000);
    utimesSync(`${blob}.lock`, long, long);
    const next = fetchFile();
    await until(() => waiting.length === 2);
    waiting[0].response.end(WRONG.subarray(BEGIN)); // to the owner that slept
    const slept = waiting[0].response;
    await until(() => slept.writableFinished);
    await new Promise((resolve) => setTimeout(resolve, 50));
    waiting[1].response.end(CONTENT.subarray(BEGIN));
    await Promise.all([old, next]);
    expect(waiting.map(({ from }) => from)).toEqual([0, BEGIN]); // the new one went on, and was right at once
    expect(readFileSync(blob).equals(CONTENT)).toBe(true);
    expect(readdirSync(folder)).toEqual(['blob']);
  });

  it('does not throw away what the new one has, when its own bytes were wrong', async () => {
    answer = (response) => {
      writeFileSync(`${blob}.new`, CONTENT.subarray(0, BEGIN)); // as a new owner does: another file under the same name
      renameSync(`${blob}.new`, partial);
      writeFileSync(`${blob}.lock`, 'another owner');
      response.end(WRONG);
    };
    let seen: number | null = null;
    const pause = async (_: number, signal: AbortSignal | undefined) => {
      seen ??= existsSync(partial) ? readFileSync(partial).length : 0;
      renameSync(partial, `${blob}.new`); // the new owner has it whole, and gives the lock back
      writeFileSync(`${blob}.new`, CONTENT);
      renameSync(`${blob}.new`, blob);
      rmSync(`${blob}.lock`);
      await pauseByClock(1, signal);
    };
    await fetchFile({ pause });
    expect(seen).toBe(BEGIN);
    expect(server.requests).toHaveLength(1);
    expect(readFileSync(blob).equals(CONTENT)).toBe(true);
  });
});
