/** The closed set of reasons that loading weights, a config or a tokenizer fails. */
export type WeightsErrorCode =
  | 'not-found'
  | 'io'
  | 'header-invalid'
  | 'tensor-invalid'
  | 'tensor-missing'
  | 'type-unsupported'
  | 'shard-invalid'
  | 'config-invalid'
  | 'tokenizer-invalid'
  | 'hub'
  | 'offline'
  | 'aborted'
  | 'checksum-mismatch';

/** Thrown by everything in weights/; the message names the file or field, what was expected and what was found. */
export class WeightsError extends Error {
  override readonly name = 'WeightsError';
  constructor(
    readonly code: WeightsErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
