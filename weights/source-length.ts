import { WeightsError } from './errors';
import { parseObject } from './fields';

/** Files that say how long a source the model was made for, and the key of each. */
const SAYING: readonly (readonly [file: string, key: string])[] = [
  ['config.json', 'n_positions'],
  ['tokenizer_config.json', 'model_max_length'],
];

/**
 * The longest source, in ids, that a model was made for: the least of what its files say. T5's positions are relative, so longer
 * ones can be computed, but training had none of them.
 *
 * @param read gives the text of a file, or null where there is none
 * @returns null where no file says a length; Hugging Face writes 1e30 for none
 */
export async function sourceLength(read: (file: string) => Promise<string | null>): Promise<number | null> {
  const lengths: number[] = [];
  for (const [file, key] of SAYING) {
    const value = field(await read(file), file, key);
    if (Number.isSafeInteger(value) && (value as number) > 0) lengths.push(value as number);
  }
  return lengths.length === 0 ? null : Math.min(...lengths);
}

/** A field of a file. What is wrong with a file says who reads it for more than a warning. */
function field(text: string | null, file: string, key: string): unknown {
  if (text === null) return null;
  try {
    return parseObject(text, file)[key];
  } catch (error) {
    if (error instanceof WeightsError) return null;
    throw error;
  }
}
