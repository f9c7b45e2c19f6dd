import type { GenerateOptions } from '../../api';
import { DEFAULTS, draftingWay } from '../../decoding';

/**
 * The settings in force, for the record of a result: what was given, and the default of what was not. A setting without
 * effect unless it is given is null. Settings of beam search and of sampling are listed where they apply.
 *
 * @param drafts whether something proposes tokens
 */
export function settingsInForce(options: GenerateOptions, drafts = true): Record<string, unknown> {
  const { numBeams = 1, costs = null, branching = null, signal: _signal, trace: _trace, ...rest } = options;
  const { concurrency: _concurrency, ...others } = rest; // texts are the same with any
  const given = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined));
  const { gamma: drafting, verification } = draftingWay(options);
  const gamma = drafts ? drafting : 0;
  // Sampled so while γ adapts, the text may be another one next time.
  const isFree = gamma === 'auto' && (options.temperature ?? 0) > 0 && verification !== 'coupled';
  const shared = {
    maxNewTokens: DEFAULTS.maxNewTokens,
    minNewTokens: 0,
    gamma,
    numReturnSequences: DEFAULTS.numReturnSequences,
    forcedPrefix: [],
    truncate: false,
    sequenceBias: [],
    encoderRepetitionPenalty: 1,
    repetitionPenalty: 1,
    noRepeatNgramSize: null,
    encoderNoRepeatNgramSize: null,
    badWords: [],
    forcedBosToken: null,
    forcedEosToken: null,
    exponentialDecayLengthPenalty: null,
    suppressTokens: [],
    beginSuppressTokens: [],
  };
  if (numBeams > 1) {
    const search = { numBeams, lengthPenalty: 1, earlyStopping: false, renormalizeLogits: false };
    return { ...shared, gamma: drafts ? DEFAULTS.fixedGamma : 0, ...search, ...given };
  }
  return {
    ...shared,
    numBeams,
    costs,
    branching,
    verification,
    lenience: 1,
    temperature: 0,
    topH: null,
    topK: null,
    topP: null,
    minP: null,
    typicalP: null,
    epsilonCutoff: null,
    etaCutoff: null,
    seed: isFree ? null : DEFAULTS.seed,
    stop: [],
    ...given,
  };
}
