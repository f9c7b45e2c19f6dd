export { firstVocabularyDifference } from './difference';
export { loadTokenizer, type TokenizerFiles } from './load';
