import { type Backend, KernelError, type KernelErrorCode, type PlanSpec } from '../../../kernels';
import { matrix } from './arbitraries';
import { expectNamed, named, noError } from './named';
import { planOf } from './scenario';
import { Boxes, bytesOf, expectSameBits, type Subject, using } from './subject';

/** The call throws at once, with this code and a message that says which call it was, what was expected and what was found. */
function refused(code: KernelErrorCode, call: () => unknown): void {
  let error: unknown;
  try {
    call();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(KernelError);
  expect((error as KernelError).code).toBe(code);
  expectNamed(error as KernelError);
}

/** What a backend refuses, with which code; nothing is changed by a refused call. */
export function refusalLaws({ backend, create, types, name }: Subject): void {
  const over = (body: (boxes: Boxes, of: Backend) => void | Promise<void>) => () =>
    using(named(backend()), async (boxes) => body(boxes, boxes.backend));

  test(
    'zero rows are refused everywhere',
    over((boxes, of) => {
      const out = boxes.out();
      const table = boxes.weight(matrix(1, 4, 4), types[0]);
      refused('shape-mismatch', () => of.write(out, 0, 4, new Float32Array(0)));
      refused('shape-mismatch', () => of.embed(out, table, new Int32Array(0)));
      refused('shape-mismatch', () => of.linear(out, boxes.out(), table, null));
      refused('shape-mismatch', () => of.rmsNorm(out, boxes.out(), boxes.norm(new Float32Array(4))));
      refused('shape-mismatch', () => of.activation(out, boxes.out(), 'relu', null));
      refused('shape-mismatch', () => of.head(boxes.logits(), boxes.out(), null, table, 1));
      refused('shape-mismatch', () => of.arrange(boxes.keep(of.plan()), planOf([], new Int32Array(0))));
      refused('shape-mismatch', () => of.weight(0, 4, types[0]));
      refused('shape-mismatch', () => of.cache(1, 4, 0));
      refused('shape-mismatch', () => of.vector(new Float32Array(0)));
    }),
  );

  test(
    'shapes that do not fit are refused',
    over((boxes, of) => {
      const out = boxes.out();
      const x = boxes.tensor(matrix(1, 3, 8));
      const weight = boxes.weight(matrix(2, 5, 8), types[0]);
      const narrow = boxes.weight(matrix(2, 5, 7), types[0]);
      refused('shape-mismatch', () => of.write(out, 2, 2, new Float32Array(5)));
      refused('shape-mismatch', () => of.linear(out, x, narrow, null));
      refused('shape-mismatch', () => of.linear(out, x, weight, boxes.tensor(matrix(3, 2, 5))));
      refused('shape-mismatch', () => of.linear(out, x, weight, boxes.tensor(matrix(3, 3, 4))));
      refused('shape-mismatch', () => of.rmsNorm(out, x, boxes.norm(new Float32Array(7))));
      refused('shape-mismatch', () => of.normLinear([out], x, boxes.norm(new Float32Array(8)), [narrow]));
      refused('shape-mismatch', () => of.normLinear([out], x, boxes.norm(new Float32Array(8)), [weight, weight]));
      refused('shape-mismatch', () => of.activation(out, x, 'silu', boxes.tensor(matrix(4, 3, 7))));
      refused('shape-mismatch', () => of.head(boxes.logits(), x, null, narrow, 1));
      refused('shape-mismatch', () => of.bias(3, 0, new Float32Array(7)));
    }),
  );

  test(
    'a fill of partial rows, off its step of 64, or past the end is refused',
    over((boxes, of) => {
      const weight = boxes.keep(of.weight(130, 4, types[0]));
      const rows = (n: number): Uint8Array => bytesOf(new Float32Array(n * 4));
      refused('shape-mismatch', () => of.fill(weight, 0, rows(64).subarray(3), 'f32'));
      refused('shape-mismatch', () => of.fill(weight, 1, rows(64), 'f32'));
      refused('shape-mismatch', () => of.fill(weight, 0, rows(65), 'f32'));
      refused('shape-mismatch', () => of.fill(weight, 128, rows(64), 'f32'));
      refused('type-unsupported', () => of.fill(weight, 0, rows(64), 'f64' as 'f32'));
      refused('type-unsupported', () => of.weight(4, 4, 'q2' as 'q8'));
    }),
  );

  test(
    'a weight with rows that were never filled is refused',
    over((boxes, of) => {
      const weight = boxes.keep(of.weight(130, 4, types[0]));
      of.fill(weight, 64, bytesOf(new Float32Array(64 * 4)), 'f32');
      refused('argument-invalid', () => of.linear(boxes.out(), boxes.tensor(matrix(1, 1, 4)), weight, null));
      refused('argument-invalid', () => of.embed(boxes.out(), weight, Int32Array.of(0)));
    }),
  );

  test(
    'ids, slots and key lists out of range are refused',
    over(async (boxes, of) => {
      const table = boxes.weight(matrix(1, 4, 4), types[0]);
      for (const id of [-1, 4]) refused('argument-invalid', () => of.embed(boxes.out(), table, Int32Array.of(0, id)));
      const cache = boxes.keep(of.cache(1, 4, 3));
      const rows = boxes.tensor(matrix(2, 2, 4));
      refused('argument-invalid', () => of.append(cache, rows, rows, Int32Array.of(0, 3)));
      refused('argument-invalid', () => of.append(cache, rows, rows, Int32Array.of(1, 1)));
      refused('shape-mismatch', () => of.append(cache, rows, rows, Int32Array.of(1)));
      const before = (await of.readCache(cache, Int32Array.of(0))).keys;
      const spec = planOf([[0], [0, 1]], Int32Array.of(0, 1));
      const wrong = (change: Partial<PlanSpec>, code: KernelErrorCode): void => {
        refused(code, () => of.arrange(boxes.keep(of.plan()), { ...spec, ...change }));
      };
      wrong({ count: Int32Array.of(1, 0) }, 'argument-invalid');
      wrong({ count: Int32Array.of(1, 3) }, 'argument-invalid');
      wrong({ start: Int32Array.of(-1, 1) }, 'argument-invalid');
      wrong({ keys: Int32Array.of(0, -2, 1) }, 'argument-invalid');
      wrong({ write: Int32Array.of(1, 1) }, 'argument-invalid');
      wrong({ position: Int32Array.of(0) }, 'shape-mismatch');
      const plan = boxes.keep(of.plan());
      of.arrange(plan, planOf([[0], [0, 5]], Int32Array.of(0, 1)));
      refused('argument-invalid', () =>
        of.attention(boxes.out(), rows, { keys: rows, values: rows }, cache, plan, null),
      );
      expectSameBits((await of.readCache(cache, Int32Array.of(0))).keys, before);
    }),
  );

  test(
    'attention refuses a plan, bias or cache of another shape, and fresh rows that a plan does not place',
    over((boxes, of) => {
      const cache = boxes.keep(of.cache(2, 2, 4));
      const rows = boxes.tensor(matrix(2, 2, 4));
      const fresh = { keys: rows, values: rows };
      const placed = boxes.keep(of.plan());
      of.arrange(placed, planOf([[0], [0, 1]], Int32Array.of(0, 1)));
      const cross = boxes.keep(of.plan());
      of.arrange(cross, planOf([[0], [0, 1]], new Int32Array(0)));
      const three = boxes.tensor(matrix(3, 3, 4));
      const wide = boxes.tensor(matrix(3, 2, 6));
      refused('shape-mismatch', () => of.attention(boxes.out(), three, fresh, cache, placed, null));
      refused('shape-mismatch', () => of.attention(boxes.out(), wide, fresh, cache, placed, null));
      refused('shape-mismatch', () => of.attention(boxes.out(), rows, null, cache, placed, null));
      refused('shape-mismatch', () => of.attention(boxes.out(), rows, fresh, cache, cross, null));
      const bias = boxes.keep(of.bias(1, 0, new Float32Array(3)));
      refused('shape-mismatch', () => of.attention(boxes.out(), rows, fresh, cache, placed, bias));
    }),
  );

  test(
    'an output that is an input is refused',
    over((boxes, of) => {
      const x = boxes.tensor(matrix(1, 2, 4));
      const y = boxes.tensor(matrix(2, 2, 4));
      const square = boxes.weight(matrix(3, 4, 4), types[0]);
      const norm = boxes.norm(new Float32Array(4).fill(1));
      refused('argument-invalid', () => of.linear(x, x, square, null));
      refused('argument-invalid', () => of.linear(y, x, square, y));
      refused('argument-invalid', () => of.rmsNorm(x, x, norm));
      refused('argument-invalid', () => of.activation(x, x, 'relu', null));
      refused('argument-invalid', () => of.activation(y, x, 'relu', y));
      refused('argument-invalid', () => of.normLinear([x], x, norm, [square]));
      refused('argument-invalid', () => of.normLinear([y, y], x, norm, [square, square]));
      refused('argument-invalid', () => of.activation(boxes.out(), x, 'tanh' as 'relu', null));
    }),
  );

  test(
    'queries out of range are refused',
    over(async (boxes, of) => {
      const logits = boxes.logits();
      of.head(logits, boxes.tensor(matrix(1, 2, 4)), null, boxes.weight(matrix(2, 6, 4), types[0]), 1);
      const calls: [KernelErrorCode, () => Promise<unknown>][] = [
        ['argument-invalid', () => of.topK(logits, 0, 0)],
        ['argument-invalid', () => of.topK(logits, 0, 7)],
        ['argument-invalid', () => of.topK(logits, 2, 1)],
        ['argument-invalid', () => of.readLogits(logits, -1)],
        ['argument-invalid', () => of.logSumExp(logits, 0, 0)],
        ['argument-invalid', () => of.logSumExp(logits, 0, Number.NaN)],
        ['argument-invalid', () => of.at(logits, Int32Array.of(0), Int32Array.of(6))],
        ['argument-invalid', () => of.at(logits, Int32Array.of(2), Int32Array.of(0))],
        ['shape-mismatch', () => of.at(logits, Int32Array.of(0, 1), Int32Array.of(0))],
      ];
      for (const [code, call] of calls) {
        const error: KernelError = await call().then(noError, (thrown) => thrown);
        expect(error).toMatchObject({ name: 'KernelError', code });
        expectNamed(error);
      }
    }),
  );

  test('a box that another backend made is refused', async () => {
    const other = await create();
    try {
      await using(backend(), async (boxes) => {
        const foreign = new Boxes(other);
        const weight = boxes.weight(matrix(1, 4, 4), types[0]);
        const of = named(backend());
        const call = () => of.linear(boxes.out(), foreign.tensor(matrix(1, 1, 4)), weight, null);
        refused('argument-invalid', call);
        expect(call).toThrow(/expected a live tensor of this backend, found one of another backend/);
        foreign.free();
      });
    } finally {
      await other.dispose();
      await other.dispose();
    }
  });

  /** One live box of each role, [2, 4] throughout. */
  const roles = (of: Backend) => {
    const filled = () => {
      const tensor = of.tensor();
      of.write(tensor, 2, 4, matrix(1, 2, 4).values);
      return tensor;
    };
    const weight = of.weight(4, 4, types[0]);
    of.fill(weight, 0, bytesOf(matrix(2, 4, 4).values), 'f32');
    const [plan, logits, x] = [of.plan(), of.logits(), filled()];
    of.arrange(plan, planOf([[0], [0, 1]], Int32Array.of(0, 1)));
    of.head(logits, x, null, weight, 1);
    const [cache, bias] = [of.cache(1, 4, 3), of.bias(1, 0, new Float32Array(3))];
    const gain = of.vector(new Float32Array(4).fill(1));
    return { out: of.tensor(), x, y: filled(), z: filled(), weight, gain, cache, plan, bias, logits };
  };
  type Roles = ReturnType<typeof roles>;
  const norm = ({ gain }: Roles) => ({ gain, epsilon: 1e-6 });
  const slots = Int32Array.of(0, 1);
  /** Every call that takes boxes, with the roles of those that it takes. */
  const takers: readonly (readonly [string, (of: Backend, r: Roles) => unknown])[] = [
    ['weight', (of, r) => of.fill(r.weight, 0, bytesOf(new Float32Array(16)), 'f32')],
    ['cache', (of, r) => of.grow(r.cache, 5)],
    ['plan', (of, r) => of.arrange(r.plan, planOf([[0]], Int32Array.of(0)))],
    ['x', (of, r) => of.write(r.x, 1, 1, new Float32Array(1))],
    ['x', (of, r) => of.read(r.x)],
    ['cache', (of, r) => of.readCache(r.cache, Int32Array.of(0))],
    ...(['out', 'weight', 'gain', 'cache', 'plan', 'bias', 'logits'] as const).map(
      (role) => [role, (of: Backend, r: Roles) => of.free(r[role])] as const,
    ),
    ['out weight', (of, r) => of.embed(r.out, r.weight, slots)],
    ['out x gain', (of, r) => of.rmsNorm(r.out, r.x, norm(r))],
    ['out x gain weight', (of, r) => of.normLinear([r.out], r.x, norm(r), [r.weight])],
    ['out x weight y', (of, r) => of.linear(r.out, r.x, r.weight, r.y)],
    ['out x y', (of, r) => of.activation(r.out, r.x, 'relu', r.y)],
    ['cache x y', (of, r) => of.append(r.cache, r.x, r.y, slots)],
    [
      'out x y z cache plan bias',
      (of, r) => of.attention(r.out, r.x, { keys: r.y, values: r.z }, r.cache, r.plan, r.bias),
    ],
    ['logits x gain weight', (of, r) => of.head(r.logits, r.x, norm(r), r.weight, 1)],
    ['logits', (of, r) => of.argMax(r.logits)],
    ['logits', (of, r) => of.logSumExp(r.logits, 0, 1)],
    ['logits', (of, r) => of.at(r.logits, slots, slots)],
    ['logits', (of, r) => of.topK(r.logits, 0, 1)],
    ['logits', (of, r) => of.readLogits(r.logits, 0)],
  ];

  test('a box that was freed is refused by every call, which names itself and what kind of box it expected', async () => {
    const of = named(backend());
    const before = of.facts.allocatedBytes();
    const whole: (typeof takers)[number] = ['logits', (of, r) => of.isWhole?.(r.logits)];
    for (const [taken, call] of of.isWhole ? [...takers, whole] : takers) {
      for (const role of taken.split(' ') as (keyof Roles)[]) {
        const all = roles(of);
        const { kind } = all[role];
        of.free(all[role]);
        const error: KernelError = await (async () => call(of, all))().then(noError, (thrown) => thrown);
        expect({ role, error }).toMatchObject({ role, error: { name: 'KernelError', code: 'argument-invalid' } });
        expectNamed(error);
        expect(error.message).toMatch(`expected a live ${kind} of this backend, found one that was freed`);
        for (const [other, box] of Object.entries(all)) if (other !== role) of.free(box);
      }
    }
    expect(of.facts.allocatedBytes()).toBe(before);
  });

  test(
    'what does not fit is refused before it is allocated, and nothing is charged',
    over((_, of) => {
      const before = of.facts.allocatedBytes();
      refused('out-of-memory', () => of.weight(2 ** 21, 2 ** 20, types[0]));
      refused('out-of-memory', () => of.cache(2 ** 10, 2 ** 10, 2 ** 20));
      expect(of.facts.allocatedBytes()).toBe(before);
    }),
  );

  test(
    'a refused call leaves its output as it was',
    over(async (boxes, of) => {
      const out = boxes.tensor(matrix(1, 2, 3));
      refused('shape-mismatch', () =>
        of.linear(out, boxes.tensor(matrix(2, 2, 4)), boxes.weight(matrix(3, 5, 6), types[0]), null),
      );
      expect([out.rows, out.cols]).toEqual([2, 3]);
      expectSameBits(await of.read(out), matrix(1, 2, 3).values);
    }),
  );

  test('facts name the backend, its types and a capacity', () => {
    const { facts } = backend();
    expect(facts.name).toBe(name);
    expect([...facts.weightTypes].sort()).toEqual([...types].sort());
    expect(facts.threads).toBeGreaterThanOrEqual(1);
    expect(facts.level).not.toBe('');
    expect(facts.capacityBytes).toBeGreaterThan(0);
  });
}
