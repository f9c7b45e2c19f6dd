import { BUNDLED, compareAll, heldOutSources, openPair } from '../support/equality';

const GAMMAS = Array.from({ length: 32 }, (_, i) => 1 + i);

describe('greedy speculative decoding of the bundled pair equals autoregressive, token for token and logit bit for logit bit', () => {
  test.each([
    { name: 'wasm', type: 'f32', gammas: () => GAMMAS },
    { name: 'wasm', type: 'bf16', gammas: (i: number) => [1 + (i % 32)] },
    { name: 'wasm', type: 'q8', gammas: (i: number) => [1 + (i % 32)] },
    { name: 'cpu', type: 'bf16', gammas: (i: number) => [1 + (i % 32)] },
  ] as const)(
    'on $name in $type: all 200 held-out passages',
    async ({ name, type, gammas }) => {
      const sources = await heldOutSources();
      const pair = await openPair(BUNDLED, name, type);
      await compareAll(
        pair,
        sources.map((source, i) => ({ source, gammas: gammas(i) })),
      );
      await pair.close();
    },
    3_600_000,
  );
});
