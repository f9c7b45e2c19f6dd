import { anyOf, callable, flagged, listOf, number, type OptionEntry, type OptionTable, whole } from '../common';
import { badSetting } from './checks';

/**
 * A function of the decoder ids so far (start token first) and the logits of the next position, [vocabulary], which are a copy.
 * It changes the logits in place and returns nothing, or returns new ones. It runs for target and draft alike, so decoding
 * stays exact: what comes out has the distribution that the target has after this function. It must depend on its arguments
 * alone. In a beam search it gets log-probabilities, as in Hugging Face's.
 */
export type LogitsProcessor =
  | ((ids: readonly number[], logits: Float64Array) => Float64Array)
  | ((ids: readonly number[], logits: Float64Array) => void);

/**
 * The tokens that may follow decoder ids (start token first). It must depend on its argument alone. No token at all ends
 * decoding with `no-token-left`, should it come there.
 */
export type PrefixAllowedTokens = (ids: readonly number[]) => Iterable<number>;

/** A token sequence and what is added to the logit of its last token where the others came before. */
export type SequenceBias = readonly [ids: readonly number[], bias: number];

/** Changes of logits. They apply to greedy decoding, to sampling and to beam search, in the order of this list. */
export interface LogitsRules {
  /** The first ids, whatever the model says. No other rule runs where it decides. */
  readonly forcedPrefix?: readonly number[];
  /** Adds a bias to the last token of sequences of ids. Of two biases of one sequence the last one counts. */
  readonly sequenceBias?: readonly SequenceBias[];
  /** Makes tokens of the source more likely (above 1) or less (below 1); above 0. */
  readonly encoderRepetitionPenalty?: number;
  /** Divide positive and multiply negative logits of tokens that are already there (Keskar et al. 2019); above 0. */
  readonly repetitionPenalty?: number;
  /** No n-gram of this size comes twice. */
  readonly noRepeatNgramSize?: number;
  /** No n-gram of this size that the source has; its closing EOS counts. */
  readonly encoderNoRepeatNgramSize?: number;
  /** Sequences of ids that are never completed. One that is exactly an EOS is dropped, as in Hugging Face's `generate`. */
  readonly badWords?: readonly (readonly number[])[];
  /** No end of sequence before this many new tokens. */
  readonly minNewTokens?: number;
  /** Says which tokens may come next: constrained decoding. Where the other rules forbid all of them, they are equally likely. */
  readonly prefixAllowedTokens?: PrefixAllowedTokens;
  /** The first new token. */
  readonly forcedBosToken?: number;
  /** The token at the length limit; of several, one. */
  readonly forcedEosToken?: number | readonly number[];
  /** A pair, start and factor: after `start` new tokens an EOS gains |logit| · (factor ^ tokens since − 1). */
  readonly exponentialDecayLengthPenalty?: readonly [start: number, factor: number];
  /** Ids that never come out. */
  readonly suppressTokens?: readonly number[];
  /** Ids that do not come out first, after `forcedBosToken` or `forcedPrefix` where there is one. */
  readonly beginSuppressTokens?: readonly number[];
  /** Own processors; they run after all others and before temperature. They do not run where `forcedPrefix` decides. */
  readonly processors?: readonly LogitsProcessor[];
  /** Beam search: probabilities sum to 1 again after the rules. What is sampled from always does. Default false. */
  readonly renormalizeLogits?: boolean;
}

/** How logits become a distribution. Both models get the same, at every verified row. */
export interface Processing extends LogitsRules {
  /** 0 is greedy: the one-hot distribution of the arg-max. Default 0. */
  readonly temperature?: number;
  /** Of the 100 most probable tokens, keep those that hold this share of their entropy, in (0, 1] (Potraghloo et al. 2025). */
  readonly topH?: number;
  /** Keep the k most probable tokens; of equal ones, those with the lowest ids. */
  readonly topK?: number;
  /** Keep the most probable tokens up to this mass, in (0, 1]. 1 keeps all. */
  readonly topP?: number;
  /** Keep tokens with at least this share of the most probable one's probability, in [0, 1]. */
  readonly minP?: number;
  /** Keep tokens whose surprise is nearest to the entropy, up to this mass, in (0, 1] (Meister et al. 2023). 1 keeps all. */
  readonly typicalP?: number;
  /** Keep tokens of at least this probability, in [0, 1) (Hewitt et al. 2022). 0 keeps all. */
  readonly epsilonCutoff?: number;
  /** As `epsilonCutoff` with the smaller of η and √η · exp(−entropy), in [0, 1). 0 keeps all. */
  readonly etaCutoff?: number;
}

