import type { Metrics } from '../decoding';
import type { Comparison, GenerateOptions, GenerateResult } from './types';

/** Draft tokens a round where nothing else is asked for, as decoding/ has it. */
const DEFAULT_GAMMA = 4;

type Lengths = Pick<GenerateOptions, 'gamma' | 'costs' | 'branching'>;

/** Draft tokens that follow one another in a round; where that adapts, its mean. */
function gammaOf({ proposed, rounds }: Metrics, { gamma, costs, branching }: Lengths): number {
  if (costs) return proposed / rounds;
  return branching?.length ?? gamma ?? DEFAULT_GAMMA;
}

/** Puts two finished runs of one input side by side. */
export function comparison(
  speculative: GenerateResult,
  autoregressive: GenerateResult,
  lengths: Lengths = {},
): Comparison {
  const gamma = gammaOf(speculative.metrics, lengths);
  const equal =
    autoregressive.ids.length === speculative.ids.length &&
    autoregressive.ids.every((id, i) => id === speculative.ids[i]);
  const perToken = ({ metrics }: GenerateResult) => metrics.seconds / metrics.newTokens;
  return {
    speculative: { ...speculative, metrics: withCosts(speculative.metrics, autoregressive.metrics, gamma) },
    autoregressive,
    equal,
    measuredSpeedup: perToken(autoregressive) / perToken(speculative),
  };
}

/** c, v and the speed-up they predict: tokens a round / (γc + v) (Leviathan et al. 2023, theorem 3.8 with v beside it). */
function withCosts(metrics: Metrics, alone: Metrics, gamma: number): Metrics {
  if (metrics.draftCalls === 0 || metrics.targetCalls === 0 || alone.targetCalls === 0) return metrics;
  const targetStep = alone.targetSeconds / alone.targetCalls;
  const costRatio = metrics.draftSeconds / metrics.draftCalls / targetStep;
  const verifyRatio = metrics.targetSeconds / metrics.targetCalls / targetStep;
  const predictedSpeedup = metrics.predictedTokensPerRound / (gamma * costRatio + verifyRatio);
  return { ...metrics, costRatio, verifyRatio, predictedSpeedup };
}
