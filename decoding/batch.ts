import type { Encoded } from '../engine';
import { DecodingError } from './errors';
import {
  begin,
  checkRequest,
  checkSignal,
  dispose,
  type GenerationResult,
  type Outcome,
  type Pair,
  proposeFor,
  type Run,
  resultOf,
  type SequenceRequest,
  scoreFor,
  settle,
  stopAt,
  type TokenEvent,
} from './round';

/** What happened to one sequence of a batch; `index` is its place among the requests. */
export type BatchEvent =
  | { readonly kind: 'token'; readonly index: number; readonly event: TokenEvent }
  | { readonly kind: 'done'; readonly index: number; readonly result: GenerationResult }
  | { readonly kind: 'failed'; readonly index: number; readonly error: Error };

interface Member {
  readonly index: number;
  readonly run: Run;
}

/**
 * Sequences decoded together: each round is one call of the target for all of them, and one of the draft for each depth. Each
 * keeps its own seed, γ, verification, length and end, and comes out bit for bit as it would alone: rows of a call do not depend
 * on their company, and random numbers belong to a sequence's own name.
 */
export class Batch {
  private members: Member[] = [];
  private added = 0;

  constructor(private readonly pair: Pair) {}

  /** Sequences still being decoded. */
  get size(): number {
    return this.members.length;
  }

  /** Takes sequences in, and encodes their sources in one call. One that is refused fails alone: its event is returned. */
  async add(requests: readonly SequenceRequest[]): Promise<BatchEvent[]> {
    const events: BatchEvent[] = [];
    const sound: { index: number; request: SequenceRequest }[] = [];
    for (const request of requests) {
      const index = this.added++;
      try {
        checkRequest(this.pair, request);
        sound.push({ index, request });
      } catch (error) {
        events.push(failure(index, error));
      }
    }
    const encoded = await this.encode(sound.map(({ request }) => request));
    for (const [i, { index, request }] of sound.entries()) {
      const source = encoded[i];
      if ('error' in source) events.push(failure(index, source.error));
      else await this.enter(index, request, source.encoded, events);
    }
    return events;
  }

  /** One round for every sequence. */
  async step(): Promise<BatchEvent[]> {
    const events = this.leaveIf(({ run }) => attempt(() => checkSignal(run)));
    const { members } = this;
    if (members.length === 0) return events;
    const runs = members.map(({ run }) => run);
    const trees = await proposeFor(runs);
    const targets = await scoreFor(runs, trees);
    for (const [i, member] of members.entries()) {
      const { index, run } = member;
      try {
        this.handOut(member, settle(run, trees[i], targets[i]), events);
      } catch (error) {
        this.leave(member);
        events.push(failure(index, error));
      }
    }
    return events;
  }

  /** Gives back everything that is still held. */
  dispose(): void {
    for (const { run } of this.members.splice(0)) dispose(run);
  }

  private handOut(member: Member, { events: tokens, before }: Outcome, events: BatchEvent[]): void {
    const { index, run } = member;
    for (const [i, event] of tokens.entries()) {
      const stopReason = stopAt(run, event);
      events.push({ kind: 'token', index, event });
      if (!stopReason) continue;
      events.push({ kind: 'done', index, result: resultOf(run, before + i + 1, stopReason) });
      this.leave(member);
      return;
    }
  }

  private async encode(
    requests: readonly SequenceRequest[],
  ): Promise<({ readonly encoded: Encoded } | { readonly error: unknown })[]> {
    const { target } = this.pair;
    if (requests.length === 0) return [];
    try {
      const all = await target.encode(requests.map(({ source }) => source));
      return all.map((encoded) => ({ encoded }));
    } catch (error) {
      if (requests.length === 1) return [{ error }];
      const each = [];
      for (const request of requests) each.push(...(await this.encode([request]))); // whose fault was it?
      return each;
    }
  }

  private async enter(index: number, request: SequenceRequest, encoded: Encoded, events: BatchEvent[]): Promise<void> {
    try {
      this.members.push({ index, run: await begin(this.pair, request, encoded) });
    } catch (error) {
      encoded.dispose();
      events.push(failure(index, error));
    }
  }

