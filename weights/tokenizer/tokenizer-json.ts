import { WeightsError } from '../errors';
import { MAX_PIECES } from './spiece';
import { type NormalizerSpec, PieceType, type Vocabulary } from './vocabulary';

type Json = { readonly [key: string]: unknown };

const object = (value: unknown, field: string): Json => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RangeError(`${field} is not an object`);
  return value as Json;
};
const list = (value: unknown, field: string): readonly unknown[] => {
  if (!Array.isArray(value)) throw new RangeError(`${field} is not a list`);
  return value;
};

/** The steps of a normaliser or pre-tokeniser: those of a Sequence, or the one step that stands alone. */
function steps(value: unknown, field: string, key: string): Json[] {
  if (value === null || value === undefined) return [];
  const step = object(value, field);
  return step.type === 'Sequence' ? list(step[key], field).map((part) => object(part, field)) : [step];
}

// Hugging Face's converters write SentencePiece's rules as these steps: the charsmap, and removing double and outer spaces.
function readNormalizer(file: Json): NormalizerSpec {
  let charsmap = new Uint8Array(0);
  for (const step of steps(file.normalizer, 'normalizer', 'normalizers')) {
    if (step.type === 'Precompiled') charsmap = base64(step.precompiled_charsmap);
    else if (step.type !== 'Strip' && !(step.type === 'Replace' && isSpaceRule(step))) {
      throw new RangeError(`normalizer ${String(step.type)}, which SentencePiece does not have`);
    }
  }
  let addDummyPrefix = true;
  let sawMetaspace = false;
  for (const step of steps(file.pre_tokenizer, 'pre_tokenizer', 'pretokenizers')) {
    if (step.type === 'Metaspace') {
      sawMetaspace = true;
      addDummyPrefix = step.prepend_scheme !== 'never' && step.add_prefix_space !== false;
    } else if (step.type !== 'WhitespaceSplit') {
      throw new RangeError(`pre_tokenizer ${String(step.type)}, which SentencePiece does not have`);
    }
  }
  if (!sawMetaspace) throw new RangeError('no Metaspace pre_tokenizer');
  return { charsmap, addDummyPrefix, removeExtraWhitespaces: true, escapeWhitespaces: true };
}

function isSpaceRule(step: Json): boolean {
  const pattern = object(step.pattern, 'the pattern of Replace');
  return pattern.Regex === ' {2,}' || pattern.String === ' ';
}

function base64(value: unknown): Uint8Array<ArrayBuffer> {
  if (value === null || value === undefined || value === '') return new Uint8Array(0);
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(value))
    throw new RangeError('a charsmap not in base64');
  return Uint8Array.from(atob(value), (c) => c.charCodeAt(0));
}

interface Tables {
  readonly pieces: string[];
  readonly scores: number[];
  readonly types: number[];
}

function readVocabulary(model: Json): Tables {
  const entries = list(model.vocab, 'model.vocab');
  if (entries.length > MAX_PIECES) throw new RangeError(`more than ${MAX_PIECES} pieces`);
  const tables: Tables = { pieces: [], scores: [], types: [] };
  entries.forEach((entry, id) => {
    const [piece, score] = Array.isArray(entry) ? entry : [];
    if (typeof piece !== 'string' || piece === '') throw new RangeError(`piece ${id} is not a text`);
    if (typeof score !== 'number' || !Number.isFinite(Math.fround(score))) {
      throw new RangeError(`the score of piece ${id} is not a number`);
    }
    const isByte = model.byte_fallback === true && /^<0x[0-9A-Fa-f]{2}>$/.test(piece);
    tables.pieces.push(piece);
    tables.scores.push(score);
    tables.types.push(isByte ? PieceType.byte : PieceType.normal);
  });
  return tables;
}

// tokenizer.json has no piece types. Special added tokens are control pieces there, the other added ones user-defined.
function addTokens(file: Json, tables: Tables, special: Map<string, number>): void {
  const added = list(file.added_tokens ?? [], 'added_tokens').map((token) => object(token, 'an added token'));
  for (const { id, content, special: isSpecial } of added.sort((a, b) => Number(a.id) - Number(b.id))) {
    if (typeof content !== 'string' || content === '') throw new RangeError('an added token without content');
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > tables.pieces.length) {
      throw new RangeError(
        `added token ${JSON.stringify(content)} with id ${String(id)} after ${tables.pieces.length} pieces`,
      );
    }
    tables.pieces[id] = content;
    tables.scores[id] ??= 0;
    tables.types[id] = isSpecial === true ? PieceType.control : PieceType.userDefined;
    if (isSpecial === true) special.set(content, id);
  }
}

function readFile(text: string): Vocabulary {
  const file = object(JSON.parse(text), 'the file');
  const model = object(file.model, 'model');
  // Files that were written before version 0.10 do not name the model's type.
  if ((model.type ?? 'Unigram') !== 'Unigram') throw new RangeError(`model ${String(model.type)}; T5 uses Unigram`);
  const tables = readVocabulary(model);
  const special = new Map<string, number>();
  addTokens(file, tables, special);
  const unknownId = model.unk_id;
  if (typeof unknownId !== 'number' || tables.pieces[unknownId] === undefined) {
    throw new RangeError(`unk_id ${String(unknownId)} among ${tables.pieces.length} pieces`);
  }
  tables.types[unknownId] = PieceType.unknown;
  return {
    pieces: tables.pieces,
    scores: Float32Array.from(tables.scores),
    types: Uint8Array.from(tables.types),
    unknownId,
    byteFallback: model.byte_fallback === true,
    normalizer: readNormalizer(file),
    special,
  };
}

/**
 * Reads a Unigram `tokenizer.json`.
 *
 * @param where the file's name, for messages
 * @throws WeightsError `tokenizer-invalid`
 */
export function readTokenizerJson(bytes: Uint8Array, where: string): Vocabulary {
  try {
    return readFile(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    const found = cause instanceof RangeError ? cause.message : 'something that is not JSON in UTF-8';
    throw new WeightsError(
      'tokenizer-invalid',
      `${where}: expected a SentencePiece unigram tokenizer, found ${found}`,
      {
        cause,
      },
    );
  }
}
