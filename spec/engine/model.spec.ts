import fc from 'fast-check';
import {
  type DecoderRow,
  type DecoderStream,
  type Encoded,
  type LogitsView,
  loadModel,
  type T5Model,
} from '../../engine';
import { type Backend, createBackend } from '../../kernels';
import { randomCheckpoint, tinyConfig } from '../support/random-checkpoint';

const BACKENDS = ['reference', 'cpu'] as const;
const SOURCES = [
  [5, 9, 2, 30, 1],
  [7, 1],
  [12, 12, 3, 25, 33, 8, 19, 4, 1],
];

/** Rows of a chain that continues `stream`. */
function chain(stream: DecoderStream, tokens: readonly number[], firstRow = 0): DecoderRow[] {
  const from = stream.length;
  return tokens.map((token, i) => ({ stream, token, position: from + i, parent: i === 0 ? -1 : firstRow + i - 1 }));
}

async function logitsOf(model: T5Model, rows: readonly DecoderRow[]): Promise<number[][]> {
  const view = await model.forward(rows);
  const out: number[][] = [];
  for (let r = 0; r < view.rows; r++) out.push(Array.from(await view.read(r)));
  view.dispose();
  return out;
}

/** Logits of every position of a token sequence, one token a call, on a fresh stream. */
async function oneByOne(model: T5Model, source: readonly number[], tokens: readonly number[]): Promise<number[][]> {
  const [encoded] = await model.encode([source]);
  const stream = encoded.open();
  const out: number[][] = [];
  for (const token of tokens) out.push((await logitsOf(model, chain(stream, [token])))[0]);
  stream.dispose();
  encoded.dispose();
  return out;
}

