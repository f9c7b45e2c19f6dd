import { TransientFailure } from './failures';

/** A connection has to bring this many bytes, or its end, within one time limit. One byte now and then is not enough. */
const LEAST_BYTES = 16 << 10;

/**
 * Ends a request that brings nothing, or next to nothing, for `limitMs`, and one that the caller cancels. Only the time
 * in which something is awaited counts, so that a slow disk is not taken for a silent server.
 */
export class SilenceWatch {
  readonly #controller = new AbortController();
  readonly #forward = () => this.#controller.abort(this.outer?.reason);
  #bytes = 0;
  #waitedMs = 0;

  constructor(
    private readonly limitMs: number,
    private readonly outer: AbortSignal | undefined,
  ) {
    if (outer?.aborted) this.#forward();
    else outer?.addEventListener('abort', this.#forward, { once: true });
  }

  /** Aborts when the time is over or the caller cancels; its reason says which. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Waits for the next step of a connection. */
  async wait<Value>(step: Promise<Value>): Promise<Value> {
    const begin = performance.now();
    const silent = new TransientFailure(`silence for ${this.limitMs / 1000} seconds`);
    const timer = setTimeout(() => this.#controller.abort(silent), Math.max(0, this.limitMs - this.#waitedMs));
    const { signal } = this;
    let stop: () => void = () => undefined;
    // Node 20 does not always end a body that is being read when its request is aborted.
    const ended = new Promise<never>((_, reject) => {
      stop = () => reject(signal.reason);
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
    try {
      return await Promise.race([step, ended]);
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener('abort', stop);
      clearTimeout(timer);
      this.#waitedMs += performance.now() - begin;
    }
  }

  /** Counts what arrived; enough of it starts the time limit anew. */
  count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < LEAST_BYTES) return;
    this.#bytes = 0;
    this.#waitedMs = 0;
  }

  /** Ends the connection, if it still runs, and forgets the caller's signal. */
  end(): void {
    this.outer?.removeEventListener('abort', this.#forward);
    this.#controller.abort();
  }
}
