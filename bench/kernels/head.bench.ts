import { type KernelBench, norm, tensor, weights } from '../harness/kernelBench';

export const head: KernelBench = {
  name: 'head',
  note: 'norm, scale and the product with a vocabulary of 32,128, left on the backend; 2 operations a weight and row',
  cases(context) {
    const { backend, rows, types, quick } = context;
    const vocabulary = 32128;
    return (quick ? [512] : [512, 768]).flatMap((cols) =>
      types.flatMap((type) => {
        const next = weights(context, vocabulary, cols, type);
        const weightBytes = backend.facts.weightBytes(vocabulary, cols, type);
        const gain = norm(backend, cols);
        const out = backend.logits();
        return rows.map((count) => {
          const x = tensor(backend, count, cols);
          return {
            shape: `${cols} → ${vocabulary}`,
            type,
            rows: count,
            operations: 2 * count * cols * vocabulary,
            bytes: weightBytes + 4 * count * (cols + vocabulary),
            run: () => backend.head(out, x, gain, next(), cols ** -0.5),
          };
        });
      }),
    );
  },
};
