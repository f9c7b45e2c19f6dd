import { parseShallowJson, quotedJson } from '../../common';
import { WeightsError } from '../errors';
import type { AddedToken } from './added-tokens';
import { addTokens, type Pipeline, type TokenizerParts } from './assemble';
import { type Json, list, object, steps, text, unsupported } from './json';
import { readBpe } from './pipeline/bpe';
import { readDecoder } from './pipeline/decoders';
import { base64, readNormalizer } from './pipeline/normalizers';
import { readPostProcessor } from './pipeline/post-processor';
import { readPrependScheme, readPreTokenizer, type Words } from './pipeline/pre-tokenizers';
import { sentencePiece } from './pipeline/sentencepiece';
import { sentencePieceDecoder } from './pipeline/sentencepiece-decoder';
import { unigramModel } from './pipeline/unigram';
import type { WordModel } from './pipeline/word-model';
import { namedToken, type TokenizerSettings } from './settings';
import { append, Pace, type Steps } from './steps';
import { MAX_PIECES, type NormalizerSpec, PieceType, SPACE_SYMBOL, type Vocabulary } from './vocabulary';

/** Names that are special in every T5, where a vocabulary has them. */
const T5_NAMES = ['<pad>', '</s>', '<unk>'];

/**
 * Reads a `tokenizer.json` of Hugging Face's library, with a Unigram or a BPE model.
 *
 * @param limit rows of the model's embedding
 * @throws RangeError that names what is wrong or not supported
 */
export function readTokenizerJson(file: Json, settings: TokenizerSettings, limit: number): TokenizerParts {
  const model = object(file.model, 'model');
  // Files that were written before version 0.10 do not name the model's type.
  const type = model.type ?? 'Unigram';
  if (type === 'BPE') return bpeParts(file, model, settings, limit);
  if (type === 'Unigram') return unigramParts(file, model, settings, limit);
  throw unsupported('model', type);
}

function bpeParts(file: Json, json: Json, settings: TokenizerSettings, limit: number): TokenizerParts {
  const model = readBpe(json);
  const pieces = [...model.pieces];
  return {
    kind: 'bpe',
    pieces,
    added: addTokens(pieces, readAddedTokens(file, pieces), settings, limit),
    unknownId: model.unknownId,
    pipeline: stepsOf(file, model),
    around: readPostProcessor(file.post_processor),
    decoder: readDecoder(file.decoder),
    cleanUp: settings.cleanUp && settings.cleanUpBpe,
  };
}

function unigramParts(file: Json, json: Json, settings: TokenizerSettings, limit: number): TokenizerParts {
  const base = readVocabulary(json);
  const pieces = [...base.pieces];
  const added = addTokens(pieces, readAddedTokens(file, pieces), settings, limit);
  const types = Uint8Array.from(base.types);
  for (const { id, special } of added) if (special && id < types.length) types[id] = PieceType.control;
  types[base.unknownId] = PieceType.unknown;
  const spec = sentencePieceSpec(
    file,
    added.some((token) => token.normalized),
  );
  const vocabulary = { ...base, types };
  return {
    kind: 'unigram',
    pieces,
    added,
    unknownId: base.unknownId,
    pipeline:
      spec === null
        ? stepsOf(file, unigramModel(vocabulary))
        : sentencePiece({ ...vocabulary, scores: Float32Array.from(base.scores) }, spec),
    around: readPostProcessor(file.post_processor),
    decoder: spec === null ? readDecoder(file.decoder) : sentencePieceDecoder(vocabulary, true),
    cleanUp: settings.cleanUp,
  };
}

/** The steps as they are in the file, one after the other. */
export function stepsOf(file: Json, model: WordModel): () => Pipeline {
  const normalize = readNormalizer(file.normalizer);
  const preTokenize = readPreTokenizer(file.pre_tokenizer);
  return () => ({ normalize, encode: (part) => encodeWords(model, preTokenize(part)) });
}

/** Ids of the words into which a part is split. */
export function* encodeWords(model: WordModel, words: Words): Steps<number[]> {
  const ids: number[] = [];
  const pace = new Pace();
  for (const word of words) {
    if (word !== undefined) yield* append(ids, yield* model.encode(word.text));
    if (word === undefined || pace.isPartDone(word.text.length)) yield;
  }
  return ids;
}

/**
 * SentencePiece's rules, where a file holds nothing else: the charsmap, no double and outer spaces, and a space in front. Then
 * SentencePiece itself can do the work; Hugging Face's library only comes close to it. Null for any other file.
 *
 * @param hasNormalized whether added tokens are looked for in normalised text: then spaces before them count, unless words are split
 */
