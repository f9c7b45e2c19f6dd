import { type CostTable, rowCost, theory } from '../../decoding';

/** What a draft achieves on texts, whatever γ is. */
export interface Achieved {
  /** α: the mean probability that verification accepts a token. */
  readonly alpha: number;
  /** Share of positions at which the draft has a proposal: 1 for a model; a draft that copies often has none. */
  readonly proposing: number;
  readonly costs: CostTable;
}

/**
 * Predicted speed-ups over decoding without a draft, by γ from 0 to `largest`: tokens a round / its cost in one-row target calls.
 * A share of rounds has a proposal, with E = (1 − α^(γ+1)) / (1 − α) tokens and the cost γc + v(γ+1). The others have one token and
 * the cost 1. With a proposal in each round this is `theory.predictedSpeedup`.
 */
export function predictedCurve({ alpha, proposing, costs }: Achieved, largest: number): number[] {
  return Array.from({ length: largest + 1 }, (_, gamma) => {
    if (gamma === 0) return 1;
    const tokens = theory.expectedTokens(alpha, gamma);
    const cost = gamma * costs.c + rowCost(costs, gamma + 1);
    return (proposing * tokens + (1 - proposing)) / (proposing * cost + (1 - proposing));
  });
}

/** The γ with the largest predicted speed-up; 0 where none is above 1, the smallest of equal ones: `theory.bestGamma` on a curve. */
export function bestOf(curve: readonly number[]): number {
  let best = 0;
  for (const [gamma, speedup] of curve.entries()) if (speedup > curve[best]) best = gamma;
  return best;
}
