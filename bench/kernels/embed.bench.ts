import { type KernelBench, weights } from '../harness/kernelBench';

export const embed: KernelBench = {
  name: 'embed',
  note: 'rows of a 32,128 × 512 table, scattered; the conversion counts as one operation a value',
  cases(context) {
    const { backend, rows, types } = context;
    const [vocabulary, cols] = [32128, 512];
    return types.flatMap((type) => {
      const table = weights({ ...context, quick: true }, vocabulary, cols, type)();
      const rowBytes = backend.facts.weightBytes(vocabulary, cols, type) / vocabulary;
      return rows.map((count) => {
        const out = backend.tensor();
        const ids = Int32Array.from({ length: count }, (_, i) => (i * 7919 + 13) % vocabulary);
        return {
          shape: `${vocabulary} × ${cols}`,
          type,
          rows: count,
          operations: count * cols,
          bytes: count * (rowBytes + 4 * cols),
          run: () => backend.embed(out, table, ids),
        };
      });
    });
  },
};
