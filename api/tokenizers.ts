import { DecodingError } from '../decoding';
import { type Checkpoint, firstVocabularyDifference, type Tokenizer, WeightsError } from '../weights';

/** A tokenizer, or why there is none. */
export interface OpenedTokenizer {
  /** Null where the target's tokenizer is missing or cannot be read: then only ids go in. */
  readonly tokenizer: Tokenizer | null;
  /** Why there is no tokenizer; whoever needs text gets it. */
  readonly tokenizerError: WeightsError | null;
}

/**
 * The target's tokenizer, after every draft's vocabulary was compared with the target's. Tables of embeddings may be padded
 * differently: with one tokenizer the ids that both models have mean the same. Without tokenizers nothing says so.
 */
export async function checkedTokenizer(target: Checkpoint, drafts: readonly Checkpoint[]): Promise<OpenedTokenizer> {
  const opened = await tokenizerOf(target);
  const { tokenizer } = opened;
  for (const draft of drafts) {
    const { tokenizer: other } = await tokenizerOf(draft);
    const difference = tokenizer && other ? firstVocabularyDifference(tokenizer, other) : null;
    const [a, b] = [target.config.vocabularySize, draft.config.vocabularySize];
    const isKnown = a === b || (tokenizer !== null && other !== null);
    const found = difference ?? (isKnown ? null : `logits over ${a} ids in one, over ${b} in the other`);
    if (found === null) continue;
    throw new DecodingError(
      'vocabulary-mismatch',
      `draft ${draft.name}: expected the vocabulary of the target ${target.name}, found a difference: ${found}`,
    );
  }
  return opened;
}

/** A tokenizer that is missing, broken or not supported bars text, and not ids. */
async function tokenizerOf(checkpoint: Checkpoint): Promise<OpenedTokenizer> {
  try {
    return { tokenizer: await checkpoint.tokenizer(), tokenizerError: null };
  } catch (error) {
    const isOfTokenizer = error instanceof WeightsError && ['not-found', 'tokenizer-invalid'].includes(error.code);
    if (!isOfTokenizer) throw error;
    return { tokenizer: null, tokenizerError: error };
  }
}
