import { abortedError, TransientFailure } from './failures';

/** Waits for a while; rejects with `WeightsError` `aborted` at once when the signal aborts. Specs put a fake in its place. */
export type Pause = (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;

/** What a program is told before the next try. */
export interface RetryNotice {
  readonly kind: 'retry';
  /** What is asked for, why the last try failed, and how long the pause is. */
  readonly message: string;
  readonly pauseMs: number;
}

export interface RetryPolicy {
  /** Tries that may fail in a row without progress, the first one included. */
  readonly tries: number;
  readonly pause: Pause;
  readonly onRetry?: (notice: RetryNotice) => void;
  readonly signal?: AbortSignal;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;
/** A server that asks to wait longer than this is given up. The hub's own limits last five minutes. */
const LONGEST_RETRY_AFTER_MS = 300_000;

/**
 * Runs `attempt` until it succeeds, again after each `TransientFailure`, with growing pauses or those that the server asks
 * for. Every other error is thrown at once.
 *
 * @param progressed says after a failure whether that try still brought the work forward; then the count starts anew
 * @throws TransientFailure the last one, when as many tries as the policy allows have failed in a row
 */
export async function withRetries<Value>(
  what: string,
  { tries, pause, onRetry, signal }: RetryPolicy,
  attempt: () => Promise<Value>,
  progressed: () => Promise<boolean> = async () => false,
): Promise<Value> {
  let failures = 0;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransientFailure)) throw error;
      failures = (await progressed()) ? 0 : failures + 1;
      const asked = error.retryAfterMs ?? 0;
      if (failures >= tries || asked > LONGEST_RETRY_AFTER_MS) throw error;
      const pauseMs = Math.max(asked, Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, failures - 1)));
      onRetry?.({ kind: 'retry', message: `${what}: ${error.message}; next try in ${pauseMs / 1000} s`, pauseMs });
      await pause(pauseMs, signal);
    }
  }
}

/** The pause by the clock. */
export const pauseByClock: Pause = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    const cancel = () => {
      clearTimeout(timer);
      reject(abortedError('waiting', signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', cancel);
      resolve();
    }, milliseconds);
    if (signal?.aborted) cancel();
    else signal?.addEventListener('abort', cancel, { once: true });
  });

/**
 * How long a server asks to wait, in milliseconds, or null: `Retry-After` in seconds or as a date (RFC 9110, section
 * 10.2.3), else the `t=` of Hugging Face's `RateLimit` header.
 */
export function retryAfterMs(headers: Headers, now: number): number | null {
  const given = headers.get('retry-after')?.trim();
  if (given && /^\d+$/.test(given)) return Number(given) * 1000;
  const date = given ? Date.parse(given) : Number.NaN;
  if (!Number.isNaN(date)) return Math.max(0, date - now);
  const reset = /;\s*t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1];
  return reset === undefined ? null : Number(reset) * 1000;
}
