import { quoted } from '../../common';
import { DecodingError } from '../errors';
import { type LogitsProcessor, type LogitsRules, listed } from '../processing';

/** What rules know besides the logits. */
export interface Context {
  /** Decoder ids before the row, start token first. */
  readonly ids: readonly number[];
  readonly eosTokens: readonly number[];
  /** Source ids, for rules that look at them. */
  readonly source?: readonly number[];
  /** The length limit, for `forcedEosToken`. */
  readonly maxNewTokens?: number;
  /** Whose logits they are, for messages. Default target. */
  readonly model?: 'target' | 'draft';
  /** Whether the ids are one of several hypotheses of a beam search. */
  readonly isBeam?: boolean;
}

/** One rule: whether the settings have it, and how it changes logits or log-probabilities in place, [vocabulary]. */
interface Rule {
  readonly isOn: (rules: LogitsRules) => boolean;
  readonly apply: (scores: Float64Array, context: Context, rules: LogitsRules) => void;
}

const NONE = Number.NEGATIVE_INFINITY;
const some = (list: readonly unknown[] | undefined) => list !== undefined && list.length > 0;

/** Every rule but the caller's own processors, in the order of Hugging Face's `generate` (transformers 5.23). */
const RULES: Readonly<Record<string, Rule>> = {
  sequenceBias: { isOn: ({ sequenceBias }) => some(sequenceBias), apply: addBiases },
  encoderRepetitionPenalty: {
    isOn: ({ encoderRepetitionPenalty = 1 }) => encoderRepetitionPenalty !== 1,
    apply: (scores, context, { encoderRepetitionPenalty = 1 }) =>
      penalise(scores, sourceOf(context, 'encoderRepetitionPenalty'), 1 / encoderRepetitionPenalty),
  },
  repetitionPenalty: {
    isOn: ({ repetitionPenalty = 1 }) => repetitionPenalty !== 1,
    apply: (scores, { ids }, { repetitionPenalty = 1 }) => penalise(scores, ids, repetitionPenalty),
  },
  noRepeatNgramSize: {
    isOn: ({ noRepeatNgramSize }) => noRepeatNgramSize !== undefined,
    apply: (scores, { ids }, { noRepeatNgramSize: size = 1 }) => forbid(scores, ngramEnds(ids, ids, size)),
  },
  encoderNoRepeatNgramSize: {
    isOn: ({ encoderNoRepeatNgramSize }) => encoderNoRepeatNgramSize !== undefined,
    apply: (scores, context, { encoderNoRepeatNgramSize: size = 1 }) =>
      forbid(scores, ngramEnds(sourceOf(context, 'encoderNoRepeatNgramSize'), context.ids, size)),
  },
  badWords: {
    isOn: ({ badWords }) => some(badWords),
    apply: (scores, context, rules) => forbid(scores, badWordEnds(context, rules)),
  },
  minNewTokens: {
    isOn: ({ minNewTokens = 0 }) => minNewTokens > 0,
    apply: (scores, context, rules) => forbid(scores, earlyEnds(context, rules)),
  },
  prefixAllowedTokens: { isOn: ({ prefixAllowedTokens }) => prefixAllowedTokens !== undefined, apply: allowOnly },
  forcedBosToken: {
    isOn: ({ forcedBosToken }) => forcedBosToken !== undefined,
    apply: (scores, { ids }, { forcedBosToken }) => {
      if (ids.length === 1) force(scores, listed(forcedBosToken));
    },
  },
  forcedEosToken: { isOn: ({ forcedEosToken }) => some(listed(forcedEosToken)), apply: forceEnd },
  exponentialDecayLengthPenalty: {
    isOn: ({ exponentialDecayLengthPenalty }) => exponentialDecayLengthPenalty !== undefined,
    apply: favourEnds,
  },
  suppressTokens: {
    isOn: ({ suppressTokens }) => some(suppressTokens),
    apply: (scores, _, { suppressTokens = [] }) => forbid(scores, suppressTokens),
  },
  beginSuppressTokens: {
    isOn: ({ beginSuppressTokens }) => some(beginSuppressTokens),
    apply: (scores, { ids }, rules) => {
      const { beginSuppressTokens = [], forcedBosToken, forcedPrefix = [] } = rules;
      const begin = 1 + (forcedBosToken === undefined ? forcedPrefix.length : 1);
      if (ids.length === begin) forbid(scores, beginSuppressTokens);
    },
  },
};

/** Rules that only forbid tokens or penalise those that are there; beam search applies these without a whole row of logits. */
const SPARSE: ReadonlySet<string> = new Set([
  'repetitionPenalty',
  'noRepeatNgramSize',
  'badWords',
  'minNewTokens',
  'suppressTokens',
]);

/** Whether any rule can change logits. */
export function hasRules(rules: LogitsRules): boolean {
  return some(rules.forcedPrefix) || some(rules.processors) || Object.values(RULES).some(({ isOn }) => isOn(rules));
}

/** Whether the rules need nothing but `forbidden` and the repetition penalty. */
export function areSparse(rules: LogitsRules): boolean {
  const { processors, renormalizeLogits = false } = rules;
  const isOther = ([name, { isOn }]: [string, Rule]) => isOn(rules) && !SPARSE.has(name);
  return !some(processors) && !renormalizeLogits && !Object.entries(RULES).some(isOther);
}

