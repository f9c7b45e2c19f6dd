import fc from 'fast-check';
import { loadModel } from '../../engine';
import { attentionOperations, attentionParts, chunkRows, Pace, stepOperations } from '../../engine/pace';
import { createBackend } from '../../kernels';
import type { T5Config } from '../../weights';
import { countingBackend } from '../support/counting-backend';
import { randomCheckpoint, tinyConfig } from '../support/random-checkpoint';

/** Attention of t5-base's width, so that long lists are most of the work. */
const config: T5Config = tinyConfig({
  ...{ dModel: 32, heads: 12, dKv: 64, inner: 768, dFf: 64, encoderLayers: 1, decoderLayers: 2, vocabularySize: 37 },
});
const idsOf = (length: number) => new Array<number>(length).fill(5);

/** A signal that never aborts, and says when it is asked. */
const askedSignal = (onAsked: () => void): AbortSignal =>
  ({
    get aborted() {
      onAsked();
      return false;
    },
  }) as AbortSignal;

describe('the parts of an attention call', () => {
  it('cover every head of every row once, the last one last, and none is larger than asked or smaller than needed', () => {
    const sizes = fc.record({
      rows: fc.integer({ min: 1, max: 130 }),
      heads: fc.integer({ min: 1, max: 24 }),
      dKv: fc.constantFrom(4, 64, 128),
      longest: fc.oneof(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 4e6 })),
    });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1e5, max: 1e9 }), (size, most) => {
        const { rows, heads } = size;
        const one = attentionOperations({ ...size, rows: 1, heads: 1 });
        const found = new Uint8Array(rows * heads);
        const parts = attentionParts(size, most);
        for (const part of parts) {
          const count = (part.rows[1] - part.rows[0]) * (part.heads[1] - part.heads[0]);
          expect(count * one).toBeLessThanOrEqual(Math.max(most, one));
          for (let row = part.rows[0]; row < part.rows[1]; row++)
            for (let head = part.heads[0]; head < part.heads[1]; head++) found[row * heads + head]++;
        }
        expect(found.every((times) => times === 1)).toBe(true);
        expect(parts.at(-1)?.rows[1]).toBe(rows);
        expect(parts.at(-1)?.heads[1]).toBe(heads);
        if (rows * heads * one <= most) expect(parts.length).toBe(1);
      }),
    );
  });
});

describe('the length of a step', () => {
  const NAMES = ['wasm', 'cpu', 'reference', 'gpu'] as const;

  it('grows with the threads up to eight, and has no end where another device computes', () => {
    for (const name of NAMES) {
      const one = stepOperations({ name, threads: 1 });
      expect(one).toBeGreaterThan(1e7);
      for (let threads = 1; threads <= 20; threads++)
        expect(stepOperations({ name, threads })).toBe(one * Math.min(threads, 8));
    }
    expect(NAMES.map((name) => Number.isFinite(stepOperations({ name, threads: 1 })))).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it('bounds the rows of a chunk of the encoder: whole fours, as many as fit, from a few to 512', () => {
    const size = fc.integer({ min: 1, max: 12_000 });
    const sizes = fc.record({ dModel: size, dFf: size, inner: size, gated: fc.boolean() });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 9 }), ({ dModel, dFf, inner, gated }, threads) => {
        const shape = { dModel, dFf, inner, feedForward: { ...config.feedForward, gated } };
        const row = Math.max((gated ? 3 : 2) * dModel * dFf, 3 * dModel * inner); // multiply-adds of its widest products
        for (const name of NAMES) {
          const most = stepOperations({ name, threads });
          const rows = chunkRows({ name, threads }, { ...config, ...shape } as T5Config);
          const least = { wasm: 32, cpu: 4, reference: 4, gpu: 512 }[name];
          expect(rows).toBeGreaterThanOrEqual(least);
          expect(rows).toBeLessThanOrEqual(512);
          expect(rows % 4).toBe(0);
          if (rows > least) expect(rows * row).toBeLessThanOrEqual(most);
          if (rows < 512) expect((rows + 4) * row).toBeGreaterThan(most);
        }
      }),
    );
  });

  it('is not exceeded between two pauses, unless one step alone is longer, and a pause checks', async () => {
    const facts = { name: 'cpu', threads: 1 } as never;
    const most = stepOperations(facts);
    const steps = fc.array(fc.integer({ min: 1, max: 1.5 * most }), { maxLength: 20 });
    fc.assert(
      fc.property(steps, (list) => {
        const pace = new Pace(facts, () => undefined);
        expect(pace.most).toBe(most);
        let done = 0;
        for (const operations of list) {
          const isDue = pace.isDue(operations);
          expect(isDue).toBe(done > 0 && done + operations > most);
          done = isDue ? operations : done + operations;
        }
      }),
    );
    let checks = 0;
    const pace = new Pace(facts, () => {
      if (++checks === 2) throw new Error('cancelled');
    });
    await pace.pause();
    await expect(pace.pause()).rejects.toThrow('cancelled');
  });
});

