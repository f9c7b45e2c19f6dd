import { createWasmBackend } from '../../../kernels';
import type { WasmWeight } from '../../../kernels/wasm/boxes';
import { WasmStorage } from '../../../kernels/wasm/storage';
import { using } from '../laws/subject';
import { normal, tailed } from './screened';

const OUTPUTS = 16384 + 45;

describe('the coarse copy of a certified head', () => {
  it('stores for each row how long its coarse copy is and how far off, never less than that, and little more', async () => {
    const one = await createWasmBackend({ threads: 1 });
    const stored = jest.spyOn(WasmStorage.prototype, 'createVector');
    await using(one, async (boxes) => {
      const cols = 40;
      const table = tailed(normal(8, OUTPUTS, cols), 1.5);
      const weight = boxes.weight(table, 'f32') as WasmWeight;
      const logits = boxes.logits();
      one.head(logits, boxes.tensor(normal(9, 1, cols)), null, weight, 1);
      await one.argMax(logits);
      const [[errors], [sizes]] = stored.mock.calls;
      stored.mockRestore();
      const own = boxes.out();
      const all = Int32Array.from({ length: OUTPUTS }, (_, id) => id);
      one.embed(own, boxes.weight(table, 'q8'), all);
      const stands = await one.read(own);
      expect([errors.length, sizes.length]).toEqual([OUTPUTS, OUTPUTS]);
      let longest = 0;
      let wrong = 0;
      const isAbove = (found: number, exact: number) => found >= exact && found <= exact * (1 + 1e-4);
      for (let row = 0; row < OUTPUTS; row++) {
        const [w, v] = [table.values, stands].map((values) => values.subarray(row * cols, (row + 1) * cols));
        const error = Math.hypot(...w.map((value, i) => value - v[i]));
        if (!isAbove(sizes[row], Math.hypot(...v)) || !(error === 0 || isAbove(errors[row], error))) wrong++;
        longest = Math.max(longest, Math.hypot(...w), Math.hypot(...v));
      }
      expect(wrong).toBe(0);
      expect(weight.screen?.largest).toBeCloseTo(longest, 4);
    });
    await one.dispose();
  });
});
