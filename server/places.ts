import { RequestError } from './failure';

/** A request's share of the places. */
export interface Place {
  /** Gives it back. Calls after the first do nothing. */
  leave(): void;
}

/** How long a request lasted, of the last ones: the newest counts for a fifth. */
const NEWEST = 0.2;
const LONGEST_RETRY = 60;

/** Places for the sequences of requests: those that are decoded and those that wait. */
export class Places {
  private taken = 0;
  private seconds = 1;
  private readonly waiting: (() => void)[] = [];

  /**
   * @param working places of sequences that are decoded at once
   * @param queue places of sequences that wait
   */
  constructor(
    private readonly working: number,
    private readonly queue: number,
  ) {}

  get all(): number {
    return this.working + this.queue;
  }

  get used(): number {
    return this.taken;
  }

  /**
   * Takes places for the sequences of a request.
   *
   * @throws RequestError 400 for more than there are, 429 for more than are free
   */
  take(count: number, param: string): Place {
    if (count > this.all) {
      const message = `${param}: expected at most ${this.all} sequences, found ${count}`;
      throw new RequestError(400, message, { param, code: 'too_many_sequences' });
    }
    if (this.taken + count > this.all) throw this.full();
    this.taken += count;
    const started = performance.now();
    let isHeld = true;
    return {
      leave: () => {
        if (!isHeld) return;
        isHeld = false;
        this.taken -= count;
        this.seconds += NEWEST * ((performance.now() - started) / 1000 - this.seconds);
        if (this.taken === 0) for (const wake of this.waiting.splice(0)) wake();
      },
    };
  }

  /** Waits until no place is taken. */
  async empty(): Promise<void> {
    if (this.taken > 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private full(): RequestError {
    const rounds = Math.max(1, (this.taken - this.queue / 2) / this.working); // until half of the queue is free
    const wait = Math.min(LONGEST_RETRY, Math.max(1, Math.ceil(rounds * this.seconds)));
    return new RequestError(429, `the server is full: ${this.taken} sequences are being decoded or wait`, {
      ...{ type: 'rate_limit_error', code: 'queue_full' },
      headers: { 'Retry-After': String(wait) },
    });
  }
}
