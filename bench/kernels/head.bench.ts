import type { Backend, Logits } from '../../kernels';
import { type BenchContext, type KernelBench, type KernelCase, norm, tensor, weights } from '../harness/kernelBench';

const VOCABULARY = 32128;

export const head: KernelBench = {
  name: 'head',
  note: 'norm, scale and the product with a vocabulary of 32,128, left on the backend; 2 operations a weight and row',
  cases: (context) => headCases(context, (backend, out) => backend.at(out, ONE, ONE)),
};

export const headArgMax: KernelBench = {
  name: 'head-argmax',
  note: 'the same and its arg-max, which may need only a part of that (operations and bytes are those of the whole)',
  cases: (context) => headCases(context, (backend, out) => backend.argMax(out)),
};

/** A single logit: a backend may leave the product undone until something is asked of it. */
const ONE = Int32Array.of(0);

function headCases(context: BenchContext, ask: (backend: Backend, out: Logits) => unknown): KernelCase[] {
  const { backend, rows, types, quick } = context;
  return (quick ? [512] : [512, 768]).flatMap((cols) =>
    types.flatMap((type) => {
      const next = weights(context, VOCABULARY, cols, type);
      const weightBytes = backend.facts.weightBytes(VOCABULARY, cols, type);
      const gain = norm(backend, cols);
      const out = backend.logits();
      return rows.map((count) => {
        const x = tensor(backend, count, cols);
        return {
          shape: `${cols} → ${VOCABULARY}`,
          type,
          rows: count,
          operations: 2 * count * cols * VOCABULARY,
          bytes: weightBytes + 4 * count * (cols + VOCABULARY),
          run: () => {
            backend.head(out, x, gain, next(), cols ** -0.5);
            return ask(backend, out);
          },
        };
      });
    }),
  );
}
