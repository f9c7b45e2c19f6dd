import { cellDistance, DRAFTERS, KINDS, PROCESSORS, STOPS } from '../support/exactness-grid';

describe('every verification × drafter × processor × stop rule, eight pairs of models each', () => {
  const kinds = {
    ...KINDS,
    'token, γ = 3': { gamma: 3 },
    'block, γ = 3': { gamma: 3, verification: 'block' as const },
  };
  const pairs = Object.keys(kinds).flatMap((kind) => Object.keys(DRAFTERS).map((drafter) => [kind, drafter] as const));

  it.each(pairs)('%s verification, drafts: %s, by enumeration (total variation ≤ 1e-12)', async (kind, drafter) => {
    for (const processing of Object.values(PROCESSORS)) {
      for (const stop of Object.values(STOPS)) {
        for (let seed = 1; seed <= 8; seed++) {
          const cell = { kind: kinds[kind as keyof typeof kinds], drafter, processing, stop, seed: 100 * seed };
          expect(await cellDistance(cell)).toBeLessThanOrEqual(1e-12);
        }
      }
    }
  });
});
