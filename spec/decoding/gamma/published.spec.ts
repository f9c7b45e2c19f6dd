import { theory } from '../../../decoding';
import { BIGRAM_SPEEDUP, TABLE_1, TABLE_2, TABLE_3, TABLE_5 } from '../../../decoding/gamma/published';

const { expectedOperations, predictedSpeedup } = theory;

/** Half of the last printed place. */
const HALF = 0.005;

describe('the paper in numbers', () => {
  it.each(TABLE_1)('Table 1, α = $alpha, γ = $gamma: both factors to the printed place', (row) => {
    const { alpha, gamma, operations, speed } = row;
    expect(Math.abs(expectedOperations(alpha, gamma) - operations)).toBeLessThanOrEqual(HALF);
    expect(Math.abs(predictedSpeedup({ alpha, gamma, c: 0 }) - speed)).toBeLessThanOrEqual(HALF);
  });

  it.each(TABLE_2)(
    'Table 2, $task $draft at T = $temperature: some α ± .005 and c ± .005 give the printed $theory',
    ({ alpha, c, gamma, theory }) => {
      // Speed-up grows with α and falls with c, so the corners bound what the roundings allow.
      const least = predictedSpeedup({ alpha: alpha - HALF, gamma, c: c + HALF });
      const most = predictedSpeedup({ alpha: alpha + HALF, gamma, c: c - HALF });
      expect(least).toBeLessThanOrEqual(theory + 0.05);
      expect(most).toBeGreaterThanOrEqual(theory - 0.05);
      expect(most - least).toBeLessThan(0.5); // the roundings leave little room: a wrong formula falls out of it
    },
  );

  it("Table 2 is whole: every task, draft and temperature once, in the order of the paper; c is the draft's", () => {
    const rows = ['EnDe', 'CNN/DM'].flatMap((task) =>
      [0, 1].flatMap((temperature) => ['small', 'base', 'large'].map((draft) => ({ task, draft, temperature }))),
    );
    expect(TABLE_2.map(({ task, draft, temperature }) => ({ task, draft, temperature }))).toEqual(rows);
    const c = { small: 0.02, base: 0.04, large: 0.11 };
    for (const row of TABLE_2) expect(row.c).toBe(c[row.draft]);
  });

  it('Table 3: tasks and orders; drawn tokens are accepted less often than the most likely ones', () => {
    expect(TABLE_3.map(({ task, order }) => `${task} ${order}`)).toEqual(['EnDe 1', 'EnDe 2', 'CNN/DM 2']);
    for (const { alpha } of TABLE_3) expect(alpha.sampled).toBeLessThan(alpha.greedy);
  });

  it('a bigram draft that costs nothing gives 1.25 at γ = 3, as in section 4.2 (± .005)', () => {
    expect(Math.abs(predictedSpeedup(BIGRAM_SPEEDUP) - BIGRAM_SPEEDUP.speed)).toBeLessThanOrEqual(HALF);
    const bigram = TABLE_3.find(({ task, order }) => task === 'EnDe' && order === 2);
    expect(bigram?.alpha.greedy).toBe(BIGRAM_SPEEDUP.alpha);
  });

  it('Table 5: more lenience accepts more, from the exact α of Table 2 on', () => {
    const exact = TABLE_2.find((row) => row.task === 'EnDe' && row.draft === 'small' && row.temperature === 1);
    expect(TABLE_5[0]).toEqual({ lenience: 1, alpha: exact?.alpha });
    for (let i = 1; i < TABLE_5.length; i++) {
      expect(TABLE_5[i].lenience).toBeLessThan(TABLE_5[i - 1].lenience);
      expect(TABLE_5[i].alpha).toBeGreaterThan(TABLE_5[i - 1].alpha);
      // A token accepted with min(1, target / draft) is accepted at most 1 / l as often (l ≤ 1).
      expect(TABLE_5[i].alpha).toBeLessThanOrEqual(TABLE_5[0].alpha / TABLE_5[i].lenience);
    }
  });
});
