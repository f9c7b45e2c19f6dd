/** @jest-environment ./spec/kernels/gpu/support/webgpu-environment.ts */
import { describeBackendLaws } from '../laws';
import { describeOn, webgpuMissing } from './support/device';

/**
 * Float32 sums by blocks of 32: at most 32 + 200 / 32 roundings of 2^-24 each, so 2.3e-6 bounds a product. WGSL lets exp and
 * division be off by a few units in the last place (§ 15.7.4).
 */
describeOn('webgpu', webgpuMissing(), ({ create }) => {
  describeBackendLaws('gpu webgpu', create, {
    products: { f32: 2.3e-6, bf16: 2.3e-6, q8: 2.3e-6 },
    elementwise: 2e-6,
    attention: 2e-6,
    logSumExp: 1e-13,
    runs: 5,
  });
});
