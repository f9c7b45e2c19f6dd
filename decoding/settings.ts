import { anyOf, listOf, number, type OptionEntry, type OptionTable, oneOf, text, whole } from '../common';
import { badSetting, checkTable } from './checks';
import type { CostTable } from './gamma/adaptive';
import { checkIds, checkSampling, PROCESSORS, type Processing, SAMPLING } from './processing';

/** What settings mean when they are left out. The only place where these numbers stand. */
export const DEFAULTS = {
  gamma: 'auto',
  /** γ where the text would depend on it, so that it may not follow clocks; and of a beam search. */
  fixedGamma: 4,
  /** The largest γ that adapts to costs. */
  adaptiveGamma: 32,
  maxNewTokens: 128,
  numBeams: 4,
  numReturnSequences: 1,
  concurrency: 8,
  seed: 0,
  sequence: 'main',
} as const;

export interface Settings extends Processing {
  /** At most this many tokens come out. Default 128. */
  readonly maxNewTokens?: number;
  /**
   * Draft tokens proposed each round; at most so many when `costs` are given. 0 is plain decoding. 'auto' proposes as many as pay by
   * what rounds have taken so far, up to 32, and none where none pay; not beside `lenience`, and above temperature 0 not with a seed
   * beside token or block verification, whose text would depend on γ. Default 'auto', with costs 32. Where the text would depend on γ,
   * beside `lenience` and above temperature 0 beside token or block verification, it is 4, and in a beam search.
   */
  readonly gamma?: number | 'auto';
  /**
   * Several proposed tokens for one position: branching[d] at depth d, drawn without replacement, all scored in one target
   * call. [3, 1, 1] is three lines of three tokens. It replaces `gamma` and `costs`; not with block verification or lenience.
   */
  readonly branching?: readonly number[];
  /** Measured costs of this pair (`measureCosts`). γ then adapts each round to what the draft achieves, down to 0. */
  readonly costs?: CostTable;
  /**
   * How proposals are verified. All ways are exact. `token`: one by one, as in the paper. `block`: as a whole, which accepts at least
   * as many. `coupled`: by numbers shared with the draft, so that the seed fixes the text whatever the draft and γ. Default `token`;
   * `coupled` where γ is 'auto', by default or by word, and the temperature is above 0.
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

const LENGTH: OptionEntry = {
  ...whole(1),
  about: `at most this many tokens come out (default: ${DEFAULTS.maxNewTokens})`,
  flag: '-n, --max-new-tokens <n>',
};

export const GAMMA: OptionEntry = {
  ...whole(0, 64),
  about: `draft tokens proposed each round (default: ${DEFAULTS.fixedGamma}); 0 decodes without the draft`,
  flag: '-g, --gamma <n>',
};

const GAMMA_OR_AUTO: OptionEntry = {
  ...anyOf(oneOf('auto'), GAMMA),
  about:
    'draft tokens proposed each round; 0 decodes without the draft; auto learns what rounds take, and proposes as many as pay ' +
    `(default: ${DEFAULTS.gamma}, but ${DEFAULTS.fixedGamma} where the text would depend on it: beside lenience, and where tokens are ` +
    'sampled by token or block verification)',
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
  gamma: GAMMA_OR_AUTO,
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
    about:
      'token, block or coupled; all are exact (default: token; coupled where tokens are sampled with gamma auto: the seed then fixes the text)',
    flag: '--verification <kind>',
  },
  lenience: {
    ...number({ above: 0, most: 1 }),
    about: 'NOT exact below 1: a draft token is accepted with probability target / (l · draft)',
    flag: '--lenience <l>',
  },
  ...SAMPLING,
  ...PROCESSORS,
  maxNewTokens: LENGTH,
  seed: {
    ...whole(0, Number.MAX_SAFE_INTEGER),
    about: `fixes every random number (default: ${DEFAULTS.seed})`,
    flag: '-s, --seed <n>',
  },
  sequence: { ...text(1), about: 'names the sequence for its random numbers' },
  logProbs: {
    ...whole(0, 100),
    about:
      'give each token’s log-probability, as the model has it before all settings, and this many of the most probable',
    flag: '--log-probs <n>',
  },
};

function costsRule(): Omit<OptionEntry, 'about'> {
  const cost = number({ least: 0 });
  const list = listOf(cost, 'numbers from 0 up');
  return {
    expected: 'an object { c, v } with a number c from 0 up and a list v of such numbers, in text c,v1,v2,…',
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
