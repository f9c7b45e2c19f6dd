/** Formulas of Leviathan, Kalman and Matias 2023. α in [0, 1], γ draft tokens a round, c one draft step / one target step. */

/** Expected tokens a round: (1 − α^(γ+1)) / (1 − α) (equation 1). */
export function expectedTokens(alpha: number, gamma: number): number {
  return alpha >= 1 ? gamma + 1 : (1 - alpha ** (gamma + 1)) / (1 - alpha);
}

/**
 * Expected speed-up: tokens a round / (γc + v), where v = time of a (γ+1)-row target call / a one-row call. The paper takes
 * v = 1 (theorem 3.8), which holds where verifying is free.
 */
export function predictedSpeedup(run: { alpha: number; gamma: number; c: number; v?: number }): number {
  return expectedTokens(run.alpha, run.gamma) / (run.gamma * run.c + (run.v ?? 1));
}

/** Expected factor in arithmetic operations: (1 − α)(γĉ + γ + 1) / (1 − α^(γ+1)) (theorem 3.11). */
export function expectedOperations(alpha: number, gamma: number, operationsRatio = 0): number {
  return (gamma * operationsRatio + gamma + 1) / expectedTokens(alpha, gamma);
}
