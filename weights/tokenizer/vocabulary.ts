import { quotedJson } from '../../common';
import { object } from './json';

/** Piece types, numbered as in sentencepiece_model.proto. */
export const PieceType = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** Largest vocabulary that is read. mT5's has 250,112 pieces. */
export const MAX_PIECES = 4_000_000;

/**
 * Longest piece, in UTF-8 bytes. SentencePiece makes pieces of at most 16 characters unless it is told otherwise. The limit
 * bounds the time of encoding: text × longest piece.
 */
export const MAX_PIECE_BYTES = 1024;

/** The switches of SentencePiece's NormalizerSpec. */
export interface NormalizerSpec {
  /** Empty when texts are taken as they are. */
  readonly charsmap: Uint8Array;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  readonly escapeWhitespaces: boolean;
}

/** The vocabulary of a unigram model, from any kind of file. */
export interface Vocabulary {
  readonly pieces: readonly string[];
  /** Log probabilities: float32 as SentencePiece keeps them, float64 as Hugging Face's library does. [pieces] */
  readonly scores: Float32Array | Float64Array;
  /** One of PieceType for each piece. [pieces] */
  readonly types: Uint8Array;
  readonly unknownId: number;
  readonly byteFallback: boolean;
}

/** The character that SentencePiece writes for a space. */
export const SPACE_SYMBOL = '\u2581';

/**
 * Reads a vocabulary that is an object of piece → id.
 *
 * @returns pieces by id, '' where an id has none; and ids by piece
 * @throws RangeError that names the entry
 */
export function readEntries(value: unknown): { readonly pieces: string[]; readonly ids: Map<string, number> } {
  const ids = new Map<string, number>();
  let last = -1;
  for (const [piece, id] of Object.entries(object(value, 'model.vocab'))) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= MAX_PIECES) {
      throw new RangeError(`the id of piece ${quotedJson(piece.slice(0, 40))} is ${quotedJson(id)}`);
    }
    ids.set(piece, id);
    last = Math.max(last, id);
  }
  const pieces = new Array<string>(last + 1).fill('');
  for (const [piece, id] of ids) pieces[id] = piece;
  return { pieces, ids };
}
