import fc from 'fast-check';
import type { Backend, Dtype } from '../../../kernels';
import { matrix, seed, size, uniform } from './arbitraries';
import { expectSameBits, type Matrix, type Subject, using } from './subject';

/** Values that arithmetic treats in a way of their own; the first stands for any other value. */
const ODD = [1, -0, 2 ** -149, 2 ** -80, 2 ** -40, 3e38, Infinity, Number.NaN];

/** Rows before a relu: a share of their values is above zero, and of these and the others some are odd. */
export function beforeRelu(from: number, rows: number, cols: number, share: number): Matrix {
  const next = uniform(from);
  const values = Float32Array.from({ length: rows * cols }, () => {
    const size = next() < 0.02 ? ODD[Math.floor(next() * ODD.length)] : next() + 2 ** -20;
    return next() < share ? size : -size;
  });
  return { rows, cols, values };
}

/** Weights of which at most one is odd, or all in a column are zero. */
function weights(from: number, rows: number, cols: number): Matrix {
  const made = matrix(from, rows, cols);
  const next = uniform(from + 1);
  const odd = ODD[Math.floor(next() * ODD.length * 2)];
  if (odd !== undefined) made.values[Math.floor(next() * rows * cols)] = next() < 0.5 ? odd : -odd;
  return made;
}

/** Products of what a relu made with a weight: of its own box, and of a box to which the same values were written. */
async function products(
  backend: Backend,
  type: Dtype,
  [x, w, residual]: readonly [Matrix, Matrix, Matrix | null],
): Promise<readonly [Float32Array, Float32Array]> {
  return using(backend, async (boxes) => {
    const [inside, fromRelu, fromValues] = [boxes.out(), boxes.out(), boxes.out()];
    backend.activation(inside, boxes.tensor(x), 'relu', null);
    const values = boxes.tensor({ rows: x.rows, cols: x.cols, values: await backend.read(inside) });
    const weight = boxes.weight(w, type);
    const added = residual === null ? null : boxes.tensor(residual);
    backend.linear(fromRelu, inside, weight, added);
    backend.linear(fromValues, values, weight, added);
    return [await backend.read(fromRelu), await backend.read(fromValues)];
  });
}

/** Products of rows that are mostly zero, of which a backend may leave inputs out. */
export function zeroLaws({ backend, types, runs }: Subject): void {
  const shape = fc.record({
    ...{ seed, rows: size(20), inputs: size(200), outputs: size(140), residual: fc.boolean() },
    share: fc.constantFrom(0, 0.01, 0.05, 0.1, 0.3, 0.6, 1),
  });

  test.each(types)('%s: what a relu made has the products that its values have, bit for bit', async (type) => {
    await fc.assert(
      fc.asyncProperty(shape, async (s) => {
        const x = beforeRelu(s.seed, s.rows, s.inputs, s.share);
        const w = weights(s.seed + 1, s.outputs, s.inputs);
        const residual = s.residual ? matrix(s.seed + 2, s.rows, s.outputs) : null;
        const [fromRelu, fromValues] = await products(backend(), type, [x, w, residual]);
        expectSameBits(fromRelu, fromValues);
      }),
      { numRuns: runs },
    );
  });

  test.each(types)(
    '%s: so have all numbers of rows of a block and more, for whole and broken panels and units',
    async (type) => {
      for (const outputs of [3, 8, 15, 31, 33, 60, 65]) {
        const w = matrix(outputs, outputs, 130);
        for (let rows = 1; rows <= 13; rows++) {
          const residual = rows % 2 === 0 ? matrix(rows, rows, outputs) : null;
          const x = beforeRelu(rows + 100 * outputs, rows, 130, 0.02);
          const [fromRelu, fromValues] = await products(backend(), type, [x, w, residual]);
          expectSameBits(fromRelu, fromValues);
        }
      }
    },
  );

  test.each(types)(
    '%s: a product that is too small for a number has its sign, or loses it to the next',
    async (type) => {
      const small = 2 ** -80;
      for (const rows of [1, 2, 3, 6]) {
        for (const first of [1, -1]) {
          const x = { rows, cols: 40, values: new Float32Array(rows * 40).map((_, i) => (i % 40 === 3 ? small : -1)) };
          const w = {
            rows: 9,
            cols: 40,
            values: new Float32Array(9 * 40).map((_, i) => (i % 40 > 3 ? first : -small)),
          };
          const [fromRelu, fromValues] = await products(backend(), type, [x, w, null]);
          expectSameBits(fromRelu, fromValues);
        }
      }
    },
  );

  test.each(types)(
    '%s: a box that a relu made and that is written anew has the products of the new values',
    async (type) => {
      await using(backend(), async (boxes) => {
        const [box, out, expected] = [boxes.out(), boxes.out(), boxes.out()];
        backend().activation(box, boxes.tensor(beforeRelu(1, 4, 64, 0.05)), 'relu', null);
        const weight = boxes.weight(matrix(2, 33, 64), type);
        backend().linear(out, box, weight, null);
        const fresh = matrix(3, 4, 64);
        backend().write(box, 4, 64, fresh.values);
        backend().linear(out, box, weight, null);
        backend().linear(expected, boxes.tensor(fresh), weight, null);
        expectSameBits(await backend().read(out), await backend().read(expected));
      });
    },
  );
}