const idList = listOf(whole(0), 'a list of token ids');
const someIds = listOf(whole(0), 'a list of token ids that is not empty', 1);

const PROCESSOR_TABLE = {
  forcedPrefix: { ...idList, about: 'token ids that come out first, as 1,7', flag: '--forced-prefix <ids>' },
  sequenceBias: {
    ...biasRule(),
    about: 'add to the logit of the last id of a sequence, as 1,7:-2.5;9:3',
    flag: '--sequence-bias <list>',
  },
  encoderRepetitionPenalty: {
    ...number({ above: 0 }),
    about: 'make tokens of the source more likely above 1, less likely below (default: 1)',
    flag: '--encoder-repetition-penalty <r>',
  },
  repetitionPenalty: {
    ...number({ above: 0 }),
    about: 'make tokens that are already there less likely (default: 1)',
    flag: '--repetition-penalty <r>',
  },
  noRepeatNgramSize: {
    ...whole(1),
    about: 'no n-gram of this size comes twice',
    flag: '--no-repeat-ngram-size <n>',
  },
  encoderNoRepeatNgramSize: {
    ...whole(1),
    about: 'no n-gram of this size that the source has',
    flag: '--encoder-no-repeat-ngram-size <n>',
  },
  badWords: {
    ...badWordsRule(),
    about: 'sequences of token ids that are never completed, as 1,7;9',
    flag: '--bad-words <ids>',
  },
  minNewTokens: { ...whole(0), about: 'no end of sequence before this many tokens', flag: '--min-new-tokens <n>' },
  prefixAllowedTokens: { ...callable, about: 'function of the ids so far that gives the ids which may come next' },
  forcedBosToken: { ...whole(0), about: 'token id that comes out first', flag: '--forced-bos-token <id>' },
  forcedEosToken: {
    ...anyOf(whole(0), someIds),
    about: 'token id that comes out at the length limit, or several to choose one of, as 1,7',
    flag: '--forced-eos-token <ids>',
  },
  exponentialDecayLengthPenalty: {
    ...decayRule(),
    about: 'make an end more likely with each token after a number of them, as 20,1.05',
    flag: '--exponential-decay-length-penalty <start,factor>',
  },
  suppressTokens: { ...idList, about: 'token ids that never come out, as 1,7', flag: '--suppress-tokens <ids>' },
  beginSuppressTokens: {
    ...idList,
    about: 'token ids that do not come out first, as 1,7',
    flag: '--begin-suppress-tokens <ids>',
  },
  processors: {
    ...listOf(callable, 'a list of functions (ids, logits) => logits'),
    parse: undefined,
    about: 'own functions of ids and logits, applied to target and draft alike',
  },
  renormalizeLogits: {
    ...flagged,
    about: 'beam search: probabilities sum to 1 again after the rules',
    flag: '--renormalize-logits',
  },
} satisfies Record<keyof LogitsRules, OptionEntry>;

/** Rules that do not sample; beams go through them too. */
export const PROCESSORS: OptionTable<keyof LogitsRules> = PROCESSOR_TABLE;

/** Temperature and truncation. */
export const SAMPLING: OptionTable<Exclude<keyof Processing, keyof LogitsRules>> = {
  temperature: { ...number({ least: 0 }), about: '0 is greedy (default: 0)', flag: '-t, --temperature <t>' },
  topH: {
    ...number({ above: 0, most: 1 }),
    about: 'sample from the most probable tokens that hold this share of the entropy',
    flag: '--top-h <h>',
  },
  topK: { ...whole(1), about: 'sample from the k most probable tokens', flag: '--top-k <k>' },
  topP: {
    ...number({ above: 0, most: 1 }),
    about: 'sample from the most probable tokens up to this mass',
    flag: '--top-p <p>',
  },
  minP: {
    ...number({ least: 0, most: 1 }),
    about: 'sample from tokens with at least this share of the best one’s probability',
    flag: '--min-p <p>',
  },
  typicalP: {
    ...number({ above: 0, most: 1 }),
    about: 'sample from the tokens whose surprise is nearest to the entropy, up to this mass',
    flag: '--typical-p <p>',
  },
  epsilonCutoff: {
    ...number({ least: 0, below: 1 }),
    about: 'sample from tokens of at least this probability',
    flag: '--epsilon-cutoff <p>',
  },
  etaCutoff: {
    ...number({ least: 0, below: 1 }),
    about: 'sample from tokens of at least a probability that falls with the entropy',
    flag: '--eta-cutoff <p>',
  },
};

