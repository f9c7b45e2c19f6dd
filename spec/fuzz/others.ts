import { TandemError } from '../../common';
import { modelDrafter, NgramTable, ngramDrafter, readTrace, replayRandom, TraceRecorder } from '../../decoding';
import { createClient } from '../../weights/http/client';
import { listRemote } from '../../weights/hub/listing';
import { finish } from '../support/exactness';
import { randomTable, tableModel } from '../support/table-model';
import type { Fuzzer } from './law';

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const target = tableModel({ vocabulary: 9, logits: randomTable(9, 1), eosTokens: [1] });
const drafter = modelDrafter(tableModel({ vocabulary: 9, logits: randomTable(9, 2), eosTokens: [1] }), 'other');

/** JSON as a program reads a file of its own; what is no JSON never gets further. */
function parsed(input: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(input).toString());
  } catch (error) {
    throw new TandemError('argument-invalid', 'expected JSON, found other text', { cause: error });
  }
}

const trace: Fuzzer = {
  name: 'trace',
  kind: 'json',
  seeds: async () => {
    const seeds: Uint8Array[] = [];
    for (const temperature of [0, 1]) {
      const recorder = new TraceRecorder();
      await finish({
        target,
        drafter,
        source: [4, 5, 1],
        settings: { temperature, gamma: 4, maxNewTokens: 6 },
        trace: recorder,
      });
      seeds.push(bytes(recorder.trace));
    }
    return seeds;
  },
  use: async (input) => {
    const read = readTrace(parsed(input));
    const settings = { ...read.settings, maxNewTokens: 6 };
    await finish({ target, drafter, source: [4, 5, 1], settings, random: replayRandom(read) });
  },
};

const ngram: Fuzzer = {
  name: 'ngram',
  kind: 'json',
  seeds: () => {
    const table = new NgramTable(3, 9);
    table.learn([3, 4, 5, 3, 4, 6, 1]);
    return [bytes(table), bytes(new NgramTable(1, 9))];
  },
  use: async (input) => {
    const table = NgramTable.fromJSON(parsed(input), 'table.json');
    await finish({
      target,
      drafter: ngramDrafter(9, { table }),
      source: [4, 5, 1],
      settings: { gamma: 4, maxNewTokens: 6 },
    });
  },
};

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const SHA256 = COMMIT + COMMIT.slice(0, 24);
const ENDPOINT = 'https://hub.example';

interface GivenAnswer {
  readonly status?: unknown;
  readonly headers?: unknown;
  readonly body?: unknown;
}

const hub: Fuzzer = {
  name: 'hub',
  kind: 'json',
  seeds: () => {
    const info = {
      status: 200,
      headers: {},
      body: { sha: COMMIT, siblings: [{ rfilename: 'config.json' }, { rfilename: 'model.safetensors' }] },
    };
    const list = [
      { type: 'file', path: 'config.json', size: 10, oid: COMMIT },
      { type: 'file', path: 'model.safetensors', size: 130, oid: COMMIT, lfs: { oid: `sha256:${SHA256}`, size: 5000 } },
    ];
    const next = { link: `<${ENDPOINT}/api/models/org/tiny/tree/${COMMIT}?cursor=2>; rel="next"` };
    const tree = { status: 200, headers: {}, body: list };
    const head = {
      status: 302,
      headers: { location: 'https://cdn.example/x', 'x-linked-etag': `"${SHA256}"`, 'x-linked-size': '5000' },
      body: null,
    };
    return [
      [info, tree],
      [info, { ...tree, headers: next }, { ...tree, body: [] }],
      [info, { status: 404, headers: {}, body: {} }, head, head],
    ].map(bytes);
  },
  use: async (input, work) => {
    const answers = parsed(input);
    if (!Array.isArray(answers) || answers.length === 0) return;
    const transport = async () => responseOf(answers[work.requests++ % answers.length] as GivenAnswer | null);
    const client = createClient({
      transport,
      timeoutMs: 1000,
      pause: async () => undefined,
      secret: { origin: ENDPOINT, headers: {} },
    });
    await listRemote(client, { id: 'org/tiny', revision: 'main', endpoint: ENDPOINT });
  },
};

/** What a server can send of an answer; where it cannot, the connection breaks. */
function responseOf(given: GivenAnswer | null): Response {
  const { status, headers, body } = given ?? {};
  const text = body === null || body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
  try {
    return new Response(text, { status: status as number, headers: headers as Record<string, string> });
  } catch (error) {
    throw new TypeError('fetch failed', { cause: error });
  }
}

export const others: readonly Fuzzer[] = [trace, ngram, hub];
