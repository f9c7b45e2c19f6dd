import { printable, quoted, TandemError } from '../../common';
import { WeightsError } from '../errors';

/**
 * One try of a request failed for a reason that may pass: no answer, a broken connection, silence, or a busy server.
 * It never leaves this room: after the last try it becomes an `UnreachableError`.
 */
export class TransientFailure extends Error {
  override readonly name = 'TransientFailure';
  constructor(
    message: string,
    /** How long the server asked to wait before the next try, in milliseconds. */
    readonly retryAfterMs: number | null = null,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The server gave no usable answer in any try. A complete copy in the cache can stand in for it. */
export class UnreachableError extends WeightsError {}

/** The error of work that its caller cancelled. */
export function abortedError(what: string, signal: AbortSignal | undefined): WeightsError {
  return new WeightsError('aborted', `${what}: cancelled`, { cause: signal?.reason });
}

/** @throws WeightsError `aborted` when the caller has cancelled */
export function throwIfAborted(what: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedError(what, signal);
}

/** Certificates that this machine does not trust: another try would find the same. */
const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/;

/** What an error of a connection means: cancelled by the caller, final, or a failure that may pass. */
export function asFailure(what: string, error: unknown, signal: AbortSignal | undefined): Error {
  if (error instanceof TandemError || error instanceof TransientFailure) return error;
  if (signal?.aborted) return abortedError(what, signal);
  const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  const found = printable((code ?? message ?? String(error)).slice(0, 200));
  if (UNTRUSTED.test(code ?? '')) {
    const advice = 'a company network that looks into TLS needs NODE_EXTRA_CA_CERTS=FILE with its certificate';
    return new UnreachableError(
      'hub-failed',
      `${what}: expected a certificate that is trusted, found ${found}; ${advice}`,
      {
        cause: error,
      },
    );
  }
  return new TransientFailure(found, null, { cause: error });
}

/** The error of a status that no other try will change. */
export function refusal(what: string, status: number, headers: Headers): WeightsError {
  const words = headers.get('x-error-message'); // Hugging Face says here what its page would
  const found = words ? `status ${status}, ${quoted(words)}` : `status ${status}`;
  if (status === 401 || status === 403) {
    const advice = 'it is private, gated or misspelt; set HF_TOKEN to a token that may read it';
    return new WeightsError('hub-failed', `${what}: expected access, found ${found}: ${advice}`);
  }
  if (status === 404) return new WeightsError('not-found', `${what}: expected it on the hub, found nothing (${found})`);
  return new WeightsError('hub-failed', `${what}: expected an answer from the server, found ${found}`);
}
