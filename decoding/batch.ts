import type { Encoded, EncoderOptions, EncodingProgress } from '../engine';
import { badSetting } from './checks';
import { type EncodingShare, SharedEncodings } from './encodings';
import type { GenerationEvent } from './events';
import { Failure } from './failure';
import { PairCosts } from './gamma/pair-costs';
import { Queue } from './queue';
import { round } from './round';
import {
  checkRequest,
  checkSignal,
  disposeRun,
  type Pair,
  type Run,
  resultOf,
  type SequenceRequest,
  startRun,
} from './run';
import { CONCURRENCY, DEFAULTS } from './settings';

interface Member {
  readonly index: number;
  readonly run: Run;
}

/**
 * Sequences that are decoded together: each round is one call of the target for all of them, and one call of the draft for each
 * depth. Each sequence has its own seed, γ, verification, length and end, and comes out bit for bit as it would alone: a row of
 * a call does not depend on the other rows, and random numbers belong to the sequence's own name.
 */
export class Batch {
  private members: Member[] = [];
  private added = 0;
  /** By the list of the source's ids. */
  private readonly encodings = new SharedEncodings();

  private readonly pair: Pair;

  constructor(pair: Pair) {
    // Rounds of several sequences tell of costs that all of them share.
    this.pair = pair.costs ? pair : { ...pair, costs: new PairCosts() };
  }

  /** Number of sequences that are being decoded. */
  get size(): number {
    return this.members.length;
  }

  /**
   * Adds sequences, and encodes their sources in one call; a source that several requests share is encoded once. A request that
   * is refused fails alone: its event is returned.
   *
   * @param signal cancels encoding
   */
  async add(requests: readonly SequenceRequest[], signal?: AbortSignal): Promise<GenerationEvent[]> {
    const events: GenerationEvent[] = [];
    const accepted: { index: number; request: SequenceRequest }[] = [];
    for (const request of requests) {
      const index = this.added++;
      try {
        checkRequest(this.pair, request);
        accepted.push({ index, request });
      } catch (error) {
        events.push(failed(index, error));
      }
    }
    const shares = await this.shares(
      accepted.map(({ request }) => request),
      signal,
    );
    for (const [i, { index, request }] of accepted.entries()) {
      const share = shares[i];
      if (share instanceof Failure) events.push(failed(index, share.error));
      else events.push(...(await this.enter({ index, request, share }, signal)));
    }
    return events;
  }

  /** One round of every sequence. */
  async step(): Promise<GenerationEvent[]> {
    const events: GenerationEvent[] = [];
    const { members } = this;
    const outcomes = await round(members.map(({ run }) => run));
    for (const [i, member] of members.entries()) {
      const { index, run } = member;
      const outcome = outcomes[i];
      if (outcome instanceof Failure) {
        this.leave(member);
        events.push(failed(index, outcome.error));
        continue;
      }
      for (const token of outcome.tokens) events.push({ kind: 'token', index, ...token });
      if (outcome.stopReason === null) continue;
      events.push({ kind: 'done', index, result: resultOf(run, outcome.stopReason) });
      this.leave(member);
    }
    return events;
  }

  /** Gives back everything that the sequences hold. */
  dispose(): void {
    for (const { run } of this.members.splice(0)) disposeRun(run);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Each request's share of its source's encoding. Sources that are not encoded yet are encoded together. */
  private async shares(
    requests: readonly SequenceRequest[],
    signal: AbortSignal | undefined,
  ): Promise<(EncodingShare | Failure)[]> {
    const sources = new Set(requests.map(({ source }) => source));
    const missing = [...sources].filter((source) => !this.encodings.has(source));
    const hearers = new Set(requests.map(({ onEncoding }) => onEncoding));
    const onProgress = (progress: EncodingProgress) => {
      for (const hear of hearers) hear?.(progress);
    };
    const encoded = await this.encode(missing, { signal, onProgress });
    const shares: (EncodingShare | Failure)[] = [];
    for (const { source } of requests) {
      const found = encoded[missing.indexOf(source)];
      if (found instanceof Failure) shares.push(found);
      else shares.push(await this.encodings.take(source, async () => found));
    }
    return shares;
  }

  /** Encodes sources in one call. When that fails, each is tried alone, to find out whose error it was. */
  private async encode(
    sources: readonly SequenceRequest['source'][],
    options: EncoderOptions,
  ): Promise<(Encoded | Failure)[]> {
    if (sources.length === 0) return [];
    try {
      return await this.pair.target.encode(sources, options);
    } catch (error) {
      if (sources.length === 1) return [new Failure(error)];
      const alone: (Encoded | Failure)[] = [];
      for (const source of sources) alone.push(...(await this.encode([source], options)));
      return alone;
    }
  }

  /** Starts a sequence. The event of one that fails is returned. */
  private async enter(
    { index, request, share }: { index: number; request: SequenceRequest; share: EncodingShare },
    signal: AbortSignal | undefined,
  ): Promise<GenerationEvent[]> {
    try {
      this.members.push({ index, run: await startRun(this.pair, request, share, signal ?? request.signal) });
      return [];
    } catch (error) {
      share.dispose();
      return [failed(index, error)];
    }
  }

  private leave(member: Member): void {
    this.members = this.members.filter((other) => other !== member);
    disposeRun(member.run);
  }
}

export interface BatchOptions {
  /** Sequences decoded at once; others wait for one to end. Default 8. */
  readonly concurrency?: number;
  /** Ends the whole batch. Each request may have a signal of its own, which ends that one alone. */
  readonly signal?: AbortSignal;
}

/**
 * Decodes many sources with continuous batching: at most `concurrency` at once. When one ends, the next request takes its place;
 * requests are read only as they are needed. Each `done` result equals that of `generate` with the same request, in every bit.
 * Give each request a `seed` or a `sequence` name of its own when they should not share random numbers.
 *
 * @throws DecodingError `aborted` by the batch's own signal, `option-invalid` for the concurrency. An error of one request comes
 * as its `failed` event
 */
export async function* generateBatch(
  pair: Pair,
  requests: Iterable<SequenceRequest> | AsyncIterable<SequenceRequest>,
  { concurrency = DEFAULTS.concurrency, signal }: BatchOptions = {},
): AsyncGenerator<GenerationEvent, void, void> {
  if (!CONCURRENCY.holds(concurrency)) throw badSetting('concurrency', CONCURRENCY.expected, concurrency);
  const queue = new Queue(requests);
  const batch = new Batch(pair);
  try {
    for (;;) {
      checkSignal(signal);
      const entering = await queue.take(concurrency - batch.size, batch.size === 0);
      if (entering.length === 0 && batch.size === 0) return; // the source has ended
      const events = await batch.add(entering, signal);
      checkSignal(signal); // then all that were to enter have failed by it
      yield* events;
      yield* await batch.step();
    }
  } finally {
    batch.dispose();
    queue.dispose();
  }
}

function failed(index: number, error: unknown): GenerationEvent {
  return { kind: 'failed', index, error: error instanceof Error ? error : new Error(String(error)) };
}
