/** @jest-environment ./spec/kernels/gpu/support/webgpu-environment.ts */
import { describeBackendLaws } from '../laws';
import { describeOn, webgpuMissing } from './support/device';

/** Float32 sums by blocks of 32; WGSL lets exp and division be off by a few units in the last place (§ 15.7.4). */
describeOn('webgpu', webgpuMissing(), ({ create }) => {
  describeBackendLaws('gpu webgpu', create, {
    products: { f32: 2e-7, bf16: 2e-7, q8: 2e-7 },
    elementwise: 2e-6,
    attention: 2e-6,
    logSumExp: 1e-13,
    runs: 5,
  });
});
