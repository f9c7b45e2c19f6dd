/** Items that one side puts in and the other takes out, in order. Whoever takes waits while there is none. */
export class Inbox<T> {
  private readonly items: T[] = [];
  private wake: (() => void) | null = null;
  private over: { readonly error: Error | null } | null = null;

  put(item: T): void {
    if (this.over) return;
    this.items.push(item);
    this.stir();
  }

  /** Nothing more comes. With an error, what still waits is dropped, and who takes hears of it. Calls after the first do nothing. */
  close(error: Error | null = null): void {
    if (this.over) return;
    this.over = { error };
    if (error) this.items.length = 0;
    this.stir();
  }

  /** The items up to the end. @throws the error that the inbox was closed with */
  async *take(): AsyncGenerator<T, void, void> {
    for (;;) {
      while (this.items.length > 0) yield this.items.shift() as T;
      if (this.over?.error) throw this.over.error;
      if (this.over) return;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  private stir(): void {
    this.wake?.();
    this.wake = null;
  }
}
