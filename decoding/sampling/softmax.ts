import { BLOCK, expFalling, samplingKernel } from '../../kernels';
import type { Distribution } from './distribution';

/** Logits that a distribution is made of: probability(x) = e^((logits[x] − logits[best]) / temperature) / Σ. */
export interface Scores {
  /** [vocabulary]; none is NaN or +∞ */
  readonly logits: Float32Array;
  /** The first token with the largest logit, which is finite. */
  readonly best: number;
  /** The largest logit of each `BLOCK` tokens, [vocabulary / BLOCK, rounded up]. */
  readonly tops: Float32Array;
  readonly temperature: number;
}

const scoresBehind = new WeakMap<Distribution, Scores>();

/**
 * The distribution of logits at a temperature. Its probabilities are computed when somebody looks at them. A race mostly does not,
 * and rows behind a rejection are never looked at.
 *
 * @param logits [vocabulary], which nobody changes any more
 * @returns null where a logit is NaN or +∞, and where all are −∞
 */
export function softmaxDistribution(logits: Float32Array, temperature: number): Distribution | null {
  const tops = (samplingKernel() ?? { blockTops }).blockTops(logits);
  if (tops === null) return null;
  const best = firstLargest(logits, tops);
  let probabilities: Float64Array | null = null;
  const distribution: Distribution = {
    vocabulary: logits.length,
    tokens: null,
    get probabilities() {
      probabilities ??=
        samplingKernel()?.softmax(logits, temperature) ?? softmax(new Float64Array(logits), logits[best], temperature);
      return probabilities;
    },
  };
  scoresBehind.set(distribution, { logits, best, tops, temperature });
  return distribution;
}

/** The logits that a distribution is made of, where `softmaxDistribution` made it. */
export function scoresOf(distribution: Distribution): Scores | undefined {
  return scoresBehind.get(distribution);
}

/** The reference of `SamplingKernel.blockTops`. */
export function blockTops(logits: Float32Array): Float32Array | null {
  const tops = new Float32Array(Math.ceil(logits.length / BLOCK)).fill(Number.NEGATIVE_INFINITY);
  let most = Number.NEGATIVE_INFINITY;
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token];
    if (!(logit < Number.POSITIVE_INFINITY)) return null;
    if (logit > tops[Math.floor(token / BLOCK)]) tops[Math.floor(token / BLOCK)] = logit;
    if (logit > most) most = logit;
  }
  return most > Number.NEGATIVE_INFINITY ? tops : null;
}

function firstLargest(logits: Float32Array, tops: Float32Array): number {
  let block = 0;
  for (let i = 1; i < tops.length; i++) if (tops[i] > tops[block]) block = i;
  return logits.indexOf(tops[block], block * BLOCK);
}

/**
 * The reference of `SamplingKernel.softmax`, which has the same bits.
 *
 * @param largest the largest score
 */
export function softmax(scores: Float64Array, largest: number, temperature: number): Float64Array {
  const weights = new Float64Array(scores.length);
  let total = 0;
  for (let i = 0; i < scores.length; i++) {
    weights[i] = expFalling((scores[i] - largest) / temperature);
    total += weights[i];
  }
  for (let i = 0; i < weights.length; i++) weights[i] /= total;
  return weights;
}
