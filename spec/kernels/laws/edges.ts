import { type Backend, KernelError, type PlanSpec, type StoredType, type Weight } from '../../../kernels';
import { matrix } from './arbitraries';
import { noError } from './named';
import { planOf } from './scenario';
import { type Boxes, bytesOf, type Subject, using } from './subject';

/** No whole number from 1 up. */
const NO_COUNTS = [0, -1, 0.5, 1.5, Number.NaN, Infinity, 2 ** 53];

/** What became of a call: null, or the code of its refusal. An error that is no refusal fails. */
async function codeOf(call: () => unknown): Promise<string | null> {
  try {
    await call();
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(KernelError);
    return (error as KernelError).code;
  }
}

/** Where the range of each argument ends: the last value inside works, the first one outside is refused. */
export function edgeLaws({ backend, types }: Subject): void {
  const over = (body: (boxes: Boxes, of: Backend) => Promise<void>) => () =>
    using(backend(), (boxes) => body(boxes, boxes.backend));
  const all = async (code: string | null, calls: readonly (() => unknown)[]) => {
    for (const call of calls) expect([call.toString(), await codeOf(call)]).toEqual([call.toString(), code]);
  };

  test(
    'every count is a whole number from 1 up',
    over(async (boxes, of) => {
      const makers: readonly ((count: number) => unknown)[] = [
        (count) => boxes.keep(of.weight(count, 4, types[0])),
        (count) => boxes.keep(of.weight(4, count, types[0])),
        (count) => boxes.keep(of.cache(count, 4, 2)),
        (count) => boxes.keep(of.cache(2, count, 2)),
        (count) => boxes.keep(of.cache(2, 4, count)),
        (count) => of.grow(boxes.keep(of.cache(1, 4, 1)), count),
        (count) => boxes.keep(of.bias(count, 0, new Float32Array(1))),
        (count) => boxes.keep(of.bias(1, 0, new Float32Array(count === 1 ? 1 : 0))),
        (count) => of.write(boxes.out(), count, 4, new Float32Array(4)),
        (count) => of.write(boxes.out(), 4, count, new Float32Array(4)),
        (count) => of.arrange(boxes.keep(of.plan()), { ...planOf([[0]], new Int32Array(0)), rows: count }),
      ];
      for (const make of makers) {
        await all(null, [() => make(1)]);
        await all(
          'shape-mismatch',
          NO_COUNTS.map((count) => () => make(count)),
        );
      }
    }),
  );

  test(
    'an epsilon is a number from 0 up, a scale is finite',
    over(async (boxes, of) => {
      const x = boxes.tensor(matrix(1, 2, 4));
      const weight = boxes.weight(matrix(2, 3, 4), types[0]);
      const gain = new Float32Array(4).fill(1);
      const normed = (epsilon: number) => [
        () => of.rmsNorm(boxes.out(), x, boxes.norm(gain, epsilon)),
        () => of.normLinear([boxes.out()], x, boxes.norm(gain, epsilon), [weight]),
        () => of.head(boxes.logits(), x, boxes.norm(gain, epsilon), weight, 1),
      ];
      await all(null, [...normed(0), ...normed(1e-30)]);
      for (const epsilon of [-1e-30, -1, Number.NaN]) await all('argument-invalid', normed(epsilon));
      const scaled = (scale: number) => () => of.head(boxes.logits(), x, null, weight, scale);
      await all(null, [scaled(0), scaled(-1), scaled(0.5)]);
      await all('argument-invalid', [Number.NaN, Infinity, -Infinity].map(scaled));
    }),
  );

  test(
    'operands that differ in one length are refused, whichever it is',
    over(async (boxes, of) => {
      const [x, cols, rows] = [matrix(1, 2, 4), matrix(2, 2, 5), matrix(3, 3, 4)].map((one) => boxes.tensor(one));
      const weight = boxes.weight(matrix(4, 4, 4), types[0]);
      const norm = boxes.norm(new Float32Array(4).fill(1));
      const cache = boxes.keep(of.cache(2, 2, 4));
      const fresh = { keys: x, values: x };
      const plan = boxes.keep(of.plan());
      of.arrange(plan, planOf([[0], [0, 1]], Int32Array.of(0, 1)));
      const slots = Int32Array.of(0, 1);
      for (const other of [rows, cols]) {
        await all('shape-mismatch', [
          () => of.activation(boxes.out(), x, 'relu', other),
          () => of.linear(boxes.out(), x, weight, other),
          () => of.append(cache, other, x, slots),
          () => of.append(cache, x, other, slots),
          () => of.attention(boxes.out(), other, fresh, cache, plan, null),
          () => of.attention(boxes.out(), x, { ...fresh, keys: other }, cache, plan, null),
          () => of.attention(boxes.out(), x, { ...fresh, values: other }, cache, plan, null),
        ]);
      }
      await all('shape-mismatch', [
        () => of.normLinear([], x, norm, []),
        () => of.normLinear([boxes.out()], x, norm, [weight, weight]),
        () => of.normLinear([boxes.out(), boxes.out()], x, norm, [weight]),
        () => of.append(cache, x, x, Int32Array.of(0)),
        () => of.append(cache, x, x, Int32Array.of(0, 1, 2)),
        () => of.append(cache, boxes.out(), boxes.out(), new Int32Array(0)),
      ]);
    }),
  );

  test(
    'every output is a box of its own, whichever input or output it would be',
    over(async (boxes, of) => {
      const [x, y, z] = [1, 2, 3].map((from) => boxes.tensor(matrix(from, 2, 4)));
      const weight = boxes.weight(matrix(4, 4, 4), types[0]);
      const norm = boxes.norm(new Float32Array(4).fill(1));
      const cache = boxes.keep(of.cache(2, 2, 4));
      const plan = boxes.keep(of.plan());
      of.arrange(plan, planOf([[0], [0, 1]], Int32Array.of(0, 1)));
      const attend = (out: typeof x) => () => of.attention(out, x, { keys: y, values: z }, cache, plan, null);
      const products = (...outs: readonly (typeof x)[]) => {
        return () => of.normLinear(outs, x, norm, new Array<Weight>(outs.length).fill(weight));
      };
      await all('argument-invalid', [...[x, y, z].map(attend), products(y, x), products(y, z, y), products(y, z, z)]);
      await all(null, [attend(boxes.out()), products(y, z, boxes.out())]);
    }),
  );

  test(
    'a fill is of whole rows, on a step of 64, inside the weight; the step is missing until it was filled, however often others were',
    over(async (boxes, of) => {
      const weight = boxes.keep(of.weight(130, 4, types[0]));
      const rows = (count: number) => bytesOf(new Float32Array(count * 4));
      const fill = (firstRow: number, count: number) => () => of.fill(weight, firstRow, rows(count), 'f32');
      const outside: readonly (readonly [number, number])[] = [
        [0, 0],
        [0, 63],
        [-64, 64],
        [63, 64],
        [64.5, 64],
        [Number.NaN, 64],
        [64, 67],
        [128, 1],
        [128, 3],
        [192, 64],
        [0, 131],
        [0, 192],
      ];
      await all(
        'shape-mismatch',
        outside.map(([first, count]) => fill(first, count)),
      );
      const use = () => of.linear(boxes.out(), boxes.tensor(matrix(1, 1, 4)), weight, null);
      for (const [first, count] of [
        [64, 66],
        [64, 64],
        [128, 2],
        [128, 2],
      ]) {
        await all(null, [fill(first, count)]);
        await all('argument-invalid', [use]);
      }
      await all(null, [fill(0, 64), use, fill(0, 130), use, fill(0, 128), use]);
    }),
  );

  test('a fill takes rows of the bytes that its stored type has', async () => {
    const bytes: Readonly<Record<StoredType, number>> = {
      f32: 4 * 40,
      f16: 2 * 40,
      bf16: 2 * 40,
      i8: 40,
      q8: 40 + 2 * 4,
      q4: 2 * (2 + 16),
    };
    await using(backend(), async (boxes) => {
      for (const [stored, width] of Object.entries(bytes) as [StoredType, number][]) {
        const weight = boxes.keep(boxes.backend.weight(3, 40, types[0]));
        const fill = (length: number) => () => boxes.backend.fill(weight, 0, new Uint8Array(length), stored);
        await all('shape-mismatch', [fill(3 * width - 1), fill(3 * width + 1), fill(0), fill(4 * width)]);
        await all(null, [fill(3 * width)]);
      }
    });
  });

  test(
    'the lists of a plan have one number a row, and name keys that are there',
    over(async (boxes, of) => {
      const spec = planOf([[0], [0, 1]], Int32Array.of(0, 1));
      const plan = boxes.keep(of.plan());
      const arrange = (change: Partial<PlanSpec>) => () => of.arrange(plan, { ...spec, ...change });
      for (const name of ['start', 'count', 'position', 'write'] as const) {
        await all(
          'shape-mismatch',
          [spec[name].slice(1), Int32Array.of(...spec[name], 0)].map((list) => arrange({ [name]: list })),
        );
      }
      await all('shape-mismatch', [arrange({ places: new Int32Array(2) }), arrange({ places: new Int32Array(4) })]);
      await all(null, [arrange({}), arrange({ places: new Int32Array(3) }), arrange({ write: new Int32Array(0) })]);
      await all(null, [arrange({ start: Int32Array.of(2, 1), count: Int32Array.of(1, 2) })]);
      await all('argument-invalid', [
        arrange({ start: Int32Array.of(3, 1) }),
        arrange({ start: Int32Array.of(0, 2) }),
        arrange({ start: Int32Array.of(0, -1) }),
        arrange({ count: Int32Array.of(0, 2) }),
        arrange({ count: Int32Array.of(1, -1) }),
        arrange({ keys: Int32Array.of(-1, 0, 1) }),
        arrange({ write: Int32Array.of(0, -1) }),
      ]);
    }),
  );

  test(
    'attention needs a cache with every slot that its plan reads or writes, and no more',
    over(async (boxes, of) => {
      const x = boxes.tensor(matrix(1, 2, 4));
      const attend = (slots: number, lists: number[][], write: number[]) => {
        const [cache, plan] = [boxes.keep(of.cache(2, 2, slots)), boxes.keep(of.plan())];
        of.arrange(plan, planOf(lists, Int32Array.from(write)));
        const fresh = write.length > 0 ? { keys: x, values: x } : null;
        return () => of.attention(boxes.out(), x, fresh, cache, plan, null);
      };
      await all(null, [attend(5, [[0], [4, 0]], [0, 1]), attend(5, [[0], [1]], [4, 1]), attend(5, [[0], [4]], [])]);
      // A cache may have more slots than were asked for, so that one which is much too small is tried.
      const far = 1 << 20;
      await all('argument-invalid', [
        attend(1, [[0], [far, 0]], [0, 1]),
        attend(1, [[0], [0]], [far, 1]),
        attend(1, [[far], [0]], []),
      ]);
      const cache = boxes.keep(of.cache(1, 4, 3));
      await all('argument-invalid', [
        () => of.readCache(cache, Int32Array.of(0, -1)),
        () => of.readCache(cache, Int32Array.of(0, cache.slots)),
        () => of.append(cache, x, x, Int32Array.of(0, cache.slots)),
        () => of.append(cache, x, x, Int32Array.of(-1, 0)),
      ]);
      await all(null, [() => of.readCache(cache, Int32Array.of(0, cache.slots - 1))]);
      await all(null, [() => of.append(cache, x, x, Int32Array.of(0, cache.slots - 1))]);
    }),
  );

  test(
    'a query is about a row and tokens that are there, and about 1 to all entries',
    over(async (boxes, of) => {
      const logits = boxes.logits();
      of.head(logits, boxes.tensor(matrix(1, 2, 4)), null, boxes.weight(matrix(2, 6, 4), types[0]), 1);
      const rows = (row: number) => [
        () => of.topK(logits, row, 1),
        () => of.readLogits(logits, row),
        () => of.logSumExp(logits, row, 1),
      ];
      await all(null, [...rows(0), ...rows(1), () => of.topK(logits, 1, 6), () => of.logSumExp(logits, 1, 1e-30)]);
      for (const row of [-1, 2, 0.5, Number.NaN]) await all('argument-invalid', rows(row));
      await all(
        'argument-invalid',
        [0, 7, 1.5, Number.NaN, -1].map((k) => () => of.topK(logits, 1, k)),
      );
      await all(
        'argument-invalid',
        [0, -1, Infinity, Number.NaN].map((inverse) => () => of.logSumExp(logits, 1, inverse)),
      );
      const at = (row: number, token: number) => () => of.at(logits, Int32Array.of(0, row), Int32Array.of(0, token));
      await all(null, [at(0, 0), at(1, 5)]);
      await all('argument-invalid', [at(2, 5), at(-1, 5), at(1, 6), at(1, -1)]);
      await all('shape-mismatch', [() => of.at(logits, Int32Array.of(0), Int32Array.of(0, 1))]);
    }),
  );

  test(
    'a refusal tells the numbers: of a fill its rows, of indices which one and the last allowed one',
    over(async (boxes, of) => {
      const messageOf = async (call: () => unknown) =>
        (await (async () => call())().then(noError, (error) => error)).message;
      const weight = boxes.keep(of.weight(130, 4, types[0]));
      expect(await messageOf(() => of.fill(weight, 64, new Uint8Array(16 * 65), 'f32'))).toMatch(/found rows 64…128$/);
      expect(await messageOf(() => of.fill(weight, 64, new Uint8Array(16 * 67), 'f32'))).toMatch(/64…130$/);
      expect(await messageOf(() => of.fill(weight, 128, new Uint8Array(16 * 64), 'f32'))).toMatch(
        /below 130, found 192$/,
      );
      const table = boxes.weight(matrix(1, 4, 4), types[0]);
      const ids = Int32Array.of(0, 3, 4);
      expect(await messageOf(() => of.embed(boxes.out(), table, ids))).toMatch(/\[2\] in 0…3, found 4$/);
      const missing = () => of.linear(boxes.out(), boxes.tensor(matrix(1, 1, 4)), weight, null);
      expect(await messageOf(missing)).toMatch(/found 3 of 3 steps of 64 rows missing$/);
    }),
  );
}
