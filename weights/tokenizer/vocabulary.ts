/** Piece types, numbered as in sentencepiece_model.proto. */
export const PieceType = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** The switches of SentencePiece's NormalizerSpec. */
export interface NormalizerSpec {
  /** Empty when texts are taken as they are. */
  readonly charsmap: Uint8Array;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  readonly escapeWhitespaces: boolean;
}

/** A unigram vocabulary from any kind of file. */
export interface Vocabulary {
  readonly pieces: readonly string[];
  /** Log probabilities, float32 as SentencePiece keeps them. [pieces] */
  readonly scores: Float32Array;
  /** One of PieceType for each piece. [pieces] */
  readonly types: Uint8Array;
  readonly unknownId: number;
  readonly byteFallback: boolean;
  readonly normalizer: NormalizerSpec;
  /** Special ids by their spelling: `decode` leaves them out, and `parseSpecial` looks for them in a text. */
  readonly special: ReadonlyMap<string, number>;
}

/** The character that SentencePiece writes for a space. */
export const SPACE_SYMBOL = '\u2581';
