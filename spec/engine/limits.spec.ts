import fc from 'fast-check';
import { EngineError } from '../../engine';
import { checkEncodeFits, checkWeightsFit, encodeBytes } from '../../engine/memory';
import { attentionOperations, attentionParts, chunkRows, Pace, stepOperations } from '../../engine/pace';
import { type BackendFacts, createReferenceBackend } from '../../kernels';
import { tinyConfig } from '../support/random-checkpoint';

/** What became of a call: null, or code and message of its refusal. */
function refusalOf(call: () => unknown): { code: string; message: string } | null {
  try {
    call();
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(EngineError);
    return error as EngineError;
  }
}

describe('what does not fit', () => {
  const facts = (capacityBytes: number, allocated: number): BackendFacts => ({
    ...createReferenceBackend().facts,
    capacityBytes,
    allocatedBytes: () => allocated,
  });

  it('is refused from the first byte beyond what is left, with what is left and what was asked for', () => {
    for (const [capacity, allocated] of [
      [100, 0],
      [150, 50],
    ]) {
      expect(
        refusalOf(() => checkWeightsFit(facts(capacity, allocated), { name: 'm', bytes: 100, dtype: 'bf16' })),
      ).toBeNull();
      const refusal = refusalOf(() =>
        checkWeightsFit(facts(capacity, allocated), { name: 'm', bytes: 101, dtype: 'bf16' }),
      );
      expect(refusal).toMatchObject({ code: 'out-of-memory' });
      expect(refusal?.message).toMatch(/^m: .* 100 bytes .*reference.* 101 bytes as bf16$/);
    }
    const call = { rows: 5, step: 5, crossSlots: 64 };
    const bytes = encodeBytes(tinyConfig(), call);
    expect(refusalOf(() => checkEncodeFits(facts(bytes + 7, 7), tinyConfig(), call))).toBeNull();
    const refusal = refusalOf(() => checkEncodeFits(facts(bytes + 6, 7), tinyConfig(), call));
    expect(refusal).toMatchObject({ code: 'out-of-memory' });
    expect(refusal?.message).toMatch(new RegExp(`at most ${bytes - 1} bytes .* 5 ids that take ${bytes}$`));
  });

  it('is what each id, each row at work and each slot adds: float32 of hidden states, of queries, keys and values', () => {
    const config = { ...tinyConfig(), dModel: 1000, inner: 10, dFf: 100_000, decoderLayers: 3 };
    const gated = { ...config, feedForward: { ...config.feedForward, gated: true } };
    const plain = { ...config, feedForward: { ...config.feedForward, gated: false } };
    const size = { rows: 0, step: 0, crossSlots: 0 };
    expect(encodeBytes(gated, size)).toBe(0);
    expect(encodeBytes(gated, { ...size, rows: 7 })).toBe(4 * 7 * (1000 + 10 + 2 * 10));
    expect(encodeBytes(gated, { ...size, crossSlots: 7 })).toBe(4 * 7 * 3 * 2 * 10);
    expect(encodeBytes(gated, { ...size, step: 7 })).toBe(4 * 7 * (1000 + 3 * 10 + 3 * 100_000));
    expect(encodeBytes(plain, { ...size, step: 7 })).toBe(4 * 7 * (1000 + 3 * 10 + 2 * 100_000));
  });
});

describe('a pace', () => {
  const facts = (name: BackendFacts['name'], threads: number) => ({ ...createReferenceBackend().facts, name, threads });

  it('is due when a step would make it more than one turn’s work, and counts from that step on', () => {
    const pace = new Pace(facts('reference', 1), () => undefined);
    const { most } = pace;
    expect(pace.isDue(3 * most)).toBe(false); // the first step: a pause before it would gain nothing
    expect(pace.isDue(0.5 * most)).toBe(true);
    expect(pace.isDue(0.25 * most)).toBe(false);
    expect(pace.isDue(0.25 * most)).toBe(false); // exactly one turn's work
    expect(pace.isDue(1)).toBe(true);
    expect(pace.isDue(most - 1)).toBe(false);
    expect(pace.isDue(1)).toBe(true);
  });

  it('checks at each pause', async () => {
    let checks = 0;
    const pace = new Pace(facts('cpu', 1), () => {
      if (++checks === 2) throw new EngineError('aborted', 'now');
    });
    await pace.pause();
    await expect(pace.pause()).rejects.toMatchObject({ code: 'aborted' });
  });

  it('allows work in proportion to the threads, up to eight', () => {
    for (const name of ['wasm', 'cpu', 'reference'] as const) {
      const one = stepOperations({ name, threads: 1 });
      for (const threads of [2, 7, 8]) expect(stepOperations({ name, threads })).toBe(threads * one);
      for (const threads of [9, 64]) expect(stepOperations({ name, threads })).toBe(8 * one);
    }
  });

  it('takes chunks of rows by fours whose products are one step, from the least to 512 rows', () => {
    const least = { wasm: 32, cpu: 4, reference: 4 } as const;
    fc.assert(
      fc.property(
        fc.constantFrom('wasm', 'cpu', 'reference'),
        fc.integer({ min: 1, max: 10 }),
        fc.record({
          dModel: fc.integer({ min: 8, max: 4096 }),
          inner: fc.integer({ min: 8, max: 65_536 }),
          dFf: fc.integer({ min: 8, max: 65_536 }),
          gated: fc.boolean(),
        }),
        (name, threads, { gated, ...sizes }) => {
          const base = tinyConfig(sizes);
          const config = { ...base, ...sizes, feedForward: { ...base.feedForward, gated } };
          const rows = chunkRows({ name, threads }, config);
          expect(rows % 4).toBe(0);
          expect(rows).toBeGreaterThanOrEqual(least[name]);
          expect(rows).toBeLessThanOrEqual(512);
          const { dModel, inner, dFf } = sizes;
          const row = Math.max((gated ? 3 : 2) * dModel * dFf, 3 * dModel * inner);
          const most = stepOperations({ name, threads });
          if (rows > least[name]) expect(rows * row).toBeLessThanOrEqual(most);
          if (rows < 512) expect((rows + 4) * row).toBeGreaterThan(most);
        },
      ),
    );
    expect(chunkRows({ name: 'gpu', threads: 1 }, tinyConfig())).toBe(512);
  });

  it('cuts attention into tiles of at most 32 rows while one tile has not all heads, and else into as many rows as fit, by fours', () => {
    const size = { rows: 400, heads: 12, dKv: 64, longest: 1000 };
    const one = attentionOperations({ ...size, rows: 1, heads: 1 });
    expect(one).toBe(2 * 64 * 1000);
    const tall = (fitting: number) => attentionParts(size, fitting * one)[0];
    expect(tall(4800)).toEqual({ rows: [0, 400], heads: [0, 12] });
    expect(tall(4799)).toEqual({ rows: [0, 396], heads: [0, 12] });
    expect(tall(32 * 12)).toEqual({ rows: [0, 32], heads: [0, 12] });
    expect(tall(32 * 12 - 1)).toEqual({ rows: [0, 32], heads: [0, 11] });
    expect(tall(36 * 12)).toEqual({ rows: [0, 36], heads: [0, 12] });
    expect(tall(31)).toEqual({ rows: [0, 28], heads: [0, 1] });
    expect(tall(5)).toEqual({ rows: [0, 4], heads: [0, 1] });
    expect(tall(3)).toEqual({ rows: [0, 3], heads: [0, 1] });
    expect(tall(0.5)).toEqual({ rows: [0, 1], heads: [0, 1] });
  });
});