function sentencePieceSpec(file: Json, hasNormalized: boolean): NormalizerSpec | null {
  const rules = steps(file.normalizer, 'normalizer', 'normalizers');
  const words = steps(file.pre_tokenizer, 'pre_tokenizer', 'pretokenizers');
  let charsmap = new Uint8Array(0);
  const [first] = rules;
  if (first?.type === 'Precompiled') {
    charsmap = base64(first.precompiled_charsmap);
    rules.shift();
  }
  const removesEnd = rules.some(
    (rule) => rule.type === 'Strip' && rule.strip_left === false && rule.strip_right === true,
  );
  const removesDouble = rules.some(isDoubleSpaceRule);
  if (!rules.every((rule) => rule.type === 'Strip' || isDoubleSpaceRule(rule))) return null;
  const splitsWords = words[0]?.type === 'WhitespaceSplit';
  const metaspace = words[splitsWords ? 1 : 0];
  if (metaspace?.type !== 'Metaspace' || words.length > (splitsWords ? 2 : 1)) return null;
  if ((metaspace.replacement ?? SPACE_SYMBOL) !== SPACE_SYMBOL || readPrependScheme(metaspace) !== 'always')
    return null;
  const decoders = steps(file.decoder, 'decoder', 'decoders');
  if (decoders.length !== 1 || decoders[0].type !== 'Metaspace' || readPrependScheme(decoders[0]) === 'never')
    return null;
  if (!splitsWords && (hasNormalized || !removesEnd || !removesDouble)) return null;
  return { charsmap, addDummyPrefix: true, removeExtraWhitespaces: true, escapeWhitespaces: true };
}

function isDoubleSpaceRule(rule: Json): boolean {
  const { Regex } = rule.type === 'Replace' ? object(rule.pattern, 'the pattern of Replace') : { Regex: null };
  return Regex === ' {2,}' && (rule.content === ' ' || rule.content === SPACE_SYMBOL);
}

function readVocabulary(model: Json): Vocabulary {
  const entries = list(model.vocab, 'model.vocab');
  if (entries.length > MAX_PIECES) throw new RangeError(`more than ${MAX_PIECES} pieces`);
  const [pieces, types] = [[] as string[], new Uint8Array(entries.length).fill(PieceType.normal)];
  const scores = new Float64Array(entries.length);
  const byteFallback = model.byte_fallback === true;
  for (const [id, entry] of entries.entries()) {
    const [piece, score] = Array.isArray(entry) ? entry : [];
    if (typeof piece !== 'string' || piece === '') throw new RangeError(`piece ${id} is not a text`);
    if (typeof score !== 'number' || !Number.isFinite(Math.fround(score))) {
      throw new RangeError(`the score of piece ${id} is not a number`);
    }
    pieces.push(piece);
    scores[id] = score;
    if (byteFallback && /^<0x[0-9A-Fa-f]{2}>$/.test(piece)) types[id] = PieceType.byte;
  }
  const unknownId = model.unk_id;
  if (typeof unknownId !== 'number' || pieces[unknownId] === undefined) {
    throw new RangeError(`unk_id ${quotedJson(unknownId)} among ${pieces.length} pieces`);
  }
  return { pieces, scores, types, unknownId, byteFallback };
}

/** The `added_tokens` of the file. New ones are written into `pieces`. */
function readAddedTokens(file: Json, pieces: string[]): AddedToken[] {
  const tokens: AddedToken[] = [];
  const entries = list(file.added_tokens ?? [], 'added_tokens').map((one) => {
    const entry = object(one, 'an added token');
    const content = text(entry.content, 'the content of an added token');
    if (content === '') throw new RangeError('an added token without content');
    // An id that is no number is refused below. It has no place in the order, and is not converted: an object may have no conversion.
    return { entry, content, id: typeof entry.id === 'number' ? entry.id : Number.POSITIVE_INFINITY };
  });
  for (const { entry, content } of entries.sort((a, b) => (a.id === b.id ? 0 : a.id - b.id))) {
    const { id } = entry;
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > pieces.length || id >= MAX_PIECES) {
      throw new RangeError(
        `added token ${quotedJson(content)} with id ${quotedJson(id)} after ${pieces.length} pieces`,
      );
    }
    pieces[id] = content;
    tokens.push({ ...namedToken(entry, false, 'added_tokens'), id });
  }
  const known = new Set(tokens.map(({ content }) => content));
  for (const name of T5_NAMES) {
    const id = known.has(name) ? -1 : pieces.indexOf(name);
    if (id >= 0) tokens.push({ ...namedToken(name, true, name), id });
  }
  return tokens;
}

/**
 * Reads a file as JSON in UTF-8.
 *
 * @throws WeightsError `tokenizer-invalid`
 */
export function parseJson(bytes: Uint8Array, where: string): Json {
  try {
    return object(parseShallowJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes)), 'the file');
  } catch (cause) {
    const found = cause instanceof RangeError ? cause.message : 'something that is not JSON in UTF-8';
    throw new WeightsError('tokenizer-invalid', `${where}: expected a JSON object, found ${found}`, { cause });
  }
}
