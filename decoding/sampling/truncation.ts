import type { Processing } from '../processing';
import { TRUNCATIONS } from '../processing';
import type { Distribution } from './distribution';

/** Tokens with their probabilities; `order` names those that are kept, most probable first where a rule needs it. */
interface Kept {
  readonly order: readonly number[];
  readonly probabilities: Float64Array;
}

/** The most probable tokens that `topH` looks at. */
const TOP_H_TOKENS = 100;

/** Rules that change nothing: a mass of 1, a cutoff of 0. */
const NO_EFFECT: Readonly<Partial<Record<(typeof TRUNCATIONS)[number], number>>> = {
  topP: 1,
  minP: 0,
  typicalP: 1,
  epsilonCutoff: 0,
  etaCutoff: 0,
};

/** The rules that are given with an effect. */
function rulesOf(given: Processing): (typeof TRUNCATIONS)[number][] {
  return TRUNCATIONS.filter((name) => given[name] !== undefined && given[name] !== NO_EFFECT[name]);
}

/** Whether a rule may leave tokens out. */
export function truncates(given: Processing): boolean {
  return rulesOf(given).length > 0;
}

/**
 * Keeps the tokens that every rule allows and normalises again; of equal tokens the lower id comes first. The order is that of
 * Hugging Face's `generate`: top-h, top-k, top-p, min-p, typical, epsilon, eta, and each rule sees what those before it have
 * kept, with a sum of 1.
 *
 * @param probabilities of all tokens, [vocabulary], with sum 1
 */
export function truncated(probabilities: Float64Array, given: Processing): Distribution {
  const rules: Processing = Object.fromEntries(rulesOf(given).map((name) => [name, given[name]]));
  const vocabulary = probabilities.length;
  if (Object.keys(rules).length === 0) return { vocabulary, tokens: null, probabilities };
  let order = mostProbable(probabilities, rules);
  const { typicalP, epsilonCutoff, etaCutoff } = rules;
  if (typicalP !== undefined) order = typical({ order, probabilities }, typicalP);
  if (epsilonCutoff !== undefined) order = atLeast({ order, probabilities }, epsilonCutoff);
  if (etaCutoff !== undefined) order = atLeast({ order, probabilities }, eta({ order, probabilities }, etaCutoff));
  const tokens = Int32Array.from(order).sort();
  const kept = Float64Array.from(tokens, (token) => probabilities[token]);
  const total = kept.reduce((sum, value) => sum + value, 0);
  return { vocabulary, tokens, probabilities: kept.map((value) => value / total) };
}

/** What top-h, top-k, top-p and min-p keep, most probable first; in any order where there is none of these rules. */
function mostProbable(probabilities: Float64Array, rules: Processing): readonly number[] {
  const { topH, topK, topP, minP } = rules;
  const found = largeEnough(probabilities, rules);
  if (topH === undefined && topK === undefined && topP === undefined && minP === undefined) return found;
  const order = found.sort((a, b) => probabilities[b] - probabilities[a] || a - b);
  let keep = topH === undefined ? order.length : countWithEntropy({ order, probabilities }, topH);
  const isCut = topH !== undefined || topK !== undefined;
  keep = Math.min(topK ?? keep, keep);
  if (topP !== undefined) {
    const whole = isCut ? massOf(order, probabilities, keep) : 1;
    keep = prefixWithMass({ order, probabilities }, keep, topP * whole);
  }
  if (minP !== undefined) {
    const least = minP * probabilities[order[0]];
    while (keep > 1 && probabilities[order[keep - 1]] < least) keep--;
  }
  return order.slice(0, keep);
}

/**
 * Every token that the rules could keep, and few others: all tokens above a threshold, which is lowered until they suffice.
 * Truncation is cheap because only these are sorted, not the vocabulary.
 */
function largeEnough(probabilities: Float64Array, { topH, topK, topP, minP = 0 }: Processing): number[] {
  let largest = 0;
  for (let token = 0; token < probabilities.length; token++) largest = Math.max(largest, probabilities[token]);
  const count = topH !== undefined ? TOP_H_TOKENS : topK;
  for (let exponent = -3; ; exponent *= 3) {
    const threshold = largest * 2 ** exponent; // becomes 0 in the seventh pass
    const found: number[] = [];
    let mass = 0;
    for (let token = 0; token < probabilities.length; token++) {
      if (probabilities[token] < threshold || probabilities[token] === 0) continue;
      found.push(token);
      mass += probabilities[token];
    }
    const byMass = (topP !== undefined && mass >= topP) || threshold <= minP * largest;
    if (threshold === 0 || (count !== undefined ? found.length >= count : byMass)) return found;
  }
}

function massOf(order: readonly number[], probabilities: Float64Array, count = order.length): number {
  let mass = 0;
  for (let i = 0; i < count; i++) mass += probabilities[order[i]];
  return mass;
}

/** Length of the shortest prefix of `order`, at most `keep` long, that holds `mass`. */
function prefixWithMass({ order, probabilities }: Kept, keep: number, mass: number): number {
  let sum = 0;
  for (let i = 0; i < keep; i++) {
    sum += probabilities[order[i]];
    if (sum >= mass) return i + 1;
  }
  return keep;
}

/** −p · log p of each kept token. */
function entropyTerms({ order, probabilities }: Kept): number[] {
  const total = massOf(order, probabilities);
  return order.map((token) => {
    const share = probabilities[token] / total;
    return -share * Math.log(share);
  });
}

function entropyOf(kept: Kept): number {
  return entropyTerms(kept).reduce((sum, term) => sum + term, 0);
}

/** Length of the longest prefix of the most probable tokens whose part of their entropy is at most `share`; at least 1. */
function countWithEntropy({ order, probabilities }: Kept, share: number): number {
  const terms = entropyTerms({ order: order.slice(0, TOP_H_TOKENS), probabilities });
  const limit = share * terms.reduce((sum, term) => sum + term, 0);
  let sum = 0;
  const count = terms.findIndex((term) => {
    sum += term;
    return !(sum <= limit);
  });
  return count < 0 ? terms.length : Math.max(1, count);
}

/** The tokens whose surprise −log p is nearest to the entropy, up to the mass; of those equally near, all. */
function typical(kept: Kept, mass: number): readonly number[] {
  const { order, probabilities } = kept;
  const total = massOf(order, probabilities);
  const entropy = entropyOf(kept);
  const shares = order.map((token) => probabilities[token] / total);
  const distances = shares.map((share) => Math.abs(-Math.log(share) - entropy));
  const nearest = [...order.keys()].sort((a, b) => distances[a] - distances[b] || order[a] - order[b]);
  let sum = 0;
  const last = nearest.find((i) => {
    sum += shares[i];
    return sum >= mass;
  });
  const limit = distances[last ?? nearest[nearest.length - 1]];
  return order.filter((_, i) => distances[i] <= limit);
}

/** The tokens of at least this probability, and always the most probable ones. */
function atLeast({ order, probabilities }: Kept, least: number): readonly number[] {
  const total = massOf(order, probabilities);
  const largest = order.reduce((best, token) => Math.max(best, probabilities[token]), 0);
  return order.filter((token) => probabilities[token] / total >= least || probabilities[token] === largest);
}

/** The cutoff of eta sampling: min(η, √η · exp(−entropy)). */
function eta(kept: Kept, cutoff: number): number {
  return Math.min(cutoff, Math.sqrt(cutoff) * Math.exp(-entropyOf(kept)));
}
