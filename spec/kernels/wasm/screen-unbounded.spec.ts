import { type Backend, createWasmBackend, type Dtype } from '../../../kernels';
import type { WasmLogits } from '../../../kernels/wasm/boxes';
import { WasmStorage } from '../../../kernels/wasm/storage';
import { type Matrix, using } from '../laws/subject';
import { normal } from './screened';

/** As many outputs as screening begins with. */
const OUTPUTS = 16384;
const COLS = 40;

describe('a certified head where it cannot or need not screen', () => {
  const backends: Backend[] = [];
  beforeAll(async () => {
    for (const certifiedHead of [true, false]) backends.push(await createWasmBackend({ threads: 1, certifiedHead }));
  });
  afterAll(async () => {
    for (const one of backends) await one.dispose();
  });

  /** Arg-max of the one row x by the certified head, and by the whole product. */
  async function bestOf(table: Matrix, x: Float32Array): Promise<number[]> {
    const found: number[] = [];
    for (const one of backends) {
      await using(one, async (boxes) => {
        const logits = boxes.logits();
        one.head(logits, boxes.tensor({ rows: 1, cols: COLS, values: x }), null, boxes.weight(table, 'f32'), 1);
        found.push((await one.argMax(logits))[0]);
      });
    }
    return found;
  }

  it('sees an exact product that overflows on its way, which its coarse copy does not: there is no arg-max', async () => {
    const x = Float32Array.from({ length: COLS }, (_, i) => (i % 2 === 0 ? 1 : -1));
    for (const product of [1e37, 3e38, 1e39, 1e41]) {
      // With alternating signs a sum of codes is nearly 0; one of floats is too, or infinite at its first term.
      const size = Math.sqrt(product);
      const table = normal(3, OUTPUTS, COLS);
      table.values.fill(size, 400 * COLS, 401 * COLS);
      const [certified, whole] = await bestOf(
        table,
        x.map((sign) => sign * size),
      );
      expect([product, certified, whole === -1]).toEqual([product, whole, product > 3.4e38]);
    }
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e30])('keeps no copy of weights that have %p', async (value) => {
    const [one] = backends;
    const table = normal(1, OUTPUTS, COLS);
    const copyBytes = one.facts.weightBytes(OUTPUTS, COLS, 'q8');
    await using(one, async (boxes) => {
      const logits = boxes.logits();
      for (const hasBounds of [true, false]) {
        if (!hasBounds) table.values[COLS * 400] = value;
        const weight = boxes.weight(table, 'f32');
        one.head(logits, boxes.tensor(normal(2, 1, COLS)), null, weight, 1);
        const before = one.facts.allocatedBytes();
        await one.argMax(logits);
        expect(one.facts.allocatedBytes() - before >= copyBytes).toBe(hasBounds);
      }
    });
  });

  it('leaves a product undone only where screening pays: many outputs, few rows, no codes', async () => {
    const [one] = backends;
    await using(one, async (boxes) => {
      const isWaiting = (outputs: number, rows: number, type: Dtype) => {
        const logits = boxes.logits() as WasmLogits;
        one.head(logits, boxes.tensor(normal(2, rows, COLS)), null, boxes.weight(normal(1, outputs, COLS), type), 1);
        return logits.pending !== null;
      };
      expect([isWaiting(OUTPUTS, 17, 'f32'), isWaiting(OUTPUTS, 1, 'bf16')]).toEqual([true, true]);
      expect([isWaiting(OUTPUTS - 1, 1, 'f32'), isWaiting(OUTPUTS, 18, 'f32')]).toEqual([false, false]);
      expect([isWaiting(OUTPUTS, 1, 'q8'), isWaiting(OUTPUTS, 1, 'q4')]).toEqual([false, false]);
    });
  });

  it('computes the whole product where too many units could have the arg-max', async () => {
    const [one] = backends;
    await using(one, async (boxes) => {
      const logits = boxes.logits() as WasmLogits;
      const table = normal(1, OUTPUTS, COLS);
      table.values.fill(0.5);
      one.head(logits, boxes.tensor(normal(2, 1, COLS)), null, boxes.weight(table, 'f32'), 1);
      expect([...(await one.argMax(logits))]).toEqual([0]);
      expect(logits.pending).toBeNull();
    });
  });

  it('hides no other failure of the coarse copy than that there is no room for it', async () => {
    const [one] = backends;
    await using(one, async (boxes) => {
      const logits = boxes.logits();
      const weight = boxes.weight(normal(1, OUTPUTS, COLS), 'f32');
      one.head(logits, boxes.tensor(normal(2, 1, COLS)), null, weight, 1);
      const spy = jest.spyOn(WasmStorage.prototype, 'createWeight').mockImplementationOnce(() => {
        throw new RangeError('of another kind');
      });
      await expect(one.argMax(logits)).rejects.toThrow('of another kind');
      spy.mockRestore();
    });
  });
});
