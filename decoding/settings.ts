import {
  callable,
  checkOptions,
  invalid,
  listOf,
  number,
  type OptionEntry,
  type OptionTable,
  oneOf,
  TandemError,
  text,
  whole,
} from '../common';
import { DecodingError } from './errors';
import type { CostTable } from './gamma/adaptive';

/** What settings mean when they are left out. The only place where these numbers stand. */
export const DEFAULTS = {
  gamma: 4,
  /** The largest γ that adapts to costs. */
  adaptiveGamma: 16,
  maxNewTokens: 128,
  numBeams: 4,
  numReturnSequences: 1,
  concurrency: 8,
  seed: 0,
  sequence: 'main',
} as const;

/**
 * A function of the decoder ids so far (start token first) and the logits of the next position, [vocabulary], which are a copy.
 * It changes the logits in place and returns nothing, or returns new ones. It runs for target and draft alike, so decoding
 * stays exact: what comes out has the distribution that the target has after this function. It must depend on its arguments
 * alone.
 */
export type LogitsProcessor =
  | ((ids: readonly number[], logits: Float64Array) => Float64Array)
  | ((ids: readonly number[], logits: Float64Array) => void);

/** How logits become a distribution. Both models get the same, at every verified row. */
export interface Processing {
  /** 0 is greedy: the one-hot distribution of the arg-max. Default 0. */
  readonly temperature?: number;
  /** Keep the k most probable tokens; of equal ones, those with the lowest ids. */
  readonly topK?: number;
  /** Keep the most probable tokens up to this mass, in (0, 1]. */
  readonly topP?: number;
  /** Keep tokens with at least this share of the most probable one's probability, in [0, 1]. */
  readonly minP?: number;
  /** Divide positive and multiply negative logits of tokens that are already there (Keskar et al. 2019); above 0. */
  readonly repetitionPenalty?: number;
  /** No n-gram of this size comes twice. */
  readonly noRepeatNgramSize?: number;
  /** No end of sequence before this many new tokens. */
  readonly minNewTokens?: number;
  /** Sequences of ids that are never completed. */
  readonly badWords?: readonly (readonly number[])[];
  /** Ids that never come out. */
  readonly suppressTokens?: readonly number[];
  /** The first ids, whatever the model says. */
  readonly forcedPrefix?: readonly number[];
  /** Own processors; they run after all others and before temperature. They do not run where `forcedPrefix` decides. */
  readonly processors?: readonly LogitsProcessor[];
}

export interface Settings extends Processing {
  /** At most this many tokens come out. Default 128. */
  readonly maxNewTokens?: number;
  /** Draft tokens proposed each round; at most so many when `costs` are given. 0 is plain decoding. Default 4, with costs 16. */
  readonly gamma?: number;
  /**
   * Several proposed tokens for one position: branching[d] at depth d, drawn without replacement, all scored in one target
   * call. [3, 1, 1] is three lines of three tokens. It replaces `gamma` and `costs`; not with block verification or lenience.
   */
  readonly branching?: readonly number[];
  /** Measured costs of this pair (`measureCosts`). γ then adapts each round to what the draft achieves, down to 0. */
  readonly costs?: CostTable;
  /**
   * How proposals are verified. All ways are exact. `token`: one by one, as in the paper (default). `block`: as a whole, which
   * accepts at least as many. `coupled`: by numbers shared with the draft, so that the seed fixes the text whatever the draft.
   */
  readonly verification?: Verification;
  /**
   * l in (0, 1]: a draft token is accepted with probability min(1, target / (l · draft)). Below 1 the text does not have the
   * target's distribution any more, and the metrics say `exact: false`. Token verification only. Default 1.
   */
  readonly lenience?: number;
  /** Fixes every random number, together with the sequence's name. Default 0. */
  readonly seed?: number;
  /** Name of the sequence for its random numbers. Default 'main'. */
  readonly sequence?: string;
  /**
   * Gives the log-probability of each token that comes out, and so many of the most probable tokens of its place; 0 gives the
   * token's own alone. They are the model's own, before every other setting: the log-softmax of its logits, which Hugging Face
   * calls `output_logits`. Default: none are computed.
   */
  readonly logProbs?: number;
}

export type Verification = 'token' | 'block' | 'coupled';

const idList = listOf(whole(0), 'a list of token ids');

const PROCESSOR_TABLE = {
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
  minNewTokens: { ...whole(0), about: 'no end of sequence before this many tokens', flag: '--min-new-tokens <n>' },
  badWords: {
    ...badWordsRule(),
    about: 'sequences of token ids that are never completed, as 1,7;9',
    flag: '--bad-words <ids>',
  },
  suppressTokens: { ...idList, about: 'token ids that never come out, as 1,7', flag: '--suppress-tokens <ids>' },
  forcedPrefix: { ...idList, about: 'token ids that come out first, as 1,7', flag: '--forced-prefix <ids>' },
} satisfies Record<string, OptionEntry>;

/** Processors that do not sample; beams go through them too. */
export const PROCESSORS: OptionTable<keyof typeof PROCESSOR_TABLE> = PROCESSOR_TABLE;

const LENGTH: OptionEntry = {
  ...whole(1),
  about: `at most this many tokens come out (default: ${DEFAULTS.maxNewTokens})`,
  flag: '-n, --max-new-tokens <n>',
};

export const GAMMA: OptionEntry = {
  ...whole(0, 64),
  about: `draft tokens proposed each round (default: ${DEFAULTS.gamma}); 0 decodes without the draft`,
  flag: '-g, --gamma <n>',
};

/** Sequences decoded at once. */
export const CONCURRENCY: OptionEntry = {
  ...whole(1, 1024),
  about: `inputs decoded at once (default: ${DEFAULTS.concurrency}); the texts are the same`,
  flag: '--concurrency <n>',
};

