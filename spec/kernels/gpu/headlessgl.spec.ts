import { describeBackendLaws } from '../laws';
import { describeOn, headlessGlMissing } from './support/device';

/** Float32 sums by blocks of 32; GLSL ES 1.00 promises little of exp and division, Mesa keeps these figures. */
describeOn('headlessgl', headlessGlMissing(), ({ create }) => {
  describeBackendLaws('gpu headlessgl', create, {
    products: { f32: 2e-7, bf16: 2e-7, q8: 2e-7 },
    elementwise: 2e-6,
    attention: 2e-6,
    logSumExp: 1e-13,
    runs: 5,
  });
});
