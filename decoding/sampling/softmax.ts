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

/** Tokens whose logit is below the largest by more than this many temperatures are far: their weight is below e^−FAR. */
const FAR = 6;
/** Above e^−FAR by more than rounding. */
const FAR_WEIGHT = Math.exp(-FAR) * (1 + 2 ** -20);
/** Above 1 by more than the rounding of all that two times differ in. */
const CLEAR = 1 + 2 ** -40;
/** Above `CLEAR` by more than the rounding of the numbers that it is compared with. */
const NEAR = 1 + 2 ** -30;

/** The exponential numbers of all tokens at a place. */
export interface RaceNumbers {
  /** The number of a token. */
  of(token: number): number;
  /** Numbers of a block's tokens are at least its bound, but for rounding, [vocabulary / BLOCK, rounded up]. */
  readonly bounds: Float64Array;
}

/**
 * The winner of a race (`raceSeveral`), without the sum that probabilities need. A token with weight
 * e^((logit − largest) / temperature) finishes after number / weight, up to a factor that all share. A block whose bound is too
 * large for its largest weight has no winner, so most blocks are passed over, and neither weights nor numbers of their tokens are computed.
 *
 * @returns null where two tokens are so near that rounding may decide, so that the probabilities themselves are needed
 */
export function fastestByScores({ logits, best, tops, temperature }: Scores, numbers: RaceNumbers): number | null {
  const { bounds } = numbers;
  const most = logits[best];
  const far = most - FAR * temperature;
  const weightOf = (logit: number) => expFalling((logit - most) / temperature);
  let winner = best;
  let least = numbers.of(best); // its weight is 1
  let second = Number.POSITIVE_INFINITY;
  for (let block = 0; block < tops.length; block++) {
    const bound = bounds[block];
    const near = least * NEAR;
    if (bound > (tops[block] < far ? near * FAR_WEIGHT : near) || bound > near * weightOf(tops[block])) continue;
    const end = Math.min((block + 1) * BLOCK, logits.length);
    for (let token = block * BLOCK; token < end; token++) {
      if (token === best || (logits[token] < far && bound > least * NEAR * FAR_WEIGHT)) continue;
      const weight = weightOf(logits[token]);
      if (bound > least * NEAR * weight) continue;
      const time = numbers.of(token) / weight;
      if (!(time < second)) continue;
      if (time < least) {
        second = least;
        least = time;
        winner = token;
      } else second = time;
    }
  }
  return least > 0 && second > least * CLEAR ? winner : null;
}
