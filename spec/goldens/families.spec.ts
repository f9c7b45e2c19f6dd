import { createBackend } from '../../kernels';
import { describeFamily, typesOf } from '../support/family-goldens';
import { goldenFamilies, readGolden } from '../support/goldens';

test('there is a golden for every family, and for every way to store a head or a table', () => {
  expect(goldenFamilies()).toEqual([
    'byt5',
    'flan-t5-resaved',
    'mt5',
    'mt5-resaved',
    't5-bfloat16',
    't5-deep-decoder',
    't5-float16',
    't5-sharded',
    't5-table-in-decoder',
    't5-table-in-encoder',
    't5-tied-own-head',
    't5-tied-unscaled',
    't5-v1.0',
    't5-v1.1',
    'ul2',
    'umt5',
    'umt5-tied',
  ]);
});

test('rounding decides no greedy step of a golden: the two largest logits differ by at least 1e-3', () => {
  for (const family of goldenFamilies()) {
    for (const { greedy } of readGolden(family).cases) {
      expect(greedy?.tokens.length).toBeGreaterThanOrEqual(24);
      expect(greedy?.gaps.length).toBe(greedy?.tokens.length);
      expect(Math.min(...(greedy?.gaps ?? []))).toBeGreaterThanOrEqual(1e-3);
    }
  }
});

for (const name of ['reference', 'cpu', 'wasm'] as const) {
  for (const family of goldenFamilies()) {
    for (const type of typesOf(family)) describeFamily({ name, family, type, create: () => createBackend(name) });
  }
}
