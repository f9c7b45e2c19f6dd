import { ASYNC_DISPOSE, TandemError } from '../common';
import type { Call } from './call';
import type { BatchResult, StreamEvent } from './types';

/**
 * Ends calls whose stream nobody holds any more. A stream that is left by `break`, `return` or `throw` ends its call at once; one
 * that is only dropped ends it when the garbage collector finds it.
 */
const dropped = new FinalizationRegistry<Call<StreamEvent>>((call) => {
  call.end(left()).catch(() => undefined);
});

function left(): TandemError {
  return new TandemError('aborted', 'stream: expected to be read to its end, found it left before');
}

/** What a stream must know of its call. */
export interface StreamShape {
  /** Number of inputs; null for one input that is not in a list. */
  readonly inputs: number | null;
  /** Sequences of each input. */
  readonly sequences: number;
  /** False where only the result is wanted: then no event waits in memory. */
  readonly keepEvents?: boolean;
}

/**
 * What `Tandem.stream` gives: the events of a call in order, its text, and its result. The call starts when the first event, the
 * first piece of text or the result is asked for. There is one sequence of events: a second loop goes on where the first stopped.
 * Leaving a loop early ends the call and frees what it held.
 *
 * @typeParam R `Result` for one input, `BatchResult[]` for a list
 */
export class TokenStream<R> implements AsyncIterable<StreamEvent> {
  readonly #call: Call<StreamEvent>;
  readonly #outcomes: (BatchResult | undefined)[];
  readonly #isOne: boolean;
  readonly #sequences: number;
  readonly #keepEvents: boolean;
  /** Events that `result` has asked for and no loop has taken yet. */
  readonly #events: StreamEvent[] = [];
  #coming: Promise<void> | null = null;
  #ended = false;
  #error: Error | null = null;
  #result: Promise<R> | null = null;

  /** @internal */
  constructor(call: Call<StreamEvent>, { inputs, sequences, keepEvents = true }: StreamShape) {
    this.#call = call;
    this.#isOne = inputs === null;
    this.#sequences = sequences * (inputs ?? 1);
    this.#keepEvents = keepEvents;
    this.#outcomes = new Array<BatchResult | undefined>(inputs ?? 1).fill(undefined);
    dropped.register(this, call);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next event. @throws what ended the call: with one input also what that input is to blame for */
  async next(): Promise<IteratorResult<StreamEvent, undefined>> {
    while (this.#events.length === 0 && !this.#ended) await this.#advance();
    const event = this.#events.shift();
    if (event) return { done: false, value: event };
    if (this.#error) throw this.#error;
    return { done: true, value: undefined };
  }

  /** Ends the call and frees what it held; a loop that is left early calls this. */
  async return(): Promise<IteratorResult<StreamEvent, undefined>> {
    this.#events.length = 0;
    if (!this.#ended) {
      this.#ended = true;
      this.#error = null;
      await this.#call.end(left());
    }
    this.#error = null;
    return { done: true, value: undefined };
  }

  async [ASYNC_DISPOSE](): Promise<void> {
    await this.return();
  }

  /**
   * The text of the first sequence, in pieces as they become certain.
   *
   * @throws TandemError `argument-invalid` when there are several inputs or sequences: iterate the events then
   */
  get text(): AsyncIterableIterator<string> {
    if (this.#sequences > 1) {
      throw new TandemError(
        'argument-invalid',
        `text: expected one input and one sequence, found ${this.#sequences} sequences; iterate the stream's events`,
      );
    }
    return this.#texts();
  }

  /**
   * The result; for a list of inputs, the results in the order of the inputs. Asking for it runs the call to its end. Events that
   * no loop has taken wait in memory.
   *
   * @throws what ended the call; for a list of inputs only what concerns all of them, such as a cancel. What one input is to
   * blame for is in its place, as `error`.
   */
  get result(): Promise<R> {
    if (this.#result === null) {
      this.#result = this.#toTheEnd();
      this.#result.catch(() => undefined); // who awaits it hears of an error; who only looked at it is not at fault
    }
    return this.#result;
  }

  async *#texts(): AsyncGenerator<string, undefined, void> {
    for await (const event of this) if (event.kind === 'token' && event.text !== '') yield event.text;
    return undefined;
  }

  async #toTheEnd(): Promise<R> {
    while (!this.#ended) await this.#advance();
    if (this.#error) throw this.#error;
    if (this.#outcomes.includes(undefined)) throw left();
    return (this.#isOne ? this.#outcomes[0] : this.#outcomes) as R;
  }

  /** Takes one event from the call; all who wait at the same time wait for the same one. */
  #advance(): Promise<void> {
    this.#coming ??= this.#take().finally(() => {
      this.#coming = null;
    });
    return this.#coming;
  }

  async #take(): Promise<void> {
    try {
      const event = await this.#call.next();
      if (this.#ended) return; // it was left while this event was on its way
      if (event === null) this.#ended = true;
      else await this.#receive(event);
    } catch (error) {
      if (this.#ended) return;
      this.#ended = true;
      this.#error = error as Error;
    }
  }

  async #receive(event: StreamEvent): Promise<void> {
    if (event.kind === 'failed' && this.#isOne) {
      await this.#call.end(event.error);
      throw event.error;
    }
    if (event.kind === 'done') this.#outcomes[event.index] = event.result;
    if (event.kind === 'failed') this.#outcomes[event.index] = { error: event.error };
    if (this.#keepEvents) this.#events.push(event);
  }
}
