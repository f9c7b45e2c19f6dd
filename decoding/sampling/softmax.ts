import { expFalling, exponentialOf, type SamplingKernel, samplingKernel } from '../../kernels';
import type { Distribution } from './distribution';

/** Logits that a distribution is made of: probability(x) = e^((logits[x] − logits[best]) / temperature) / Σ. */
export interface Scores {
  /** [vocabulary]; none is NaN or +∞ */
  readonly logits: Float32Array;
  /** The first token with the largest logit, which is finite. */
  readonly best: number;
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
  const best = samplingKernel()?.largest(logits) ?? largest(logits);
  if (best < 0) return null;
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
  scoresBehind.set(distribution, { logits, best, temperature });
  return distribution;
}

/** The logits that a distribution is made of, where `softmaxDistribution` made it. */
export function scoresOf(distribution: Distribution): Scores | undefined {
  return scoresBehind.get(distribution);
}

/** The reference of `SamplingKernel.largest`. */
export function largest(logits: Float32Array): number {
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token];
    if (logit > most) {
      most = logit;
      best = token;
    } else if (Number.isNaN(logit)) return -1;
  }
  return most < Number.POSITIVE_INFINITY ? best : -1;
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

/** Tokens whose logit is below the largest by more than this many temperatures are far: their weight is below e^−FAR. */
const FAR = 6;
/** Above e^−FAR by more than rounding. */
const FAR_WEIGHT = Math.exp(-FAR) * (1 + 2 ** -20);
/** Above 1 by more than the rounding of all that two times differ in. */
const CLEAR = 1 + 2 ** -40;
/** Above `CLEAR` by more than the rounding of the numbers that it is compared with. */
const NEAR = 1 + 2 ** -30;

/**
 * The winner of a race (`raceSeveral`) with number −ln(1 − u) for each token, without the sum that probabilities need. A token with
 * weight e^((logit − largest) / temperature) finishes after −ln(1 − u) / weight, up to a factor that all share. Weights are at
 * most 1, and −ln(1 − u) ≥ u. So most tokens lose by their u alone, and their weight is not computed.
 *
 * @param uniforms u of each token, [vocabulary]
 * @param kernel finds the tokens that may win; null leaves that to JavaScript
 * @returns null where two tokens are so near that rounding may decide, so that the probabilities themselves are needed
 */
export function fastestByScores(
  { logits, best, temperature }: Scores,
  uniforms: Float64Array,
  kernel: SamplingKernel | null = samplingKernel(),
): number | null {
  const most = logits[best];
  const far = most - FAR * temperature;
  let winner = best;
  let least = exponentialOf(uniforms[best]); // its weight is 1
  let second = Number.POSITIVE_INFINITY;
  let near = least * NEAR;
  let farNear = least * FAR_WEIGHT;
  const tokens = kernel?.racers(logits, uniforms, { far, near, farNear }) ?? null;
  const count = tokens?.length ?? logits.length;
  for (let i = 0; i < count; i++) {
    const token = tokens ? tokens[i] : i;
    const logit = logits[token];
    if (uniforms[token] > (logit < far ? farNear : near) || token === best) continue;
    const time = exponentialOf(uniforms[token]) / expFalling((logit - most) / temperature);
    if (!(time < second)) continue;
    if (time < least) {
      second = least;
      least = time;
      winner = token;
      near = least * NEAR;
      farNear = least * FAR_WEIGHT;
    } else second = time;
  }
  return least > 0 && second > least * CLEAR ? winner : null;
}
