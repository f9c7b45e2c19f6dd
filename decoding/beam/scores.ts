import type { LogitsView } from '../../engine';
import { smallestKeys } from '../sampling/distribution';
import { checkedLogSumExp } from '../sampling/invalid';
import { logSumExp } from '../sampling/log-sum-exp';
import { applyRules, areSparse, type Context, forbidden, forcedToken } from '../sampling/rules';
import type { BeamProcessing } from './settings';

/** A token that can come next, with its log-probability. */
export interface Continuation {
  readonly token: number;
  readonly logProb: number;
}

/**
 * The `count` most probable continuations of a row, best first; of equal ones the lower id comes first, and tokens of probability
 * zero are left out. A log-probability is logit − log Σ exp(logit) in float64. Rules change it afterwards, and it is not
 * normalised again unless `renormalizeLogits` asks for it, as in Hugging Face's `_beam_search`.
 *
 * @throws DecodingError `logits-invalid`
 */
export async function continuations(
  view: LogitsView,
  row: number,
  count: number,
  { context, processing }: Omit<Rules, 'total'>,
): Promise<Continuation[]> {
  const total = await checkedLogSumExp(view, row, { position: context.ids.length, model: context.model });
  const forced = forcedToken(context, processing);
  if (forced !== undefined) return [{ token: forced, logProb: 0 }];
  if (total === Number.NEGATIVE_INFINITY) return [];
  const rules = { context, processing, total };
  return areSparse(processing) ? fewContinuations(view, row, count, rules) : allContinuations(view, row, count, rules);
}

interface Rules {
  readonly context: Context;
  readonly processing: BeamProcessing;
  /** log Σ exp of the row. */
  readonly total: number;
}

/** Where rules change or forbid few tokens. Only these few logits, and the best others, leave the backend. */
async function fewContinuations(
  view: LogitsView,
  row: number,
  count: number,
  { context, processing, total }: Rules,
): Promise<Continuation[]> {
  const { repetitionPenalty = 1 } = processing;
  const banned = forbidden(context, processing);
  const penalised = repetitionPenalty === 1 ? [] : [...new Set(context.ids)].filter((id) => !banned.has(id));
  const edited = new Set([...banned, ...penalised]);
  const found: Continuation[] = [];
  // Of the best count + edited tokens, at least `count` are as the model left them.
  const best = await view.topK(row, Math.min(view.vocabulary, count + edited.size));
  best.ids.forEach((token, i) => {
    if (!edited.has(token)) found.push({ token, logProb: best.values[i] - total });
  });
  if (penalised.length > 0) {
    const rows = new Int32Array(penalised.length).fill(row);
    const logits = await view.at(rows, Int32Array.from(penalised)); // [penalised]
    // A log-probability is never above 0, so that the penalty always multiplies (Keskar et al. 2019).
    penalised.forEach((token, i) => {
      found.push({ token, logProb: (logits[i] - total) * repetitionPenalty });
    });
  }
  const possible = found.filter(({ logProb }) => logProb > Number.NEGATIVE_INFINITY); // NaN neither
  return possible.sort((a, b) => b.logProb - a.logProb || a.token - b.token).slice(0, count);
}

/** Where rules may change any token: the whole row is read, and its log-probabilities go through the rules. */
async function allContinuations(
  view: LogitsView,
  row: number,
  count: number,
  { context, processing, total }: Rules,
): Promise<Continuation[]> {
  const logProbs = Float64Array.from(await view.read(row), (logit) => logit - total); // [vocabulary]
  const scores = applyRules(logProbs, context, processing);
  const shift = processing.renormalizeLogits ? logSumExp(scores) : 0;
  const best = smallestKeys(count, scores.length, (token) => -scores[token]);
  return best.map((token) => ({ token, logProb: scores[token] - shift }));
}