/** The token that `forcedPrefix` decides after these ids, if it does. */
export function forcedToken({ ids }: Context, { forcedPrefix }: LogitsRules): number | undefined {
  return forcedPrefix?.[ids.length - 1];
}

/**
 * Applies every rule but `forcedPrefix`, and then the caller's own processors, to a copy of a row.
 *
 * @param scores logits or log-probabilities, [vocabulary]; they are changed
 * @throws DecodingError `processor-invalid` when a function of the caller's returns something else than it should
 */
export function applyRules(scores: Float64Array, context: Context, rules: LogitsRules): Float64Array {
  for (const { isOn, apply } of Object.values(RULES)) if (isOn(rules)) apply(scores, context, rules);
  return ownProcessors(scores, context.ids, rules.processors ?? []);
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

function addBiases(scores: Float64Array, { ids }: Context, { sequenceBias = [] }: LogitsRules): void {
  const last = new Map(sequenceBias.map(([sequence, bias]) => [sequence.join(), { sequence, bias }]));
  for (const { sequence, bias } of last.values()) {
    if (endsWith(ids, sequence.slice(0, -1))) scores[sequence[sequence.length - 1]] += bias;
  }
}

/** Lowers the scores of tokens by a factor above 1, and raises them by one below 1. */
function penalise(scores: Float64Array, ids: readonly number[], penalty: number): void {
  for (const id of new Set(ids)) {
    if (id < scores.length) scores[id] = scores[id] > 0 ? scores[id] / penalty : scores[id] * penalty;
  }
}

/**
 * Only these tokens may come next. Where the rules before have forbidden all of them, each is as likely as the others; in a beam
 * search such a hypothesis ends, because others may go on.
 */
function allowOnly(scores: Float64Array, { ids, isBeam = false }: Context, { prefixAllowedTokens }: LogitsRules): void {
  const allowed = new Set(prefixAllowedTokens?.([...ids]));
  const wrong = [...allowed].find((id) => !Number.isInteger(id) || id < 0 || id >= scores.length);
  if (wrong !== undefined) {
    const expected = `ids from 0 to ${scores.length - 1} at position ${ids.length}`;
    throw new DecodingError('processor-invalid', `prefixAllowedTokens: expected ${expected}, found ${quoted(wrong)}`);
  }
  const isOpen = [...allowed].some((id) => scores[id] > NONE);
  for (let id = 0; id < scores.length; id++) if (!allowed.has(id)) scores[id] = NONE;
  if (!isOpen && !isBeam) for (const id of allowed) scores[id] = 0;
}

function force(scores: Float64Array, ids: readonly number[]): void {
  scores.fill(NONE);
  for (const id of ids) scores[id] = 0;
}

function forceEnd(scores: Float64Array, { ids, maxNewTokens }: Context, { forcedEosToken }: LogitsRules): void {
  if (ids.length === maxNewTokens) force(scores, listed(forcedEosToken));
}

/** Adds |score| · (factor ^ tokens since − 1) to every EOS, from the first token after `start` on. */
function favourEnds(scores: Float64Array, { ids, eosTokens }: Context, rules: LogitsRules): void {
  const [start, factor] = rules.exponentialDecayLengthPenalty ?? [0, 1];
  const since = ids.length - 1 - start;
  if (since <= 0) return;
  for (const eos of eosTokens) {
    if (scores[eos] > NONE) scores[eos] += Math.abs(scores[eos]) * (factor ** since - 1);
  }
}

function forbid(scores: Float64Array, tokens: Iterable<number>): void {
  for (const token of tokens) if (token < scores.length) scores[token] = NONE;
}

/** Tokens that the sparse rules forbid. */
export function forbidden(context: Context, rules: LogitsRules): Set<number> {
  const { ids } = context;
  const { noRepeatNgramSize: size, suppressTokens = [] } = rules;
  const repeated = size === undefined ? [] : ngramEnds(ids, ids, size);
  return new Set([...suppressTokens, ...earlyEnds(context, rules), ...badWordEnds(context, rules), ...repeated]);
}

function earlyEnds({ ids, eosTokens }: Context, { minNewTokens = 0 }: LogitsRules): readonly number[] {
  return ids.length - 1 < minNewTokens ? eosTokens : [];
}

function badWordEnds({ ids, eosTokens }: Context, { badWords = [] }: LogitsRules): number[] {
  const words = badWords.filter((word) => !(word.length === 1 && eosTokens.includes(word[0])));
  return words.filter((word) => endsWith(ids, word.slice(0, -1))).map((word) => word[word.length - 1]);
}

/** Last tokens of the n-grams of `list` whose other tokens are the end of `ids`. */
function ngramEnds(list: readonly number[], ids: readonly number[], size: number): number[] {
  const ends: number[] = [];
  if (ids.length + 1 < size) return ends;
  const tail = ids.slice(ids.length - size + 1);
  for (let i = 0; i + size <= list.length; i++) {
    if (tail.every((id, j) => list[i + j] === id)) ends.push(list[i + size - 1]);
  }
  return ends;
}

function endsWith(ids: readonly number[], tail: readonly number[]): boolean {
  return tail.length <= ids.length && tail.every((id, i) => ids[ids.length - tail.length + i] === id);
}

function sourceOf({ source }: Context, rule: string): readonly number[] {
  if (source) return source;
  throw new DecodingError('option-invalid', `${rule}: expected source ids in the context, found none`);
}
