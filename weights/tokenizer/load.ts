import { WeightsError } from '../errors';
import type { T5Config, Tokenizer } from '../types';
import { byteTokenizer } from './bytes';
import { withSentinels } from './sentinels';
import { readSpiece } from './spiece';
import { readTokenizerJson } from './tokenizer-json';
import { unigramTokenizer } from './unigram';
import type { Vocabulary } from './vocabulary';

/** Reads a checkpoint's small files. */
export interface TokenizerFiles {
  /** The bytes of a file, null when it is not there. */
  read(name: string): Promise<Uint8Array | null>;
}

const BYTE_VOCABULARY = 384;

/**
 * Loads a checkpoint's tokenizer: from `tokenizer.json`, else from `spiece.model`. It is ByT5's when tokenizer_config.json says
 * so, or when there is no file and the vocabulary has 384 entries.
 *
 * @param name the checkpoint's name, for messages
 * @throws WeightsError `tokenizer-invalid`; `not-found` when there is no file
 */
export async function loadTokenizer(files: TokenizerFiles, config: T5Config, name: string): Promise<Tokenizer> {
  const settings = await readSettings(files, `${name}/tokenizer_config.json`);
  if (settings.tokenizer_class === 'ByT5Tokenizer') return byteTokenizer();
  const json = await files.read('tokenizer.json');
  if (json !== null) {
    const where = `${name}/tokenizer.json`;
    return build(readTokenizerJson(json, where), config, where);
  }
  const model = (await files.read('spiece.model')) ?? (await files.read('sentencepiece.model'));
  if (model !== null) {
    const where = `${name}/spiece.model`;
    return build(withSentinels(readSpiece(model, where), settings, config.vocabularySize), config, where);
  }
  if (config.vocabularySize === BYTE_VOCABULARY) return byteTokenizer();
  throw new WeightsError(
    'not-found',
    `${name}: expected tokenizer.json or spiece.model (a vocabulary of ${BYTE_VOCABULARY} needs neither), found no such ` +
      `file and a vocabulary of ${config.vocabularySize}`,
  );
}

function build(vocabulary: Vocabulary, config: T5Config, where: string): Tokenizer {
  try {
    return unigramTokenizer(vocabulary, vocabulary.special.get('</s>') ?? config.eosTokens[0] ?? 1);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new WeightsError('tokenizer-invalid', `${where}: expected a unigram tokenizer, found ${cause.message}`, {
      cause,
    });
  }
}

async function readSettings(files: TokenizerFiles, where: string): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await files.read('tokenizer_config.json');
  if (bytes === null) return {};
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>;
  } catch {}
  throw new WeightsError('tokenizer-invalid', `${where}: expected a JSON object, found something else`);
}
