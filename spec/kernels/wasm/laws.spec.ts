import { createWasmBackend } from '../../../kernels/wasm';
import { describeBackendLaws } from '../laws';

// Products: float32 chains over 200 inputs; q8 besides codes activations in 7 bits, half a step of 2·max|x| / 127 off.
// Elementwise: a few ulp. Attention: float32 scores, softmax and sums.
const tolerance = {
  products: { f32: 2e-6, bf16: 2e-6, q8: 1 / 127 },
  elementwise: 2e-6,
  attention: 2e-5,
  logSumExp: 1e-13,
  runs: 20,
};

/** Relaxed SIMD is in every engine from Node 22 on; before that the level is refused (`level.spec.ts`). */
const relaxed = Number(process.versions.node.split('.')[0]) >= 22;

for (const level of relaxed ? (['simd', 'relaxed-simd'] as const) : (['simd'] as const)) {
  for (const threads of [1, 3]) {
    const name = `wasm ${level}, ${threads} threads`;
    describeBackendLaws(name, async () => createWasmBackend({ level, threads }), tolerance);
  }
}
