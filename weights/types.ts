import type { GenerationStart, Statement } from './stated';

/** Random access to bytes that need not be in memory: a file handle, a Blob, ranges over HTTP, a buffer. */
export interface ByteSource {
  /** Where the bytes are, for messages. */
  readonly name: string;
  readonly size: number;
  /** Exactly `length` bytes from `offset`; throws `WeightsError` `io` when they cannot be had. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Gives back what the source holds, such as a file handle. It must not be read after. */
  dispose(): Promise<void>;
}

/** All 22 data types of the safetensors format, as the file spells them. */
export type SafetensorsType =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL'
  | 'C64'
  | 'F8_E4M3'
  | 'F8_E5M2'
  | 'F8_E8M0'
  | 'F8_E4M3FNUZ'
  | 'F8_E5M2FNUZ'
  | 'F6_E2M3'
  | 'F6_E3M2'
  | 'F4';

/** One tensor of a checkpoint, from the header alone. */
export interface TensorInfo {
  readonly name: string;
  readonly type: SafetensorsType;
  readonly shape: readonly number[];
  /** Size in bytes. */
  readonly bytes: number;
  /** File that holds it. */
  readonly file: string;
  /** Name of an earlier tensor of the file that is the very same bytes, as tied tensors are in pytorch_model.bin. */
  readonly sameAs?: string;
  /** Rows of block scales and codes (`common/q8.ts`, `common/q4.ts`). `type` is then U8, `bytes` are the file's and `shape` is the matrix's. */
  readonly packing?: 'q8' | 'q4';
}

export type ModelFamily = 't5' | 'mt5' | 'umt5';

/** `gelu` is x · Φ(x); `gelu_new` is its tanh form. */
export type ActivationName = 'relu' | 'gelu' | 'gelu_new' | 'silu';

/** wo(f(wi x)); gated it is wo(f(wi_0 x) · wi_1 x). */
export interface FeedForward {
  /** f. */
  readonly kind: ActivationName;
  readonly gated: boolean;
}

/** config.json, parsed once. Hugging Face's snake_case ends here. */
export interface T5Config {
  readonly family: ModelFamily;
  readonly vocabularySize: number;
  readonly dModel: number;
  readonly dKv: number;
  readonly heads: number;
  /** heads · dKv, which need not equal dModel. */
  readonly inner: number;
  readonly dFf: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly relativeBuckets: number;
  readonly relativeMaxDistance: number;
  readonly epsilon: number;
  readonly feedForward: FeedForward;
  /** umT5 has a position-bias table in every block; the others in block 0 only. */
  readonly biasInEveryBlock: boolean;
  /** Whether the head scales by dModel^-0.5: `scale_decoder_outputs ?? tie_word_embeddings ?? true`. */
  readonly scaleHead: boolean;
  /** `tie_word_embeddings ?? true`. A file may hold a head of its own all the same, and then it is used. */
  readonly tiesHead: boolean;
  readonly startToken: number;
  readonly eosTokens: readonly number[];
}

/** Turns ids into text one at a time, as they are generated. The pieces of all calls together are `Tokenizer.decode` of the ids. */
export interface IncrementalDecoder {
  /** Takes the next id. Returns the text that is now certain: '' while a character of several bytes is not complete. */
  push(id: number): string;
  /** Ends the sequence. Returns the text that still waited for more ids. */
  end(): string;
}

/** How ids become text. */
export interface DecodeOptions {
  /** False shows special tokens (pad, EOS, sentinels) in the text. Default true. */
  readonly skipSpecialTokens?: boolean;
}

/** How text becomes ids. */
export interface EncodeOptions {
  /** False leaves out what the tokenizer puts around a text: the closing EOS, and an opening token where there is one. Default true. */
  readonly addEos?: boolean;
  /**
   * Whether special tokens that are spelt out in the text (`</s>`, `<extra_id_0>`) become their ids, as in Hugging Face's
   * tokenizers. With false they are plain text, as for SentencePiece: for text that is not trusted. Added tokens that are not
   * special are part of the vocabulary, and are found either way. Default true.
   */
  readonly parseSpecial?: boolean;
}

