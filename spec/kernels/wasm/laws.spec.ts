import { createWasmBackend } from '../../../kernels/wasm';
import { describeLawsOrSkip, relaxedMissing, TOLERANCE } from './support';

for (const level of ['simd', 'relaxed-simd'] as const) {
  for (const threads of [1, 3]) {
    const name = `wasm ${level}, ${threads} threads`;
    const missing = level === 'simd' ? null : relaxedMissing;
    describeLawsOrSkip(missing, name, () => createWasmBackend({ level, threads }), { ...TOLERANCE, runs: 20 });
  }
}
