import { anyOf, flagged, number, type OptionEntry, type OptionTable, oneOf, whole } from '../../common';
import type { ForwardOptions, SequenceModel } from '../../engine';
import { badSetting, checkTable } from '../checks';
import { DecodingError } from '../errors';
import { checkIds, type LogitsRules, PROCESSORS } from '../processing';
import { DEFAULTS, GAMMA, SETTINGS } from '../settings';

/** Rules that beams go through: those that do not sample. They change log-probabilities, as in Hugging Face's beams. */
export type BeamProcessing = LogitsRules;

/** When the search ends; see `BeamSettings.earlyStopping`. */
export type EarlyStopping = boolean | 'never';

export interface BeamSettings extends BeamProcessing {
  /** Hypotheses kept at each step. With 1 the search is greedy decoding. Default 4. */
  readonly numBeams?: number;
  /** A score is Σ log-probability / length ** lengthPenalty: above 0 favours long sequences, below 0 short ones. Default 1. */
  readonly lengthPenalty?: number;
  /**
   * `true` ends the search as soon as `numBeams` sequences have finished. `false` goes on while the best running hypothesis, at
   * its present length, would beat the worst finished one. `'never'` goes on while it could do so at any length: it computes
   * with `maxNewTokens` as the length when lengthPenalty is above 0. Default false.
   */
  readonly earlyStopping?: EarlyStopping;
  /** At most this many tokens come out. Default 128. */
  readonly maxNewTokens?: number;
  /** How many sequences to return, best first; at most `numBeams`. Default 1. */
  readonly numReturnSequences?: number;
}

/** Proposes prefixes by a beam search of its own. */
export interface BeamDrafter {
  readonly model: SequenceModel;
  /** Beams of the draft's search: at least as many as the target's. Default as many. */
  readonly width?: number;
  /** Number of steps that the draft searches ahead each round; 0 is plain beam search. Default 4. */
  readonly gamma?: number;
  /** Run only the model's first decoder layers. With the target as model, this is its early exit. Default all layers. */
  readonly layers?: number;
  /** Run the model's copy in fewer bits, which the model must have been loaded with. Default false. */
  readonly copy?: boolean;
}

/** Settings in which nothing is left out. */
export interface BeamRules {
  readonly numBeams: number;
  readonly lengthPenalty: number;
  readonly earlyStopping: EarlyStopping;
  readonly maxNewTokens: number;
  readonly numReturnSequences: number;
  readonly eosTokens: readonly number[];
  /** Source ids. */
  readonly source: readonly number[];
  readonly processing: BeamProcessing;
}

/** Far more than is useful. It keeps a typing mistake from asking for a million rows. */
const MOST_BEAMS = 1024;

/** Settings that beam search has beside those of sampling. */
export const BEAM_ONLY: OptionTable<'numBeams' | 'lengthPenalty' | 'earlyStopping' | 'numReturnSequences'> = {
  numBeams: {
    ...whole(1, MOST_BEAMS),
    about: 'beam search with so many hypotheses; a draft that is a model saves target calls',
    flag: '--num-beams <n>',
  },
  lengthPenalty: {
    ...number(),
    about: 'exponent of the length in a beam’s score, Σ log p / length ^ penalty (default: 1)',
    flag: '--length-penalty <p>',
  },
  earlyStopping: {
    ...anyOf(flagged, oneOf('never')),
    about: 'when beam search ends: true, false or never (default: false)',
    flag: '--early-stopping <when>',
  },
  numReturnSequences: {
    ...whole(1, MOST_BEAMS),
    about: `sequences to return for each input, best first (default: ${DEFAULTS.numReturnSequences})`,
    flag: '--num-return-sequences <n>',
  },
};

/** Every setting of beam search. */
export const BEAM_SETTINGS: OptionTable<keyof BeamSettings> = {
  ...BEAM_ONLY,
  ...PROCESSORS,
  maxNewTokens: SETTINGS.maxNewTokens,
};

/** Refuses settings outside their ranges, and settings that beam search does not have. @throws DecodingError `option-invalid` */
export function beamRules(settings: BeamSettings, target: SequenceModel, source: readonly number[]): BeamRules {
  checkTable(settings, BEAM_SETTINGS, 'beam search');
  checkIds(settings, target.vocabularySize);
  const {
    numBeams = DEFAULTS.numBeams,
    lengthPenalty = 1,
    earlyStopping = false,
    maxNewTokens = DEFAULTS.maxNewTokens,
    numReturnSequences = DEFAULTS.numReturnSequences,
    ...processing
  } = settings;
  if (numReturnSequences > numBeams) {
    throw badSetting(
      'numReturnSequences',
      `a whole number from 1 to ${numBeams}, as many as beams`,
      numReturnSequences,
    );
  }
  const { eosTokens } = target;
  return { numBeams, lengthPenalty, earlyStopping, maxNewTokens, numReturnSequences, eosTokens, source, processing };
}

/** A draft in which nothing is left out. */
export interface DraftRules {
  readonly model: SequenceModel;
  readonly width: number;
  readonly gamma: number;
  readonly options: ForwardOptions;
}

const DRAFT_WIDTH: OptionEntry = { ...whole(1, MOST_BEAMS), about: 'beams of the draft’s search' };

/**
 * Refuses a draft that is narrower than the target's search or has another vocabulary.
 *
 * @throws DecodingError `option-invalid` or `vocabulary-mismatch`
 */
export function draftRules(rules: BeamRules, drafter: BeamDrafter, target: SequenceModel): DraftRules {
  const { model, width = rules.numBeams, gamma = DEFAULTS.fixedGamma, layers, copy } = drafter;
  checkTable({ gamma, width }, { gamma: GAMMA, width: DRAFT_WIDTH }, 'beam drafter');
  if (width < rules.numBeams)
    throw badSetting('width', `a whole number from ${rules.numBeams} to ${MOST_BEAMS}`, width);
  if (model.vocabularySize !== target.vocabularySize) {
    throw new DecodingError(
      'vocabulary-mismatch',
      `draft: expected a vocabulary of ${target.vocabularySize}, found ${model.vocabularySize}`,
    );
  }
  return {
    model,
    width,
    gamma,
    options: { layers, copy },
  };
}
