import { BUNDLED, compareAll, heldOutSources, openPair } from '../support/equality';

const GAMMAS = Array.from({ length: 32 }, (_, i) => 1 + i);

describe('greedy speculative decoding of the bundled pair equals autoregressive, token for token and logit bit for logit bit', () => {
  let sources: number[][];

  beforeAll(async () => {
    sources = await heldOutSources();
    expect(sources).toHaveLength(200);
  });

  test('on wasm in float32: all 200 held-out passages, passage i with γ = 1 + i mod 32', async () => {
    const pair = await openPair(BUNDLED, 'wasm', 'f32');
    const { plain, speculative } = await compareAll(
      pair,
      sources.map((source, i) => ({ source, gammas: [1 + (i % 32)] })),
    );
    expect(speculative).toBeLessThan(plain / 2); // it did speculate
    await pair.close();
  }, 600_000);

  test('on wasm in float32: every γ from 1 to 32 on ten passages', async () => {
    const pair = await openPair(BUNDLED, 'wasm', 'f32');
    await compareAll(
      pair,
      sources.filter((_, i) => i % 20 === 0).map((source) => ({ source, gammas: GAMMAS })),
    );
    await pair.close();
  }, 600_000);

  test.each([
    { name: 'wasm', type: 'bf16', passages: [7, 60, 101, 150, 190] },
    { name: 'cpu', type: 'bf16', passages: [30, 95] },
  ] as const)('on $name in $type: a few passages', async ({ name, type, passages }) => {
    const pair = await openPair(BUNDLED, name, type);
    await compareAll(
      pair,
      passages.map((i) => ({ source: sources[i], gammas: [1 + (i % 32)] })),
    );
    await pair.close();
  });
});
