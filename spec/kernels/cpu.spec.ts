import { createCpuBackend } from '../../kernels';
import { describeBackendLaws } from './laws';

// Float64 sums in the reference's own order: the same bits everywhere.
describeBackendLaws('cpu', async () => createCpuBackend(), {
  products: { f32: 0, bf16: 0, q8: 0, q4: 0 },
  elementwise: 0,
  attention: 0,
  logSumExp: 1e-13,
});
