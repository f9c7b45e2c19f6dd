/** The closed set of reasons a backend refuses something. */
export type KernelErrorCode =
  | 'out-of-memory'
  | 'unsupported-type'
  | 'shape-mismatch'
  | 'invalid-argument'
  | 'unavailable'
  | 'device-lost'
  | 'compile-failed';

/** Thrown by backends; the message names the box or backend, what was expected and what was found. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  constructor(
    readonly code: KernelErrorCode,
    message: string,
  ) {
    super(message);
  }
}
