import type { ForwardOptions, SequenceModel } from '../engine';
import { DecodingError } from './errors';
import { checkSettings, type Processing } from './settings';

/** Processors that beams go through: those that do not sample. They work on log-probabilities, as in Hugging Face's beams. */
export type BeamProcessing = Pick<
  Processing,
  'repetitionPenalty' | 'noRepeatNgramSize' | 'minNewTokens' | 'badWords' | 'suppress' | 'forcedPrefix'
>;

/** When the search ends; see `BeamSettings.earlyStopping`. */
export type EarlyStopping = boolean | 'never';

export interface BeamSettings extends BeamProcessing {
  /** Hypotheses kept at each step. With 1 the search is greedy decoding. Default 4. */
  readonly beams?: number;
  /** A score is Σ log-probability / length ** lengthPenalty: above 0 favours long sequences, below 0 short ones. Default 1. */
  readonly lengthPenalty?: number;
  /**
   * `true` ends the search as soon as `beams` sequences have finished. `false` also goes on while the best running hypothesis
   * would, at its present length, beat the worst finished one. `'never'` goes on while it could at any length: as `false`, but
   * with `maxNewTokens` for its length when lengthPenalty is above 0. Default false.
   */
  readonly earlyStopping?: EarlyStopping;
  /** At most this many tokens come out. Default 128. */
  readonly maxNewTokens?: number;
  /** How many sequences to return, best first; at most `beams`. Default 1. */
  readonly sequences?: number;
}

/** Proposes prefixes by a beam search of its own. */
export interface BeamDrafter {
  readonly model: SequenceModel;
  /** Beams of the draft's search: at least the target's. Default as many. */
  readonly width?: number;
  /** Levels that the draft searches ahead each round; 0 is plain beam search. Default 4. */
  readonly gamma?: number;
  /** Run only the model's first decoder layers: with the target for a model, its own early exit drafts. Default all. */
  readonly layers?: number;
}

/** Settings with nothing left open. */
export interface BeamRules {
  readonly beams: number;
  readonly lengthPenalty: number;
  readonly earlyStopping: EarlyStopping;
  readonly maxNewTokens: number;
  readonly sequences: number;
  readonly eosTokens: readonly number[];
  readonly processing: BeamProcessing;
}

const PROCESSORS = ['repetitionPenalty', 'noRepeatNgramSize', 'minNewTokens', 'badWords', 'suppress', 'forcedPrefix'];
const OWN = ['beams', 'lengthPenalty', 'earlyStopping', 'maxNewTokens', 'sequences'];
/** Far more than pays; keeps a slip of the pen from asking for a million rows. */
const MOST_BEAMS = 1024;

/** Refuses settings outside their ranges, and names that mean nothing to beams. */
export function beamRules(settings: BeamSettings, target: SequenceModel): BeamRules {
  const { beams = 4, lengthPenalty = 1, earlyStopping = false, maxNewTokens = 128, sequences = 1, ...rest } = settings;
  const unknown = Object.keys(rest).find((name) => !PROCESSORS.includes(name));
  if (unknown !== undefined) throw bad('settings', `some of ${[...OWN, ...PROCESSORS].join(', ')}`, unknown);
  checkSettings({ ...rest, maxNewTokens }, target.vocabularySize);
  expectWhole('beams', beams, 1, MOST_BEAMS);
  if (!Number.isFinite(lengthPenalty)) throw bad('lengthPenalty', 'a number', lengthPenalty);
  if (typeof earlyStopping !== 'boolean' && earlyStopping !== 'never') {
    throw bad('earlyStopping', "true, false or 'never'", earlyStopping);
  }
  expectWhole('sequences', sequences, 1, beams);
  const { eosTokens } = target;
  return { beams, lengthPenalty, earlyStopping, maxNewTokens, sequences, eosTokens, processing: rest };
}

/** The draft with nothing left open. */
export interface DraftRules {
  readonly model: SequenceModel;
  readonly width: number;
  readonly gamma: number;
  readonly options: ForwardOptions;
}

/** Refuses a draft that could not hold the target's beams, or speaks of other tokens. */
export function draftRules(
  rules: BeamRules,
  { model, width = rules.beams, gamma = 4, layers }: BeamDrafter,
  target: SequenceModel,
): DraftRules {
  checkSettings({ gamma }, target.vocabularySize);
  expectWhole('width', width, rules.beams, MOST_BEAMS);
  if (model.vocabularySize !== target.vocabularySize) {
    throw new DecodingError(
      'vocabulary-mismatch',
      `draft: expected a vocabulary of ${target.vocabularySize}, found ${model.vocabularySize}`,
    );
  }
  return { model, width, gamma, options: layers === undefined ? {} : { layers } };
}

function expectWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw bad(name, `a whole number from ${least} to ${most}`, value);
}

function bad(name: string, expected: string, found: unknown): DecodingError {
  return new DecodingError('option-invalid', `${name}: expected ${expected}, found ${String(found)}`);
}
