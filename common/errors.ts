/**
 * Every reason for which Tandem refuses something or stops. One word has one meaning in every room: `type-unsupported` of a
 * tensor in a file is the same code as `type-unsupported` of a weight on a backend.
 */
export type ErrorCode =
  /** The caller cancelled through an `AbortSignal`. */
  | 'aborted'
  /** An option has an unknown name, the wrong type, or a value outside its range. */
  | 'option-invalid'
  /** A function was called with arguments that do not fit each other. */
  | 'argument-invalid'
  /** The object was given back with `dispose` before this call. */
  | 'disposed'
  | 'out-of-memory'
  /** A file, directory, model or tokenizer that was named is not there. */
  | 'not-found'
  /** The operating system could not read or write. */
  | 'io-failed'
  /** The hub, a proxy or a server answered with an error. */
  | 'hub-failed'
  /** The network was needed, and `offline` forbids it. */
  | 'offline'
  | 'checksum-mismatch'
  | 'header-invalid'
  | 'tensor-invalid'
  | 'tensor-missing'
  | 'shard-invalid'
  | 'config-invalid'
  | 'tokenizer-invalid'
  /** A data type that cannot be computed with. */
  | 'type-unsupported'
  | 'shape-mismatch'
  /** A backend, device or package that was asked for cannot run here. */
  | 'unavailable'
  | 'device-lost'
  | 'compile-failed'
  | 'source-invalid'
  | 'token-invalid'
  | 'row-invalid'
  | 'stream-invalid'
  /** Draft and target do not have the same token ids. */
  | 'vocabulary-mismatch'
  /** A logits processor of the caller's own returned something else than logits. */
  | 'processor-invalid'
  /** A model's logits are NaN or infinite. */
  | 'logits-invalid'
  /** The processors forbid every token at a position that decoding has reached. */
  | 'no-token-left';

/** Codes of errors that an input, or what is asked of it, is to blame for: the same input has the same one whenever it is decoded. */
export const INPUT_ERRORS: readonly ErrorCode[] = [
  'option-invalid',
  'argument-invalid',
  'config-invalid',
  'source-invalid',
  'token-invalid',
  'tokenizer-invalid',
  'logits-invalid',
  'no-token-left',
];

/**
 * The base of every error that Tandem throws on purpose. `code` is for programs, `message` is for people: it names what was
 * looked at, what was expected and what was found.
 */
export class TandemError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name: string = 'TandemError';
  constructor(
    readonly code: Code,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
