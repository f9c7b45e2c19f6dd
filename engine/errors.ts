import { type ErrorCode, TandemError } from '../common';

/** The closed set of reasons the engine refuses a model or a call. */
export type EngineErrorCode = Extract<
  ErrorCode,
  | 'type-unsupported'
  | 'tensor-missing'
  | 'out-of-memory'
  | 'source-invalid'
  | 'token-invalid'
  | 'row-invalid'
  | 'stream-invalid'
  | 'disposed'
  | 'aborted'
>;

/** Thrown by engine/; the message names the value, what was expected and what was found. */
export class EngineError extends TandemError<EngineErrorCode> {
  override readonly name = 'EngineError';
}

/** @throws EngineError `disposed` */
export function checkInUse({ name, disposed }: { readonly name: string; readonly disposed: boolean }): void {
  if (disposed) throw new EngineError('disposed', `${name}: expected a model in use, found one that was disposed`);
}

/** @throws EngineError `aborted`, which names the call */
export function checkNotAborted(call: 'encode' | 'forward', signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new EngineError('aborted', `${call}: cancelled`, { cause: signal.reason });
}