describe.each(BACKENDS)('T5 on %s', (name) => {
  let backend: Backend;
  let model: T5Model;
  const token = fc.integer({ min: 0, max: 36 });
  const tokens = fc.array(token, { minLength: 1, maxLength: 9 });

  beforeAll(async () => {
    backend = await createBackend(name);
    model = await loadModel(randomCheckpoint(tinyConfig(), 1), backend);
  });

  afterAll(async () => {
    model.dispose();
    await backend.dispose();
  });

  it('gives a chain of rows the bits that one token at a time gives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...SOURCES),
        fc.array(token, { minLength: 1, maxLength: 17 }),
        async (source, ids) => {
          const [encoded] = await model.encode([source]);
          const stream = encoded.open();
          expect(await logitsOf(model, chain(stream, ids))).toEqual(await oneByOne(model, source, ids));
          stream.dispose();
          encoded.dispose();
        },
      ),
      { numRuns: 15 },
    );
  });

  it('gives streams of different lengths and sources in one call the bits that each has alone', async () => {
    const encoded = await model.encode(SOURCES);
    const texts = [[0, 4, 4, 9], [0], [0, 30, 31, 2, 2, 8]];
    const streams = encoded.map((source) => source.open());
    const rows: DecoderRow[] = [];
    texts.forEach((ids, i) => {
      rows.push(...chain(streams[i], ids, rows.length));
    });
    const together = await logitsOf(model, rows);
    const alone = [];
    for (const [i, ids] of texts.entries()) alone.push(...(await oneByOne(model, SOURCES[i], ids)));
    expect(together).toEqual(alone);
    for (const stream of streams) stream.dispose();
    for (const source of encoded) source.dispose();
  });

  it('gives every row of a tree the bits of its path decoded as a chain, and goes on as that chain after keep(path)', async () => {
    const [encoded] = await model.encode([SOURCES[2]]);
    const stream = encoded.open();
    await logitsOf(model, chain(stream, [0, 6]));
    //        8 ── 3
    // root ─┤  └─ 5 ── 7
    //        9 ── 3
    const shape = [
      [8, -1],
      [9, -1],
      [3, 0],
      [5, 0],
      [3, 1],
      [7, 3],
    ];
    const depth = [0, 0, 1, 1, 1, 2];
    const rows = shape.map(([token, parent], r) => ({ stream, token, parent, position: 2 + depth[r] }));
    const tree = await logitsOf(model, rows);
    const paths = [[0], [1], [0, 2], [0, 3], [1, 4], [0, 3, 5]];
    for (const [r, path] of paths.entries()) {
      const ids = [0, 6, ...path.map((row) => shape[row][0])];
      expect(tree[r]).toEqual((await oneByOne(model, SOURCES[2], ids)).at(-1));
    }
    stream.keep([0, 3, 5]);
    expect(stream.length).toBe(5);
    const [next] = await logitsOf(model, chain(stream, [11]));
    expect(next).toEqual((await oneByOne(model, SOURCES[2], [0, 6, 8, 5, 7, 11])).at(-1));
    stream.dispose();
    encoded.dispose();
  });

  it('gives, after any appends, truncations and forks, the bits of a stream that only ever saw the tokens that are left', async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('append' as const), tokens }) },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('truncate' as const),
          share: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('fork' as const), tokens }) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...SOURCES),
        fc.array(step, { maxLength: 8 }),
        tokens,
        async (source, steps, last) => {
          const [encoded] = await model.encode([source]);
          let stream = encoded.open();
          const history: number[] = [];
          for (const step of steps) {
            if (step.kind === 'append') {
              (await model.forward(chain(stream, step.tokens))).dispose();
              history.push(...step.tokens);
            } else if (step.kind === 'truncate') {
              history.length = Math.floor(step.share * history.length);
              stream.truncate(history.length);
            } else {
              const other = stream.fork();
              (await model.forward(chain(stream, step.tokens))).dispose(); // must not be seen by the fork
              stream.dispose();
              stream = other;
            }
          }
          const got = await logitsOf(model, chain(stream, last));
          const expected = await oneByOne(model, source, [...history, ...last]);
          expect(got).toEqual(expected.slice(history.length));
          stream.dispose();
          encoded.dispose();
        },
      ),
      { numRuns: 25 },
    );
  });

  it.each([
    [
      'a token outside the vocabulary',
      (s: DecoderStream) => [{ stream: s, token: 37, position: 0, parent: -1 }],
      /token: expected 0 to 36, found 37/,
    ],
    [
      'a wrong position',
      (s: DecoderStream) => [{ stream: s, token: 1, position: 4, parent: -1 }],
      /row 0: expected position 0, found 4/,
    ],
    [
      'a parent after its child',
      (s: DecoderStream) => [{ stream: s, token: 1, position: 1, parent: 0 }],
      /row 0: expected a parent from -1 to -1/,
    ],
    ['no rows', () => [], /expected at least one row/],
  ])('refuses %s and leaves the stream as it was', async (_, rows, message) => {
    const [encoded] = await model.encode([SOURCES[0]]);
    const stream = encoded.open();
    await expect(model.forward(rows(stream))).rejects.toThrow(message);
    expect(stream.length).toBe(0);
    expect(await logitsOf(model, chain(stream, [0, 2]))).toEqual(await oneByOne(model, SOURCES[0], [0, 2]));
  });

  it('refuses empty sources and ids outside the vocabulary by name', async () => {
    await expect(model.encode([[]])).rejects.toThrow(/source 0: expected at least one id/);
    await expect(model.encode([[1], [2, -1]])).rejects.toThrow(/source 1: id: expected 0 to 36, found -1/);
  });

  it('refuses a call while a tree is pending, and goes on after keep or truncate', async () => {
    const [encoded] = await model.encode([SOURCES[0]]);
    const stream = encoded.open();
    const siblings = [3, 4].map((token) => ({ stream, token, position: 0, parent: -1 }));
    (await model.forward(siblings)).dispose();
    await expect(model.forward(chain(stream, [1]))).rejects.toThrow(/pending/);
    expect(() => stream.keep([0, 1])).toThrow(/path of pending rows/);
    stream.truncate(0);
    expect(await logitsOf(model, chain(stream, [5]))).toEqual(await oneByOne(model, SOURCES[0], [5]));
  });
});

