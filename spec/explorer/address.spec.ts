import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forget } from '../../explorer/engine/address';
import { ownFiles } from '../../explorer/engine/files';
import { inspect } from '../../explorer/engine/inspect';
import { openFileSet } from '../../weights';
import { ROOT, writeSharded } from './site';

const DRAFT = join(ROOT, 'models', 'modernize-draft');
const WEIGHTS = 'model.safetensors';

/** A server of one directory. */
interface Host {
  readonly url: string;
  /** What was asked for: a file, and its range where one was named. */
  readonly asked: string[];
  /** Bytes that were sent of files of weights. */
  sent(): number;
  close(): void;
}

interface Manners {
  /** Whether it sends a part where a part is asked for. */
  readonly ranges?: boolean;
  /** Whether a page may see how long the whole file is. */
  readonly tells?: boolean;
}

async function serveModel(folder: string, { ranges = true, tells = true }: Manners = {}): Promise<Host> {
  const asked: string[] = [];
  let sent = 0;
  const server: Server = createServer((request, response) => {
    const name = (request.url ?? '').split('/').at(-1) ?? '';
    const { range } = request.headers;
    asked.push(range === undefined ? name : `${name} ${range}`);
    let bytes: Buffer;
    try {
      bytes = readFileSync(join(folder, name));
    } catch {
      return response.writeHead(404).end();
    }
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
    const isPart = ranges && from !== undefined;
    const part = isPart ? bytes.subarray(Number(from), Number(to) + 1) : bytes;
    if (name.endsWith('.safetensors')) sent += part.length;
    const whole = `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`;
    response.writeHead(isPart ? 206 : 200, {
      'content-length': part.length,
      ...(isPart && tells && { 'content-range': whole }),
    });
    return response.end(part);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/model`,
    asked,
    sent: () => sent,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

const ways = () => ({ signal: new AbortController().signal, onProgress: () => undefined });

/** The header of a file of weights, and its length field. */
function headBytes(file: string): number {
  return 8 + Number(readFileSync(file).readBigUInt64LE(0));
}

describe('a model at an address', () => {
  let folder: string;
  let host: Host | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tandem-address-'));
  });
  afterEach(() => {
    host?.close();
    if (host) forget(host.url);
    rmSync(folder, { recursive: true });
  });

  /** Copies the draft, its weights after a header of so many bytes. */
  const write = (padding = 0, weights?: Buffer) => {
    for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) {
      writeFileSync(join(folder, name), readFileSync(join(DRAFT, name)));
    }
    const file = readFileSync(join(DRAFT, WEIGHTS));
    const end = headBytes(join(DRAFT, WEIGHTS));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(end - 8 + padding));
    const padded = Buffer.concat([length, file.subarray(8, end), Buffer.alloc(padding, ' '), file.subarray(end)]);
    writeFileSync(join(folder, WEIGHTS), weights ?? padded);
  };

  const MANNERS: readonly (readonly [string, Manners])[] = [
    ['sends parts', {}],
    ['sends parts and keeps the size to itself', { tells: false }],
    ['sends no parts', { ranges: false }],
  ];

  test.each(MANNERS)('says what it needs before its weights are fetched, from a server that %s', async (_, manners) => {
    write();
    host = await serveModel(folder, manners);
    const facts = await inspect(host.url, ways());
    expect(facts).toMatchObject({ family: 't5', parameters: 426_816, memoryBytes: 853_632 });
    expect(facts.keptBytes).toBe(facts.storedBytes);
    expect(host.asked.filter((name) => name.startsWith(WEIGHTS))).toEqual([`${WEIGHTS} bytes=0-65535`]);
    if (manners.ranges !== false) expect(host.sent()).toBeLessThanOrEqual(65_536);
  });

  test.each(MANNERS)(
    'its tensors are then those of the files, fetched once, from a server that %s',
    async (_, manners) => {
      write();
      host = await serveModel(folder, manners);
      await inspect(host.url, ways());
      const own = await openFileSet(await ownFiles(host.url, ways()));
      const { openCheckpoint } = await import('../../core');
      const plain = await openCheckpoint(DRAFT);
      expect([...own.tensors.keys()]).toEqual([...plain.tensors.keys()]);
      for (const name of plain.tensors.keys()) expect(await own.read(name)).toEqual(await plain.read(name));
      const again = await openFileSet(await ownFiles(host.url, ways()));
      await again.read([...plain.tensors.keys()].at(-1) ?? '');
      expect(host.asked.filter((name) => name === WEIGHTS)).toHaveLength(1);
      expect(new Set(host.asked).size).toBe(host.asked.length);
      await plain.dispose();
    },
  );

  test('reads a header that is longer than what is asked for first', async () => {
    write(100_000);
    host = await serveModel(folder);
    expect(await inspect(host.url, ways())).toMatchObject({ parameters: 426_816 });
    const end = headBytes(join(folder, WEIGHTS));
    expect(host.asked.filter((name) => name.startsWith(WEIGHTS))).toEqual([
      `${WEIGHTS} bytes=0-65535`,
      `${WEIGHTS} bytes=0-${end - 1}`,
    ]);
  });

  test('of weights in shards, the headers alone', async () => {
    writeSharded(DRAFT, folder);
    host = await serveModel(folder);
    expect(await inspect(host.url, ways())).toMatchObject({ parameters: 426_816 });
    const shards = host.asked.filter((name) => name.includes('-of-'));
    expect(shards.toSorted()).toEqual([1, 2].map((i) => `model-0000${i}-of-00002.safetensors bytes=0-65535`));
  });

  test.each<readonly [string, string | Buffer, RegExp]>([
    [
      'a page in place of the weights',
      '<!doctype html><title>Sign in</title>',
      /model\.safetensors: expected a header/,
    ],
    ['an empty file', '', /model\.safetensors: expected at least 8 bytes, found 0/],
    [
      'a header that is longer than its file',
      Buffer.from('1027000000000000', 'hex'),
      /expected a header inside the file/,
    ],
    [
      'a header that is no JSON',
      Buffer.from('0400000000000000' + '6e6f7065', 'hex'),
      /model\.safetensors: header, character 0: expected/,
    ],
  ])('refuses %s in words, and looks again when it is asked again', async (_, weights, said) => {
    write(0, Buffer.from(weights));
    host = await serveModel(folder);
    await expect(inspect(host.url, ways())).rejects.toThrow(said);
    write();
    expect(await inspect(host.url, ways())).toMatchObject({ parameters: 426_816 });
  });

  test('tells what is missing', async () => {
    host = await serveModel(folder);
    await expect(inspect(host.url, ways())).rejects.toThrow(/config\.json: expected the file, found status 404/);
    write();
    rmSync(join(folder, WEIGHTS));
    await expect(inspect(host.url, ways())).rejects.toThrow(/expected model\.safetensors, found config\.json/);
  });

  test('a download that broke off can be tried again', async () => {
    write();
    host = await serveModel(folder);
    await inspect(host.url, ways());
    const whole = readFileSync(join(folder, WEIGHTS));
    writeFileSync(join(folder, WEIGHTS), whole.subarray(0, -9));
    const last = (await openFileSet(await ownFiles(host.url, ways()))).tensors;
    const name = [...last.keys()].at(-1) ?? '';
    const read = async () => (await openFileSet(await ownFiles(host?.url ?? '', ways()))).read(name);
    await expect(read()).rejects.toThrow(/model\.safetensors/);
    writeFileSync(join(folder, WEIGHTS), whole);
    expect((await read()).length).toBeGreaterThan(0);
  });

  test('refuses what is no address and no hub id', async () => {
    await expect(inspect('ftp://here/model', ways())).rejects.toThrow(/expected a hub id such as .* found “ftp:/);
  });
});
