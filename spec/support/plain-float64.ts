import type { Distribution } from '../../decoding';

/** How a row of logits becomes a distribution: the rules that one line each can state. */
export interface PlainRules {
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
}

/**
 * The distribution of a row of logits, written as its definition says: in float64, with the whole row sorted and no shortcut.
 * Faster ways are compared with it.
 */
export function plainLaw(logits: ArrayLike<number>, { temperature, topK, topP }: PlainRules): Distribution {
  const order = Array.from(logits, (_, token) => token).sort((a, b) => logits[b] - logits[a] || a - b);
  const weight = (token: number) => Math.exp((logits[token] - logits[order[0]]) / temperature);
  let kept = topK === undefined ? order : order.slice(0, topK);
  if (topP !== undefined) {
    const whole = kept.reduce((sum, token) => sum + weight(token), 0);
    let sum = 0;
    kept = kept.filter((token) => {
      const before = sum;
      sum += weight(token);
      return before < topP * whole;
    });
  }
  const tokens = Int32Array.from(kept).sort();
  const total = kept.reduce((sum, token) => sum + weight(token), 0);
  return { vocabulary: logits.length, tokens, probabilities: Float64Array.from(tokens, (t) => weight(t) / total) };
}

/** The token with the largest logit; of equal ones the lowest. */
export function plainArgMax(logits: ArrayLike<number>): number {
  let best = 0;
  for (let token = 1; token < logits.length; token++) if (logits[token] > logits[best]) best = token;
  return best;
}
