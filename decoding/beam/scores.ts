import type { LogitsView } from '../../engine';
import { type Context, forbidden } from '../sampling/processors';
import type { BeamProcessing } from './settings';

/** A token that can come next, with its log-probability. */
export interface Continuation {
  readonly token: number;
  readonly logProb: number;
}

/**
 * The `count` most probable continuations of a row, best first; of equal ones the lower id comes first, and tokens of probability
 * zero are left out. A log-probability is logit − log Σ exp(logit) in float64. Processors change it afterwards, and it is not
 * normalised again, as in Hugging Face's `_beam_search`. Only these few logits leave the backend.
 */
export async function continuations(
  view: LogitsView,
  row: number,
  count: number,
  { context, processing }: { readonly context: Context; readonly processing: BeamProcessing },
): Promise<Continuation[]> {
  const forced = processing.forcedPrefix?.[context.ids.length - 1];
  if (forced !== undefined) return [{ token: forced, logProb: 0 }];
  const { repetitionPenalty = 1 } = processing;
  const banned = forbidden(context, processing);
  const penalised = repetitionPenalty === 1 ? [] : [...new Set(context.ids)].filter((id) => !banned.has(id));
  const edited = new Set([...banned, ...penalised]);
  const total = await view.logSumExp(row, 1);
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
