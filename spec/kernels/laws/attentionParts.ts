import fc from 'fast-check';
import type { AttentionPart } from '../../../kernels';
import { matrix, seed, shuffled, size } from './arbitraries';
import { planOf } from './scenario';
import { expectSameBits, pickRows, type Subject, using } from './subject';

/** Attention in parts, and over lists that are long enough for tiles. */
export function attentionPartLaws(subject: Subject): void {
  const { backend, runs } = subject;

  test('a call in parts, over a plan of more rows, has the bits of one call; so has a row alone, over lists of any length', async () => {
    const shape = fc.record({
      from: seed,
      heads: size(3),
      dKv: fc.constantFrom(4, 20, 64),
      keys: fc.oneof(size(60), fc.integer({ min: 250, max: 700 })),
      rows: fc.integer({ min: 1, max: 41 }),
      before: fc.integer({ min: 0, max: 5 }),
      split: fc.tuple(fc.nat(), fc.nat()),
      placed: fc.boolean(),
    });
    await fc.assert(fc.asyncProperty(shape, partsLaw(subject)), { numRuns: Math.ceil(runs / 2) });
  });

  test('a part outside its call, or with rows to append, is refused', async () => {
    await using(backend(), async (boxes) => {
      const cache = boxes.keep(backend().cache(2, 4, 5));
      const plan = boxes.keep(backend().plan());
      const lists = [[3], [1, 2], [4]];
      const query = boxes.tensor(matrix(6, 2, 8));
      const ask = (part: AttentionPart, write: number[] = []) => {
        backend().arrange(plan, planOf(lists, Int32Array.from(write)));
        const fresh = write.length > 0 ? { keys: query, values: query } : null;
        return () => backend().attention(boxes.out(), query, fresh, cache, plan, null, part);
      };
      const part: AttentionPart = { planRow: 1, rows: [0, 2], heads: [0, 2] };
      expect(ask(part)).not.toThrow();
      const wrong: Partial<AttentionPart>[] = [
        ...[-1, 2, 0.5].map((planRow) => ({ planRow })),
        ...(
          [
            [0, 3],
            [1, 1],
            [-1, 1],
          ] as const
        ).flatMap((range) => [{ rows: range }, { heads: range }]),
      ];
      for (const change of wrong) expect(ask({ ...part, ...change })).toThrow(/attention: part: expected/);
      expect(ask(part, [0, 1, 2])).toThrow(/expected/);
    });
  });
}

interface PartsCase {
  readonly from: number;
  readonly heads: number;
  readonly dKv: number;
  readonly keys: number;
  readonly rows: number;
  /** Rows of the plan before the call's. */
  readonly before: number;
  readonly split: readonly [number, number];
  readonly placed: boolean;
}

/** One call, the same in four parts, and its last row alone: all rows share one list, as the rows of an encoder do. */
function partsLaw({ backend }: Subject) {
  return async ({ from, heads, dKv, keys, rows, before, split, placed }: PartsCase): Promise<void> => {
    const width = heads * dKv;
    const query = matrix(from, rows, width, 2 / Math.sqrt(dKv));
    await using(backend(), async (boxes) => {
      const cache = boxes.keep(backend().cache(heads, dKv, keys));
      const slots = Int32Array.from(shuffled(from, keys));
      backend().append(
        cache,
        boxes.tensor(matrix(from + 1, keys, width)),
        boxes.tensor(matrix(from + 2, keys, width)),
        slots,
      );
      const bias = boxes.keep(backend().bias(heads, 20, matrix(from + 3, heads, 41, 2).values));
      const out = boxes.out();
      const planFor = (first: number, count: number) => {
        const plan = boxes.keep(backend().plan());
        const lists = { start: new Int32Array(count), count: new Int32Array(count).fill(keys), keys: slots };
        const position = Int32Array.from({ length: count }, (_, i) => ((first + i) * 7) % 50);
        const places = placed ? slots.map((_, i) => (i * 5) % 90) : undefined;
        backend().arrange(plan, { rows: count, write: new Int32Array(0), ...lists, position, places });
        return plan;
      };
      const rowsOfQuery = boxes.tensor(query);
      backend().attention(out, rowsOfQuery, null, cache, planFor(0, rows), bias);
      const whole = await backend().read(out);
      const last = boxes.tensor(pickRows(query, [rows - 1]));
      backend().attention(out, last, null, cache, planFor(rows - 1, 1), bias);
      expectSameBits(await backend().read(out), whole.slice((rows - 1) * width));
      const plan = planFor(-before, rows + before + 2);
      const parted = boxes.out();
      const cut = (count: number, at: number) => {
        const middle = at % count;
        return middle === 0 ? [[0, count] as const] : [[0, middle] as const, [middle, count] as const];
      };
      const parts = cut(rows, split[0]).flatMap((range) =>
        cut(heads, split[1]).map((chosen) => ({ planRow: before, rows: range, heads: chosen })),
      );
      // In any order, because a part writes to no other one's place.
      for (const at of shuffled(from, parts.length)) {
        backend().attention(parted, rowsOfQuery, null, cache, plan, bias, parts[at]);
      }
      expectSameBits(await backend().read(parted), whole);
    });
  };
}
