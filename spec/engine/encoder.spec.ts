import fc from 'fast-check';
import { loadModel, type T5Model } from '../../engine';
import { encodeBytes } from '../../engine/memory';
import { chunkRows } from '../../engine/pace';
import { type Backend, createBackend } from '../../kernels';
import type { T5Config } from '../../weights';
import { chain } from '../support/greedy';
import { randomCheckpoint, tinyConfig } from '../support/random-checkpoint';

const NAMES = ['cpu', 'wasm'] as const;
/** A length that is two chunks or three. */
const LONG = { cpu: 200, wasm: 560 } as const;
const idsOf = (length: number, seed = 1) => Array.from({ length }, (_, i) => (i * i * 7 + seed * 13 + i) % 37);

/** Sizes with which few rows are a chunk. */
const config: T5Config = tinyConfig({ dFf: 8192, dModel: 32, encoderLayers: 2, decoderLayers: 1, vocabularySize: 37 });
const open = (backend: Backend) => loadModel(randomCheckpoint(config, 3), backend);

/** The code of the error that a call ends with. What it gives otherwise is not printed: it has a whole backend in it. */
const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  );

/** A model that never cuts a call: one that is observed does not. */
const openWhole = (backend: Backend) => loadModel(randomCheckpoint(config, 3), backend, { observe: () => undefined });

async function firstLogits(model: T5Model, source: readonly number[]): Promise<Float32Array> {
  const [encoded] = await model.encode([source]);
  using stream = encoded.open();
  using view = await model.forward(chain(stream, [0, 5, 9]));
  const row = await view.read(2);
  encoded.dispose();
  return row;
}

describe.each(NAMES)('a long call of the encoder on %s', (name) => {
  let backend: Backend;
  let model: T5Model;
  beforeAll(async () => {
    backend = await createBackend(name, { threads: 1 });
    model = await open(backend);
  });
  afterAll(() => backend.dispose());

  it('tells how far it has come: each part of each block once, up to the whole', async () => {
    for (const lengths of [[1], [LONG[name]], [9, LONG[name], 33]]) {
      const rows = lengths.reduce((sum, one) => sum + one);
      const total = rows * config.encoderLayers;
      const sources = lengths.map((length) => idsOf(length));
      const told: number[] = [];
      const onProgress = (found: { done: number; total: number }) => {
        expect(found.total).toBe(total);
        told.push(found.done);
      };
      for (const encoded of await model.encode(sources, { onProgress })) encoded.dispose();
      const step = Math.min(rows, chunkRows(backend.facts, config));
      const ends = Array.from({ length: Math.ceil(rows / step) }, (_, i) => Math.min((i + 1) * step, rows));
      const expected = Array.from({ length: config.encoderLayers }, (_, i) => ends.map((end) => i * rows + end)).flat();
      expect(told).toEqual(expected);
      const ofCall = told.splice(0);
      await model.encoderStates(sources, { onProgress });
      expect(told).toEqual(ofCall);
      const stop = () => {
        throw new RangeError('enough');
      };
      await expect(model.encode(sources, { onProgress: stop })).rejects.toThrow('enough');
    }
  });

  it('in chunks has the bits of one that is not cut: states and cross-attention, of one source and of several', async () => {
    using whole = await openWhole(backend);
    const lengths = [LONG[name]];
    const ragged = [9, lengths[0], 1, 33].map((length, i) => idsOf(length, i));
    for (const sources of [lengths.map((length) => idsOf(length)), ragged]) {
      const rows = sources.reduce((sum, { length }) => sum + length, 0);
      expect(rows / chunkRows({ name, threads: 1 }, config)).toBeGreaterThan(1);
      expect(await model.encoderStates(sources)).toEqual(await whole.encoderStates(sources));
    }
    const source = idsOf(lengths[0]);
    expect(await firstLogits(model, source)).toEqual(await firstLogits(whole, source));
  });

  it('takes memory in proportion to its length, and about what it is said to', async () => {
    const taken: number[] = [];
    for (const length of [LONG[name], 2 * LONG[name]]) {
      const fresh = await createBackend(name, { threads: 1 });
      using model = await open(fresh);
      const before = fresh.facts.allocatedBytes();
      let most = 0;
      const source = idsOf(length);
      const running = model.encoderStates([source]);
      const turn = async () => {
        for (let going = true; going; ) {
          most = Math.max(most, fresh.facts.allocatedBytes() - before);
          going = await Promise.race([
            running.then(() => false),
            new Promise<boolean>((r) => setImmediate(() => r(true))),
          ]);
        }
      };
      await turn();
      taken.push(most);
      const step = Math.min(length, chunkRows({ name, threads: 1 }, config));
      const said = encodeBytes(config, { rows: length, step, crossSlots: 0 });
      expect(most).toBeLessThan(1.3 * said + 100_000);
      await fresh.dispose();
    }
    expect(taken[1]).toBeLessThan(2.2 * taken[0]);
  });

  it('hears a cancel between two steps, and the next call is right', async () => {
    const source = idsOf(2 * LONG[name]);
    const before = await firstLogits(model, idsOf(5));
    for (const call of ['encode', 'encoderStates'] as const) {
      for (const turns of [0, 2]) {
        const controller = new AbortController();
        const running = model[call]([source], { signal: controller.signal });
        for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
        controller.abort();
        expect(await codeOf(running)).toBe('aborted');
        expect(await firstLogits(model, idsOf(5))).toEqual(before);
      }
    }
  });

  it('lets the event loop turn', async () => {
    let turns = 0;
    let going = true;
    const count = () => {
      turns++;
      if (going) setImmediate(count);
    };
    setImmediate(count);
    await model.encoderStates([idsOf(3 * LONG[name])]);
    going = false;
    expect(turns).toBeGreaterThan(2);
  });
});

