/** The closed set of reasons that decoding refuses or ends early. */
export type DecodingErrorCode = 'setting-invalid' | 'vocabulary-mismatch' | 'no-token-left' | 'aborted';

/** Thrown by decoding/; the message names the setting or model, what was expected and what was found. */
export class DecodingError extends Error {
  override readonly name = 'DecodingError';
  constructor(
    readonly code: DecodingErrorCode,
    message: string,
  ) {
    super(message);
  }
}
