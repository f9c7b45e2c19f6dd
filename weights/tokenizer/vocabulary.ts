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

/** A unigram vocabulary, whichever file it came from. */
export interface Vocabulary {
  readonly pieces: readonly string[];
  /** Log probabilities, float32 as SentencePiece keeps them. [pieces] */
  readonly scores: Float32Array;
  /** One of PieceType for each piece. [pieces] */
  readonly types: Uint8Array;
  readonly unknownId: number;
  readonly byteFallback: boolean;
  readonly normalizer: NormalizerSpec;
  /** Ids that `decode` leaves out and that `parseSpecial` looks for in a text, by their spelling. */
  readonly special: ReadonlyMap<string, number>;
}

/** SentencePiece's stand-in for a space. */
export const SPACE_SYMBOL = '\u2581';
