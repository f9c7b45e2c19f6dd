/** Embeddings of states that are made up here, beside plain statements of each step. */
import fc from 'fast-check';
import { embedInputs } from '../../api/embed';
import { embeddingHead, embeddingOf, normalized, PLAIN } from '../../api/embed-head';
import type { Loaded } from '../../api/load';
import type { Source } from '../../engine';
import { WeightsError } from '../../weights';

const value = fc.integer({ min: -9, max: 9 });
const states = fc
  .record({ width: fc.integer({ min: 1, max: 5 }), tokens: fc.integer({ min: 1, max: 6 }) })
  .chain(({ width, tokens }) =>
    fc.array(value, { minLength: width * tokens, maxLength: width * tokens }).map((list) => ({ width, tokens, list })),
  );

describe('an embedding', () => {
  it('pools the states of all tokens, each way as its name says, side by side', () => {
    fc.assert(
      fc.property(states, ({ width, tokens, list }) => {
        const columns = Array.from({ length: width }, (_, i) => list.filter((_one, at) => at % width === i));
        const sum = (of: readonly number[]) => of.reduce((all, one) => all + one, 0);
        const expected = {
          cls: columns.map(([first]) => first),
          max: columns.map((column) => Math.max(...column)),
          mean: columns.map((column) => sum(column) / tokens),
          mean_sqrt_len_tokens: columns.map((column) => sum(column) / Math.sqrt(tokens)),
        };
        const rows = Float32Array.from(list);
        const close = (found: Float32Array, wanted: readonly number[]) => {
          expect(found).toHaveLength(wanted.length);
          for (const [i, one] of wanted.entries()) expect(found[i]).toBeCloseTo(one, 4);
        };
        for (const [pooling, wanted] of Object.entries(expected))
          close(embeddingOf(rows, width, { ...PLAIN, pooling: [pooling as never] }), wanted);
        close(embeddingOf(rows, width, { ...PLAIN, pooling: ['max', 'cls'] }), [...expected.max, ...expected.cls]);
        close(embeddingOf(rows, width, embeddingHead(null)), expected.mean);
      }),
    );
  });

  it('goes through its layers in order: matrices with a bias and an activation, and length 1', () => {
    const bytes = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
    const tensor = (...values: number[]) => ({ info: { file: 'f', name: 'n', type: 'F32' }, bytes: bytes(...values) });
    const dense = (activation: string, bias: object | null) => ({
      ...{ kind: 'dense', weight: tensor(1, 2, 3, -4), bias, activation },
    });
    const of = (...steps: object[]) => {
      const head = embeddingHead({ maxTokens: null, pooling: ['mean'], steps } as never);
      return [...embeddingOf(Float32Array.of(1, 1), 2, head)];
    };
    expect(of()).toEqual([1, 1]);
    expect(of(dense('identity', null))).toEqual([3, -1]);
    expect(of(dense('identity', tensor(10, 20)))).toEqual([13, 19]);
    expect(of(dense('relu', null))).toEqual([3, 0]);
    expect(of(dense('tanh', null))).toEqual([Math.fround(Math.tanh(3)), Math.fround(Math.tanh(-1))]);
    expect(of(dense('relu', null), { kind: 'normalize' })).toEqual([1, 0]);
    expect(of({ kind: 'normalize' }, dense('relu', null))[0]).toBeCloseTo(3 / Math.sqrt(2), 5);
    expect(() => of({ ...dense('identity', null), weight: tensor(1, 2, 3) })).toThrow(
      'dense: expected a matrix of 2 inputs, found 3 weights',
    );
    const odd = { info: { file: 'w.safetensors', name: 'dense', type: 'I32' }, bytes: bytes(1) };
    expect(() => of({ ...dense('identity', null), weight: odd })).toThrow(
      'w.safetensors: dense: expected F32, F16 or BF16, found I32',
    );
  });

  it('has length 1 where that is asked for, and zeros stay zeros', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 6 }), (list) => {
        const length = Math.hypot(...list);
        const found = normalized(Float32Array.from(list));
        for (const [i, one] of list.entries()) expect(found[i]).toBeCloseTo(length === 0 ? 0 : one / length, 5);
      }),
    );
  });
});

describe('many inputs', () => {
  /** A target whose states are the ids, and that counts the ids of each call. */
  function made(embedding: unknown = PLAIN) {
    const calls: number[][] = [];
    const encoderStates = async (sources: readonly Source[]) => {
      calls.push(sources.map((source) => ('ids' in source ? source.ids : source).length));
      return sources.map((source) => Float32Array.from('ids' in source ? source.ids : source));
    };
    const tokenizer = { encode: (text: string) => [...Array.from(text, () => 7), 1] };
    const target = { name: 'model', eosTokens: [1], config: { dModel: 1 }, encoderStates };
    const loaded = { embedding, target, tokenizer, prefix: '', sourceLength: null } as unknown as Loaded;
    return { loaded, calls };
  }
  const { signal } = new AbortController();

  it('are embedded in order, in as few calls as 4,096 ids allow, none of them empty', async () => {
    const length = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1000, max: 5000 }));
    await fc.assert(
      fc.asyncProperty(fc.array(length, { maxLength: 8 }), async (lengths) => {
        const { loaded, calls } = made();
        const inputs = lengths.map((count, i) => new Array<number>(count).fill(i + 2));
        const found = await embedInputs(loaded, inputs, { normalize: false } as never, signal);
        expect(found.map(([mean]) => mean)).toEqual(lengths.map((_, i) => i + 2));
        expect(calls.flat()).toEqual(lengths);
        const sums = calls.map((group) => group.reduce((sum, count) => sum + count, 0));
        for (const [i, group] of calls.entries()) {
          expect(group.length).toBeGreaterThan(0);
          if (group.length > 1) expect(sums[i]).toBeLessThanOrEqual(4096);
          if (i > 0) expect(sums[i - 1] + group[0]).toBeGreaterThan(4096);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('are cut where they are text and the checkpoint says so, pooled as asked, and refused where it cannot embed', async () => {
    const { loaded, calls } = made({ ...PLAIN, maxTokens: 3 });
    const embed = (options: object, inputs: readonly unknown[] = ['abcdef', [4, 5, 6, 7, 8]]) =>
      embedInputs(loaded, inputs as never, options as never, signal);
    const [text, ids] = await embed({});
    expect([calls.at(-1), text[0], ids[0]]).toEqual([[3, 5], 5, 6]);
    expect((await embed({ pooling: 'none' })).map((one) => [...one])).toEqual([
      [7, 7, 7, 7, 7, 7, 1],
      [4, 5, 6, 7, 8],
    ]);
    expect((await embed({ pooling: 'mean', normalize: true })).map((one) => [...one])).toEqual([[1], [1]]);
    const broken = made(new WeightsError('type-unsupported', 'no such pooling')).loaded;
    await expect(embedInputs(broken, [[1]], {} as never, signal)).rejects.toThrow('no such pooling');
    expect(await embedInputs(broken, [[2, 4]], { pooling: 'mean' } as never, signal)).toEqual([Float32Array.of(3)]);
    await expect(embedInputs(loaded, [[1]], {} as never, AbortSignal.abort(new Error('enough')))).rejects.toThrow(
      'enough',
    );
  });
});
