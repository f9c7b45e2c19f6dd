import type { Backend, Logits } from '../../kernels';
import { type KernelBench, tensor, weights } from '../harness/kernelBench';

/** Each query over every row, as a verification round asks. */
const QUERIES: Readonly<Record<string, (backend: Backend, logits: Logits) => Promise<unknown>>> = {
  argMax: (backend, logits) => backend.argMax(logits),
  logSumExp: (backend, logits) => eachRow(logits, (row) => backend.logSumExp(logits, row, 1)),
  'top 50': (backend, logits) => eachRow(logits, (row) => backend.topK(logits, row, 50)),
  read: (backend, logits) => eachRow(logits, (row) => backend.readLogits(logits, row)),
};

async function eachRow(logits: Logits, query: (row: number) => Promise<unknown>): Promise<void> {
  for (let row = 0; row < logits.rows; row++) await query(row);
}

export const logits: KernelBench = {
  name: 'logits',
  note: 'queries on logits that stay on the backend, every row; one operation a logit',
  cases(context) {
    const { backend, rows, quick } = context;
    return (quick ? [32128] : [32128, 250112]).flatMap((vocabulary) => {
      const weight = weights({ ...context, quick: true }, vocabulary, 8, 'f32')();
      const boxes = new Map<number, Logits>();
      const boxOf = (count: number): Logits => {
        const box = boxes.get(count) ?? backend.logits();
        if (!boxes.has(count)) backend.head(box, tensor(backend, count, 8), null, weight, 1);
        boxes.set(count, box);
        return box;
      };
      return Object.entries(QUERIES).flatMap(([name, query]) =>
        rows.map((count) => ({
          shape: `${name} of ${vocabulary}`,
          type: 'f32' as const,
          rows: count,
          operations: count * vocabulary,
          bytes: 4 * count * vocabulary,
          run: () => query(backend, boxOf(count)),
        })),
      );
    });
  },
};
