import { describeBackendLaws } from '../laws';
import { describeOn, headlessGlMissing } from './support/device';

/**
 * Float32 sums by blocks of 32: at most 32 + 200 / 32 roundings of 2^-24 each, so 2.3e-6 bounds a product. GLSL ES 1.00
 * promises little of exp and division; Mesa keeps these figures.
 */
describeOn('headlessgl', headlessGlMissing(), ({ create }) => {
  describeBackendLaws('gpu headlessgl', create, {
    products: { f32: 2.3e-6, bf16: 2.3e-6, q8: 2.3e-6 },
    elementwise: 2e-6,
    attention: 2e-6,
    logSumExp: 1e-13,
    runs: 5,
  });
});