describe('a model', () => {
  it('a `using` block gives the model, sources, streams and logits back at its end, and none can be used after', async () => {
    const backend = await createBackend('reference');
    const before = backend.facts.allocatedBytes();
    const escaped: { model?: T5Model; encoded?: Encoded; stream?: DecoderStream; view?: LogitsView } = {};
    {
      using model = await loadModel(randomCheckpoint(tinyConfig(), 2), backend);
      const [first] = await model.encode([[3, 1]]);
      using encoded = first;
      using stream = encoded.open();
      using view = await model.forward(chain(stream, [0]));
      Object.assign(escaped, { model, encoded, stream, view });
    }
    expect(backend.facts.allocatedBytes()).toBe(before);
    const disposed = { code: 'disposed' };
    await expect(escaped.model?.encode([[3, 1]])).rejects.toMatchObject(disposed);
    expect(() => escaped.encoded?.open()).toThrow(expect.objectContaining(disposed));
    expect(() => escaped.stream?.truncate(0)).toThrow(expect.objectContaining(disposed));
    expect(() => escaped.view?.argMax()).toThrow(expect.objectContaining(disposed));
  });

  it('refuses a source too large for the backend before anything is allocated for it, and goes on with a smaller one', async () => {
    const backend = await createBackend('reference');
    using model = await loadModel(randomCheckpoint(tinyConfig(), 2), backend);
    const facts = { ...backend.facts, capacityBytes: backend.facts.allocatedBytes() + 100_000 };
    using small = await loadModel(randomCheckpoint(tinyConfig(), 2), { ...backend, facts });
    const before = backend.facts.allocatedBytes();
    const source = Array.from({ length: 3000 }, (_, i) => i % 37);
    await expect(small.encode([source])).rejects.toMatchObject({ code: 'out-of-memory' });
    await expect(small.encode([source])).rejects.toThrow(/at most \d+ bytes .* found 3000 ids that take \d+/);
    expect(backend.facts.allocatedBytes()).toBe(before);
    expect(await oneByOne(small, SOURCES[0], [0, 3])).toEqual(await oneByOne(model, SOURCES[0], [0, 3]));
  });

  it('refuses rows of a stream whose source was disposed, or of another model, and the stream stays as it was', async () => {
    const backend = await createBackend('reference');
    using model = await loadModel(randomCheckpoint(tinyConfig(), 2), backend);
    using other = await loadModel(randomCheckpoint(tinyConfig(), 2), backend);
    const [encoded] = await model.encode([[3, 1]]);
    const stream = encoded.open();
    await expect(other.forward(chain(stream, [0]))).rejects.toThrow(/row 0: expected a stream of this model/);
    encoded.dispose();
    await expect(model.forward(chain(stream, [0]))).rejects.toMatchObject({ code: 'disposed' });
    expect(stream.length).toBe(0);
  });
});

describe('a call that fails on the backend', () => {
  it('leaves the stream, slots and logits as they were, and the next call is right', async () => {
    const backend = await createBackend('reference');
    let failing = false;
    const broken: Backend = {
      ...backend,
      head: (...args) => {
        if (failing) throw new Error('device lost');
        backend.head(...args);
      },
    };
    const model = await loadModel(randomCheckpoint(tinyConfig(), 1), broken);
    const [encoded] = await model.encode([SOURCES[0]]);
    const stream = encoded.open();
    (await model.forward(chain(stream, [0, 7]))).dispose();
    failing = true;
    await expect(model.forward(chain(stream, [3, 4]))).rejects.toThrow('device lost');
    expect(stream.length).toBe(2);
    failing = false;
    const got = await logitsOf(model, chain(stream, [9]));
    expect(got[0]).toEqual((await oneByOne(model, SOURCES[0], [0, 7, 9]))[2]);
  });
});
