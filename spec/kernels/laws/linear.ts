import fc from 'fast-check';
import type { Backend, Dtype } from '../../../kernels';
import { matrix, seed, shuffled, size } from './arbitraries';
import { expectNear, expectSameBits, type Matrix, pickRows, type Subject, using } from './subject';

/** x · wᵀ on a backend, [x.rows, w.rows]. */
function product(backend: Backend, type: Dtype, x: Matrix, w: Matrix): Promise<Float32Array> {
  return productPlus(backend, type, [x, w], null);
}

/** x · wᵀ + residual on a backend, [x.rows, w.rows]. */
async function productPlus(
  backend: Backend,
  type: Dtype,
  [x, w]: readonly [Matrix, Matrix],
  residual: Matrix | null,
): Promise<Float32Array> {
  return using(backend, async (boxes) => {
    const out = boxes.out();
    const added = residual === null ? null : boxes.tensor(residual);
    backend.linear(out, boxes.tensor(x), boxes.weight(w, type), added);
    expect([out.rows, out.cols]).toEqual([x.rows, w.rows]);
    return backend.read(out);
  });
}

/** max|x_r| · Σ_i |w_oi| of each output: what bounds the error of any order of summation, and of quantised x. */
export function productScale(x: Matrix, w: Matrix): (index: number) => number {
  const largest = (row: number): number => {
    let most = 0;
    for (let i = 0; i < x.cols; i++) most = Math.max(most, Math.abs(x.values[row * x.cols + i]));
    return most;
  };
  const sum = (row: number): number => {
    let total = 0;
    for (let i = 0; i < w.cols; i++) total += Math.abs(w.values[row * w.cols + i]);
    return total;
  };
  const rows = Float64Array.from({ length: x.rows }, (_, r) => largest(r));
  const columns = Float64Array.from({ length: w.rows }, (_, o) => sum(o));
  return (index) => rows[Math.floor(index / w.rows)] * columns[index % w.rows];
}

/** The matrix product. */
export function linearLaws({ backend, judge, types, runs, tolerance }: Subject): void {
  const shape = fc.record({ seed, rows: size(20), inputs: size(200), outputs: size(140), residual: fc.boolean() });

  test.each(types)('%s: linear is the reference within the tolerance, with and without a residual', async (type) => {
    await fc.assert(
      fc.asyncProperty(shape, async (s) => {
        const x = matrix(s.seed, s.rows, s.inputs);
        const w = matrix(s.seed + 1, s.outputs, s.inputs);
        const residual = s.residual ? matrix(s.seed + 2, s.rows, s.outputs) : null;
        const found = await productPlus(backend(), type, [x, w], residual);
        const expected = await productPlus(judge(), type, [x, w], residual);
        const scale = productScale(x, w);
        const added = (i: number): number => Math.abs(residual?.values[i] ?? 0);
        expectNear(found, expected, tolerance.products[type]!, (i) => scale(i) + added(i));
      }),
      { numRuns: runs },
    );
  });

  test.each(types)('%s: a residual is added to the rounded product', async (type) => {
    const x = matrix(5, 5, 48);
    const w = matrix(6, 33, 48);
    const residual = matrix(7, 5, 33);
    const plain = await product(backend(), type, x, w);
    const sum = plain.map((value, i) => value + residual.values[i]);
    expectSameBits(await productPlus(backend(), type, [x, w], residual), sum);
  });

  test.each(types)('%s: a row has the same bits among any rows, in any order, as alone', async (type) => {
    await fc.assert(
      fc.asyncProperty(shape, fc.integer({ min: 1, max: 17 }), async (s, taken) => {
        const x = matrix(s.seed, 17, s.inputs);
        const w = matrix(s.seed + 1, s.outputs, s.inputs);
        const all = { rows: 17, cols: s.outputs, values: await product(backend(), type, x, w) };
        const some = shuffled(s.seed, 17).slice(0, taken);
        expectSameBits(await product(backend(), type, pickRows(x, some), w), pickRows(all, some).values);
        const one = some.slice(0, 1);
        expectSameBits(await product(backend(), type, pickRows(x, one), w), pickRows(all, one).values);
      }),
      { numRuns: runs },
    );
  });

  test.each(types)('%s: the first row has the same bits for every row count from 1 to 17, 64 and 130', async (type) => {
    const x = matrix(11, 130, 96);
    const w = matrix(12, 71, 96);
    const alone = await product(backend(), type, pickRows(x, [0]), w);
    for (const rows of [...Array.from({ length: 17 }, (_, i) => i + 1), 64, 130]) {
      const found = await product(backend(), type, { rows, cols: 96, values: x.values.slice(0, rows * 96) }, w);
      expectSameBits(found.slice(0, 71), alone);
    }
  });

  test.each(types)(
    '%s: every row has the bits that it has alone, for whole and broken panels, units and blocks, with a residual',
    async (type) => {
      const [most, inputs] = [13, 65];
      const x = matrix(31, most, inputs);
      const w = matrix(32, 65, inputs);
      const alone: Float32Array[] = [];
      for (let r = 0; r < most; r++) alone.push(await product(backend(), type, pickRows(x, [r]), w));
      for (const outputs of [3, 8, 15, 31, 33, 60, 65]) {
        const some = { rows: outputs, cols: inputs, values: w.values.slice(0, outputs * inputs) };
        for (const rows of [2, 3, 4, 5, 6, 7, most]) {
          const first = { rows, cols: inputs, values: x.values.slice(0, rows * inputs) };
          const residual = matrix(33, rows, outputs);
          const expected = residual.values.map((value, i) => alone[Math.floor(i / outputs)][i % outputs] + value);
          expectSameBits(await productPlus(backend(), type, [first, some], residual), expected);
        }
      }
    },
  );

  test.each(types)('%s: an output has the same bits whatever other outputs the weight has', async (type) => {
    const x = matrix(21, 3, 65);
    const w = matrix(22, 67, 65);
    const whole = await product(backend(), type, x, w);
    for (const outputs of [1, 2, 3, 5, 16, 17, 66]) {
      const found = await product(backend(), type, x, {
        rows: outputs,
        cols: 65,
        values: w.values.slice(0, outputs * 65),
      });
      for (let r = 0; r < 3; r++) {
        expectSameBits(found.slice(r * outputs, (r + 1) * outputs), whole.slice(r * 67, r * 67 + outputs));
      }
    }
  });

  test.each(types)('%s: an output box takes every new shape, larger or smaller', async (type) => {
    await using(backend(), async (boxes) => {
      const out = boxes.out();
      for (const [rows, outputs] of [
        [1, 1],
        [9, 70],
        [2, 3],
        [17, 129],
        [1, 1],
      ]) {
        const x = matrix(rows, rows, 40);
        const w = matrix(outputs, outputs, 40);
        backend().linear(out, boxes.tensor(x), boxes.weight(w, type), null);
        expect([out.rows, out.cols]).toEqual([rows, outputs]);
        expectSameBits(await backend().read(out), await product(backend(), type, x, w));
      }
    });
  });
}