  /** Members for whom there is an error go with it. */
  private leaveIf(error: (member: Member) => unknown): BatchEvent[] {
    const events: BatchEvent[] = [];
    for (const member of [...this.members]) {
      const found = error(member);
      if (!found) continue;
      this.leave(member);
      events.push(failure(member.index, found));
    }
    return events;
  }

  private leave(member: Member): void {
    this.members = this.members.filter((other) => other !== member);
    dispose(member.run);
  }
}

export interface BatchOptions {
  /** Sequences decoded at once; others wait for one to end. Default 8. */
  readonly concurrency?: number;
  /** Ends the whole batch. Each request may have a signal of its own, which ends that one alone. */
  readonly signal?: AbortSignal;
}

/**
 * Decodes many sources with continuous batching: at most `concurrency` at once, and whenever one ends the next of the requests,
 * which are read as they are needed, takes its place. Each `done` result equals that of `generate` with the same request, in
 * every bit. Give each request a `seed` or `stream` of its own when they should not share random numbers.
 *
 * @throws DecodingError `aborted` by the batch's own signal, `option-invalid` for the concurrency; what one request is to blame
 * for comes out as its `failed` event
 */
export async function* generateBatch(
  pair: Pair,
  requests: Iterable<SequenceRequest> | AsyncIterable<SequenceRequest>,
  { concurrency = 8, signal }: BatchOptions = {},
): AsyncGenerator<BatchEvent, void, void> {
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw new DecodingError(
      'option-invalid',
      `concurrency: expected a whole number from 1 up, found ${String(concurrency)}`,
    );
  }
  const queue = new Queue(requests);
  const batch = new Batch(pair);
  try {
    for (;;) {
      if (signal?.aborted) throw new DecodingError('aborted', 'generation: cancelled');
      const entering = await queue.take(concurrency - batch.size, batch.size === 0);
      if (entering.length === 0 && batch.size === 0) return; // nothing came, though it was waited for
      yield* await batch.add(entering);
      yield* await batch.step();
    }
  } finally {
    batch.dispose();
    queue.close();
  }
}

/** Requests that have arrived, without waiting for those that have not while others can be decoded. */
class Queue {
  ended = false;
  private readonly iterator: Iterator<SequenceRequest> | AsyncIterator<SequenceRequest>;
  private readonly waits: boolean;
  private coming: Promise<void> | null = null;
  private arrived: SequenceRequest[] = [];
  private error: unknown = null;

  constructor(requests: Iterable<SequenceRequest> | AsyncIterable<SequenceRequest>) {
    this.waits = Symbol.asyncIterator in requests;
    this.iterator = Symbol.asyncIterator in requests ? requests[Symbol.asyncIterator]() : requests[Symbol.iterator]();
  }

  /** At most `count` requests, those there are; waits for one if there are none and it `must`. */
  async take(count: number, must: boolean): Promise<SequenceRequest[]> {
    const taken: SequenceRequest[] = [];
    while (taken.length < count) {
      if (this.arrived.length === 0 && !this.ended) {
        this.coming ??= this.next();
        // A list has its next one at hand; another source may take its time, of which one turn is given.
        if (!this.waits || (must && taken.length === 0)) await this.coming;
        else await Promise.race([this.coming, new Promise((resolve) => setTimeout(resolve, 0))]);
      }
      if (this.error) throw this.error;
      const request = this.arrived.shift();
      if (!request) break;
      taken.push(request);
    }
    return taken;
  }

  /** Lets the source go; one that never answers is not waited for. */
  close(): void {
    if (!this.ended) Promise.resolve(this.iterator.return?.()).catch(() => undefined);
  }

  private async next(): Promise<void> {
    try {
      const { done, value } = await this.iterator.next();
      if (done) this.ended = true;
      else this.arrived.push(value);
    } catch (error) {
      this.error = error;
      this.ended = true;
    } finally {
      this.coming = null;
    }
  }
}

function attempt(check: () => void): unknown {
  try {
    check();
    return null;
  } catch (error) {
    return error;
  }
}

function failure(index: number, error: unknown): BatchEvent {
  return { kind: 'failed', index, error: error instanceof Error ? error : new Error(String(error)) };
}