/** Every setting of the sampler. */
export const SETTINGS: OptionTable<keyof Settings> = {
  gamma: GAMMA,
  costs: {
    ...costsRule(),
    about: 'let γ adapt to these costs, as c,v1,v2,…: c of a draft step, v1 … of target calls of 1, 2, … rows',
    flag: '--costs <list>',
  },
  branching: {
    ...listOf(whole(1), 'whole numbers from 1 up, one for each depth', 1),
    about: 'propose several tokens for one position, as 3,1,1, in place of --gamma',
    flag: '--branching <list>',
  },
  verification: {
    ...oneOf('token', 'block', 'coupled'),
    about: 'token, block or coupled; all are exact (default: token)',
    flag: '--verification <kind>',
  },
  lenience: {
    ...number({ above: 0, most: 1 }),
    about: 'NOT exact below 1: a draft token is accepted with probability target / (l · draft)',
    flag: '--lenience <l>',
  },
  temperature: { ...number({ least: 0 }), about: '0 is greedy (default: 0)', flag: '-t, --temperature <t>' },
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
  ...PROCESSORS,
  processors: {
    ...listOf(callable, 'a list of functions (ids, logits) => logits'),
    parse: undefined,
    about: 'own functions of ids and logits, applied to target and draft alike',
  },
  maxNewTokens: LENGTH,
  seed: { ...whole(0), about: `fixes every random number (default: ${DEFAULTS.seed})`, flag: '-s, --seed <n>' },
  sequence: { ...text(1), about: 'names the sequence for its random numbers' },
  logProbs: {
    ...whole(0, 100),
    about:
      'give each token’s log-probability, as the model has it before all settings, and this many of the most probable',
    flag: '--log-probs <n>',
  },
};

function badWordsRule(): Omit<OptionEntry, 'about'> {
  const word = listOf(whole(0), 'token ids', 1);
  return {
    expected: 'a list of lists of token ids, none empty',
    holds: (value) => Array.isArray(value) && value.every(word.holds),
    parse: (given) => {
      const words = given.split(';').map((part) => word.parse?.(part) ?? null);
      return words.includes(null) ? null : words;
    },
  };
}

function costsRule(): Omit<OptionEntry, 'about'> {
  const cost = number({ least: 0 });
  const list = listOf(cost, 'numbers from 0 up');
  return {
    expected: 'an object { c, v } with a number c from 0 up and a list v of such numbers',
    holds: (value) => {
      if (typeof value !== 'object' || value === null) return false;
      const { c, v } = value as Partial<CostTable>;
      return cost.holds(c) && list.holds(v);
    },
    parse: (given) => {
      const [c, ...v] = list.parse?.(given) ?? [];
      return c === undefined || v.length === 0 ? null : { c, v };
    },
  };
}

/**
 * Refuses unknown settings, settings outside their ranges, settings that contradict each other, and ids outside the vocabulary.
 *
 * @throws DecodingError `option-invalid`
 */
export function checkSettings(settings: Settings, vocabulary: number): void {
  checkTable(settings, SETTINGS, 'settings');
  checkSampling(settings);
  if ((settings.lenience ?? 1) < 1 && (settings.verification ?? 'token') !== 'token') {
    throw badSetting('lenience', `1 with ${settings.verification} verification`, settings.lenience);
  }
  checkBranching(settings);
  checkIds(settings, vocabulary);
}

/** As `checkOptions`, with this room's error. */
export function checkTable(settings: object, table: OptionTable, where: string): void {
  try {
    checkOptions(settings, table, where);
  } catch (error) {
    if (error instanceof TandemError) throw new DecodingError('option-invalid', error.message);
    throw error;
  }
}

export function badSetting(name: string, expected: string, found: unknown): DecodingError {
  return new DecodingError('option-invalid', invalid(name, expected, found).message);
}

/** Greedy decoding takes the arg-max: rules for sampling would have no effect, and nothing is ignored silently. */
function checkSampling(settings: Settings): void {
  if ((settings.temperature ?? 0) > 0) return;
  for (const name of ['topK', 'topP', 'minP'] as const) {
    if (settings[name] !== undefined) throw badSetting(name, 'none at temperature 0, which is greedy', settings[name]);
  }
}

/** Refuses ids that the vocabulary does not have. */
export function checkIds(
  { suppressTokens, forcedPrefix, badWords }: Pick<Processing, 'suppressTokens' | 'forcedPrefix' | 'badWords'>,
  vocabulary: number,
): void {
  for (const [name, ids] of Object.entries({ suppressTokens, forcedPrefix, badWords: badWords?.flat() })) {
    const wrong = ids?.find((id) => id >= vocabulary);
    if (wrong !== undefined) throw badSetting(name, `ids from 0 to ${vocabulary - 1}`, wrong);
  }
}

/** Tokens that one target call may score. */
const LARGEST_TREE = 128;

function checkBranching({ branching, gamma, costs, verification = 'token', lenience = 1 }: Settings): void {
  if (branching === undefined) return;
  let width = 1;
  let tokens = 0;
  for (const count of branching) tokens += width *= count;
  if (tokens > LARGEST_TREE) throw badSetting('branching', `at most ${LARGEST_TREE} tokens in all`, tokens);
  if (gamma !== undefined) throw badSetting('gamma', 'none beside branching, whose length it is', gamma);
  if (costs !== undefined) throw badSetting('costs', 'none beside branching', costs);
  if (verification === 'block' || lenience < 1) {
    const found = lenience < 1 ? 'lenience' : verification;
    throw badSetting('branching', 'token or coupled verification without lenience', found);
  }
}
