import { printable, shortened } from '../../common';
import { WeightsError } from '../errors';
import type { T5Config, Tokenizer } from '../types';
import { addTokens, assemble, type TokenizerParts } from './assemble';
import { byteTokenizer } from './bytes';
import type { Json } from './json';
import { mergesOfText } from './pipeline/bpe';
import { charsmapNormalizer, trimEnd, WHITE_SPACE } from './pipeline/normalizers';
import { metaspace, type PrependScheme } from './pipeline/pre-tokenizers';
import { sentencePiece } from './pipeline/sentencepiece';
import { sentencePieceDecoder } from './pipeline/sentencepiece-decoder';
import { unigramModel } from './pipeline/unigram';
import { withSentinels } from './sentinels';
import { readTokenizerSettings, type TokenizerSettings } from './settings';
import { readSpiece, type SpieceModel } from './spiece';
import { encodeWords, parseJson, readTokenizerJson } from './tokenizer-json';
import { PieceType } from './vocabulary';

/** Reads a checkpoint's small files. */
export interface TokenizerFiles {
  /** The bytes of a file, null when it is not there. */
  read(name: string): Promise<Uint8Array | null>;
}

const BYTE_VOCABULARY = 384;
const SPIECE_FILES = ['spiece.model', 'sentencepiece.model', 'tokenizer.model'];
/** Classes of transformers that put `<s>` before a text and `</s>` after it. */
const ROBERTA_CLASSES = /^(Roberta|Bart|LED|Longformer)Tokenizer(Fast)?$/;

/**
 * Loads a checkpoint's tokenizer: from `tokenizer.json`, else from `spiece.model`, else from `vocab.json` and `merges.txt`. It is
 * ByT5's when tokenizer_config.json says so, or when there is no file and the vocabulary has 384 entries.
 *
 * @param name the checkpoint's name, for messages
 * @throws WeightsError `tokenizer-invalid`; `not-found` when there is no file
 */
export async function loadTokenizer(files: TokenizerFiles, config: T5Config, name: string): Promise<Tokenizer> {
  const settings = await readSettings(files, name);
  const limit = config.vocabularySize;
  if (settings.className === 'ByT5Tokenizer') {
    return build(`${name}/tokenizer_config.json`, () => byteTokenizer(settings, limit));
  }
  const json = await files.read('tokenizer.json');
  if (json !== null) {
    const file = parseJson(json, `${name}/tokenizer.json`);
    return build(`${name}/tokenizer.json`, () => assemble(readTokenizerJson(file, settings, limit)));
  }
  for (const file of SPIECE_FILES) {
    const model = await files.read(file);
    if (model === null) continue;
    const spiece = readSpiece(model, `${name}/${file}`);
    return build(`${name}/${file}`, () => assemble(spieceParts(spiece, settings, config)));
  }
  const [vocabulary, merges] = [await files.read('vocab.json'), await files.read('merges.txt')];
  if (vocabulary !== null && merges !== null) {
    const vocab = parseJson(vocabulary, `${name}/vocab.json`);
    const list = mergesOfText(new TextDecoder().decode(merges));
    return build(`${name}/vocab.json`, () => assemble(byteLevelParts(vocab, list, settings, config)));
  }
  if (limit === BYTE_VOCABULARY) return byteTokenizer(settings, limit);
  throw new WeightsError(
    'not-found',
    `${name}: expected tokenizer.json, spiece.model or vocab.json with merges.txt (a vocabulary of ${BYTE_VOCABULARY} needs ` +
      `none), found no such file and a vocabulary of ${limit}`,
  );
}

function build(where: string, make: () => Tokenizer): Tokenizer {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new WeightsError(
      'tokenizer-invalid',
      `${where}: expected a tokenizer that is supported, found ${shortMessage(cause)}`,
      {
        cause,
      },
    );
  }
}

async function readSettings(files: TokenizerFiles, name: string): Promise<TokenizerSettings> {
  const read = async (file: string): Promise<Json | null> => {
    const bytes = await files.read(file);
    return bytes === null ? null : parseJson(bytes, `${name}/${file}`);
  };
  const config = await read('tokenizer_config.json');
  const specialTokensMap = await read('special_tokens_map.json');
  const addedTokens = await read('added_tokens.json');
  try {
    return readTokenizerSettings({ config, specialTokensMap, addedTokens });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new WeightsError(
      'tokenizer-invalid',
      `${name}/tokenizer_config.json, special_tokens_map.json, added_tokens.json: expected tokens, found ${shortMessage(cause)}`,
      { cause },
    );
  }
}

