import type { ActivationKind } from '../../kernels';
import { type KernelBench, tensor } from '../harness/kernelBench';

/** relu as in T5 1.0, gated gelu_new as in v1.1, and the two others. */
const FORMS: readonly (readonly [ActivationKind, boolean])[] = [
  ['relu', false],
  ['gelu_new', true],
  ['gelu', true],
  ['silu', true],
];

export const activation: KernelBench = {
  name: 'activation',
  note: 'feed-forward activations; the function counts as one operation a value, the gate as another',
  cases: ({ backend, rows, quick }) =>
    FORMS.slice(0, quick ? 2 : FORMS.length).flatMap(([kind, isGated]) =>
      rows.map((count) => {
        const cols = 2048;
        const x = tensor(backend, count, cols);
        const gated = isGated ? tensor(backend, count, cols) : null;
        const out = backend.tensor();
        return {
          shape: `${kind}${isGated ? ' gated' : ''}, ${cols}`,
          type: 'f32' as const,
          rows: count,
          operations: count * cols * (isGated ? 2 : 1),
          bytes: count * cols * (isGated ? 12 : 8),
          run: () => backend.activation(out, x, kind, gated),
        };
      }),
    ),
};
