import { PROBE_CODE } from '../../../bench/harness/probeCode';
import { compileProbe } from '../../../bench/harness/probeSource';

describe('the compiled probe', () => {
  test.each(['simd', 'relaxed-simd'] as const)('is what its source compiles to: %s', (level) => {
    expect(PROBE_CODE[level]).toBe(compileProbe(level).toString('base64'));
  });
});