/**
 * A `spiece.model` as SentencePiece has it. With `legacy: false` a space stands in front of the text only, with
 * `add_prefix_space: false` nowhere; the steps are then those to which transformers converts such a model.
 */
function spieceParts(spiece: SpieceModel, settings: TokenizerSettings, config: T5Config): TokenizerParts {
  const { vocabulary, added: own } = withSentinels(spiece.vocabulary, settings.extraIds, config.vocabularySize);
  const { normalizer } = spiece;
  const scheme = settings.addPrefixSpace === false ? 'never' : settings.legacy ? 'always' : 'first';
  const isConverted = scheme !== 'always' && normalizer.addDummyPrefix;
  const pieces = [...vocabulary.pieces];
  if (isConverted) {
    for (const [id, content] of pieces.entries()) {
      if (vocabulary.types[id] !== PieceType.userDefined) continue;
      own.push({ id, content, special: false, normalized: false, lstrip: false, rstrip: false, singleWord: false });
    }
  }
  const closing = pieces.indexOf('</s>');
  return {
    kind: 'unigram',
    pieces,
    added: addTokens(pieces, own, settings, config.vocabularySize),
    unknownId: vocabulary.unknownId,
    pipeline: isConverted ? convertedPipeline(spiece, vocabulary, scheme) : sentencePiece(vocabulary, normalizer),
    around: { before: [], after: [closing >= 0 ? closing : (config.eosTokens[0] ?? 1)] },
    decoder: sentencePieceDecoder(vocabulary, normalizer.addDummyPrefix && scheme !== 'never'),
    cleanUp: settings.cleanUp,
  };
}

const SPACE = /^[ \u2581]$/;

function convertedPipeline(
  { normalizer }: SpieceModel,
  vocabulary: SpieceModel['vocabulary'],
  scheme: PrependScheme,
): TokenizerParts['pipeline'] {
  const model = unigramModel(vocabulary);
  const charsmap = charsmapNormalizer(normalizer.charsmap);
  const preTokenize = metaspace('\u2581', scheme, true);
  return () => ({
    *normalize(part) {
      const { text, head } = yield* charsmap(part);
      const trimmed = yield* trimEnd(text, WHITE_SPACE);
      return { text: trimmed.replace(/ {2,}/g, '\u2581'), head: Math.min(head, trimmed.length) };
    },
    // Spaces before an added token count for nothing, as in the slow tokenizer that wrote the file.
    *encode({ text, head }) {
      const trimmed = yield* trimEnd(text, SPACE);
      return yield* encodeWords(model, preTokenize({ text: trimmed, head }));
    },
  });
}

/** `vocab.json` and `merges.txt`, which are byte-level BPE in T5-family models, with the steps to which transformers converts them. */
function byteLevelParts(vocab: Json, merges: string[], settings: TokenizerSettings, config: T5Config): TokenizerParts {
  const { className, clsToken, addPrefixSpace } = settings;
  const closing = vocab['</s>'] ?? config.eosTokens[0] ?? 1;
  const opening = className === null || ROBERTA_CLASSES.test(className) ? vocab[clsToken ?? '<s>'] : undefined;
  const byteLevel = { type: 'ByteLevel', add_prefix_space: addPrefixSpace === true, use_regex: true };
  const sep = ['</s>', closing];
  return readTokenizerJson(
    {
      model: { type: 'BPE', vocab, merges },
      pre_tokenizer: byteLevel,
      decoder: byteLevel,
      post_processor:
        opening === undefined
          ? {
              type: 'TemplateProcessing',
              single: [{ Sequence: {} }, { SpecialToken: { id: '</s>' } }],
              special_tokens: { '</s>': { ids: [closing] } },
            }
          : { type: 'RobertaProcessing', sep, cls: ['<s>', opening] },
    },
    settings,
    config.vocabularySize,
  );
}

/** Longest part of a file that a message shows, in characters. */
const LONGEST_FOUND = 300;

function shortMessage({ message }: Error): string {
  return printable(shortened(message, LONGEST_FOUND));
}
