/** A distribution over the vocabulary in float64: dense, or sparse over the tokens that have mass. */
export interface Distribution {
  /** Number of token ids. */
  readonly vocabulary: number;
  /** Ids in ascending order that `probabilities` belong to; null when `probabilities` has one entry for every id. */
  readonly tokens: Int32Array | null;
  /** Sum to 1, except in the empty distribution. */
  readonly probabilities: Float64Array;
}

/** All mass on one token. */
export function oneHot(vocabulary: number, token: number): Distribution {
  return { vocabulary, tokens: Int32Array.of(token), probabilities: Float64Array.of(1) };
}

/**
 * The distribution of a position at which the processors forbid every token. It is a value, because a drafted position may
 * never be reached; drawing from it is an error (see `draw.ts`).
 */
export function noToken(vocabulary: number): Distribution {
  return { vocabulary, tokens: new Int32Array(0), probabilities: new Float64Array(0) };
}

export function isEmpty({ tokens, vocabulary }: Distribution): boolean {
  return (tokens?.length ?? vocabulary) === 0; // to look at the probabilities may compute them
}

export function isOneHot({ tokens }: Distribution): boolean {
  return tokens?.length === 1;
}

/** The token id that entry `i` of `probabilities` belongs to. */
export function tokenAt({ tokens }: Distribution, i: number): number {
  return tokens ? tokens[i] : i;
}

/** Probability of one token. */
export function probabilityOf({ tokens, probabilities }: Distribution, token: number): number {
  if (!tokens) return probabilities[token];
  const at = indexOf(tokens, token);
  return at < 0 ? 0 : probabilities[at];
}

/** Binary search; −1 when the token is not there. */
function indexOf(tokens: Int32Array, token: number): number {
  let low = 0;
  let high = tokens.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (tokens[middle] === token) return middle;
    if (tokens[middle] < token) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** Σ min(a, b): the probability that token verification accepts, which is 1 − the total variation distance. */
export function overlap(a: Distribution, b: Distribution): number {
  if (!a.tokens && !b.tokens) return denseOverlap(a.probabilities, b.probabilities);
  const [small, other] = a.probabilities.length <= b.probabilities.length ? [a, b] : [b, a];
  let sum = 0;
  for (let i = 0; i < small.probabilities.length; i++) {
    sum += Math.min(small.probabilities[i], probabilityOf(other, tokenAt(small, i)));
  }
  return sum;
}

function denseOverlap(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.min(a[i], b[i]);
  return sum;
}

/** Factors of the two sides of `excess`; 1 where they are left out. */
export interface ExcessFactors {
  readonly target?: number;
  readonly draft?: number;
}

/**
 * max(0, p · target − l · draft) for each of the target's entries, with p = `factors.target` and l = `factors.draft`. Every
 * residual is made of it: p = l = 1 in token verification, p the running acceptance in block verification, l the lenience.
 */
export function excess(target: Distribution, draft: Distribution, factors: ExcessFactors = {}): Float64Array {
  const { target: p = 1, draft: l = 1 } = factors;
  const weights = new Float64Array(target.probabilities.length);
  if (!target.tokens && !draft.tokens) {
    const [wanted, given] = [target.probabilities, draft.probabilities];
    for (let i = 0; i < weights.length; i++) weights[i] = Math.max(0, p * wanted[i] - l * given[i]);
    return weights;
  }
  for (let i = 0; i < weights.length; i++) {
    weights[i] = Math.max(0, p * target.probabilities[i] - l * probabilityOf(draft, tokenAt(target, i)));
  }
  return weights;
}

/** `excess`, normalised. Where rounding leaves no mass, the target's own distribution. */
export function residualOf(target: Distribution, draft: Distribution, factors?: ExcessFactors): Distribution {
  return normalised(target, excess(target, draft, factors)) ?? target;
}

/** The same tokens with these weights, normalised; null when the weights have no mass. */
export function normalised(like: Distribution, weights: Float64Array): Distribution | null {
  let total = 0;
  for (const weight of weights) total += weight;
  if (!(total > 0)) return null;
  const probabilities = new Float64Array(weights.length);
  for (let i = 0; i < weights.length; i++) probabilities[i] = weights[i] / total;
  return { ...like, probabilities };
}

/**
 * Indices of the `count` smallest keys among 0 … size − 1, smallest first; of equal keys the lower index comes first. An index
 * whose key is `Infinity` is left out.
 */
export function smallestKeys(count: number, size: number, keyOf: (index: number) => number): number[] {
  const best: number[] = [];
  const keys: number[] = [];
  for (let i = 0; i < size; i++) {
    const key = keyOf(i);
    if (key === Number.POSITIVE_INFINITY || (best.length === count && key >= keys[count - 1])) continue;
    let place = best.length;
    while (place > 0 && keys[place - 1] > key) place--;
    best.splice(place, 0, i);
    keys.splice(place, 0, key);
    if (best.length > count) {
      best.pop();
      keys.pop();
    }
  }
  return best;
}

/** Entries of the `count` most probable tokens with mass, most probable first; of equal ones the lower id comes first. */
export function mostProbableEntries({ probabilities }: Distribution, count: number): number[] {
  return smallestKeys(count, probabilities.length, (i) =>
    probabilities[i] > 0 ? -probabilities[i] : Number.POSITIVE_INFINITY,
  );
}
