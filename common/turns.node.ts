/**
 * Lets the event loop run at most every 16 ms. A backend that computes on the calling thread resolves its promises without
 * the event loop, so signals, timers and an abort would wait until the end.
 */
export class Turns {
  private last = performance.now();

  async give(): Promise<void> {
    if (performance.now() - this.last < 16) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.last = performance.now();
  }
}
