import { norm as gain, type KernelBench, tensor } from '../harness/kernelBench';

export const norm: KernelBench = {
  name: 'norm',
  note: 'rmsNorm alone; 4 operations a value (square, sum, scale, gain)',
  cases: ({ backend, rows, quick }) =>
    (quick ? [512] : [512, 768, 1024]).flatMap((cols) =>
      rows.map((count) => {
        const x = tensor(backend, count, cols);
        const held = gain(backend, cols);
        const out = backend.tensor();
        return {
          shape: `${cols}`,
          type: 'f32' as const,
          rows: count,
          operations: 4 * count * cols,
          bytes: 8 * count * cols + 4 * cols,
          run: () => backend.rmsNorm(out, x, held),
        };
      }),
    ),
};
