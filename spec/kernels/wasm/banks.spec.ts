import { createWasmBackend } from '../../../kernels/wasm';
import { WasmInstance } from '../../../kernels/wasm/instance';
import { describeBackendLaws } from '../laws';
import { matrix } from '../laws/arbitraries';
import { expectSameBits, using } from '../laws/subject';
import { TOLERANCE } from './support';

const KIB = 1024;

// The first memory has room for one small weight, so nearly every weight is in another one.
describeBackendLaws('wasm with weights in several memories', () => createWasmBackend({ threads: 2, bankBytes: KIB }), {
  ...TOLERANCE,
  runs: 4,
});

describe('several memories', () => {
  test.each([1, 2, 4])(
    'products have the same bits whichever memory the weights are in, on %i threads',
    async (threads) => {
      const wide = { rows: 1000, cols: 200 };
      const results: Float32Array[][] = [];
      for (const bankBytes of [2 ** 30, 1_000_000, 1]) {
        const backend = await createWasmBackend({ threads, bankBytes });
        const found: Float32Array[] = [];
        await using(backend, async (boxes) => {
          const x = boxes.tensor(matrix(1, 7, wide.cols));
          const residual = boxes.tensor(matrix(2, 7, wide.rows));
          for (const type of ['f32', 'bf16', 'q8', 'q4'] as const) {
            const weights = [3, 4, 5].map((seed) => boxes.weight(matrix(seed, wide.rows, wide.cols), type));
            const outs = weights.map(() => boxes.out());
            backend.normLinear(outs, x, boxes.norm(matrix(6, 1, wide.cols).values), weights);
            for (const out of outs) found.push(await backend.read(out));
            backend.linear(outs[0], x, weights[2], residual);
            found.push(await backend.read(outs[0]));
            backend.embed(outs[1], weights[1], Int32Array.of(5, 999, 5));
            found.push(await backend.read(outs[1]));
          }
        });
        results.push(found);
        await backend.dispose();
      }
      for (const other of results.slice(1)) {
        other.forEach((values, i) => {
          expectSameBits(values, results[0][i]);
        });
      }
    },
  );

  test('results of weights in the first memory are written in their place; those of others pass through a work area', async () => {
    const asked = jest.spyOn(WasmInstance.prototype, 'area');
    for (const bankBytes of [2 ** 30, 1]) {
      const backend = await createWasmBackend({ threads: 1, bankBytes });
      await using(backend, async (boxes) => {
        const weight = boxes.weight(matrix(1, 40, 64), 'f32');
        const x = boxes.tensor(matrix(2, 3, 64));
        asked.mockClear();
        backend.linear(boxes.out(), x, weight, null);
        backend.embed(boxes.out(), weight, Int32Array.of(3, 1));
        const names = asked.mock.calls.map(([name]) => name);
        expect(names.filter((name) => name === 'results')).toHaveLength(bankBytes === 1 ? 2 : 0);
      });
      await backend.dispose();
    }
    asked.mockRestore();
  });
});
