import { type ErrorCode, TandemError } from '../common';

/** The reasons for which decoding refuses a request or ends early. */
export type DecodingErrorCode = Extract<
  ErrorCode,
  | 'option-invalid'
  | 'argument-invalid'
  | 'token-invalid'
  | 'vocabulary-mismatch'
  | 'processor-invalid'
  | 'logits-invalid'
  | 'no-token-left'
  | 'aborted'
>;

/** Thrown by decoding/; the message names the setting or model, what was expected and what was found. */
export class DecodingError extends TandemError<DecodingErrorCode> {
  override readonly name = 'DecodingError';
}
