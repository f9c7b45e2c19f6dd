import { WeightsError } from '../errors';
import { protobufFields } from './protobuf';
import { MAX_PIECES, type NormalizerSpec, PieceType, type Vocabulary } from './vocabulary';

interface Piece {
  readonly text: string;
  readonly score: number;
  readonly type: number;
}

/** What a `spiece.model` holds. */
export interface SpieceModel {
  readonly vocabulary: Vocabulary;
  readonly normalizer: NormalizerSpec;
}

interface Trainer {
  readonly modelType: number;
  readonly byteFallback: boolean;
  readonly whitespaceAsSuffix: boolean;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function numberOf(value: number | Uint8Array, field: string): number {
  if (typeof value !== 'number') throw new RangeError(`${field} is not a number`);
  return value;
}

function bytesOf(value: number | Uint8Array, field: string): Uint8Array {
  if (typeof value === 'number') throw new RangeError(`${field} is not a run of bytes`);
  return value;
}

function readPiece(message: Uint8Array, index: number): Piece {
  let text = '';
  let score = 0;
  let type: number = PieceType.normal;
  for (const { number, value } of protobufFields(message)) {
    if (number === 1) text = utf8.decode(bytesOf(value, `piece ${index}`));
    else if (number === 2) {
      const raw = bytesOf(value, `the score of piece ${index}`);
      if (raw.length !== 4) throw new RangeError(`the score of piece ${index} is not a float32`);
      score = new DataView(raw.buffer, raw.byteOffset, 4).getFloat32(0, true);
    } else if (number === 3) type = numberOf(value, `the type of piece ${index}`);
  }
  if (text === '') throw new RangeError(`piece ${index} is empty`);
  if (!Number.isFinite(score)) throw new RangeError(`the score of piece ${index} is ${score}`);
  if (type < PieceType.normal || type > PieceType.byte) throw new RangeError(`piece ${index} has type ${type}`);
  return { text, score, type };
}

// Field numbers and defaults of sentencepiece_model.proto.
function readTrainer(message: Uint8Array): Trainer {
  let [modelType, byteFallback, whitespaceAsSuffix] = [1, false, false];
  for (const { number, value } of protobufFields(message)) {
    if (number === 3) modelType = numberOf(value, 'model_type');
    else if (number === 24) whitespaceAsSuffix = numberOf(value, 'treat_whitespace_as_suffix') !== 0;
    else if (number === 35) byteFallback = numberOf(value, 'byte_fallback') !== 0;
  }
  return { modelType, byteFallback, whitespaceAsSuffix };
}

function readNormalizer(message: Uint8Array): NormalizerSpec {
  let charsmap = new Uint8Array(0);
  let [addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces] = [true, true, true];
  for (const { number, value } of protobufFields(message)) {
    if (number === 2) charsmap = bytesOf(value, 'precompiled_charsmap').slice();
    else if (number === 3) addDummyPrefix = numberOf(value, 'add_dummy_prefix') !== 0;
    else if (number === 4) removeExtraWhitespaces = numberOf(value, 'remove_extra_whitespaces') !== 0;
    else if (number === 5) escapeWhitespaces = numberOf(value, 'escape_whitespaces') !== 0;
  }
  return { charsmap, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces };
}

function readModel(bytes: Uint8Array): SpieceModel {
  const pieces: Piece[] = [];
  let trainer = readTrainer(new Uint8Array(0));
  let normalizer = readNormalizer(new Uint8Array(0));
  for (const { number, value } of protobufFields(bytes)) {
    if (number === 1) {
      if (pieces.length === MAX_PIECES) throw new RangeError(`more than ${MAX_PIECES} pieces`);
      pieces.push(readPiece(bytesOf(value, `piece ${pieces.length}`), pieces.length));
    } else if (number === 2) trainer = readTrainer(bytesOf(value, 'trainer_spec'));
    else if (number === 3) normalizer = readNormalizer(bytesOf(value, 'normalizer_spec'));
  }
  if (trainer.modelType !== 1) throw new RangeError(`model_type ${trainer.modelType}; T5 uses 1 (unigram)`);
  if (trainer.whitespaceAsSuffix) throw new RangeError('treat_whitespace_as_suffix is set; T5 puts spaces first');
  const unknown = pieces.flatMap((piece, id) => (piece.type === PieceType.unknown ? [id] : []));
  if (unknown.length !== 1) throw new RangeError(`${unknown.length} unknown pieces among ${pieces.length}, expected 1`);
  const vocabulary: Vocabulary = {
    pieces: pieces.map((piece) => piece.text),
    scores: Float32Array.from(pieces, (piece) => piece.score),
    types: Uint8Array.from(pieces, (piece) => piece.type),
    unknownId: unknown[0],
    byteFallback: trainer.byteFallback,
  };
  return { vocabulary, normalizer };
}

/**
 * Reads a `spiece.model`: the protobuf ModelProto of SentencePiece (sentencepiece_model.proto).
 *
 * @param where the file's name, for messages
 * @throws WeightsError `tokenizer-invalid`
 */
export function readSpiece(bytes: Uint8Array, where: string): SpieceModel {
  try {
    return readModel(bytes);
  } catch (cause) {
    const found = cause instanceof RangeError ? cause.message : 'a piece that is not UTF-8';
    throw new WeightsError('tokenizer-invalid', `${where}: expected a SentencePiece unigram model, found ${found}`, {
      cause,
    });
  }
}
