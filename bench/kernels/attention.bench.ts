import { type BenchContext, type KernelBench, type KernelCase, tensor } from '../harness/kernelBench';

/** [heads, dKv, keys]: t5-small after 64 and 512 tokens, t5-base after 128. */
const SHAPES = [
  [8, 64, 64],
  [8, 64, 512],
  [12, 64, 128],
] as const;

function attentionCase(context: BenchContext, [heads, dKv, keys]: readonly number[], rows: number): KernelCase {
  const { backend } = context;
  const width = heads * dKv;
  const cache = backend.cache(heads, dKv, keys);
  const slots = Int32Array.from({ length: keys }, (_, i) => i);
  backend.append(cache, tensor(backend, keys, width), tensor(backend, keys, width), slots);
  const plan = backend.plan();
  const filled = (value: number): Int32Array => new Int32Array(rows).fill(value);
  const none = new Int32Array(0);
  backend.arrange(plan, {
    rows,
    write: none,
    start: filled(0),
    count: filled(keys),
    keys: slots,
    position: filled(keys - 1),
  });
  const bias = backend.bias(heads, 64, new Float32Array(heads * 65));
  const query = tensor(backend, rows, width);
  const out = backend.tensor();
  return {
    shape: `${heads} × ${dKv}, ${keys} keys`,
    type: 'f32',
    rows,
    operations: 4 * rows * keys * width,
    bytes: 4 * (2 * keys * width + 2 * rows * width),
    run: () => backend.attention(out, query, null, cache, plan, bias),
  };
}

export const attention: KernelBench = {
  name: 'attention',
  note: 'rows that attend to the same keys, with bias; 4 operations a key, row and channel; exponentials are not counted',
  cases: (context) =>
    SHAPES.slice(0, context.quick ? 1 : SHAPES.length).flatMap((shape) =>
      context.rows.map((rows) => attentionCase(context, shape, rows)),
    ),
};
