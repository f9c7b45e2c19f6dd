import type { CostTable } from './adaptive';
import { DecodingError } from './errors';

/** How logits become a distribution. Both models get the same, at every verified row. */
export interface Processing {
  /** 0 is greedy: the one-hot distribution of the arg-max. Default 0. */
  readonly temperature?: number;
  /** Keep the k most probable tokens, ties by lowest id. */
  readonly topK?: number;
  /** Keep the most probable tokens up to this mass, in (0, 1]. */
  readonly topP?: number;
  /** Keep tokens with at least this share of the most probable one's probability, in [0, 1]. */
  readonly minP?: number;
  /** Divide positive and multiply negative logits of tokens already there (Keskar et al. 2019); at least some positive number. */
  readonly repetitionPenalty?: number;
  /** No n-gram of this size comes twice. */
  readonly noRepeatNgramSize?: number;
  /** No end of sequence before this many new tokens. */
  readonly minNewTokens?: number;
  /** Sequences never to be completed. */
  readonly badWords?: readonly (readonly number[])[];
  /** Tokens never to be emitted. */
  readonly suppress?: readonly number[];
  /** The first tokens, whatever the model thinks. */
  readonly forcedPrefix?: readonly number[];
}

export interface Settings extends Processing {
  /** At most this many tokens come out. Default 128. */
  readonly maxNewTokens?: number;
  /** Draft tokens proposed a round, at most that many when `costs` are given; 0 is plain decoding. Default 4, 16 with costs. */
  readonly gamma?: number;
  /**
   * Several candidates a place: branching[d] at depth d, drawn without replacement, all scored in one target call; [3, 1, 1] is
   * three lines of three. In place of `gamma` and `costs`; not with block verification or lenience.
   */
  readonly branching?: readonly number[];
  /** Measured costs of this pair (`measureCosts`): γ then adapts each round to what the draft achieves, down to 0. */
  readonly costs?: CostTable;
  /**
   * How proposals are verified; all exact. `token`: one by one, as in the paper (default). `block`: as a whole, accepting at
   * least as many. `coupled`: by numbers shared with the draft, so that the seed fixes the text whatever the draft or γ.
   */
  readonly verification?: Verification;
  /**
   * l in (0, 1]: draft tokens stand with probability min(1, target / (l · draft)). Below 1 the text is no longer distributed as
   * the target's own, and metrics say `exact: false`. Token verification only. Default 1.
   */
  readonly lenience?: number;
  /** Fixes every random number, with the stream's name. Default 0. */
  readonly seed?: number;
  /** Names the sequence for its random numbers. Default 'main'. */
  readonly stream?: string;
}

export type Verification = 'token' | 'block' | 'coupled';

const VERIFICATIONS: readonly Verification[] = ['token', 'block', 'coupled'];

interface Rule {
  readonly expected: string;
  readonly holds: (value: number) => boolean;
}

const whole = (least: number): Rule => ({
  expected: `a whole number from ${least} up`,
  holds: (value) => Number.isSafeInteger(value) && value >= least,
});

const RULES: Readonly<Record<string, Rule>> = {
  temperature: { expected: 'a number from 0 up', holds: (value) => value >= 0 && value < Number.POSITIVE_INFINITY },
  topK: whole(1),
  topP: { expected: 'a number above 0, at most 1', holds: (value) => value > 0 && value <= 1 },
  minP: { expected: 'a number from 0 to 1', holds: (value) => value >= 0 && value <= 1 },
  repetitionPenalty: { expected: 'a number above 0', holds: (value) => value > 0 && value < Number.POSITIVE_INFINITY },
  noRepeatNgramSize: whole(1),
  minNewTokens: whole(0),
  maxNewTokens: whole(1),
  gamma: {
    expected: 'a whole number from 0 to 64',
    holds: (value) => Number.isInteger(value) && value >= 0 && value <= 64,
  },
  lenience: { expected: 'a number above 0, at most 1', holds: (value) => value > 0 && value <= 1 },
  seed: whole(0),
};

/** Refuses settings outside their ranges and ids outside the vocabulary, by name. */
export function checkSettings(settings: Settings, vocabulary: number): void {
  for (const [name, rule] of Object.entries(RULES)) {
    const value = settings[name as keyof Settings] as number | undefined;
    if (value !== undefined && !(typeof value === 'number' && rule.holds(value))) throw bad(name, rule.expected, value);
  }
  const { verification = 'token' } = settings;
  if (!VERIFICATIONS.includes(verification)) throw bad('verification', VERIFICATIONS.join(', '), verification);
  if ((settings.lenience ?? 1) < 1 && verification !== 'token') {
    throw bad('lenience', `1 with ${verification} verification`, settings.lenience);
  }
  checkCosts(settings.costs);
  checkBranching(settings);
  const ids = { suppress: settings.suppress, forcedPrefix: settings.forcedPrefix, badWords: settings.badWords?.flat() };
  for (const [name, list] of Object.entries(ids)) {
    const wrong = list?.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabulary);
    if (wrong !== undefined) throw bad(name, `ids from 0 to ${vocabulary - 1}`, wrong);
  }
  if (settings.badWords?.some((word) => word.length === 0)) throw bad('badWords', 'sequences of at least one id', '[]');
}

/** Candidates that one target call may score. */
const LARGEST_TREE = 128;

function checkBranching({ branching, gamma, costs, verification = 'token', lenience = 1 }: Settings): void {
  if (branching === undefined) return;
  const wrong = branching.find((count) => !Number.isInteger(count) || count < 1);
  if (branching.length === 0 || wrong !== undefined) {
    throw bad('branching', 'whole numbers from 1 up, one a depth', wrong ?? 'none');
  }
  let width = 1;
  let candidates = 0;
  for (const count of branching) candidates += width *= count;
  if (candidates > LARGEST_TREE) throw bad('branching', `at most ${LARGEST_TREE} candidates in all`, candidates);
  if (gamma !== undefined) throw bad('gamma', 'none beside branching, whose length it is', gamma);
  if (costs !== undefined) throw bad('costs', 'none beside branching', 'some');
  if (verification === 'block' || lenience < 1) {
    throw bad('branching', 'token or coupled verification without lenience', lenience < 1 ? 'lenience' : verification);
  }
}

function checkCosts(costs: CostTable | undefined): void {
  if (costs === undefined) return;
  const wrong = [costs.c, ...costs.v].find((cost) => !(Number.isFinite(cost) && cost >= 0));
  if (wrong !== undefined) throw bad('costs', 'numbers from 0 up', wrong);
}

function bad(name: string, expected: string, found: unknown): DecodingError {
  return new DecodingError('option-invalid', `${name}: expected ${expected}, found ${String(found)}`);
}
