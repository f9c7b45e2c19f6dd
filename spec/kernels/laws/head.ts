import fc from 'fast-check';
import type { Backend, Dtype } from '../../../kernels';
import { matrix, seed, size } from './arbitraries';
import { productScale } from './linear';
import { expectNear, expectSameBits, type Matrix, pickRows, type Subject, using } from './subject';

interface HeadCase {
  readonly x: Matrix;
  readonly w: Matrix;
  readonly gain: Float32Array | null;
  readonly scale: number;
}

/** All logits of a head, [rows, vocabulary], one row after the other. */
async function logitsOf(backend: Backend, type: Dtype, c: HeadCase): Promise<Float32Array> {
  return using(backend, async (boxes) => {
    const out = boxes.logits();
    const norm = c.gain === null ? null : boxes.norm(c.gain);
    backend.head(out, boxes.tensor(c.x), norm, boxes.weight(c.w, type), c.scale);
    expect([out.rows, out.vocabulary]).toEqual([c.x.rows, c.w.rows]);
    const all = new Float32Array(out.rows * out.vocabulary);
    for (let row = 0; row < out.rows; row++) all.set(await backend.readLogits(out, row), row * out.vocabulary);
    return all;
  });
}

/** The last product of the decoder. */
export function headLaws({ backend, judge, types, runs, tolerance }: Subject): void {
  const shape = fc.record({
    seed,
    rows: size(18),
    inputs: size(130),
    vocabulary: size(300),
    normed: fc.boolean(),
    scale: fc.constantFrom(1, 512 ** -0.5, 0.125, 3),
  });

  test.each(types)('%s: head is the reference within the tolerance, with and without norm and scale', async (type) => {
    await fc.assert(
      fc.asyncProperty(shape, async (s) => {
        const x = matrix(s.seed, s.rows, s.inputs);
        const w = matrix(s.seed + 1, s.vocabulary, s.inputs);
        const gain = s.normed ? matrix(s.seed + 2, 1, s.inputs).values : null;
        const seen = await seenBy(judge(), x, gain, s.scale);
        const expected = await logitsOf(judge(), type, { x, w, gain, scale: s.scale });
        const found = await logitsOf(backend(), type, { x, w, gain, scale: s.scale });
        expectNear(found, expected, tolerance.products[type]! + tolerance.elementwise, productScale(seen, w));
      }),
      { numRuns: runs },
    );
  });

  test.each(types)('%s: a row of logits has the same bits alone as among 17', async (type) => {
    await fc.assert(
      fc.asyncProperty(shape, fc.integer({ min: 0, max: 16 }), async (s, row) => {
        const x = matrix(s.seed, 17, s.inputs);
        const w = matrix(s.seed + 1, s.vocabulary, s.inputs);
        const gain = s.normed ? matrix(s.seed + 2, 1, s.inputs).values : null;
        const all = await logitsOf(backend(), type, { x, w, gain, scale: s.scale });
        const alone = await logitsOf(backend(), type, { x: pickRows(x, [row]), w, gain, scale: s.scale });
        expectSameBits(alone, all.slice(row * s.vocabulary, (row + 1) * s.vocabulary));
      }),
      { numRuns: runs },
    );
  });

  test.each(types)('%s: without norm and scale, head has the bits of linear', async (type) => {
    const x = matrix(1, 3, 70);
    const w = matrix(2, 201, 70);
    const found = await logitsOf(backend(), type, { x, w, gain: null, scale: 1 });
    const expected = await using(backend(), async (boxes) => {
      const out = boxes.out();
      backend().linear(out, boxes.tensor(x), boxes.weight(w, type), null);
      return backend().read(out);
    });
    expectSameBits(found, expected);
  });
}

/** What the product sees: x after norm and scale. */
async function seenBy(judge: Backend, x: Matrix, gain: Float32Array | null, scale: number): Promise<Matrix> {
  const values = await using(judge, async (boxes) => {
    if (gain === null) return x.values;
    const out = boxes.out();
    judge.rmsNorm(out, boxes.tensor(x), boxes.norm(gain));
    return judge.read(out);
  });
  return { ...x, values: values.map((value) => value * scale) };
}
