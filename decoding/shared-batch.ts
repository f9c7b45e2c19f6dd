import { Inbox, Turns } from '../common';
import { Batch } from './batch';
import { DecodingError } from './errors';
import type { GenerationEvent } from './events';
import { checkSignal, type Pair, type SequenceRequest } from './run';

/** Who asked for sequences, and where the events of them go. */
interface Caller {
  readonly requests: Iterator<SequenceRequest, void>;
  readonly events: Inbox<GenerationEvent>;
  /** The most sequences of this caller that are decoded at once. */
  readonly most: number;
  /** What ends each of its sequences that is being decoded. */
  readonly live: Map<number, AbortController>;
  taken: number;
  /** Whether `requests` has given its last one. */
  exhausted: boolean;
}

export interface SharedBatchOptions {
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
}

/**
 * One batch for the sequences of many callers, who come and go while others are being decoded. It works while there is a
 * sequence, whether or not anybody reads its events. Where more wait than fit, the callers take turns, one sequence each. Every
 * sequence comes out bit for bit as it would alone, as in any `Batch`.
 */
export class SharedBatch {
  private batch: Batch;
  private readonly callers: Caller[] = [];
  /** The caller of each sequence in the batch, by its number there, and its number among the caller's own. */
  private owners = new Map<number, { readonly caller: Caller; readonly index: number }>();
  private added = 0;
  /** The rounds that are running. */
  private working: Promise<void> | null = null;
  private readonly turns = new Turns();

  /** @param size sequences that are decoded at once */
  constructor(
    private readonly pair: Pair,
    private readonly size: number,
  ) {
    this.batch = new Batch(pair);
  }

  /**
   * As `generateBatch`: the events of these requests alone, each with the request's place.
   *
   * @throws DecodingError `aborted`; whatever a call that all sequences share throws
   */
  async *generate(
    requests: Iterable<SequenceRequest>,
    { concurrency = this.size, signal }: SharedBatchOptions = {},
  ): AsyncGenerator<GenerationEvent, void, void> {
    checkSignal(signal);
    const caller: Caller = {
      requests: requests[Symbol.iterator]() as Iterator<SequenceRequest, void>,
      events: new Inbox(),
      most: concurrency,
      live: new Map(),
      taken: 0,
      exhausted: false,
    };
    const abort = () => caller.events.close(new DecodingError('aborted', 'generation: cancelled'));
    signal?.addEventListener('abort', abort);
    this.callers.push(caller);
    this.work();
    try {
      yield* caller.events.take();
    } finally {
      signal?.removeEventListener('abort', abort);
      this.leave(caller);
    }
  }

  /** Waits until what the callers who have left had in the batch is given back. */
  async settle(): Promise<void> {
    while (this.working) await this.working;
  }

  /** Starts the rounds where none are running. They end by themselves when nobody is left. */
  private work(): void {
    this.working ??= this.rounds()
      .catch((error: unknown) => this.fail(error as Error))
      .finally(() => {
        this.working = null;
        if (this.callers.length > 0) this.work(); // one that came while the last round ended
      });
  }

  private async rounds(): Promise<void> {
    while (this.callers.length > 0 || this.batch.size > 0) {
      const entering = this.entering();
      if (entering.length > 0) this.handOut(await this.batch.add(entering));
      if (this.batch.size > 0) this.handOut(await this.batch.step());
      this.sendOff();
      await this.turns.give();
    }
  }

  /** The next sequences, as many as fit: one of each caller in turn. */
  private entering(): SequenceRequest[] {
    const entering: SequenceRequest[] = [];
    for (let idle = 0; idle < this.callers.length && this.batch.size + entering.length < this.size; ) {
      const caller = this.callers.shift() as Caller; // to the end of the line
      this.callers.push(caller);
      const request = caller.live.size < caller.most ? this.next(caller) : null;
      if (request === null) idle++;
      else {
        entering.push(request);
        idle = 0;
      }
    }
    return entering;
  }

  private next(caller: Caller): SequenceRequest | null {
    if (caller.exhausted) return null;
    try {
      const { done, value } = caller.requests.next();
      if (!done) return this.owned(caller, value as SequenceRequest);
    } catch (error) {
      caller.events.close(error as Error);
    }
    caller.exhausted = true;
    return null;
  }

  /** Notes whose request it is, and gives it a signal that ends when the caller leaves. */
  private owned(caller: Caller, request: SequenceRequest): SequenceRequest {
    const abort = new AbortController();
    const { signal } = request;
    if (signal?.aborted) abort.abort();
    else signal?.addEventListener('abort', () => abort.abort(), { once: true, signal: abort.signal });
    caller.live.set(this.added, abort);
    this.owners.set(this.added++, { caller, index: caller.taken++ });
    return { ...request, signal: abort.signal };
  }

  private handOut(events: readonly GenerationEvent[]): void {
    for (const event of events) {
      const owner = this.owners.get(event.index);
      if (!owner) continue; // of a caller who has left
      const { caller, index } = owner;
      if (event.kind !== 'token') {
        this.owners.delete(event.index);
        caller.live.get(event.index)?.abort(); // nothing listens to the request's signal any more, which may live for long
        caller.live.delete(event.index);
      }
      caller.events.put({ ...event, index });
    }
  }

  /** Tells callers whose sequences have all ended. */
  private sendOff(): void {
    for (const caller of [...this.callers]) {
      if (!caller.exhausted || caller.live.size > 0) continue;
      this.callers.splice(this.callers.indexOf(caller), 1);
      caller.events.close();
    }
  }

  /** Ends what the caller has in the batch: the next round leaves it out. */
  private leave(caller: Caller): void {
    const place = this.callers.indexOf(caller);
    if (place >= 0) this.callers.splice(place, 1);
    for (const [number, abort] of caller.live) {
      this.owners.delete(number);
      abort.abort();
    }
    caller.live.clear();
    if (!caller.exhausted) caller.requests.return?.();
    caller.exhausted = true;
  }

  /** An error that is nobody's own ends everything; the next caller finds a new batch. */
  private fail(error: Error): void {
    this.batch.dispose();
    this.batch = new Batch(this.pair);
    this.owners = new Map();
    this.added = 0;
    for (const caller of this.callers.splice(0)) {
      caller.live.clear();
      caller.events.close(error);
    }
  }
}
