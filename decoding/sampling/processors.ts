import { quoted } from '../../common';
import type { LogitsView } from '../../engine';
import { DecodingError } from '../errors';
import { Failure } from '../failure';
import type { LogitsProcessor, Processing } from '../settings';
import { type Distribution, noToken, oneHot } from './distribution';

/** What processors know besides the logits. */
export interface Context {
  /** Decoder ids before the row, start token first. */
  readonly ids: readonly number[];
  readonly eosTokens: readonly number[];
}

/** Whether the arg-max alone decides. Then the logits can stay on the backend. */
export function isPlainGreedy(processing: Processing): boolean {
  const { temperature = 0, repetitionPenalty = 1, noRepeatNgramSize, minNewTokens = 0 } = processing;
  const { badWords = [], suppressTokens = [], forcedPrefix = [], processors = [] } = processing;
  const lists = [badWords, suppressTokens, forcedPrefix, processors];
  const edits = lists.reduce((sum, list) => sum + list.length, minNewTokens + (noRepeatNgramSize ?? 0));
  return temperature === 0 && repetitionPenalty === 1 && edits === 0;
}

/** A row of a logits view, the ids before it, and how its logits become a distribution. */
export interface RowRequest {
  readonly row: number;
  readonly context: Context;
  readonly processing: Processing;
}

/**
 * The distributions of rows, for each of several groups of requests. A row's distribution is empty where the processors leave no
 * token. A group in which a processor throws fails alone: its `Failure` stands in the place of its distributions.
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
      if (greedy && isGreedy(request)) rows.push(oneHot(view.vocabulary, greedy[row]));
      else {
        const logits = await view.read(row);
        try {
          rows.push(distributionOf(logits, context, processing));
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

/**
 * The distribution that a token is drawn from, in float64. The order is that of Hugging Face's `generate`: repetition penalty,
 * n-grams, bad words, minimum length, suppressed tokens, forced prefix, own processors; then temperature, top-k, top-p, min-p.
 *
 * @returns the empty distribution when all tokens are forbidden
 * @throws DecodingError `processor-invalid` when an own processor returns something else than logits
 */
export function distributionOf(logits: ArrayLike<number>, context: Context, processing: Processing): Distribution {
  const vocabulary = logits.length;
  const forced = processing.forcedPrefix?.[context.ids.length - 1];
  if (forced !== undefined) return oneHot(vocabulary, forced);
  const edited = Float64Array.from(logits); // [vocabulary]
  penalise(edited, context.ids, processing.repetitionPenalty ?? 1);
  for (const token of forbidden(context, processing)) edited[token] = Number.NEGATIVE_INFINITY;
  const scores = ownProcessors(edited, context.ids, processing.processors ?? []);
  const best = argMax(scores);
  if (scores[best] === Number.NEGATIVE_INFINITY) return noToken(vocabulary);
  const temperature = processing.temperature ?? 0;
  if (temperature === 0) return oneHot(vocabulary, best);
  return truncated(softmax(scores, scores[best], temperature), processing);
}

/** Runs the caller's processors one after another, each on the result of the one before. */
function ownProcessors(
  scores: Float64Array,
  ids: readonly number[],
  processors: readonly LogitsProcessor[],
): Float64Array {
  let current = scores;
  for (const [i, processor] of processors.entries()) {
    current = processor([...ids], current) ?? current;
    const isRow = (ArrayBuffer.isView(current) || Array.isArray(current)) && current.length === scores.length;
    const wrong = isRow ? current.find((logit) => !(logit < Number.POSITIVE_INFINITY)) : undefined;
    if (isRow && wrong === undefined) continue;
    const found = isRow ? `the logit ${wrong}` : `${quoted(current)} of length ${current?.length}`;
    throw new DecodingError(
      'processor-invalid',
      `processors[${i}]: expected ${scores.length} logits below infinity at position ${ids.length}, found ${found}`,
    );
  }
  return current;
}

/** Lowers the logits of tokens that are already there. */
function penalise(scores: Float64Array, ids: readonly number[], penalty: number): void {
  if (penalty === 1) return;
  for (const id of new Set(ids)) scores[id] = scores[id] > 0 ? scores[id] / penalty : scores[id] * penalty;
}

/** Tokens that may not come next. */
export function forbidden({ ids, eosTokens }: Context, processing: Processing): Set<number> {
  const { noRepeatNgramSize: size, minNewTokens = 0, badWords = [], suppressTokens = [] } = processing;
  const tokens = new Set(suppressTokens);
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

/** Keeps the most probable tokens that every rule allows and normalises again; of equal tokens the lower id comes first. */
function truncated(probabilities: Float64Array, rules: Processing): Distribution {
  const { topK, topP, minP } = rules;
  const vocabulary = probabilities.length;
  if (topK === undefined && topP === undefined && !minP) return { vocabulary, tokens: null, probabilities };
  const order = largeEnough(probabilities, rules).sort((a, b) => probabilities[b] - probabilities[a] || a - b);
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
 * Every token that the rules could keep, and few others: all tokens above a threshold, which is lowered until they suffice.
 * Truncation is cheap because only these are sorted, not the vocabulary.
 */
function largeEnough(probabilities: Float64Array, { topK, topP, minP = 0 }: Processing): number[] {
  const largest = probabilities.reduce((best, value) => Math.max(best, value), 0);
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
