/** Items of a list or of a source that may let one wait. It gives out those that have arrived, and waits only when told to. */
export class Queue<T> {
  private ended = false;
  private readonly iterator: Iterator<T> | AsyncIterator<T>;
  private readonly asynchronous: boolean;
  private pending: Promise<void> | null = null;
  private arrived: T[] = [];
  private failure: { readonly error: unknown } | null = null;

  constructor(items: Iterable<T> | AsyncIterable<T>) {
    this.asynchronous = Symbol.asyncIterator in items;
    this.iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  }

  /**
   * At most `count` items.
   *
   * @param wait when no item has arrived: wait for one. Without it, the result can be empty although the source has not ended
   * @throws what the source throws
   */
  async take(count: number, wait: boolean): Promise<T[]> {
    const taken: T[] = [];
    while (taken.length < count) {
      if (this.arrived.length === 0 && !this.ended) {
        this.pending ??= this.pull();
        // A list has its next item at hand. Another source gets one turn of the event loop, so that decoding is not held up.
        if (!this.asynchronous || (wait && taken.length === 0)) await this.pending;
        else await Promise.race([this.pending, new Promise((resolve) => setTimeout(resolve, 0))]);
      }
      if (this.failure) throw this.failure.error;
      if (this.arrived.length === 0) break;
      taken.push(this.arrived.shift() as T);
    }
    return taken;
  }

  /** Ends the source. It is not waited for, because it may never answer. */
  dispose(): void {
    if (this.ended) return;
    this.ended = true;
    Promise.resolve(this.iterator.return?.()).catch(() => undefined);
  }

  private async pull(): Promise<void> {
    try {
      const { done, value } = await this.iterator.next();
      if (done) this.ended = true;
      else this.arrived.push(value);
    } catch (error) {
      this.failure = { error };
      this.ended = true;
    } finally {
      this.pending = null;
    }
  }
}
