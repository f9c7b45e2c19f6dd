import type { LogitsView } from '../../engine';
import { type SamplingKernel, samplingKernel } from '../../kernels';
import { Failure } from '../failure';
import type { Processing } from '../processing';
import { type Distribution, noToken, oneHot } from './distribution';
import { checkLogits } from './invalid';
import { fastestByTops, type RaceNumbers } from './race';
import { applyRules, type Context, forcedToken, hasRules } from './rules';
import { softmax, softmaxDistribution } from './softmax';
import { truncated, truncates } from './truncation';

/** Whether the arg-max alone decides. Then the logits can stay on the backend. */
export function isPlainGreedy(processing: Processing): boolean {
  return (processing.temperature ?? 0) === 0 && !hasRules(processing);
}

/** A row of a logits view, the ids before it, and how its logits become a distribution. */
export interface RowRequest {
  readonly row: number;
  readonly context: Context;
  readonly processing: Processing;
  /** The numbers of the row's place, where nothing is asked of its distribution but who wins a race by them. */
  readonly numbers?: () => RaceNumbers | null;
}

/**
 * The distributions of rows, for each of several groups of requests. A row's distribution is empty where the processors leave no
 * token, and has all mass on the winner where only that is asked for. A group in which a processor throws, or whose logits are NaN or infinite, fails alone: its `Failure` stands in the place
 * of its distributions.
 */
export async function rowDistributions(
  view: LogitsView,
  groups: readonly (readonly RowRequest[])[],
): Promise<(Distribution[] | Failure)[]> {
  const isGreedy = ({ processing }: RowRequest) => isPlainGreedy(processing);
  const greedy = groups.some((requests) => requests.some(isGreedy)) ? await view.argMax() : null;
  const all: (Distribution[] | Failure)[] = [];
  for (const requests of groups) {
    const rows: Distribution[] = [];
    let failure: Failure | null = null;
    for (const request of requests) {
      const { row, context, processing } = request;
      const certain = greedy && isGreedy(request) ? greedy[row] : await certainWinner(view, request);
      if (certain >= 0) rows.push(oneHot(view.vocabulary, certain));
      else {
        const logits = await view.read(row);
        try {
          rows.push(plainDistribution(logits, processing) ?? distributionOf(logits, context, processing));
        } catch (error) {
          failure = new Failure(error);
          break;
        }
      }
    }
    all.push(failure ?? rows);
  }
  return all;
}

/** The winner of a row's race, where the view knows it without the whole row; −1 elsewhere. */
async function certainWinner(view: LogitsView, { row, processing, numbers }: RowRequest): Promise<number> {
  if (!numbers || !view.tops || !isPlainSampling(processing)) return -1;
  return (await fastestByTops(view, row, processing.temperature ?? 0, numbers)) ?? -1;
}

/** Whether nothing but a temperature changes the logits. */
export function isPlainSampling(processing: Processing): boolean {
  return (processing.temperature ?? 0) > 0 && !hasRules(processing) && !truncates(processing);
}

/** The distribution of a row where nothing but the temperature changes it; null elsewhere, and where its logits may be wrong. */
function plainDistribution(logits: Float32Array, processing: Processing): Distribution | null {
  return isPlainSampling(processing) ? softmaxDistribution(logits, processing.temperature ?? 0) : null;
}

/**
 * The distribution that a token is drawn from, in float64. The order is that of Hugging Face's `generate`: sequence biases,
 * penalties of the source's and of repeated tokens, n-grams, bad words, minimum length, allowed tokens, forced tokens, length
 * decay, suppressed tokens, own processors; then temperature, top-h, top-k, top-p, min-p, typical, epsilon, eta. Where
 * `forcedPrefix` decides, nothing else does.
 *
 * @param kernel computes the probabilities; null leaves them to the reference in JavaScript, with the same bits
 * @returns the empty distribution when all tokens are forbidden
 * @throws DecodingError `logits-invalid` for NaN and +∞; `processor-invalid` when a function of the caller's returns something
 * else than it should
 */
export function distributionOf(
  logits: ArrayLike<number>,
  context: Context,
  processing: Processing,
  kernel: SamplingKernel | null = samplingKernel(),
): Distribution {
  const vocabulary = logits.length;
  const { temperature = 0 } = processing;
  if (temperature > 0 && !hasRules(processing)) {
    const probabilities = kernel?.softmax(asFloats(logits), temperature);
    if (probabilities) return truncated(probabilities, processing);
  }
  checkLogits(logits, { position: context.ids.length, model: context.model });
  const forced = forcedToken(context, processing);
  if (forced !== undefined) return oneHot(vocabulary, forced);
  const scores = applyRules(new Float64Array(logits), context, processing); // [vocabulary]
  const best = argMax(scores);
  if (scores[best] === Number.NEGATIVE_INFINITY) return noToken(vocabulary);
  if (temperature === 0) return oneHot(vocabulary, best);
  const probabilities = kernel?.softmax(scores, temperature) ?? softmax(scores, scores[best], temperature);
  return truncated(probabilities, processing);
}

/** Numbers of any list as a typed array. */
function asFloats(logits: ArrayLike<number>): Float32Array | Float64Array {
  return ArrayBuffer.isView(logits) ? (logits as Float32Array | Float64Array) : Float64Array.from(logits);
}

function argMax(scores: Float64Array): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i] > scores[best]) best = i;
  return best;
}
