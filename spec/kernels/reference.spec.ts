import { createReferenceBackend } from '../../kernels';
import { describeBackendLaws } from './laws';

// The judge against itself: what is left to prove is batch invariance, storage, queries and refusals.
describeBackendLaws('reference', async () => createReferenceBackend(), {
  products: { f32: 0, bf16: 0, q8: 0, q4: 0 },
  elementwise: 0,
  attention: 0,
  logSumExp: 1e-13,
});
