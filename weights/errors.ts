import { type ErrorCode, TandemError } from '../common';

/** The closed set of reasons that loading weights, a config or a tokenizer fails. */
export type WeightsErrorCode = Extract<
  ErrorCode,
  | 'argument-invalid'
  | 'not-found'
  | 'io-failed'
  | 'header-invalid'
  | 'tensor-invalid'
  | 'tensor-missing'
  | 'type-unsupported'
  | 'shard-invalid'
  | 'config-invalid'
  | 'tokenizer-invalid'
  | 'hub-failed'
  | 'offline'
  | 'aborted'
  | 'checksum-mismatch'
>;

/** Thrown by everything in weights/; the message names the file or field, what was expected and what was found. */
export class WeightsError extends TandemError<WeightsErrorCode> {
  override readonly name = 'WeightsError';
}
