import { type ErrorCode, TandemError } from '../common';

/** Every reason for which a backend refuses something. */
export type KernelErrorCode = Extract<
  ErrorCode,
  | 'out-of-memory'
  | 'type-unsupported'
  | 'shape-mismatch'
  | 'option-invalid'
  | 'argument-invalid'
  | 'unavailable'
  | 'device-lost'
  | 'compile-failed'
>;

/** Thrown by backends. The message names the backend, kernel or box, what was expected and what was found. */
export class KernelError extends TandemError<KernelErrorCode> {
  override readonly name = 'KernelError';
}
