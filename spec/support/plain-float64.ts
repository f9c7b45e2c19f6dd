import type { Distribution } from '../../decoding';

/** How a row becomes a law; those rules that can be said in a line each. */
export interface PlainRules {
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
}

/**
 * The law that a row of logits means, written down as its definition reads: float64, the whole row sorted, no shortcut. What
 * faster ways are held to.
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

/** The token of the largest logit, the lowest of equals. */
export function plainArgMax(logits: ArrayLike<number>): number {
  let best = 0;
  for (let token = 1; token < logits.length; token++) if (logits[token] > logits[best]) best = token;
  return best;
}
