/**
 * Stands for what reads settings of generation and of embeddings in a model's files, which the site leaves out (`withoutParts` of
 * build/plugins.mjs): its panels say how they decode.
 */
const none = () => null;
const nothing = () => [];

export const TOKENIZER_FILES = [];
export {
  none as readEmbeddingSteps,
  none as readGeneration,
  nothing as reviewConfig,
  nothing as reviewStart,
  nothing as reviewTokenizer,
};
