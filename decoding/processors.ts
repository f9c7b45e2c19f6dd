import type { LogitsView } from '../engine';
import { type Distribution, oneHot } from './distribution';
import { DecodingError } from './errors';
import type { Processing } from './settings';

/** What processors may know besides the logits. */
export interface Context {
  /** Decoder ids before the row, start token first. */
  readonly ids: readonly number[];
  readonly eosTokens: readonly number[];
}

/** Whether the arg-max alone decides, so that the vocabulary need not leave the backend. */
export function isPlainGreedy(processing: Processing): boolean {
  const { temperature = 0, repetitionPenalty = 1, noRepeatNgramSize, minNewTokens = 0 } = processing;
  const { badWords = [], suppress = [], forcedPrefix = [] } = processing;
  const edits = minNewTokens + badWords.length + suppress.length + forcedPrefix.length + (noRepeatNgramSize ?? 0);
  return temperature === 0 && repetitionPenalty === 1 && edits === 0;
}

/** A row of a view, what came before it, and what its logits go through. */
export interface RowRequest {
  readonly row: number;
  readonly context: Context;
  readonly processing: Processing;
}

/** One distribution a request. Where processors leave no token to choose, reading it throws `no-token-left`: it may never be reached. */
export async function rowDistributions(view: LogitsView, requests: readonly RowRequest[]): Promise<Distribution[]> {
  const greedy = requests.some(({ processing }) => isPlainGreedy(processing)) ? await view.argMax() : null;
  const rows: Distribution[] = [];
  for (const { row, context, processing } of requests) {
    if (greedy && isPlainGreedy(processing)) rows.push(oneHot(view.vocabulary, greedy[row]));
    else rows.push(readable(await view.read(row), context, processing));
  }
  return rows;
}

function readable(logits: ArrayLike<number>, context: Context, processing: Processing): Distribution {
  try {
    return distributionOf(logits, context, processing);
  } catch (error) {
    if (!(error instanceof DecodingError && error.code === 'no-token-left')) throw error;
    const refuse = (): never => {
      throw error;
    };
    return Object.defineProperties({ vocabulary: logits.length } as Distribution, {
      tokens: { get: refuse },
      probabilities: { get: refuse },
    });
  }
}

/**
 * The distribution that a token is sampled from, in float64. Order as in Hugging Face's generate: repetition penalty,
 * n-grams, bad words, minimum length, suppressed tokens, forced prefix; then temperature, top-k, top-p, min-p.
 */
export function distributionOf(logits: ArrayLike<number>, context: Context, processing: Processing): Distribution {
  const vocabulary = logits.length;
  const forced = processing.forcedPrefix?.[context.ids.length - 1];
  if (forced !== undefined) return oneHot(vocabulary, forced);
  const scores = Float64Array.from(logits); // [vocabulary]
  penalise(scores, context.ids, processing.repetitionPenalty ?? 1);
  for (const token of forbidden(context, processing)) scores[token] = Number.NEGATIVE_INFINITY;
  const best = argMax(scores);
  if (scores[best] === Number.NEGATIVE_INFINITY) {
    throw new DecodingError(
      'no-token-left',
      `position ${context.ids.length}: expected a token to choose, found all forbidden`,
    );
  }
  const temperature = processing.temperature ?? 0;
  if (temperature === 0) return oneHot(vocabulary, best);
  return truncated(softmax(scores, scores[best], temperature), processing);
}

/** A token's logit counts less when the token is already there. */
function penalise(scores: Float64Array, ids: readonly number[], penalty: number): void {
  if (penalty === 1) return;
  for (const id of new Set(ids)) scores[id] = scores[id] > 0 ? scores[id] / penalty : scores[id] * penalty;
}

