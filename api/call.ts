import { TandemError } from '../common';

/** Starts a call; the signal ends it. */
export type StartCall<E> = (signal: AbortSignal) => AsyncGenerator<E, void, void>;

/** Calls that have started and not ended. */
export type LiveCalls = Set<Call<unknown>>;

/**
 * One call of the engine. It starts with the first event that is asked for. However it ends, it gives back what it took: by its
 * last event, by an error, by the caller's signal, or by `end`.
 */
export class Call<E> {
  private events: AsyncGenerator<E, void, void> | null = null;
  private readonly controller = new AbortController();
  private reason: Error | null = null;
  private isOver = false;

  constructor(
    private readonly start: StartCall<E>,
    private readonly live: LiveCalls,
    private readonly signal?: AbortSignal,
  ) {}

  /**
   * The next event, or null after the last one.
   *
   * @throws the error that ended the call, again each time
   */
  async next(): Promise<E | null> {
    if (this.signal?.aborted) await this.abort();
    if (this.reason) throw this.reason;
    if (this.isOver) return null;
    this.events ??= this.begin();
    try {
      const step = await this.events.next();
      if (this.reason) throw this.reason;
      if (!step.done) return step.value;
      this.close();
      return null;
    } catch (error) {
      this.reason ??= asError(error);
      this.close();
      throw this.reason;
    }
  }

  /**
   * Ends the call and gives everything back. Waits for the step of the engine that is under way.
   *
   * @param reason what `next` throws from now on, if the call had not ended before
   */
  async end(reason: Error): Promise<void> {
    if (this.isOver) return;
    this.reason ??= reason;
    this.controller.abort(this.reason);
    this.close();
    await this.events?.return();
  }

  private begin(): AsyncGenerator<E, void, void> {
    this.live.add(this);
    this.signal?.addEventListener('abort', this.abort);
    return this.start(this.controller.signal);
  }

  private readonly abort = (): Promise<void> =>
    this.end(new TandemError('aborted', 'generation: cancelled', { cause: this.signal?.reason })).catch(
      () => undefined,
    );

  private close(): void {
    this.isOver = true;
    this.live.delete(this);
    this.signal?.removeEventListener('abort', this.abort);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error), { cause: error });
}