describe('between two looks at the signal', () => {
  it.each([
    ['wasm', 1],
    ['wasm', 2],
    ['cpu', 1],
  ] as const)('the work on %s with %i threads has one bound for sources of any length', async (name, threads) => {
    const most = stepOperations({ name, threads });
    for (const length of [7, 900, 10_000, name === 'cpu' ? 20_000 : 60_000]) {
      const { backend, take } = countingBackend({ name, threads });
      using model = await loadModel(randomCheckpoint(config, 3), backend);
      let [largest, total] = [0, 0];
      const signal = askedSignal(() => {
        const done = take();
        largest = Math.max(largest, done);
        total += done;
      });
      take();
      await model.encoderStates([idsOf(3), idsOf(length)], { signal });
      expect(total).toBeGreaterThan(length * length * 2 * config.inner);
      const [encoded] = await model.encode([idsOf(length)], { signal });
      expect(largest).toBeLessThanOrEqual(most);
      take();
      const stream = encoded.open();
      const rows = Array.from({ length: 33 }, (_, i) => ({ stream, position: i, token: 5, parent: i - 1 }));
      [largest, total] = [0, 0];
      await model.forward(rows, { signal });
      expect(Math.max(largest, take())).toBeLessThanOrEqual(most);
      if (length > 20_000) expect(total).toBeGreaterThan(most);
    }
  });
});

describe('a call of the decoder that is cut', () => {
  const long = Array.from({ length: 6_000 }, (_, i) => (i * 7) % 37);

  it('lets the event loop turn, hears a cancel, and leaves the stream as it was; calls meanwhile wait; bits are the same', async () => {
    const backend = await createBackend('cpu');
    using model = await loadModel(randomCheckpoint({ ...config, encoderLayers: 0 }, 3), backend);
    const [encoded] = await model.encode([long]);
    const [other] = await model.encode([[1, 2, 3]]);
    const rowsOf = (stream: ReturnType<typeof encoded.open>, count: number) =>
      Array.from({ length: count }, (_, i) => ({ stream, position: i, token: 5 + i, parent: i - 1 }));
    const read = async (of: typeof encoded, count: number, row: number) => {
      using stream = of.open();
      using view = await model.forward(rowsOf(stream, count));
      return view.read(row);
    };
    const alone = [await read(encoded, 1, 0), await read(other, 2, 1)];
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const controller = new AbortController();
    using stream = encoded.open();
    const cancelled = model.forward(rowsOf(stream, 8), { signal: controller.signal }).then(
      () => 'done',
      (error: { code: string }) => error.code,
    );
    const together = [read(encoded, 8, 0), read(other, 2, 1)];
    setImmediate(() => controller.abort());
    expect(await cancelled).toBe('aborted');
    expect(stream.length).toBe(0);
    expect(await Promise.all(together)).toEqual(alone);
    using again = await model.forward(rowsOf(stream, 1));
    expect(await again.read(0)).toEqual(alone[0]);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(2);
    await backend.dispose();
  });

  it('ends with `disposed` where the model is disposed meanwhile', async () => {
    const backend = await createBackend('cpu');
    const model = await loadModel(randomCheckpoint({ ...config, encoderLayers: 0 }, 3), backend);
    const [encoded] = await model.encode([long]);
    const stream = encoded.open();
    const rows = Array.from({ length: 8 }, (_, i) => ({ stream, position: i, token: 5, parent: i - 1 }));
    const running = model.forward(rows);
    setImmediate(() => model.dispose());
    await expect(running).rejects.toMatchObject({ code: 'disposed' });
    await backend.dispose();
  });
});
