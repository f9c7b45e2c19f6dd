import { sources as relaxedSources } from '../../../kernels/wasm/generated/relaxed';
import { sources as relaxedSmallSources } from '../../../kernels/wasm/generated/relaxedSmall';
import { sources as relaxedWideSources } from '../../../kernels/wasm/generated/relaxedWide';
import { sources as simdSources } from '../../../kernels/wasm/generated/simd';
import { sources as simdSmallSources } from '../../../kernels/wasm/generated/simdSmall';
import { sources as simdWideSources } from '../../../kernels/wasm/generated/simdWide';
import { sourcesHash } from '../../../scripts/build-wasm';

// A number that was changed in layout.ts reaches the compiled modules only when they are built again.
test.each([
  ['simd', simdSources],
  ['relaxed', relaxedSources],
  ['simdWide', simdWideSources],
  ['relaxedWide', relaxedWideSources],
  ['simdSmall', simdSmallSources],
  ['relaxedSmall', relaxedSmallSources],
])('the compiled module %s is that of the sources as they are now (otherwise: npm run build:wasm)', (_, sources) => {
  expect(sources).toBe(sourcesHash());
});
