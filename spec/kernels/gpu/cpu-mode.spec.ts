import { createGpuBackend } from '../../../kernels/gpu';
import { describeBackendLaws } from '../laws';

/**
 * gpu.js in JavaScript: the same kernels, computed in float64 and stored as float32. Sums go by blocks of 32, not in
 * the reference's order; gelu's erfc is a float32 fit (1.2e-7 of its size).
 */
describeBackendLaws('gpu cpu-mode', () => createGpuBackend({ level: 'cpu' }), {
  products: { f32: 2e-7, bf16: 2e-7, q8: 2e-7 },
  elementwise: 5e-7,
  attention: 5e-7,
  logSumExp: 1e-13,
});
