/**
 * Options that people know from Hugging Face's `generate` and that are not followed here, each with the reason. An unknown
 * option that is one of them is refused with it, in programs and on the command line.
 */
export const NOT_FOLLOWED: Readonly<Record<string, string>> = {
  doSample: 'a temperature above 0 samples, and temperature 0 is greedy',
  removeInvalidValues:
    'logits that are NaN or infinite are an error here, because no text of such a model can be trusted',
  guidanceScale:
    'it runs the model a second time without the prompt for every token, which an encoder-decoder does not have',
  watermarkingConfig:
    'it changes the distribution on purpose; `processors` can do it, and the draft then gets the same',
  numBeamGroups:
    'groups of diverse beams left transformers with version 5; samples (temperature, numReturnSequences) differ too',
  diversityPenalty: 'it belongs to groups of diverse beams, which left transformers with version 5',
  constraints:
    'constrained beams left transformers with version 5; prefixAllowedTokens decides which tokens may come next',
  forceWords:
    'constrained beams left transformers with version 5; prefixAllowedTokens decides which tokens may come next',
  penaltyAlpha: 'contrastive search left transformers with version 5',
  dolaLayers: 'decoding by contrasting layers left transformers with version 5',
};
