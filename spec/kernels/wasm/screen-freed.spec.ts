import { createWasmBackend } from '../../../kernels';
import { bytesOf, using } from '../laws/subject';
import { normal } from './screened';

/** As many outputs as screening begins with. */
const OUTPUTS = 16384;

describe('a certified head whose weight is freed', () => {
  it('gives back the copy with the weight, and refuses logits whose weight is gone', async () => {
    const one = await createWasmBackend({ threads: 1 });
    const { facts } = one;
    const before = facts.allocatedBytes();
    const table = normal(1, OUTPUTS, 40);
    await using(one, async (boxes) => {
      const logits = boxes.logits();
      const weight = one.weight(table.rows, table.cols, 'f32');
      one.fill(weight, 0, bytesOf(table.values), 'f32');
      one.head(logits, boxes.tensor(normal(2, 1, 40)), null, weight, 1);
      await one.argMax(logits);
      expect(facts.allocatedBytes()).toBeGreaterThan(
        facts.weightBytes(OUTPUTS, 40, 'f32') + facts.weightBytes(OUTPUTS, 40, 'q8'),
      );
      one.free(weight);
      const [row, token] = [Int32Array.of(0), Int32Array.of(7)];
      const queries: readonly (readonly [string, () => Promise<unknown> | undefined])[] = [
        ['argMax', () => one.argMax(logits)],
        ['readLogits', () => one.readLogits(logits, 0)],
        ['logSumExp', () => one.logSumExp(logits, 0, 1)],
        ['at', () => one.at(logits, row, token)],
        ['topK', () => one.topK(logits, 0, 3)],
        ['tops', () => one.tops?.(logits, 0)],
        ['blocks', () => one.blocks?.(logits, 0, [0])],
      ];
      for (const [name, ask] of queries) {
        const message = expect.stringMatching(`^${name}: `);
        await expect(ask()).rejects.toMatchObject({ code: 'argument-invalid', message });
      }
    });
    expect(facts.allocatedBytes()).toBe(before);
    await one.dispose();
  });
});