describe('calls of the encoder that overlap', () => {
  it('each have the bits that they have alone, and leave decoding alone', async () => {
    const backend = await createBackend('wasm', { threads: 1 });
    using model = await open(backend);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 2, maxLength: 4 }), async (lengths) => {
        const sources = lengths.map((length, i) => idsOf(length, i));
        const alone: Float32Array[] = [];
        for (const source of sources) alone.push(...(await model.encoderStates([source])));
        const logits = await firstLogits(model, sources[0]);
        const [together, beside] = await Promise.all([
          Promise.all(sources.map(async (source) => (await model.encoderStates([source]))[0])),
          firstLogits(model, sources[0]),
        ]);
        expect(together).toEqual(alone);
        expect(beside).toEqual(logits);
      }),
      { numRuns: 4 },
    );
    await backend.dispose();
  });

  it('end with `disposed` where the model is disposed meanwhile, and everything is freed', async () => {
    const backend = await createBackend('wasm', { threads: 1 });
    const before = backend.facts.allocatedBytes();
    const model = await open(backend);
    const running = [1500, 900, 5].map((length) => model.encode([idsOf(length)]));
    await new Promise((resolve) => setImmediate(resolve));
    model.dispose();
    for (const one of running) expect(await codeOf(one)).toBe('disposed');
    expect(backend.facts.allocatedBytes()).toBe(before);
    await backend.dispose();
  });
});

describe("t5-base's shape", () => {
  const base: T5Config = {
    ...tinyConfig(),
    ...{ dModel: 768, dKv: 64, heads: 12, inner: 768, dFf: 3072, encoderLayers: 12, decoderLayers: 12 },
  };

  it.each(['wasm', 'cpu'] as const)('8,192 ids take less than 250 MB beside the weights on %s', (name) => {
    const step = chunkRows({ name, threads: 2 }, base);
    expect(encodeBytes(base, { rows: 8192, step, crossSlots: 0 })).toBeLessThan(250e6);
    expect(encodeBytes(base, { rows: 8192, step, crossSlots: 8192 })).toBeLessThan(1e9);
  });
});
