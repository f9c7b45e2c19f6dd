/** Longest time that the event loop may stand still, in milliseconds. */
const LONGEST_STRETCH_MS = 16;

let last = performance.now();

/**
 * Lets signals and timers run, at most every 16 ms. Awaiting a finished promise does not turn the event loop, so a loop whose
 * work is done on this thread hears no Ctrl-C without this.
 *
 * @throws what `signal` was aborted with
 */
export async function yieldToEventLoop(signal: AbortSignal): Promise<void> {
  if (performance.now() - last >= LONGEST_STRETCH_MS) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    last = performance.now();
  }
  signal.throwIfAborted();
}

/** The same items; the event loop turns between them. */
export async function* withEventLoop<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void, void> {
  for await (const item of items) {
    await yieldToEventLoop(signal);
    yield item;
  }
}

/** Ends when the signal does. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
}
