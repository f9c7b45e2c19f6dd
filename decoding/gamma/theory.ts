/** Formulas of Leviathan, Kalman and Matias 2023. α in [0, 1], γ draft tokens a round, c one draft step / one target step. */

/** Expected tokens a round: (1 − α^(γ+1)) / (1 − α) (equation 1). */
export function expectedTokens(alpha: number, gamma: number): number {
  return alpha >= 1 ? gamma + 1 : (1 - alpha ** (gamma + 1)) / (1 - alpha);
}

/** Tokens of a proposal that were judged: all that were kept, and the first one that was not. */
export function judgedTokens(proposed: number, kept: number): number {
  return kept + (kept < proposed ? 1 : 0);
}

/**
 * Expected speed-up: tokens a round / (γc + v), where v = time of a (γ+1)-row target call / a one-row call. The paper takes
 * v = 1 (theorem 3.8), which is right where a call of several rows takes no longer than a call of one.
 */
export function predictedSpeedup(run: { alpha: number; gamma: number; c: number; v?: number }): number {
  return expectedTokens(run.alpha, run.gamma) / (run.gamma * run.c + (run.v ?? 1));
}

/** Expected factor in arithmetic operations: (1 − α)(γĉ + γ + 1) / (1 − α^(γ+1)) (theorem 3.11). */
export function expectedOperations(alpha: number, gamma: number, operationsRatio = 0): number {
  return (gamma * operationsRatio + gamma + 1) / expectedTokens(alpha, gamma);
}

/** The largest γ that `bestGamma` considers, and that settings allow. */
const LARGEST_GAMMA = 64;

/** Costs in one-row target calls. */
export interface Costs {
  /** One draft step. */
  readonly c: number;
  /** A target call of `rows` rows; 1 throughout in the paper. */
  readonly v?: (rows: number) => number;
}

/** The γ with the largest predicted speed-up; 0 when none is above 1. Of equal ones, the smallest (section 3.5). */
export function bestGamma(alpha: number, { c, v = () => 1 }: Costs, largest = LARGEST_GAMMA): number {
  let best = 0;
  let speed = 1; // γ = 0 is plain decoding
  for (let gamma = 1; gamma <= largest; gamma++) {
    const predicted = predictedSpeedup({ alpha, gamma, c, v: v(gamma + 1) });
    if (predicted > speed) [best, speed] = [gamma, predicted];
  }
  return best;
}
