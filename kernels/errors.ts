import { type ErrorCode, TandemError } from '../common';

/** The closed set of reasons a backend refuses something. */
export type KernelErrorCode = Extract<
  ErrorCode,
  | 'out-of-memory'
  | 'type-unsupported'
  | 'shape-mismatch'
  | 'argument-invalid'
  | 'unavailable'
  | 'device-lost'
  | 'compile-failed'
>;

/** Thrown by backends; the message names the box or backend, what was expected and what was found. */
export class KernelError extends TandemError<KernelErrorCode> {
  override readonly name = 'KernelError';
}
