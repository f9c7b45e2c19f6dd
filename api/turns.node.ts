/**
 * Lets signals and timers in now and then: a backend that computes on this thread settles its promises without ever going
 * back to the event loop, and an abort would not be heard.
 */
export class Turns {
  private last = performance.now();

  async give(): Promise<void> {
    if (performance.now() - this.last < 16) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.last = performance.now();
  }
}
