import type { Address, Place, Random } from './random';

/** A distribution over the vocabulary in float64: dense, or sparse over the tokens that have mass. */
export interface Distribution {
  readonly vocabulary: number;
  /** Ids in ascending order that `probabilities` belong to; null when dense. */
  readonly tokens: Int32Array | null;
  /** Sum to 1; [vocabulary] when dense. */
  readonly probabilities: Float64Array;
}

declare const drawn: unique symbol;

/** A token with the distribution that it was sampled from. Only this file makes one. */
export interface Draw {
  readonly token: number;
  readonly distribution: Distribution;
  readonly [drawn]: true;
}

/** Samples a token, and keeps the distribution that it came from beside it. */
export function sample(distribution: Distribution, random: Random, at: Address): Draw {
  const token = isOneHot(distribution) ? onlyToken(distribution) : random.categorical(distribution, at);
  return { token, distribution } as Draw;
}

/**
 * Samples by a race: each token runs for a time E / probability, E exponential and fixed by the place and the token; the first
 * one wins (the Gumbel-max rule in other words). Two distributions at one place mostly agree on the winner.
 */
export function race(distribution: Distribution, random: Random, at: Place): Draw {
  return raceOf(distribution, 1, random, at)[0];
}

/** The first `count` tokens of a race, winner first; fewer when fewer have mass. */
export function raceOf(distribution: Distribution, count: number, random: Random, at: Place): Draw[] {
  const { probabilities, tokens } = distribution;
  const first: { token: number; time: number }[] = [];
  for (let i = 0; i < probabilities.length; i++) {
    if (probabilities[i] <= 0) continue;
    const token = tokens ? tokens[i] : i;
    const time = random.exponential(token, at) / probabilities[i];
    if (first.length === count && time >= first[count - 1].time) continue;
    let place = first.length;
    while (place > 0 && first[place - 1].time > time) place--;
    first.splice(place, 0, { token, time });
    if (first.length > count) first.pop();
  }
  return first.map(({ token }) => ({ token, distribution }) as Draw);
}

/** The `count` most probable tokens as certain proposals, ties by lowest id. */
export function mostProbable(distribution: Distribution, count: number): Draw[] {
  const { vocabulary, tokens, probabilities } = distribution;
  const first: number[] = []; // indices
  for (let i = 0; i < probabilities.length; i++) {
    if (probabilities[i] <= 0) continue;
    if (first.length === count && probabilities[i] <= probabilities[first[count - 1]]) continue;
    let place = first.length;
    while (place > 0 && probabilities[first[place - 1]] < probabilities[i]) place--;
    first.splice(place, 0, i);
    if (first.length > count) first.pop();
  }
  return first.map((i) => {
    const token = tokens ? tokens[i] : i;
    return { token, distribution: oneHot(vocabulary, token) } as Draw;
  });
}

export function oneHot(vocabulary: number, token: number): Distribution {
  return { vocabulary, tokens: Int32Array.of(token), probabilities: Float64Array.of(1) };
}

export function isOneHot({ tokens }: Distribution): boolean {
  return tokens?.length === 1;
}

function onlyToken({ tokens }: Distribution): number {
  return (tokens as Int32Array)[0];
}

/** Probability of one token. */
export function probabilityOf({ tokens, probabilities }: Distribution, token: number): number {
  if (!tokens) return probabilities[token];
  const at = indexOf(tokens, token);
  return at < 0 ? 0 : probabilities[at];
}

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

/** Σ min(a, b): the probability that token verification accepts, 1 − total variation. */
export function overlap(a: Distribution, b: Distribution): number {
  const [small, other] = a.probabilities.length <= b.probabilities.length ? [a, b] : [b, a];
  let sum = 0;
  for (let i = 0; i < small.probabilities.length; i++) {
    const token = small.tokens ? small.tokens[i] : i;
    sum += Math.min(small.probabilities[i], probabilityOf(other, token));
  }
  return sum;
}

/** Weights over the same tokens, normalised; null when they have no mass. */
export function normalised(like: Distribution, weights: Float64Array): Distribution | null {
  let total = 0;
  for (const weight of weights) total += weight;
  if (!(total > 0)) return null;
  return { ...like, probabilities: weights.map((weight) => weight / total) };
}
