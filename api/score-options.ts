import { abortSignal, checkOptions, type OptionTable } from '../common';
import { SETTINGS, type TokenLogProb } from '../decoding';

/** How to score. */
export interface ScoreOptions {
  /** How many of the most probable tokens of each place are listed beside the target's own. Default 0. */
  readonly logProbs?: number;
  readonly signal?: AbortSignal;
}

/** How probable the model holds a target to be, after a source. */
export interface Score {
  /** Ids of the target. Those of a text end with EOS. */
  readonly ids: readonly number[];
  /** Natural logarithm of the probability of the whole target: Σ of `logProbs`. */
  readonly logProb: number;
  /** One for each id. */
  readonly logProbs: readonly TokenLogProb[];
}

/** Every option of `Tandem.score`. */
export const SCORE_OPTIONS: OptionTable<keyof ScoreOptions> = {
  logProbs: { ...SETTINGS.logProbs, about: 'list this many of the most probable tokens of each place (default: 0)' },
  signal: { ...abortSignal, about: 'cancels scoring' },
};

/** @throws TandemError `option-invalid` */
export function checkScore(options: ScoreOptions): void {
  checkOptions(options, SCORE_OPTIONS, 'score');
}
