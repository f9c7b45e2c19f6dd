/** Places for what has begun and is not finished: it bounds what is in memory. */
export class Window {
  private readonly waiting: (() => void)[] = [];
  private isOpen = false;

  /** @param free places that nobody has taken */
  constructor(private free: number) {}

  /** Waits for a place and takes it. */
  async take(): Promise<void> {
    if (this.isOpen) return;
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** Gives a place back. */
  leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.free++;
  }

  /** From now on nobody waits: whoever takes a place ends by something else. */
  open(): void {
    this.isOpen = true;
    for (const next of this.waiting.splice(0)) next();
  }
}
