import { readdirSync } from 'node:fs';
import path from 'node:path';
import { unasked } from '../kernels/gpu/support/device';
import { goldenPaths } from '../support/golden-files.node';
import { goldenFamilies } from '../support/goldens';
import type { Outcome } from './page/harness';
import { browserOf, decideOn } from './support/browsers';
import { shortestSentences } from './support/pair-in-node';
import { withSession } from './support/session';

const CHROMIUM = browserOf('chromium');
const MODEL_FILES = readdirSync(path.join(__dirname, '..', '..', 'models', 'modernize-draft'));
const CALL_MILLISECONDS = 590_000;
const MINUTES = 60_000;
const DEVICES = ['webgpu', 'webgl2'] as const;

const missing = unasked('chromium', CHROMIUM.missing);
const isAsked = (process.env.TANDEM_GPU ?? '').split(',').includes('chromium');
const decision = decideOn(missing, isAsked);
if (decision === 'fail') throw new Error(missing ?? '');
const title = missing === null ? 'gpu in Chromium' : `gpu in Chromium: skipped, ${missing}`;

function expectAllPassed(outcomes: readonly Outcome[]): void {
  expect(outcomes.filter(({ error }) => error !== null)).toEqual([]);
}

(decision === 'run' ? describe : describe.skip)(title, () => {
  const session = withSession(CHROMIUM, { page: '/ordinary', hasGpu: true, callMilliseconds: CALL_MILLISECONDS });

  test.each(DEVICES)(
    '%s: every law of the backends holds, with products within 2.3e-6 of max|x| · Σ|w| and the rest within 2e-6',
    async (device) => {
      const outcomes = await session().call('runGpuLaws', device, 2);
      expectAllPassed(outcomes);
      expect(outcomes.length).toBeGreaterThanOrEqual(90);
    },
    10 * MINUTES,
  );

  test.each(DEVICES)(
    '%s: goldens of every family, layer tensors and logits within 1e-5 of scale, tokens equal',
    async (device) => {
      const outcomes = await session().call('runGpuGoldens', device, goldenPaths());
      expectAllPassed(outcomes);
      expect(outcomes).toHaveLength(3 * (goldenFamilies().length + 1)); // one family in two types
    },
    10 * MINUTES,
  );

  test.each(DEVICES)(
    '%s: the bundled pair speculates from the page, equal to plain greedy decoding and to the golden',
    async (device) => {
      const cases = shortestSentences(1);
      const found = await session().call('decodeOnGpu', device, MODEL_FILES, { dtype: 'f32', cases });
      const [{ plain, speculative, accepted }] = found.answers;
      expect(found.reason).toContain(`gpu (${device})`);
      expect(plain).toEqual(cases[0].tokens);
      expect(speculative).toEqual(cases[0].tokens);
      expect(accepted).toBeGreaterThan(0);
      expect(found.uploadedAfterLoad).toBeLessThan(100_000); // the target's weights are 55 million bytes
    },
    10 * MINUTES,
  );
});