/** Tokens that may not come next. */
export function forbidden({ ids, eosTokens }: Context, processing: Processing): Set<number> {
  const { noRepeatNgramSize: size, minNewTokens = 0, badWords = [], suppress = [] } = processing;
  const tokens = new Set(suppress);
  if (ids.length - 1 < minNewTokens) for (const eos of eosTokens) tokens.add(eos);
  for (const word of badWords) if (endsWith(ids, word.slice(0, -1))) tokens.add(word[word.length - 1]);
  if (size !== undefined && ids.length >= size) {
    const tail = ids.slice(ids.length - size + 1);
    for (let i = 0; i + size <= ids.length; i++) {
      if (tail.every((id, j) => ids[i + j] === id)) tokens.add(ids[i + size - 1]);
    }
  }
  return tokens;
}

function endsWith(ids: readonly number[], tail: readonly number[]): boolean {
  return tail.length <= ids.length && tail.every((id, i) => ids[ids.length - tail.length + i] === id);
}

function argMax(scores: Float64Array): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i] > scores[best]) best = i;
  return best;
}

function softmax(scores: Float64Array, largest: number, temperature: number): Float64Array {
  const weights = new Float64Array(scores.length);
  let total = 0;
  for (let i = 0; i < scores.length; i++) {
    weights[i] = Math.exp((scores[i] - largest) / temperature);
    total += weights[i];
  }
  for (let i = 0; i < weights.length; i++) weights[i] /= total;
  return weights;
}

/** Keeps the most probable tokens that every rule allows, and normalises again; ties by lowest id. */
function truncated(probabilities: Float64Array, rules: Processing): Distribution {
  const { topK, topP, minP } = rules;
  const vocabulary = probabilities.length;
  if (topK === undefined && topP === undefined && !minP) return { vocabulary, tokens: null, probabilities };
  const order = candidates(probabilities, rules).sort((a, b) => probabilities[b] - probabilities[a] || a - b);
  let keep = Math.min(topK ?? order.length, order.length);
  if (topP !== undefined) {
    const whole = topK === undefined ? 1 : massOf(order, probabilities, keep);
    keep = prefixWithMass(order, probabilities, keep, topP * whole);
  }
  if (minP) {
    const least = minP * probabilities[order[0]];
    while (keep > 1 && probabilities[order[keep - 1]] < least) keep--;
  }
  const tokens = Int32Array.from(order.slice(0, keep)).sort();
  const kept = Float64Array.from(tokens, (token) => probabilities[token]);
  const total = kept.reduce((sum, value) => sum + value, 0);
  return { vocabulary, tokens, probabilities: kept.map((value) => value / total) };
}

/**
 * Every token that the rules could keep, and few others: all above a threshold that is lowered until they suffice. Sorting
 * these, in place of the vocabulary, is what makes truncation cheap.
 */
function candidates(probabilities: Float64Array, { topK, topP, minP = 0 }: Processing): number[] {
  const largest = probabilities.reduce((best, value) => Math.max(best, value), 0);
  for (let exponent = -3; ; exponent *= 3) {
    const threshold = largest * 2 ** exponent; // 0 after seven turns
    const found: number[] = [];
    let mass = 0;
    for (let token = 0; token < probabilities.length; token++) {
      if (probabilities[token] < threshold || probabilities[token] === 0) continue;
      found.push(token);
      mass += probabilities[token];
    }
    const byMass = (topP !== undefined && mass >= topP) || threshold <= minP * largest;
    if (threshold === 0 || (topK !== undefined ? found.length >= topK : byMass)) return found;
  }
}

function massOf(order: readonly number[], probabilities: Float64Array, count: number): number {
  let mass = 0;
  for (let i = 0; i < count; i++) mass += probabilities[order[i]];
  return mass;
}

/** Length of the shortest prefix of `order`, at most `keep` long, that holds `mass`. */
function prefixWithMass(order: readonly number[], probabilities: Float64Array, keep: number, mass: number): number {
  let sum = 0;
  for (let i = 0; i < keep; i++) {
    sum += probabilities[order[i]];
    if (sum >= mass) return i + 1;
  }
  return keep;
}
