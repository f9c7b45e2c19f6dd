/** The closed set of reasons the engine refuses a model or a call. */
export type EngineErrorCode =
  | 'type-unsupported'
  | 'out-of-memory'
  | 'source-invalid'
  | 'token-invalid'
  | 'row-invalid'
  | 'stream-invalid'
  | 'released'
  | 'aborted';

/** Thrown by engine/; the message names the value, what was expected and what was found. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  constructor(
    readonly code: EngineErrorCode,
    message: string,
  ) {
    super(message);
  }
}
