import fc from 'fast-check';
import { matrix, seed, size } from './arbitraries';
import { expectNear, expectSameBits, pickRows, type Subject, using } from './subject';

/** Rows of the embedding. */
export function embedLaws({ backend, judge, types, runs, tolerance }: Subject): void {
  test.each(types)('%s: embed gives the rows asked for, repeated ones too (exact save for q8)', async (type) => {
    const ids = fc.array(fc.nat(), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(seed, size(150), size(129), ids, async (from, rows, cols, numbers) => {
        const table = matrix(from, rows, cols);
        const wanted = Int32Array.from(numbers, (n) => n % rows);
        const run = (of: ReturnType<typeof backend>) =>
          using(of, async (boxes) => {
            const out = boxes.out();
            of.embed(out, boxes.weight(table, type), wanted);
            expect([out.rows, out.cols]).toEqual([wanted.length, cols]);
            return of.read(out);
          });
        const found = await run(backend());
        const expected = await run(judge());
        expectNear(found, expected, type === 'q8' ? tolerance.elementwise : 0, (i) => Math.abs(expected[i]));
        if (type === 'f32') expectSameBits(found, pickRows(table, Array.from(wanted)).values);
      }),
      { numRuns: runs },
    );
  });
}