/** Rules that mean something only where tokens are sampled. */
export const TRUNCATIONS = ['topH', 'topK', 'topP', 'minP', 'typicalP', 'epsilonCutoff', 'etaCutoff'] as const;

function badWordsRule(): Omit<OptionEntry, 'about'> {
  const word = listOf(whole(0), 'token ids', 1);
  return {
    expected: 'a list of lists of token ids, none empty',
    holds: (value) => Array.isArray(value) && [...value].every(word.holds),
    parse: (given) => {
      const words = given.split(';').map((part) => word.parse?.(part) ?? null);
      return words.includes(null) ? null : words;
    },
  };
}

function biasRule(): Omit<OptionEntry, 'about'> {
  const bias = number();
  const isPair = (value: unknown) =>
    Array.isArray(value) && value.length === 2 && someIds.holds(value[0]) && bias.holds(value[1]);
  return {
    expected: 'a list of pairs [token ids, bias], with ids that are not empty and a finite bias',
    holds: (value) => Array.isArray(value) && [...value].every(isPair),
    parse: (given) => {
      const pairs = given.split(';').map((part) => {
        const [ids, value, ...more] = part.split(':');
        return more.length > 0 ? [] : [someIds.parse?.(ids) ?? null, bias.parse?.(value ?? '') ?? null];
      });
      return pairs.every(isPair) ? pairs : null;
    },
  };
}

function decayRule(): Omit<OptionEntry, 'about'> {
  const start = whole(0);
  const factor = number({ above: 0 });
  return {
    expected: 'a pair of a whole number from 0 up and a factor above 0',
    holds: (value) => Array.isArray(value) && value.length === 2 && start.holds(value[0]) && factor.holds(value[1]),
    parse: (given) => {
      const [first, second, ...more] = given.split(',');
      const pair = [start.parse?.(first) ?? null, factor.parse?.(second ?? '') ?? null];
      return pair.includes(null) || more.length > 0 ? null : pair;
    },
  };
}

/** Greedy decoding takes the arg-max: rules for sampling would have no effect, and nothing is ignored silently. */
export function checkSampling(settings: Processing): void {
  if ((settings.temperature ?? 0) > 0) return;
  for (const name of TRUNCATIONS) {
    if (settings[name] !== undefined) throw badSetting(name, 'none at temperature 0, which is greedy', settings[name]);
  }
}

/** The ids of an option that takes one or several. */
export function listed(ids: number | readonly number[] = []): readonly number[] {
  return typeof ids === 'number' ? [ids] : ids;
}

/** Refuses ids that the vocabulary does not have, and two rules for the first token. */
export function checkIds(rules: LogitsRules, vocabulary: number): void {
  const { suppressTokens, beginSuppressTokens, forcedPrefix, badWords, sequenceBias } = rules;
  const given = {
    suppressTokens,
    beginSuppressTokens,
    forcedPrefix,
    badWords: badWords?.flatMap((word) => [...word]),
    sequenceBias: sequenceBias?.flatMap(([ids]) => [...ids]),
    forcedBosToken: listed(rules.forcedBosToken),
    forcedEosToken: listed(rules.forcedEosToken),
  };
  for (const [name, ids] of Object.entries(given)) {
    const wrong = ids?.find((id) => id >= vocabulary);
    if (wrong !== undefined) throw badSetting(name, `ids from 0 to ${vocabulary - 1}`, wrong);
  }
  if (rules.forcedBosToken !== undefined && forcedPrefix !== undefined && forcedPrefix.length > 0) {
    throw badSetting('forcedBosToken', 'none beside forcedPrefix, which begins the text', rules.forcedBosToken);
  }
}
