import { type KernelBench, tensor, weights } from '../harness/kernelBench';

/** Dense layers of t5-small and t5-base: [inputs, outputs]. */
const SHAPES = [
  [512, 2048],
  [2048, 512],
  [768, 3072],
  [512, 512],
] as const;

export const matmul: KernelBench = {
  name: 'matmul',
  note: 'linear: x · weightᵀ; weights from memory (copies in turn), with --quick from the cache; 2 operations a weight and row',
  cases(context) {
    const { backend, rows, types, quick } = context;
    return SHAPES.slice(0, quick ? 1 : SHAPES.length).flatMap(([inputs, outputs]) =>
      types.flatMap((type) => {
        const next = weights(context, outputs, inputs, type);
        const weightBytes = backend.facts.weightBytes(outputs, inputs, type);
        return rows.map((count) => {
          const x = tensor(backend, count, inputs);
          const out = backend.tensor();
          return {
            shape: `${inputs} → ${outputs}`,
            type,
            rows: count,
            operations: 2 * count * inputs * outputs,
            bytes: weightBytes + 4 * count * (inputs + outputs),
            run: () => backend.linear(out, x, next(), null),
          };
        });
      }),
    );
  },
};