export interface Tokenizer {
  readonly kind: 'unigram' | 'bpe' | 'bytes';
  readonly vocabularySize: number;
  /** Special tokens by their spelling. */
  readonly special: ReadonlyMap<string, number>;
  /** Ids of a text, with the closing EOS unless told otherwise. A text that ends in it does not get a second one. */
  encode(text: string, options?: EncodeOptions): number[];
  /**
   * As `encode`, for a text of some MB: the work is done in parts of some milliseconds, and waits between them for what `betweenParts`
   * returns. What that throws ends it. Absent: `encode` alone.
   */
  encodeInParts?(
    text: string,
    options: EncodeOptions & { readonly betweenParts: () => Promise<void> },
  ): Promise<number[]>;
  /** Text of ids; special tokens are left out unless told otherwise. */
  decode(ids: readonly number[], options?: DecodeOptions): string;
  /** Starts a text that grows with each id. Special tokens are left out of it unless told otherwise. */
  incrementalDecoder(options?: DecodeOptions): IncrementalDecoder;
  /** The piece as stored, e.g. `▁the`. */
  piece(id: number): string;
  /** Id of a piece, or undefined. */
  id(piece: string): number | undefined;
}

/** How the states of a text become one vector. Several are joined end to end, in this order. */
export type Pooling = 'cls' | 'max' | 'mean' | 'meanSqrtLength';

/** A tensor as its file has it. */
export interface StoredTensor {
  readonly info: TensorInfo;
  readonly bytes: Uint8Array;
}

/** A step after pooling. */
export type EmbeddingStep =
  | {
      readonly kind: 'dense';
      readonly weight: StoredTensor; // [outputs, inputs]
      readonly bias: StoredTensor | null; // [outputs]
      readonly activation: 'identity' | 'tanh' | 'relu';
    }
  | { readonly kind: 'normalize' };

export interface EmbeddingSteps {
  /** Longest text in tokens, closing EOS included; null where nothing limits it. */
  readonly maxTokens: number | null;
  readonly pooling: readonly Pooling[];
  readonly steps: readonly EmbeddingStep[];
}

/** A Hugging Face model directory (or its like elsewhere), opened but not loaded. */
export interface Checkpoint extends AsyncDisposable {
  /** Directory, hub id or other name, for messages. */
  readonly name: string;
  readonly config: T5Config;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  /** What the files state of generation. Absent: nothing. */
  readonly generation?: GenerationStart;
  /** What config.json states and no T5 of this engine can follow. Such a checkpoint is not loaded. */
  readonly refused?: readonly Statement[];
  /** What becomes of each key of its files of settings. Reads the tokenizer's files. */
  statements?(): Promise<readonly Statement[]>;
  /** Bytes of one tensor, or the part [offset, offset + length) of them. Reads nothing else. */
  read(name: string, offset?: number, length?: number): Promise<Uint8Array>;
  /** Longest source, in ids, that the files say the model was made for; null where they say none. */
  sourceLength?(): Promise<number | null>;
  /** Files beside the weights: the config, the tokenizer, and others that belong to the model. */
  readonly settingsFiles?: readonly string[];
  /** The bytes of one of `settingsFiles`; null when it is not there. */
  readSettings?(file: string): Promise<Uint8Array | null>;
  /** What follows the encoder for embeddings, as modules.json says; null where there is none. */
  embeddingSteps?(): Promise<EmbeddingSteps | null>;
  /** From tokenizer.json, spiece.model, vocab.json with merges.txt, or none for ByT5. Throws `WeightsError` when there is none. */
  tokenizer(): Promise<Tokenizer>;
  /** Closes its files. It must not be read after; a second call does nothing. `await using` calls it too. */
  dispose(): Promise<void>;
}
